"""Which closed loop's training samples drive the post-hoc model out of its SLA, and at what load those samples are.

    python reproduction/slicing/fig_influence.py

Above, CLs are sorted by how much the mean violation on test samples would fall without their samples, each seed a line;
below, the load of all training samples, and of the twentieth that drives the most, all seeds together.

Differs from the paper: it does not ask.
"""

import functools

import numpy as np
from matplotlib.figure import Figure

from reproduction.figure_script import Document, FigureScript
from reproduction.results.plotting import legend_below, new_figure
from reproduction.slicing import experiment
from reproduction.slicing.documents import InfluenceResult, check_document
from reproduction.slicing.script import Slicing
from reproduction.slicing.settings import PRESETS


def draw(document: Document) -> Figure:
    """Draw a column per slice."""
    slices = document["result"]["slices"]
    figure, grid = new_figure(len(slices), rows=2, width=max(3.4, 2.6 * len(slices)), height=4.4)
    for (above, below), (name, seeds) in zip(grid.T, slices.items(), strict=True):
        for one in seeds:
            falls = np.sort(one["falls"])[::-1]
            above.plot(range(1, len(falls) + 1), falls, color="#0072B2", linewidth=0.8)
        above.axhline(0.0, color="black", linewidth=0.6, linestyle=":")
        above.set_title(name)
        above.set_xlabel("CL, by rank")
        edges = np.mean([one["edges"] for one in seeds], axis=0)
        for kind, label, colour in (("all", "all samples", "#999999"), ("drivers", "those that drive", "#D55E00")):
            counts = np.sum([one[kind] for one in seeds], axis=0)
            below.stairs(100.0 * counts / max(1, counts.sum()), edges, color=colour, label=label)
        below.set_xlabel("CPU load (%)")
    grid[0, 0].set_ylabel("fall without a CL\n(percentage points)")
    grid[1, 0].set_ylabel("samples (%)")
    legend_below(figure, grid[1, 0])
    return figure


SCRIPT = FigureScript(
    name="influence",
    about=__doc__.splitlines()[0],
    wing=Slicing(),
    presets=PRESETS,
    compute=experiment.influences,
    draw=draw,
    check=functools.partial(check_document, form=InfluenceResult),
)

if __name__ == "__main__":
    SCRIPT.main()
