"""Is an influence true? The rise of a target's loss that a group's influences say, and that of training without it.

A panel per target of the first seed: candidates sorted by influence and cut into groups, and random groups as large;
the last epochs are trained again without each. Rises are in thousandths of a nat per bit.
"""

import numpy as np
from matplotlib.figure import Figure

from reproduction.figure_script import Document
from reproduction.receiver import experiment
from reproduction.receiver.documents import LeftOut, form
from reproduction.receiver.script import INFLUENCES, figure
from reproduction.results.plotting import legend_below, new_figure


def draw(document: Document) -> Figure:
    """Draw a panel per target."""
    targets = document["result"]["targets"]
    figure, grid = new_figure(len(targets), width=max(3.2, 2.5 * len(targets)), height=2.7)
    for number, (axes, one) in enumerate(zip(grid[0], targets, strict=True), 1):
        for part, label, look in (
            ("sorted", "groups by influence", {"color": "#D55E00", "marker": "o"}),
            ("random", "random groups", {"color": "#999999", "marker": "x"}),
        ):
            predicted, rises = (1e3 * np.array(one[part][what]) for what in ("predicted", "rises"))
            axes.plot(predicted, rises, linestyle="", markersize=4, label=label, **look)
        correlation = one["rank_correlation"]
        rank = "–" if correlation is None else f"{correlation:.2f}"
        axes.set_title(f"target {number}, rank correlation {rank}", fontsize="medium")
        axes.set_xlabel("rise by influence (mnat per bit)")
    grid[0, 0].set_ylabel("rise, trained (mnat per bit)")
    legend_below(figure, grid[0, 0])
    return figure


SCRIPT = figure(
    "left_out",
    __doc__.splitlines()[0],
    INFLUENCES,
    compute=experiment.left_out,
    draw=draw,
    check=form(LeftOut),
)

if __name__ == "__main__":
    SCRIPT.main()
