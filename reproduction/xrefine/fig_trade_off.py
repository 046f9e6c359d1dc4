"""Errors against FLOPs: X-REFINE's sizes and their front, and its rivals at the same FLOPs.

Errors are those at 20 dB and above, in units of the full network's; the mean over the seeds and its standard deviation.
Rivals of one budget stand side by side, although their FLOPs are the same.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

from reproduction.figure_script import Document
from reproduction.results.plotting import legend_below, new_figure
from reproduction.results.seed_statistics import mean, mean_and_spread, paired_interval
from reproduction.results.words import markdown_table, mean_and_sd
from reproduction.xrefine import experiment
from reproduction.xrefine.documents import TradeOffCase
from reproduction.xrefine.pruning import front
from reproduction.xrefine.script import figure

SHOWN: dict[str, dict[str, Any]] = {
    "LRP": {"color": "#D55E00", "marker": "s"},
    "magnitude": {"color": "#0072B2", "marker": "v"},
    "ablation": {"color": "#009E73", "marker": "^"},
    "permutation": {"color": "#CC79A7", "marker": "<"},
    "random": {"color": "#999999", "marker": "x"},
    "evenly spaced": {"color": "#E69F00", "marker": "D"},
    "LRP reversed": {"color": "black", "marker": "+"},
    "from scratch, evenly spaced": {"color": "#56B4E9", "marker": "o"},
    "XAI-CHEST, inputs alone": {"color": "#8B4513", "marker": "*"},
}


AGAINST = (
    "random",
    "evenly spaced",
    "magnitude",
    "permutation",
    "ablation",
    "from scratch, LRP's choice",
    "LRP reversed",
)
"""Rivals that LRP is held against, pair by pair of the seeds."""

APART = 45
"""FLOPs between rivals that would lie over one another."""


def draw(document: Document) -> Figure:
    """Draw a panel per case."""
    cases = document["result"]["cases"]
    columns = min(3, len(cases))
    rows = -(-len(cases) // columns)
    size = {"width": max(3.4, 3.0 * columns), "height": 0.8 + 2.5 * rows}
    figure, grid = new_figure(columns, rows=rows, **size, sharex=True)
    for axes, case in zip(grid.flat, cases, strict=False):
        _panel(axes, case)
        axes.set_title(f"{case['channel']}, {case['modulation']}")
    for axes in grid[-1]:
        axes.set_xlabel("FLOPs per symbol")
    for axes in grid[:, 0]:
        axes.set_ylabel("errors / full network's")
    legend_below(figure, grid[0, 0], 4 if columns > 1 else 2)
    return figure


def _panel(axes: Axes, case: dict) -> None:
    points = [(one["flops"], mean(one["ratios"])) for one in case["X-REFINE"]]
    costs, ratios = zip(*points, strict=True)
    axes.scatter(costs, ratios, s=6, color="#D55E00", alpha=0.35, label="X-REFINE's sizes")
    best = [points[place] for place in front(points)]
    axes.plot(*zip(*best, strict=True), color="#D55E00", linewidth=1, label="their front")
    for number, (name, look) in enumerate(SHOWN.items()):
        aside = APART * (number - len(SHOWN) // 2)
        shown = [one for one in case["rivals"][name] if one["flops"] is not None]
        spread = [mean_and_spread(one["ratios"]) for one in shown]
        axes.errorbar(
            [one["flops"] + aside for one in shown],
            [one["mean"] for one in spread],
            yerr=np.nan_to_num([one["sd"] for one in spread]),
            linestyle="",
            markersize=4,
            elinewidth=0.6,
            label=name,
            **look,
        )
    axes.axhline(1.0, color="black", linewidth=0.6, linestyle=":")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0)))
    axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.yaxis.set_minor_locator(NullLocator())


def tables(document: Document) -> dict[str, str]:
    """Return every rival at every budget, a line each; and LRP held against each of them, a column each."""
    rows = []
    for case in document["result"]["cases"]:
        for name, points in case["rivals"].items():
            for one in points:
                if one["flops"] is not None:
                    where = (case["channel"], case["modulation"], "x".join(map(str, one["budget"])))
                    rows.append((*where, name, str(one["flops"]), mean_and_sd(one["ratios"])))
    columns = ("channel", "modulation", "budget", "chosen by", "FLOPs", "errors / full network's")
    return {".md": markdown_table(columns, rows), "_against.md": _against(document["result"]["cases"])}


def _against(cases: list[dict]) -> str:
    """Return LRP's errors minus each rival's, the mean and the 95 % interval over the seeds; bold is beyond chance."""
    rows = []
    for case in cases:
        for number, ours in enumerate(case["rivals"]["LRP"]):
            cells = [case["channel"], case["modulation"], "x".join(map(str, ours["budget"]))]
            for name in AGAINST:
                pair = np.array(ours["ratios"], float), np.array(case["rivals"][name][number]["ratios"], float)
                low, high = paired_interval(*pair)
                cell = f"{np.mean(pair[0] - pair[1]):+.3f}"
                if np.isfinite(low):
                    cell += f" [{low:+.3f}, {high:+.3f}]"
                cells.append(f"**{cell}**" if low > 0.0 or high < 0.0 else cell)
            rows.append(cells)
    return markdown_table(("channel", "modulation", "budget", *AGAINST), rows)


SCRIPT = figure(
    "trade_off", __doc__.splitlines()[0], compute=experiment.trade_off, draw=draw, case=TradeOffCase, tables=tables
)

if __name__ == "__main__":
    SCRIPT.main()
