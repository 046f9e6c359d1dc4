"""How the gap to the genie closes step by step, on fresh channels under the target's conditions.

Means over targets and seeds; bands are 95 % bootstrap intervals.
"""

import numpy as np
from matplotlib.figure import Figure

from reproduction.figure_script import Document
from reproduction.receiver import experiment
from reproduction.receiver.documents import Learning, form
from reproduction.receiver.looks import look
from reproduction.receiver.names import ASCENT, COSINE, FRESH, NEAREST_SNR, PAPERS, PLAIN, RANDOM, SECOND_ORDER
from reproduction.receiver.script import INFLUENCES, figure
from reproduction.results.plotting import legend_below, new_figure
from reproduction.results.seed_statistics import mean_and_interval

SHOWN = (PAPERS, PLAIN, COSINE, NEAREST_SNR, RANDOM, FRESH, ASCENT, SECOND_ORDER)


def draw(document: Document) -> Figure:
    """Draw a curve per selection."""
    result = document["result"]
    figure, grid = new_figure(1, width=5.0, height=3.6)
    axes = grid[0, 0]
    steps = [0, *result["steps"]]
    for kind in SHOWN:
        found = [(0.0, 0.0, 0.0), *(mean_and_interval(one) for one in result["selections"][kind])]
        mean, low, high = 100.0 * np.array(found).T
        axes.plot(steps, mean, marker="o", markersize=3, label=kind, **look(kind))
        axes.fill_between(steps, low, high, color=look(kind)["color"], alpha=0.12, linewidth=0)
    axes.axhline(0.0, color="black", linewidth=0.6, linestyle=":")
    axes.set_xlabel("step of fine-tuning")
    axes.set_ylabel("gap to the genie closed (%)")
    legend_below(figure, axes, 3)
    return figure


SCRIPT = figure(
    "learning",
    __doc__.splitlines()[0],
    INFLUENCES,
    compute=experiment.learning_curves,
    draw=draw,
    check=form(Learning),
)

if __name__ == "__main__":
    SCRIPT.main()
