"""Does the claim depend on what the paper left open? C1-C3 and C8 under every choice of `open_choices.py`.

    python reproduction/sensitivity.py --seeds 2

Writes the summary (claims x choices), the Pareto front of MSE against confidence over the threshold nu, and a table.

Differs from the paper: it shows one setting, and neither a sweep of nu nor a control.
"""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from reproduction.figure_script import Document, FigureScript
from reproduction.results.plotting import new_figure
from reproduction.results.words import markdown_table
from reproduction.slicing.experiment import Result
from reproduction.slicing.open_choices.study import AS_IN_THE_FIGURES, CLAIMS, KEPT, THRESHOLD, study
from reproduction.slicing.schemes import IN_HOC, LOOKS, POST_HOC
from reproduction.slicing.script import Slicing
from reproduction.slicing.settings import QUICK, SENSITIVITY

VERDICTS = {True: ("✓", "#cfe5f5"), False: ("✗", "#f7d3bd"), None: ("–", "#eeeeee")}
"""Holds, does not hold, confidence not defined (U empty): sign and colour."""

MSE_TREND = "rank correlation with the round"
"""C8's statistic that has to be low; all others have to be high."""

SHOWN = {
    "C1": ("rank correlation",),
    "C2": ("lowest confidence",),
    "C3": ("fall",),
    "C8": ("lowest confidence", MSE_TREND),
}
"""The statistics shown of each claim, of the slice (or K) that is farthest from holding."""

SWEEPS = {THRESHOLD: "o", THRESHOLD + KEPT: "D"}
SWEEPS_IN_WORDS = {THRESHOLD: "in-hoc, A restarts (paper)", THRESHOLD + KEPT: "in-hoc, A kept"}
"""The two sweeps of nu in the Pareto picture: markers and labels."""

HEADINGS = {
    "C1": "C1: MSE trend\nlike post-hoc's\n(correlation)",
    "C2": "C2: in-hoc\nstays confident\n(lowest C)",
    "C3": "C3: post-hoc\nloses confidence\n(fall of C)",
    "C8": "C8: for any number\nof CLs (lowest C,\nMSE trend)",
}


def draw(document: Document) -> Figure:
    """Draw a row per choice and a column per claim: holds or not, and the number that decides."""
    rows = document["result"]["rows"]
    figure, grid = new_figure(1, height=1.0 + 0.21 * len(rows))
    axes = grid[0, 0]
    for number, row in enumerate(rows):
        for column, claim in enumerate(CLAIMS):
            sign, colour = VERDICTS[row["verdicts"][claim]]
            axes.add_patch(Rectangle((column, number), 1, 1, facecolor=colour, edgecolor="white", linewidth=1.5))
            numbers = [_number(_weakest(row["statistics"][claim], name)) for name in SHOWN[claim]]
            text = f"{sign}  {', '.join(numbers)}"
            axes.text(column + 0.5, number + 0.5, text, ha="center", va="center", fontsize=8)
    axes.set_yticks(np.arange(len(rows)) + 0.5, [f"{row['choice']}: {row['value']}" for row in rows], fontsize=8)
    axes.set_xticks(np.arange(len(CLAIMS)) + 0.5, [HEADINGS[claim] for claim in CLAIMS], fontsize=8)
    axes.xaxis.tick_top()
    axes.set(xlim=(0, len(CLAIMS)), ylim=(len(rows), 0))
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    seeds, clients = len(document["seeds"]), document["settings"]["clients"]
    figure.supxlabel(
        f"✓ holds   ✗ does not   – confidence is not defined.  Number: worst slice or K, mean over {seeds} seeds; "
        f"{clients} CLs per slice",
        fontsize=8,
    )
    return figure


