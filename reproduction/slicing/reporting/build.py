"""Everything on one page: collects a folder's saved figures, claims and tables, and fills in the report's template.

Every number is read from them; what is not there yet is left out, with the command that makes it. The same inputs give
the same bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reproduction import __version__
from reproduction.results.page import picture_of, render, slug
from reproduction.results.records import read_record
from reproduction.results.seed_statistics import at_round, lowest_over_rounds, mean
from reproduction.results.verdicts import FAILS, HOLDS, UNDECIDABLE, Verdict
from reproduction.results.words import thousandths, which_seeds
from reproduction.slicing import figures
from reproduction.slicing.claims import CLAIMS_RECORD, judge, read_figures
from reproduction.slicing.comparison.account import COMPARISON
from reproduction.slicing.documents import Document, read_figure
from reproduction.slicing.figures import FIGURES, MEASURED
from reproduction.slicing.reporting import tables
from reproduction.slicing.reporting.captions import describe
from reproduction.slicing.schemes import IN_HOC, POST_HOC

TEMPLATE = Path(__file__).with_name("report.html.j2")
MARKS = {
    **{HOLDS: "yes", FAILS: "no", UNDECIDABLE: "open"},
    **{tables.IN_WORDS[verdict]: mark for verdict, mark in ((True, "yes"), (False, "no"), (None, "open"))},
}
"""Verdict -> the mark that stands beside its words."""


def build(folder: Path) -> bytes:
    """Return the page of the figures in `folder`.

    Raises:
        ValueError, OSError: if a figure, its numbers or the claims are missing, torn or of different runs.
    """
    documents = read_figures(folder)
    verdicts = _verdicts(folder / "claims.json", documents)
    first = documents[figures.CONVERGENCE.name]
    real = [_measured(path) for path in sorted((folder / "real").glob("*/"), key=lambda path: path.name.lower())]
    measured = [document for part in real for document in part["documents"]]
    content = {
        "version": __version__,
        "marks": MARKS,
        "first": first,
        "seeds": which_seeds(first["seeds"]),
        "over": "mean ± sd over seeds" if len(first["seeds"]) > 1 else "one seed",
        "summary": summary(documents, verdicts),
        "verdicts": verdicts,
        "counts": {verdict: _claims_with(verdicts, verdict) for verdict in (HOLDS, FAILS, UNDECIDABLE)},
        "figures": [_figure(folder / name, document, verdicts) for name, document in documents.items()],
        "real": real,
        "sensitivity": _sensitivity(folder),
        "comparison": _comparison(folder / "comparison"),
        "settings": [tables.slices_table(first["settings"]["slices"]), tables.settings_table(first["settings"])],
        "made_with": [
            tables.data_table([first, *measured]),
            tables.made_with_table([*documents.values(), *measured]),
            tables.time_table(documents, [(part["name"], part["documents"][0]) for part in real]),
        ],
        "commands": tables.commands(first),
    }
    return render(TEMPLATE, content)


def _verdicts(path: Path, documents: Mapping[str, Document]) -> list[Verdict]:
    """Judge the claims, and see that the table saved beside the figures says the same.

    Raises:
        ValueError, OSError: if it is missing or torn, or was made of other figures.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: missing; {CLAIMS_RECORD.remedy}")
    verdicts = judge(documents)
    saved = [(line["claim"], line["verdict"], line["ours"]) for line in read_record(path, CLAIMS_RECORD)["verdicts"]]
    if saved != [(line.claim, line.verdict, line.finding.text()) for line in verdicts]:  # as rounded as they are read
        raise ValueError(f"{path}: not the verdicts that the figures beside it give; {CLAIMS_RECORD.remedy}")
    return verdicts


def _claims_with(verdicts: Iterable[Verdict], wanted: str) -> list[str]:
    return [line.claim for line in verdicts if line.verdict == wanted]


