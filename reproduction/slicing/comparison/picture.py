"""The picture of a comparison: everyone's curves as in Figs. 4 and 5, and bars as in Fig. 7, a column per slice."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reproduction.results.plotting import draw_curves, new_figure
from reproduction.slicing.comparison import differences
from reproduction.slicing.comparison.differences import OURS, CurvesBySeed, Line
from reproduction.slicing.comparison.measures import Limits
from reproduction.slicing.comparison.quantities import (
    KB_TO_CONVERGENCE,
    ROUNDS_TO_CONVERGENCE,
    SECONDS_TO_CONVERGENCE,
    Quantity,
)
from reproduction.slicing.comparison.reference_curves import Reference
from reproduction.slicing.plotting import rounds_axis
from reproduction.slicing.schemes import LOOKS, NEWCOMER_LOOKS

PANELS = {"mse": "Training MSE [%²]", "confidence": "Confidence C, training"}
BARS = {
    ROUNDS_TO_CONVERGENCE: "FL rounds to convergence",
    KB_TO_CONVERGENCE: "KB to convergence",
    SECONDS_TO_CONVERGENCE: "Seconds to convergence",
}
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
    by_method = differences.methods(theirs)
    look = looks(list(by_method))
    slices = list(theirs["slice"].unique())
    metrics = [metric for metric in PANELS if metric in set(theirs["metric"])]
    bars = [quantity for quantity in BARS if any(line.quantity == quantity.name for line in lines)]
    heights = [2.2] * len(metrics) + [0.8 + 0.17 * len(look)] * len(bars)
    figure, grid = _panels(len(slices), heights)
    for column, name in zip(grid.T, slices, strict=True):
        runs = {label: differences.our_runs(reference, label, name) for label in OURS}
        runs |= {label: differences.runs_of(frame, name) for label, frame in by_method.items()}
        for axes, metric in zip(column, metrics, strict=False):
            _curves(axes, runs, metric, look)
            if metric == "confidence":
                nu = reference.thresholds[name]
                axes.axhline(nu, color="black", linewidth=1, linestyle=(0, (1, 1)), label="threshold ν")
        for axes, quantity in zip(column[len(metrics) :], bars, strict=True):
            values = {label: _defined(quantity, by_seed, reference.limits(name)) for label, by_seed in runs.items()}
            _bars(axes, values, look)
            axes.set_xlabel(BARS[quantity])
        column[0].set_title(name)
    for axes, metric in zip(grid[:, 0], metrics, strict=False):
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


def _curves(axes: Axes, runs: Mapping[str, CurvesBySeed], metric: str, look: Mapping[str, dict[str, Any]]) -> None:
    """Draw one metric of all methods that have it; a run that ends early ends there."""
    most = 1
    for label, by_seed in runs.items():
        values = [run[metric] for run in by_seed.values() if metric in run]
        if values:
            last = max(map(len, values))
            padded = [np.pad(entry, (0, last - len(entry)), constant_values=np.nan).tolist() for entry in values]
            draw_curves(axes, padded, label, **look[label])
            most = max(most, last)
    rounds_axis(axes, most)


def _defined(quantity: Quantity, runs: CurvesBySeed, limits: Limits) -> np.ndarray:
    """Return a quantity per seed, float64, where it is defined."""
    values = quantity.of_runs(runs.values(), limits)
    return values[~np.isnan(values)]


def _bars(axes: Axes, values: Mapping[str, np.ndarray], look: Mapping[str, dict[str, Any]]) -> None:
    """Draw a bar per method and a point per seed."""
    for position, (label, by_seed) in enumerate(values.items()):
        if len(by_seed) == 0:
            continue
        colour = look[label]["color"]
        axes.barh(position, by_seed.mean(), color=colour, alpha=0.5, height=0.6)
        axes.plot(by_seed, np.full(len(by_seed), position), look[label]["marker"], color=colour, ms=3)
        end = (by_seed.max(), position)
        mean = by_seed.mean()
        text = f"{mean:,.0f}" if mean >= 100 else f"{mean:.3g}"
        axes.annotate(text, end, (6, 0), textcoords="offset points", va="center", size=7)
    axes.margins(x=0.35)
    axes.set_xlim(left=0)
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.set_yticks(range(len(values)), list(values))
    axes.grid(axis="y", visible=False)
