"""The picture of a comparison: curves, bars and cautions, a column per slice."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reproduction.results.plotting import draw_curves, new_figure
from reproduction.results.seed_statistics import mean_and_spread
from reproduction.slicing.comparison.differences import Comparison
from reproduction.slicing.comparison.measures import Limits
from reproduction.slicing.comparison.pairs import OURS, CurvesBySeed, shown
from reproduction.slicing.comparison.quantities import (
    KB_TO_CONVERGENCE,
    ROUNDS_TO_CONVERGENCE,
    SECONDS_TO_CONVERGENCE,
    Quantity,
)
from reproduction.slicing.comparison.scalability import MEASURES, ByCount
from reproduction.slicing.plotting import rounds_axis
from reproduction.slicing.schemes import LOOKS, NEWCOMER_LOOKS

PANELS = {"mse": "Training MSE [%²]", "confidence": "Confidence C, training"}
BARS = {
    ROUNDS_TO_CONVERGENCE: "FL rounds to convergence",
    KB_TO_CONVERGENCE: "KB to convergence",
    SECONDS_TO_CONVERGENCE: "Seconds to convergence",
}
CAPTION = (
    "Means over the seeds and rounds that are compared (ours: with any of the methods), bands of one standard "
    "deviation; points are seeds. Dotted: the threshold ν. A run that did not converge has no bar."
)
CHARACTERS_PER_INCH = 14
"""Of a caution above the panels, at its size."""


def looks(labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return line properties by label, ours first; told apart by colour, line and marker.

    Raises:
        ValueError: for more methods than one picture can tell apart.
    """
    if len(labels) > len(NEWCOMER_LOOKS):
        raise ValueError(f"at most {len(NEWCOMER_LOOKS)} methods in one picture, got {len(labels)}; split the file")
    return {label: LOOKS[label] for label in OURS} | dict(zip(labels, NEWCOMER_LOOKS, strict=False))


def draw(comparison: Comparison) -> Figure:
    """Draw a column per slice: curves against the round as in Figs. 4 and 5, and bars as in Fig. 7.

    If a method has several numbers of CLs, points against K follow, as for Fig. 8. Cautions stand above the panels.
    """
    pairs, reference = comparison.pairs, comparison.reference
    look = looks(list(dict.fromkeys(one.method for one in pairs)))
    slices = list(dict.fromkeys(one.slice for one in pairs))
    metrics = [metric for metric in PANELS if any(one.seeds_with((metric,)) for one in pairs)]
    bars = [quantity for quantity in BARS if any(line.quantity is quantity for line in comparison.lines)]
    scaled = [name for name in MEASURES if any(name in one.values for one in comparison.scalings)]
    figure, grid = _panels(
        len(slices), [2.2] * len(metrics) + [0.8 + 0.17 * len(look)] * len(bars) + [1.9] * len(scaled)
    )
    for column, name in zip(grid.T, slices, strict=True):
        panels, runs = iter(column), shown(pairs, name)
        for metric in metrics:
            _curves(next(panels), runs, metric, look, reference.thresholds[name])
        for quantity in bars:
            values = {label: _defined(quantity, by_seed, reference.limits(name)) for label, by_seed in runs.items()}
            _bars(next(panels), values, BARS[quantity], look)
        for measure in scaled:
            here = {one.method: one.values.get(measure, {}) for one in comparison.scalings if one.slice == name}
            _points(next(panels), here, measure, look)
        column[0].set_title(name)
    for axes, metric in zip(grid[:, 0], metrics, strict=False):
        axes.set_ylabel(PANELS[metric])
    handles = {
        label: handle for axes in grid.flat for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4)
    _warn(figure, comparison.cautions)
    return figure


def _warn(figure: Figure, cautions: Sequence[str]) -> None:
    """Write the cautions above the panels, and make room for them."""
    if not cautions:
        return
    width, height = figure.get_size_inches()
    lines = [line for caution in cautions for line in wrap(f"CAUTION: {caution}", int(CHARACTERS_PER_INCH * width))]
    figure.set_size_inches(width, height + 0.16 * len(lines))
    figure.suptitle("\n".join(lines), x=0.01, ha="left", size=8, weight="bold", color="#B00000")


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


def _curves(
    axes: Axes, runs: Mapping[str, CurvesBySeed], metric: str, look: Mapping[str, dict[str, Any]], threshold: float
) -> None:
    """Draw one metric of all methods that have it; a run that ends early ends there."""
    most = 1
    for label, by_seed in runs.items():
        values = [run[metric] for run in by_seed.values() if metric in run]
        if values:
            last = max(map(len, values))
            padded = [np.pad(entry, (0, last - len(entry)), constant_values=np.nan).tolist() for entry in values]
            draw_curves(axes, padded, label, **look[label])
            most = max(most, last)
    if metric == "confidence":
        axes.axhline(threshold, color="black", linewidth=1, linestyle=(0, (1, 1)), label="threshold ν")
    axes.set_yscale("log" if metric == "mse" else "linear")
    rounds_axis(axes, most)


def _defined(quantity: Quantity, runs: CurvesBySeed, limits: Limits) -> np.ndarray:
    """Return a quantity per seed, float64, where it is defined."""
    values = quantity.of_runs(runs.values(), limits)
    return values[~np.isnan(values)]


def _points(axes: Axes, values: Mapping[str, ByCount], measure: str, look: Mapping[str, dict[str, Any]]) -> None:
    """Draw a number against K: means over the seeds, with one standard deviation."""
    for label, by_count in values.items():
        spreads = [mean_and_spread(of_seeds) for of_seeds in by_count.values()]
        means, deviations = ([spread[name] for spread in spreads] for name in ("mean", "sd"))
        axes.errorbar(list(by_count), means, yerr=np.nan_to_num(deviations), markersize=4, capsize=2, **look[label])
    axes.set_xlabel("Number of CLs, K")
    axes.set_ylabel(measure[:1].upper() + measure[1:])
    axes.set_xlim(left=0)
    axes.set_yscale("log" if MEASURES[measure][0] == "mse" else "linear")


def _bars(axes: Axes, values: Mapping[str, np.ndarray], name: str, look: Mapping[str, dict[str, Any]]) -> None:
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
    axes.set_xlabel(name)
    axes.set_xlim(left=0)
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.set_yticks(range(len(values)), list(values))
    axes.grid(axis="y", visible=False)
