"""The study as pictures: the forecast against what federations came to, and the map of what decides it."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reproduction.results.plotting import legend_below, new_figure
from reproduction.results.seed_statistics import mean
from reproduction.slicing.documents import Document
from reproduction.slicing.forecast.paragraph import MARGIN
from reproduction.slicing.regimes.agreement import MEASURED, has_forecast
from reproduction.slicing.regimes.catalogue import DEFAULT, OLD_SCALE
from reproduction.slicing.regimes.form import Row
from reproduction.slicing.regimes.table import farthest

MARKERS = {"chosen": "o", "random": "^", "measured": "*"}
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
"""Of the slices, and last of measured data."""

AXES = {"last": "Confidence in the last round", "lowest": "Lowest confidence"}
MARKED = {DEFAULT: "default", OLD_SCALE: "17 Mbps"}
"""What the map names beside measured data: regime -> label."""


def draw(document: Document) -> Figure:
    """Draw measured confidence against the forecast, with the diagonal, its margin and the slices' nu."""
    rows = document["result"]["rows"]
    figure, grid = new_figure(len(MEASURED), height=4.2, sharex=True, sharey=True)
    low = min(value for row in rows for name in ("forecast", *MEASURED) if np.isfinite(value := mean(row[name])))
    ends = np.array([max(0.0, low - 0.04), 1.02])
    names = list(document["data"]["slices"])
    for axes, name in zip(grid[0], MEASURED, strict=True):
        axes.fill_between(ends, ends - MARGIN, ends + MARGIN, color="#eeeeee", label=f"± {MARGIN:g}", zorder=0)
        axes.plot(ends, ends, color="black", linewidth=0.8, zorder=1)
        for row in rows:
            filled = {} if has_forecast(row) else {"markerfacecolor": "none"}
            axes.plot(mean(row["forecast"]), mean(row[name]), color=_colour(row, names), **_look(row), **filled)
        for threshold in sorted({row["threshold"] for row in rows}):
            axes.axhline(threshold, color="grey", linewidth=0.6, linestyle=":")
            axes.axvline(threshold, color="grey", linewidth=0.6, linestyle=":")
        _label(axes, rows, names)
        axes.set(xlim=ends, ylim=ends, title=AXES[name], xlabel="Forecast from the data alone")
    for number, row in enumerate(farthest(rows), start=1):
        where = mean(row["forecast"]), mean(row["lowest"])
        grid[0, 1].annotate(str(number), where, xytext=(5, -7), textcoords="offset points", fontsize=8)
    grid[0, 0].set_ylabel("Measured")
    legend_below(figure, grid[0, 0])
    return figure


def draw_map(document: Document) -> Figure:
    """Draw every point by what losing its costliest feature means, and where C is nu if no other feature matters."""
    rows = [row for row in document["result"]["rows"] if has_forecast(row)]
    figure, grid = new_figure(1, width=7.0, height=4.2)
    axes = grid[0, 0]
    colours = mpl.colormaps["viridis"]
    shade = mpl.colors.Normalize(min(mean(row["lowest"]) for row in rows), 1.0)
    for row in rows:
        where = mean(row["probability"]), mean(row["harm"])
        axes.plot(*where, color=colours(shade(mean(row["lowest"]))), markeredgecolor="grey", **_look(row))
        if row["kind"] == "measured":
            _name(axes, row["regime"], [where])
    for regime, text in MARKED.items():
        _name(axes, text, [(mean(row["probability"]), mean(row["harm"])) for row in rows if row["regime"] == regime])
    probability = np.linspace(0.01, 1, 500)
    for threshold, line in zip(sorted({row["threshold"] for row in rows}), ("-", "--", ":", "-."), strict=False):
        axes.plot(probability, (1 - threshold) / probability, color="black", linestyle=line, label=f"ν = {threshold:g}")
    axes.set(xlim=(0, 1.05), ylim=(-0.05, 1.05))
    axes.set_xlabel("How often a mutation takes the costliest feature (mean π)")
    axes.set_ylabel("Share of U outside the SLA without it")
    _label(axes, rows)
    figure.colorbar(mpl.cm.ScalarMappable(shade, colours), ax=axes, label="Lowest confidence, measured")
    legend_below(figure, axes)
    return figure


def _name(axes: Axes, text: str, points: Sequence[tuple[float, float]]) -> None:
    """Ring the points of a regime, and name it once, below."""
    paper = {"facecolor": "white", "edgecolor": "none", "alpha": 0.6, "pad": 0.5}
    axes.plot(*np.transpose(points), linestyle="", marker="o", markersize=9, markerfacecolor="none", color="black")
    where = np.mean(points, axis=0)
    axes.annotate(text, where, (0, -18), textcoords="offset points", ha="center", fontsize=8, bbox=paper)


def _look(row: Row) -> dict:
    return {"marker": MARKERS[row["kind"]], "linestyle": "", "markersize": 9 if row["kind"] == "measured" else 4}


def _colour(row: Row, names: Sequence[str]) -> str:
    return COLOURS[-1] if row["kind"] == "measured" else COLOURS[names.index(row["slice"])]


def _label(axes: Axes, rows: Sequence[Row], names: Sequence[str] = ()) -> None:
    """Name the slices by colour and the kinds by marker, each once."""
    for name, colour in zip(names, COLOURS, strict=False):
        axes.plot([], [], linestyle="", marker="s", color=colour, label=name)
    for kind in dict.fromkeys(row["kind"] for row in rows):
        axes.plot([], [], linestyle="", marker=MARKERS[kind], color="grey", label=kind)
