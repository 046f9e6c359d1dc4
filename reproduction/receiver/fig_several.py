"""Several targets at once beside each for itself: how much of the gap to the genie is closed on fresh channels.

Means over targets and seeds of the paper's selection; bars are 95 % bootstrap intervals.
"""

import numpy as np
from matplotlib.figure import Figure

from reproduction.figure_script import Document
from reproduction.receiver import experiment
from reproduction.receiver.documents import Several, form
from reproduction.receiver.script import INFLUENCES, figure
from reproduction.results.plotting import legend_below, new_figure
from reproduction.results.seed_statistics import mean_and_interval

LOOKS = {
    "singly": ("each for itself", "#0072B2"),
    "jointly": ("all at once", "#D55E00"),
    "random": ("all at once, random frames", "#999999"),
}


def draw(document: Document) -> Figure:
    """Draw a group of bars per number of targets."""
    groups = document["result"]["groups"]
    figure, grid = new_figure(1, width=4.6, height=3.0)
    axes = grid[0, 0]
    for number, (name, (label, colour)) in enumerate(LOOKS.items()):
        mean, low, high = 100.0 * np.array([mean_and_interval(one[name]) for one in groups]).T
        places = np.arange(len(groups)) + 0.25 * (number - 1)
        error = np.maximum([mean - low, high - mean], 0.0)
        axes.bar(places, mean, 0.22, yerr=error, color=colour, label=label, error_kw={"elinewidth": 0.8})
    axes.axhline(0.0, color="black", linewidth=0.6)
    axes.set_xticks(range(len(groups)), [f"{one['targets']}" for one in groups])
    axes.grid(axis="x", visible=False)
    axes.set_xlabel("targets")
    axes.set_ylabel("gap to the genie closed (%)")
    legend_below(figure, axes)
    return figure


SCRIPT = figure(
    "several",
    __doc__.splitlines()[0],
    INFLUENCES,
    compute=experiment.several_targets,
    draw=draw,
    check=form(Several),
)

if __name__ == "__main__":
    SCRIPT.main()
