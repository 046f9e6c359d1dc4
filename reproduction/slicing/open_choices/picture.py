"""The study as pictures: claims against choices, and the Pareto front of MSE and confidence over the threshold nu."""

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from reproduction.results.plotting import new_figure
from reproduction.results.words import number
from reproduction.slicing.documents import Document, Ends
from reproduction.slicing.open_choices.choices import kind_of
from reproduction.slicing.open_choices.study import CLAIMS_VARIED
from reproduction.slicing.open_choices.table import SHOWN, VERDICTS, weakest
from reproduction.slicing.schemes import IN_HOC, LOOKS, POST_HOC

SWEEPS = {"threshold": "o", "threshold_kept": "D"}
SWEEPS_IN_WORDS = {"threshold": "in-hoc, A restarts (paper)", "threshold_kept": "in-hoc, A kept"}
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
    for position, row in enumerate(rows):
        for column, claim in enumerate(CLAIMS_VARIED):
            sign, colour = VERDICTS[row["verdicts"][claim]]
            axes.add_patch(Rectangle((column, position), 1, 1, facecolor=colour, edgecolor="white", linewidth=1.5))
            numbers = [number(weakest(row["statistics"][claim], name), ".3f") for name in SHOWN[claim]]
            text = f"{sign}  {', '.join(numbers)}"
            axes.text(column + 0.5, position + 0.5, text, ha="center", va="center", fontsize=8)
    axes.set_yticks(np.arange(len(rows)) + 0.5, [f"{row['choice']}: {row['value']}" for row in rows], fontsize=8)
    axes.set_xticks(np.arange(len(CLAIMS_VARIED)) + 0.5, [HEADINGS[claim] for claim in CLAIMS_VARIED], fontsize=8)
    axes.xaxis.tick_top()
    axes.set(xlim=(0, len(CLAIMS_VARIED)), ylim=(len(rows), 0))
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
    default = next(row for row in rows if row["is_default"])
    thresholds = list(dict.fromkeys(row["value"] for row in rows if kind_of(row["choice"]) in SWEEPS))
    colours = dict(zip(thresholds, mpl.colormaps["viridis"](np.linspace(0.0, 0.9, len(thresholds))), strict=True))
    figure, grid = new_figure(len(default["slices"]), height=3.0)
    for axes, name in zip(grid[0], default["slices"], strict=True):
        points = [_point(default["slices"][name][POST_HOC])]
        axes.plot(*points[0], label=POST_HOC, markersize=7, **LOOKS[POST_HOC] | {"linestyle": ""})
        for kind, marker in SWEEPS.items():
            for row in rows:
                if kind_of(row["choice"]) == kind:
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
    for kind, label in SWEEPS_IN_WORDS.items():
        axes.plot([], [], linestyle="", color="grey", marker=SWEEPS[kind], label=label)
    for value, colour in colours.items():
        axes.plot([], [], linewidth=5, color=colour, label=f"ν = {value}")
    grid[0, 0].set_ylabel("Final confidence C")
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5)
    return figure


def _point(ends: Ends) -> tuple[float, float]:
    return float(np.mean(np.asarray(ends["mse"], float))), float(np.mean(np.asarray(ends["confidence"], float)))


def _front(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points that no other beats in both MSE and confidence, by rising MSE."""
    front: list[tuple[float, float]] = []
    for mse, confidence in sorted(points, key=lambda point: (point[0], -point[1])):
        if not front or confidence > front[-1][1]:
            front.append((mse, confidence))
    return front