def summary(documents: Mapping[str, Document], verdicts: Sequence[Verdict]) -> list[str]:
    """Say the outcome in a few sentences, all from the numbers."""
    confidence = {
        name: {label: at_round(of["rounds"][label]["confidence"], -1) for label in (IN_HOC, POST_HOC)}
        for name, of in documents[figures.CONFIDENCE.name]["result"]["slices"].items()
    }
    ends = {label: _range([mean(of[label]) for of in confidence.values()]) for label in (IN_HOC, POST_HOC)}
    above = [a > b for of in confidence.values() for a, b in zip(of[IN_HOC], of[POST_HOC], strict=True)]
    errors = documents[figures.CONVERGENCE.name]["result"]["slices"]
    ratios = [mean(at_round(of[IN_HOC]["mse"], -1)) / mean(at_round(of[POST_HOC]["mse"], -1)) for of in errors.values()]
    timed = documents[figures.CONVERGENCE_TIME.name]["result"]["schemes"]
    seconds = {label: f"{timed[label]['seconds_per_round']:.2f} s" for label in (IN_HOC, POST_HOC)}
    counts = [
        f"{', '.join(claims)} {verdict if len(claims) == 1 else words}"
        for verdict, words in ((HOLDS, "hold"), (FAILS, "do not hold"), (UNDECIDABLE, UNDECIDABLE))
        if (claims := _claims_with(verdicts, verdict))
    ]
    return [
        f"The paper's claims, each held to a criterion of ours: {'; '.join(counts)}.",
        f"Without the constraint (post-hoc) the confidence ends at {ends[POST_HOC]}, means of the {len(confidence)} "
        f"slices; with it (in-hoc, IG) at {ends[IN_HOC]}. In-hoc ends above post-hoc in {sum(above)} of {len(above)} "
        "pairs of runs (slice and seed).",
        f"In-hoc's training error ends at {min(ratios):.2f} to {max(ratios):.2f} times post-hoc's; a round takes "
        f"{seconds[IN_HOC]} in-hoc and {seconds[POST_HOC]} post-hoc "
        f"({documents[figures.CONVERGENCE_TIME.name]['result']['slice']}).",
    ]


def _range(confidences: Sequence[float]) -> str:
    low, high = (thousandths([value]) for value in (min(confidences), max(confidences)))
    return low if low == high else f"{low} to {high}"


def _figure(stem: Path, document: Document, verdicts: Sequence[Verdict] = (), about: str = "") -> dict[str, Any]:
    """Collect a figure's picture, words and numbers, and the claims about it."""
    label, caption = FIGURES[stem.name].called, describe(document)
    title = f"{about}{label} in numbers ({which_seeds(document['seeds'])})"
    return {
        "id": slug(f"{about}{label}"),
        "about": about,
        "label": label,
        "caption": caption,
        "picture": picture_of(stem.with_suffix(".png")),
        "claims": [line for line in verdicts if line.where.startswith(label)],
        "table": replace(caption.table, title=title),
    }


def _measured(folder: Path) -> dict[str, Any]:
    """Collect the figures on one measured slice.

    Raises:
        ValueError, OSError: if one is missing, torn, or of several slices.
    """
    documents = {name: read_figure(folder / f"{name}.json", name) for name in MEASURED}
    for name, document in documents.items():
        if len(slices := sorted(document["data"]["slices"])) > 1:
            raise ValueError(
                f"{folder / name}.json: holds {', '.join(slices)}; draw each slice alone, --slices NAME --out "
                f"{folder.parent}/NAME"
            )
    data = documents[MEASURED[0]]["data"]
    (about,) = data["slices"].values()
    name = f"{data['source'].partition(':')[0].upper()} {folder.name}"
    return {
        "name": name,
        "target": about["target"],
        "clients": about["clients"],
        "left_out": about["left_out"],
        "in_words": _measured_in_words(documents[figures.CONFIDENCE.name]),
        "documents": list(documents.values()),
        "figures": [_figure(folder / figure, document, about=f"{name}, ") for figure, document in documents.items()],
    }


def _measured_in_words(document: Document) -> str:
    """Say where the confidence dips and ends, with and without the constraint."""
    ((_, numbers),) = document["result"]["slices"].items()
    sentences = []
    for label, curves in numbers["rounds"].items():
        lowest, last = (
            thousandths(lowest_over_rounds(curves["confidence"])),
            thousandths(at_round(curves["confidence"], -1)),
        )
        sentences.append(f"{label} confidence: lowest {lowest}, last {last}")
    return f"Over the rounds, {'; '.join(sentences)}; the threshold ν is {numbers['threshold']:g}."


def _sensitivity(folder: Path) -> dict[str, Any] | None:
    """Collect the open choices, if they were tried."""
    path = folder / "sensitivity.json"
    if not path.exists():
        return None
    document = read_figure(path, "sensitivity")
    rows = document["result"]["rows"]
    changes = tables.what_changes(rows)
    return {
        "changes": changes,
        "document": document,
        "seeds": which_seeds(document["seeds"]),
        "picture": picture_of(folder / "sensitivity.png"),
        "alt": f"Chart: a row per choice, a column per claim, each cell a verdict and its number. {' '.join(changes)}",
        "pareto": picture_of(folder / "sensitivity_pareto.png"),
        "pareto_alt": tables.pareto_in_words(rows),
        "table": tables.sensitivity_table(rows),
    }


def _comparison(folder: Path) -> dict[str, Any] | None:
    """Collect the comparison of the example methods, if it was made."""
    path = folder / "comparison.json"
    if not path.exists():
        return None
    document = read_record(path, COMPARISON)
    lines = document["result"]["lines"]
    if not lines:
        raise ValueError(f"{path}: compares nothing; make it again with python reproduction/compare.py")
    return {
        "against": document["against"],
        "table": tables.comparison_table(lines),
        "picture": picture_of(folder / "comparison.png"),
        "alt": tables.comparison_in_words(lines),
    }