def draw_pareto(document: Document) -> Figure:
    """Draw final confidence against final MSE: post-hoc, and in-hoc for every threshold, A restarted and A kept."""
    rows = document["result"]["rows"]
    default = next(row for row in rows if row["choice"] == AS_IN_THE_FIGURES)
    thresholds = [row["value"] for row in rows if row["choice"] == THRESHOLD]
    colours = dict(zip(thresholds, mpl.colormaps["viridis"](np.linspace(0.0, 0.9, len(thresholds))), strict=True))
    figure, grid = new_figure(len(default["slices"]), height=3.0)
    for axes, name in zip(grid[0], default["slices"], strict=True):
        points = [_point(default["slices"][name][POST_HOC])]
        axes.plot(*points[0], label="post-hoc", markersize=7, **LOOKS[POST_HOC] | {"linestyle": ""})
        for choice, marker in SWEEPS.items():
            for row in rows:
                if row["choice"] == choice:
                    points.append(_point(row["slices"][name][IN_HOC]))
                    axes.plot(*points[-1], linestyle="", color=colours[row["value"]], marker=marker, markersize=5)
        front = np.array(_front(points)).T
        axes.step(*front, where="post", color="grey", linewidth=1, label="Pareto front", zorder=0)
        axes.set_title(name)
        axes.set_xlabel("Final training MSE [%²]")
        axes.margins(0.15)
        axes.ticklabel_format(axis="both", useOffset=False)
        axes.tick_params(labelsize=7)
        axes.locator_params(axis="x", nbins=4)
    for choice, label in SWEEPS_IN_WORDS.items():
        axes.plot([], [], linestyle="", color="grey", marker=SWEEPS[choice], label=label)
    for value, colour in colours.items():
        axes.plot([], [], linewidth=5, color=colour, label=f"ν = {value}")
    grid[0, 0].set_ylabel("Final confidence C")
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5)
    return figure


def table(document: Document) -> pd.DataFrame:
    """Return the table: a row per choice with its verdicts, and means over slices and seeds."""
    rows = []
    for row in document["result"]["rows"]:
        numbers, cells = row["numbers"], {}
        for claim, statistics in row["statistics"].items():
            deciding = ", ".join(_number(_weakest(statistics, name)) for name in statistics)
            cells[claim] = f"{VERDICTS[row['verdicts'][claim]][0]} ({deciding})"
        rows.append(
            {
                "choice": row["choice"],
                "value": row["value"],
                **cells,
                "in-hoc MSE": _number(numbers[f"{IN_HOC}: mse"], 4),
                "in-hoc C lowest, last": _pair(numbers, IN_HOC),
                "post-hoc MSE": _number(numbers[f"{POST_HOC}: mse"], 4),
                "post-hoc C lowest, last": _pair(numbers, POST_HOC),
                "λ₁": _number(numbers[f"{IN_HOC}: multiplier"], 2),
                "inside the SLA, in-hoc": _number(numbers[f"{IN_HOC}: inside"], 2),
            }
        )
    return pd.DataFrame(rows)


def tables(document: Document) -> dict[str, str]:
    """Return the table as CSV and Markdown."""
    frame = table(document)
    markdown = markdown_table(frame.columns.tolist(), frame.to_numpy().tolist())
    seeds = ", ".join(map(str, document["seeds"]))
    note = (
        "\nIn brackets the statistics that decide, of the slice (or K) farthest from holding: C1 rank correlation and "
        "drop ratio; C2 lowest confidence; C3 fall and gap; C8 lowest confidence and trend. The other columns are "
        f"means over slices. K = {document['settings']['clients']}, seeds {seeds}. – confidence is not defined (U "
        "empty).\n"
    )
    return {".csv": frame.to_csv(index=False), ".md": markdown + note}


def _weakest(statistics: dict[str, dict[str, list[float | None]]], name: str) -> float:
    """Return a statistic's mean over the seeds in the slice (or K) farthest from holding; NaN if one is not defined."""
    means = [np.mean(np.asarray(values, float)) for values in statistics[name].values()]
    return float(np.max(means) if name == MSE_TREND else np.min(means))


def _point(ends: Result) -> tuple[float, float]:
    return float(np.mean(np.asarray(ends["mse"], float))), float(np.mean(np.asarray(ends["confidence"], float)))


def _front(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points that no other beats in both MSE and confidence, by rising MSE."""
    front: list[tuple[float, float]] = []
    for mse, confidence in sorted(points, key=lambda point: (point[0], -point[1])):
        if not front or confidence > front[-1][1]:
            front.append((mse, confidence))
    return front


def _pair(numbers: dict[str, float], label: str) -> str:
    return f"{_number(numbers[f'{label}: lowest confidence'])}, {_number(numbers[f'{label}: confidence'])}"


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None or np.isnan(value) else f"{value:.{digits}f}"


SCRIPT = FigureScript(
    name="sensitivity",
    about="What becomes of C1-C3 and C8 under every choice that the paper left open.",
    wing=Slicing(takes_tables=False),
    presets={preset.name: preset for preset in (SENSITIVITY, QUICK)},
    compute=study,
    draw=draw,
    tables=tables,
    further={"_pareto": draw_pareto},
)

if __name__ == "__main__":
    SCRIPT.main()
