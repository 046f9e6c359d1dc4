"""The report's tables beside the figures: sensitivity, comparison, settings, data, versions and machines, time."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from reproduction.results.seed_statistics import mean
from reproduction.results.words import NO_NUMBER, NOT_DEFINED, mean_and_sd, number, which_seeds
from reproduction.slicing import figures
from reproduction.slicing.documents import Document
from reproduction.slicing.open_choices.choices import kind_of
from reproduction.slicing.reporting.captions import Row, TextTable
from reproduction.slicing.schemes import IN_HOC, POST_HOC
from reproduction.slicing.settings import LocalSettings, ModelSettings, Settings, SliceSettings, explanations

IN_WORDS = {True: "holds", False: "fails", None: NOT_DEFINED}
"""Verdict of a sensitivity row -> cell."""


def sensitivity_table(rows: Sequence[Mapping[str, Any]]) -> TextTable:
    """Tabulate choice -> verdicts and numbers; the choices as groups."""
    claims = list(rows[0]["verdicts"])
    numbers = [name for name in rows[0]["numbers"] if not name.endswith(("lowest confidence", "inside"))]
    groups = []
    for choice, members in groupby(rows, key=lambda row: row["choice"]):
        cells = (
            (
                row["value"],
                *(IN_WORDS[row["verdicts"][claim]] for claim in claims),
                *(number(row["numbers"][name]) for name in numbers),
            )
            for row in members
        )
        groups.append((choice, tuple(cells)))
    return TextTable(title="Verdicts under other choices", columns=("Choice", *claims, *numbers), groups=tuple(groups))


def what_changes(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say for each claim how often it holds, and under which choices its verdict is another than the default's."""
    rows = [row for row in rows if kind_of(row["choice"]) != "control"]  # which is no choice
    default = next(row for row in rows if row["is_default"])
    sentences = []
    for claim, verdict in default["verdicts"].items():
        holding = sum(row["verdicts"][claim] is True for row in rows)
        other = [row for row in rows if row["verdicts"][claim] is not verdict]
        named = [
            f"{choice} ({', '.join(row['value'] for row in members)})"
            for choice, members in groupby(other, key=lambda row: row["choice"])
        ]
        change = f"another verdict with {'; '.join(named)}" if named else "the same verdict in every row"
        sentences.append(f"{claim} holds in {holding} of {len(rows)} rows ({IN_WORDS[verdict]} by default); {change}.")
    return sentences


def pareto_in_words(rows: Sequence[Mapping[str, Any]]) -> str:
    """Tell the picture of confidence against MSE, its points as means over the slices."""
    points = [
        f"{row['choice']} {row['value']}: C {number(row['numbers'][f'{IN_HOC}: confidence'])}, MSE "
        f"{number(row['numbers'][f'{IN_HOC}: mse'])} %²"
        for row in rows
        if kind_of(row["choice"]) in ("threshold", "threshold_kept")
    ]
    default = next(row["numbers"] for row in rows if row["is_default"])
    confidence, mse = (number(default[f"{POST_HOC}: {quantity}"]) for quantity in ("confidence", "mse"))
    post_hoc = f"{POST_HOC}: C {confidence}, MSE {mse} %²"
    means = "; ".join([post_hoc, *points])
    return f"Final confidence against final MSE, a panel per slice. Means over the slices: {means}."


def comparison_table(lines: Sequence[Mapping[str, Any]]) -> TextTable:
    """Tabulate the compared methods below ours, by slice: each quantity's mean ± sd over the common seeds."""
    values = _by_slice_and_method(lines)
    columns = dict.fromkeys(
        (line["quantity"], "" if line["unit"] in ("1", "rounds") else f" [{line['unit'].replace('^2', '²')}]")
        for line in lines
        if not line["quantity"].startswith(("area", "mean", "share"))
    )
    groups = tuple(
        (
            slice_name,
            tuple(
                (method, *(_in_words(found[name], unit) if name in found else NO_NUMBER for name, unit in columns))
                for method, found in by_method.items()
            ),
        )
        for slice_name, by_method in values.items()
    )
    return TextTable(
        title="All methods",
        columns=("Slice, method", *(f"{name[:1].upper()}{name[1:]}{unit}" for name, unit in columns)),
        groups=groups,
    )


def _in_words(values: Sequence[float], unit: str) -> str:
    return mean_and_sd(values, ",.0f", ",.0f") if unit == " [KB]" else mean_and_sd(values)


def comparison_in_words(lines: Sequence[Mapping[str, Any]]) -> str:
    """Tell the comparison's picture: each method's last error and confidence, by slice."""
    sentences = []
    for slice_name, by_method in _by_slice_and_method(lines).items():
        ends = [
            f"{method} MSE {mean(values['final MSE']):.3g}"
            + (f", C {mean_and_sd([mean(values['final confidence'])], '.3f')}" if "final confidence" in values else "")
            for method, values in by_method.items()
            if "final MSE" in values
        ]
        sentences.append(f"{slice_name}, last round: {'; '.join(ends)}")
    return f"Line plots over FL rounds and bars, a column per slice. {'. '.join(sentences)}."


def _by_slice_and_method(lines: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, dict[str, Sequence[float]]]]:
    """Return slice -> method, ours first -> quantity -> a value per common seed."""
    found: dict[str, dict[str, dict[str, Sequence[float]]]] = {}
    for whose, label in (("ours", "against"), ("theirs", "method")):
        for line in lines:
            values = found.setdefault(line["slice"], {}).setdefault(line[label], {})
            values.setdefault(line["quantity"], line[whose])
    return found


