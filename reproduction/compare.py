"""Your method's curves beside ours: one picture, and each difference with its interval over the common seeds.

    python reproduction/compare.py THEIRS.csv --against data/reference/quick

THEIRS.csv is the tidy table of `results.curves` from any framework: MSE and confidence per round, and KB and seconds if
you have them. `evaluate` gives it for a method in Python. One file is one number of CLs, the reference's: curves of
another K are of another problem.

Differs from the paper: it compares its two schemes by eye, on one run.
"""

import argparse
import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reproduction.command_line import one_line
from reproduction.files import write_atomically
from reproduction.results import records
from reproduction.results.plotting import draw_curves, new_figure, save, style
from reproduction.results.words import difference, markdown_table, mean_and_sd
from reproduction.slicing.comparison import curves, quantities
from reproduction.slicing.comparison import differences as comparison
from reproduction.slicing.comparison.differences import OURS, Line, Reference, Runs
from reproduction.slicing.comparison.run_method import LocalData, Method, evaluate
from reproduction.slicing.federation.record import PACKAGES
from reproduction.slicing.plotting import rounds_axis
from reproduction.slicing.reporting import page
from reproduction.slicing.schemes import LOOKS, NEWCOMER_LOOKS

__all__ = ["LocalData", "Method", "evaluate", "main"]

NAME = "comparison"
REFERENCE = Path("data/reference/paper")
PANELS = {"mse": "Training MSE [%²]", "confidence": "Confidence C, training"}
BARS = {
    "rounds to convergence": "FL rounds to convergence",
    "KB to convergence": "KB to convergence",
    "seconds to convergence": "Seconds to convergence",
}
COLUMNS = ("quantity", "against", "theirs", "ours", "difference [95 % interval]", "in words")
WIDTH_OF_A_LOG = 150
CAPTION = (
    "Means over all of each scheme's seeds and rounds, bands of one standard deviation; points are seeds. "
    "Dotted: the threshold ν. A run that did not converge has no bar."
)


