"""Errors as the best subcarriers are taken away, by each ranking and without retraining: is a ranking true?

The sooner the errors rise, the truer; in units of the full network's at 20 dB and above, the mean over the seeds.
"""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from reproduction.figure_script import Document
from reproduction.results.plotting import legend_below, new_figure
from reproduction.xrefine import experiment
from reproduction.xrefine.documents import Deleted
from reproduction.xrefine.script import figure

LOOKS: dict[str, dict[str, Any]] = {
    "LRP": {"color": "#D55E00", "marker": "s", "linewidth": 2.2},
    "LRP, absolute mean": {"color": "#E69F00", "marker": "D"},
    "gradient x input": {"color": "black", "marker": "", "linestyle": ":"},
    "ablation": {"color": "#009E73", "marker": "^"},
    "permutation": {"color": "#CC79A7", "marker": "<"},
    "magnitude": {"color": "#0072B2", "marker": "v"},
    "XAI-CHEST": {"color": "#8B4513", "marker": "*"},
    "random": {"color": "#999999", "marker": "x", "linestyle": "--"},
}


def draw(document: Document) -> Figure:
    """Draw a column per case."""
    cases = document["result"]["cases"]
    figure, grid = new_figure(len(cases), width=max(3.4, 2.3 * len(cases)), height=2.8, sharex=True)
    for axes, case in zip(grid[0], cases, strict=True):
        for name, look in LOOKS.items():
            curves = np.array(case["curves"][name])
            shares = 100.0 * np.array(case["shares"])
            axes.plot(shares, curves.mean(axis=0), label=name, markersize=3, **look)
        axes.set_title(f"{case['channel']}, {case['modulation']}")
        axes.set_xlabel("subcarriers taken away (%)")
    grid[0, 0].set_ylabel("errors / full network's")
    legend_below(figure, grid[0, -1], 3 * len(cases))
    return figure


SCRIPT = figure("deletion", __doc__.splitlines()[0], compute=experiment.deletion, draw=draw, case=Deleted)

if __name__ == "__main__":
    SCRIPT.main()