def settings_table(recorded: Mapping[str, Any]) -> TextTable:
    """List the settings of a record with the explanations that stand in `settings.py`."""
    parts = {
        "Experiment": (recorded, Settings),
        "Network": (recorded["model"], ModelSettings),
        "A CL's local training": (recorded["local"], LocalSettings),
    }
    groups = tuple((heading, tuple(_explained(values, kind))) for heading, (values, kind) in parts.items())
    return TextTable(title="Settings of the runs", columns=("Setting", "Value", "What it is"), groups=groups)


def slices_table(recorded: Mapping[str, Mapping[str, float]]) -> TextTable:
    """List each slice's SLA and threshold."""
    meanings = explanations(SliceSettings)
    rows = tuple((name, *map(_plain, values.values())) for name, values in recorded.items())
    names = [f"{name}: {meanings.get(name, '')}".rstrip(": ") for name in next(iter(recorded.values()))]
    return TextTable(title="Slices", columns=("Slice", *names), groups=(("", rows),))


def _explained(values: Mapping[str, Any], kind: type) -> Iterable[Row]:
    meanings = explanations(kind)
    for name, value in values.items():
        if not isinstance(value, Mapping):
            yield name, _plain(value), meanings.get(name, "")


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def data_table(documents: Iterable[Document]) -> TextTable:
    """List which data the figures were drawn from."""
    rows = {}
    for document in documents:
        for name, of in document["data"]["slices"].items():
            source = document["data"]["source"]
            sizes = (f"{of[what]:,}" for what in ("clients", "training_samples", "test_samples"))
            features = ", ".join(of["features"])
            rows[source, name] = (f"{name}, {source}", of["target"], features, *sizes, of["sha256"])
    columns = ("Slice, source", "Target", "Features", "CLs", "Training samples", "Test samples", "SHA-256, first seed")
    return TextTable(title="Data", columns=columns, groups=(("", tuple(rows.values())),))


def made_with_table(documents: Iterable[Document]) -> TextTable:
    """List versions and machine, a column for each that differs."""
    columns: dict[str, dict[str, str]] = {}
    for document in documents:
        for what, entries in (("trained", document["trained_with"]), ("drawn", [document["drawn_with"]])):
            for entry in entries:
                flat = {str(name): str(value) for part in entry.values() for name, value in part.items()}
                heads = [head for head in columns if head.startswith(what)]
                if all(columns[head] != flat for head in heads):
                    columns[f"{what} with" + (f" ({len(heads) + 1})" if heads else "")] = flat
    names = dict.fromkeys(name for flat in columns.values() for name in flat)
    rows: tuple[Row, ...] = tuple((name, *(flat.get(name, NO_NUMBER) for flat in columns.values())) for name in names)
    heads = [head.capitalize() for head in columns]
    return TextTable(title="Versions and machine", columns=("", *heads), groups=(("", rows),))


def time_table(documents: Mapping[str, Document], measured: Sequence[tuple[str, Document]]) -> TextTable:
    """Add up the wall seconds of the rounds of Fig. 4's, Fig. 8's and the measured data's federations, each once.

    Not among them: in-hoc with SHAP and Input x Gradient, whose seconds no figure saves, and Fig. 7's timed rounds.
    """
    first = documents[figures.CONVERGENCE.name]
    main = [curves["seconds"] for of in first["result"]["slices"].values() for curves in of.values()]
    by_count = documents[figures.SCALABILITY.name]["result"]["clients"]
    others = [curves["seconds"] for count, curves in by_count.items() if int(count) != first["settings"]["clients"]]
    parts = {
        "Figs. 4, 5, 6 and Table IV: in-hoc (IG) and post-hoc": main,
        "Fig. 8: other numbers of CLs": others,
        **{
            f"Measured data, {name}": [
                curves["seconds"] for of in document["result"]["slices"].values() for curves in of.values()
            ]
            for name, document in measured
        },
    }
    rows = [(name, *_amount(runs)) for name, runs in parts.items()]
    rows.append(("all of these", *_amount([run for runs in parts.values() for run in runs])))
    return TextTable(
        title="Training time", columns=("Federations", "Number", "Wall time [min]"), groups=(("", tuple(rows)),)
    )


def _amount(curves: Sequence[Sequence[Sequence[float]]]) -> tuple[str, str]:
    """Return the number of federations and their minutes."""
    runs = [run for seeds in curves for run in seeds]
    return str(len(runs)), f"{sum(float(np.nansum(np.asarray(run, float))) for run in runs) / 60:.1f}"


def commands(document: Document) -> list[tuple[str, str]]:
    """Return (command, what it makes) for these results again."""
    seeds, preset = document["seeds"], document["preset"]
    preset = "" if preset == "paper" else f" PRESET={preset}"
    all_from_zero = seeds == list(range(len(seeds)))
    switch = f" SEEDS={len(seeds)}" if all_from_zero and len(seeds) > 1 else ""
    return [
        (f"make figures{preset}{switch}", f"Figs. 4-8, Table IV and the claims ({which_seeds(document['seeds'])})"),
        ("make real TRACTOR=table.parquet", "the figures on measured data"),
        (f"make sensitivity{preset}", "the paper's open choices, varied"),
        ("python reproduction/compare.py THEIRS.csv", "a method of your own beside these"),
        (f"make report{preset}", "this page"),
    ]