def looks(labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return line properties by label, ours first; told apart by colour, line and marker.

    Raises:
        ValueError: for more methods than one picture can tell apart.
    """
    if len(labels) > len(NEWCOMER_LOOKS):
        raise ValueError(f"at most {len(NEWCOMER_LOOKS)} methods in one picture, got {len(labels)}; split the file")
    return {label: LOOKS[label] for label in OURS} | dict(zip(labels, NEWCOMER_LOOKS, strict=False))


def draw(theirs: pd.DataFrame, reference: Reference, lines: Sequence[Line]) -> Figure:
    """Draw a column per slice: curves against the round as in Figs. 4 and 5, and bars as in Fig. 7."""
    by_method = comparison.methods(theirs)
    look = looks(list(by_method))
    slices = list(theirs["slice"].unique())
    shown = [metric for metric in PANELS if metric in set(theirs["metric"])]
    bars = [name for name in BARS if any(line.quantity == name for line in lines)]
    heights = [2.2] * len(shown) + [0.8 + 0.17 * len(look)] * len(bars)
    figure, grid = _panels(len(slices), heights)
    for column, name in zip(grid.T, slices, strict=True):
        runs = {label: comparison.our_runs(reference, label, name) for label in OURS}
        runs |= {label: comparison.runs_of(frame, name) for label, frame in by_method.items()}
        for axes, metric in zip(column, shown, strict=False):
            _curves(axes, runs, metric, look)
            if metric == "confidence":
                nu = reference.thresholds[name]
                axes.axhline(nu, color="black", linewidth=1, linestyle=(0, (1, 1)), label="threshold ν")
        for axes, quantity in zip(column[len(shown) :], bars, strict=True):
            _bars(axes, {label: _values(quantity, of_seeds, name, reference) for label, of_seeds in runs.items()}, look)
            axes.set_xlabel(BARS[quantity])
        column[0].set_title(name)
    for axes, metric in zip(grid[:, 0], shown, strict=False):
        axes.set_ylabel(PANELS[metric])
        axes.set_yscale("log" if metric == "mse" else "linear")
    handles = {
        label: handle for axes in grid.flat for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4)
    return figure


def _panels(slices: int, heights: Sequence[float]) -> tuple[Figure, np.ndarray]:
    """Return a figure and its axes, [panels, slices]; the panels of a single slice stand two in a row."""
    if slices > 1:
        sizes = {"width": 1.6 + 2.2 * slices, "height": sum(heights) + 0.6}
        return new_figure(slices, rows=len(heights), **sizes, sharey="row", height_ratios=heights)
    padded = [*heights, 0.0][: 2 * ((len(heights) + 1) // 2)]
    rows = [max(pair) for pair in zip(padded[::2], padded[1::2], strict=True)]
    figure, cells = new_figure(2, rows=len(rows), height=sum(rows) + 0.6, height_ratios=rows)
    for spare in cells.flat[len(heights) :]:
        spare.remove()
    return figure, cells.reshape(-1, 1)[: len(heights)]


def _curves(axes: Axes, runs: Mapping[str, Runs], metric: str, look: Mapping[str, dict[str, Any]]) -> None:
    """Draw one metric of all methods that have it; a run that ends early ends there."""
    most = 1
    for label, of_seeds in runs.items():
        values = [run[metric] for run in of_seeds.values() if metric in run]
        if values:
            last = max(map(len, values))
            padded = [np.pad(entry, (0, last - len(entry)), constant_values=np.nan).tolist() for entry in values]
            draw_curves(axes, padded, label, **look[label])
            most = max(most, last)
    rounds_axis(axes, most)


def _values(quantity: str, runs: Runs, slice_name: str, reference: Reference) -> np.ndarray:
    """Return a quantity per seed, where it is defined."""
    (needs,) = [entry.needs for entry in quantities.QUANTITIES if entry.name == quantity]
    threshold, tolerance = reference.thresholds[slice_name], reference.tolerance
    usable = [run for run in runs.values() if all(metric in run for metric in needs)]
    values = np.array([quantities.value(quantity, run, threshold, tolerance) for run in usable], float)
    return values[~np.isnan(values)]


def _bars(axes: Axes, values: Mapping[str, np.ndarray], look: Mapping[str, dict[str, Any]]) -> None:
    """Draw a bar per method and a point per seed."""
    for position, (label, of_seeds) in enumerate(values.items()):
        if len(of_seeds) == 0:
            continue
        colour = look[label]["color"]
        axes.barh(position, of_seeds.mean(), color=colour, alpha=0.5, height=0.6)
        axes.plot(of_seeds, np.full(len(of_seeds), position), look[label]["marker"], color=colour, ms=3)
        end = (of_seeds.max(), position)
        mean = of_seeds.mean()
        text = f"{mean:,.0f}" if mean >= 100 else f"{mean:.3g}"
        axes.annotate(text, end, (6, 0), textcoords="offset points", va="center", size=7)
    axes.margins(x=0.35)
    axes.set_xlim(left=0)
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.set_yticks(range(len(values)), list(values))
    axes.grid(axis="y", visible=False)


def cells(line: Line) -> tuple[str, ...]:
    """Write one line of the tables, under `COLUMNS`."""
    unit = "" if line.unit in ("1", "rounds") else f" [{line.unit}]"
    span = "not defined" if np.isnan(line.difference) else difference(line.difference, 3)
    if not np.isnan(line.low):
        span += f" [{difference(line.low, 3)}, {difference(line.high, 3)}]"
    forms = (",.0f", ",.0f") if line.unit == "KB" else (".3g", ".2g")
    values = (mean_and_sd(line.theirs, *forms), mean_and_sd(line.ours, *forms))
    if line.quantity in quantities.AREAS:
        values, span = ("", ""), span.replace("+", "")
    return (line.quantity + unit, line.against, *values, span, line.verdict)


def tables(lines: Sequence[Line]) -> dict[str, dict[str, list[tuple[str, ...]]]]:
    """Return the rows by method and slice."""
    found: dict[str, dict[str, list[tuple[str, ...]]]] = {}
    for line in sorted(lines, key=lambda line: quantities.QUANTITY_NAMES.index(line.quantity)):
        found.setdefault(line.method, {}).setdefault(line.slice, []).append(cells(line))
    return {method: found[method] for method in dict.fromkeys(line.method for line in lines)}


def notes(name: str, theirs: pd.DataFrame, reference: Reference, lines: Sequence[Line]) -> list[str]:
    """Say what was compared and how to read it."""
    seeds = sorted({len(line.seeds) for line in lines})
    rounds = sorted({line.rounds for line in lines})
    told = [
        f"{name} against our reference curves ({reference.preset} preset, {reference.clients} closed loops), over "
        f"{' or '.join(map(str, rounds))} rounds and {' or '.join(map(str, seeds))} common seed(s). It is taken to be "
        f"of {reference.clients} closed loops too.",
        "A difference is theirs minus ours, seed by seed; in brackets the 95 % bootstrap interval of its mean over the "
        "seeds. From few seeds such an interval is too narrow (from five it leaves out 0 in one of six comparisons of "
        'equals), so that "lower" or "higher" is said only if all seeds agree too.',
        "A run has converged at the first round from which its MSE stays within "
        f"{reference.tolerance:.0%} (of its drop) of its best. A seed where a number is not defined is left out.",
    ]
    if any(line.unit == "s" for line in lines):
        told.append("Seconds compare only what ran on the same machine.")
    if max(seeds) < quantities.ENOUGH:
        told.append(
            f"With {max(seeds)} seeds even that shows little: equals have all differences of one sign once in "
            f"{2 ** (max(seeds) - 1)} times, and there are many lines here."
        )
    return told + cautions(theirs, reference)


def cautions(theirs: pd.DataFrame, reference: Reference) -> list[str]:
    """Say what makes curves hardly comparable: another explainer, fewer rounds, another traffic per round."""
    told = []
    for label, frame in comparison.methods(theirs).items():
        explainers = sorted(set(frame["explainer"]) - {explainer for _, explainer in OURS.values()})
        if explainers:
            told.append(
                f"Caution: the confidence of {label} is scored with {', '.join(explainers)}, ours with IG; it "
                "differs by that alone, even for the same model."
            )
    last, ours = int(theirs["round"].max()), int(reference.frame["round"].max())
    if last < ours:
        told.append(
            f"Caution: theirs end at round {last}, ours at {ours}; only {last} rounds are compared. One preset?"
        )
    traffic = [table.loc[table["metric"] == "kb", "value"].median() for table in (theirs, reference.frame)]
    if traffic[0] < 0.9 * traffic[1] or traffic[0] > 1.1 * traffic[1]:
        told.append(
            f"Caution: theirs send {traffic[0]:,.0f} KB per round, ours {traffic[1]:,.0f}; is it the same number of "
            "closed loops?"
        )
    return told


def markdown(title: str, told: Sequence[str], by_method: Mapping[str, Mapping[str, list[tuple[str, ...]]]]) -> str:
    """Return the comparison as Markdown."""
    parts = [f"# {title}", *told, f"![Curves of all methods]({NAME}.png)", CAPTION]
    for method, of_slices in by_method.items():
        for slice_name, rows in of_slices.items():
            parts += [f"## {method} in {slice_name}", markdown_table(COLUMNS, rows).rstrip("\n")]
    return "\n\n".join(parts) + "\n"


def write(path: Path, theirs: pd.DataFrame, reference: Reference, folder: Path) -> tuple[list[Line], list[str]]:
    """Compare, and write the picture, the tables and the record into `folder`; return the lines and the notes."""
    lines = comparison.compare(theirs, reference)
    with style():
        pictures = save(draw(theirs, reference, lines), folder, NAME)
    methods = list(comparison.methods(theirs))
    title, by_method = f"{', '.join(methods)} against ours", tables(lines)
    told = notes(path.name, theirs, reference, lines)
    slices = ", ".join(theirs["slice"].unique())
    alt = f"Curves of {', '.join([*OURS, *methods])} in {slices}; the tables below hold the numbers."
    content = {
        "title": title,
        "notes": told,
        "picture": page.picture(pictures[0]),
        "alt": alt,
        "caption": CAPTION,
        "columns": COLUMNS,
        "methods": by_method,
    }
    flat = pd.DataFrame([asdict(line) for line in lines]).drop(columns=["differences"])
    for column in ("theirs", "ours"):
        flat[column] = [float(np.nanmean(values)) if np.isfinite(values).any() else np.nan for values in flat[column]]
    flat["seeds"] = [" ".join(map(str, seeds)) for seeds in flat["seeds"]]
    document = {
        "theirs": {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
        "against": {"preset": reference.preset, "clients": reference.clients, "tolerance": reference.tolerance},
        "drawn_with": records.provenance(PACKAGES),
        "result": {"lines": [asdict(line) for line in lines]},
    }
    records.write_record(folder / f"{NAME}.json", records.Kind(), document)
    write_atomically(folder / f"{NAME}.md", markdown(title, told, by_method).encode())
    write_atomically(folder / f"{NAME}.html", page.render(content, "comparison.html.j2"))
    write_atomically(folder / f"{NAME}.csv", flat.to_csv(index=False, lineterminator="\n").encode())
    return lines, told


def show(lines: Sequence[Line]) -> None:
    """Print the tables; the words hold the difference and against whom."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_LOG)
    shown = [COLUMNS.index(column) for column in ("quantity", "theirs", "ours", "in words")]
    for method, of_slices in tables(lines).items():
        for slice_name, rows in of_slices.items():
            table = Table(title=Text(f"{method} in {slice_name}"))
            for number in shown:
                table.add_column(Text(COLUMNS[number]))
            for row in rows:
                table.add_row(*(Text(row[number]) for number in shown))
            console.print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, print and write; exits with 2 and one line on standard error if something is wrong."""
    parser = argparse.ArgumentParser(
        prog="compare.py",
        description="Compare a method's curves with ours; one file is one number of CLs, the reference's.",
    )
    parser.add_argument("theirs", type=Path, metavar="THEIRS.csv", help="tidy curves (data/README.md says how)")
    parser.add_argument("--against", type=Path, metavar="DIR", help=f"our reference curves ({REFERENCE})")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", default=Path("figures") / NAME, help=f"where {NAME}.* go (figures/{NAME})"
    )
    options = parser.parse_args(arguments)
    beside = Path(__file__).resolve().parents[1] / REFERENCE
    folder = options.against or (REFERENCE if REFERENCE.exists() else beside)
    try:
        if options.theirs.resolve() == (options.out / f"{NAME}.csv").resolve():
            raise ValueError(f"{options.theirs}: would be overwritten; rename it, or choose another --out")
        theirs, reference = curves.read(options.theirs), comparison.read_reference(folder)
        lines, told = write(options.theirs, theirs, reference, options.out)
    except (ValueError, OSError) as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        sys.exit(2)
    for note in told:
        print(note)
    show(lines)
    for suffix in (".png", ".pdf", ".json", ".md", ".html", ".csv"):
        print(options.out / f"{NAME}{suffix}")


if __name__ == "__main__":
    main()
