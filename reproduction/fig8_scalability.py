"""Fig. 8: in-hoc (IG) federations of different numbers of CLs: convergence, confidence, time and traffic.

Differs from the paper: it names neither the slice nor the numbers of CLs; time and KB per round are ours.
"""

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from reproduction.figure_script import Document
from reproduction.results.plotting import draw_curves, new_figure
from reproduction.slicing import experiment, figures
from reproduction.slicing.plotting import rounds_axis
from reproduction.slicing.schemes import IN_HOC
from reproduction.slicing.script import paper_script

PAPER_CONFIDENCE = 0.90
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))


def draw(document: Document) -> Figure:
    """Draw MSE and confidence against the round, and seconds and KB per round against K."""
    by_count = document["result"]["clients"]
    figure, grid = new_figure(2, rows=2, height=4.6)
    (mse, confidence), (seconds, kilobytes) = grid
    colours = mpl.colormaps["viridis"](np.linspace(0.0, 0.85, len(by_count)))
    for (count, curves), colour, line in zip(by_count.items(), colours, LINES * len(by_count), strict=False):
        draw_curves(mse, curves["mse"], f"K = {count}", color=colour, linestyle=line)
        draw_curves(confidence, curves["confidence"], f"K = {count}", color=colour, linestyle=line)
    dotted = {"color": "black", "linewidth": 1, "linestyle": (0, (1, 1))}
    confidence.axhline(PAPER_CONFIDENCE, label="the paper's 0.90", **dotted)
    mse.set_yscale("log")
    mse.set_ylabel("Training MSE [%²]")
    confidence.set_ylabel("Confidence C, training")
    confidence.set_ylim(min(0.8, confidence.get_ylim()[0]), 1.02)
    for axes in (mse, confidence):
        rounds_axis(axes, document["settings"]["rounds"])
    confidence.legend()
    counts = [int(count) for count in by_count]
    per_round = [np.median(curves["seconds"]) for curves in by_count.values()]
    seconds.plot(counts, per_round, "o-", color="black")
    seconds.set_ylabel("Median seconds per round")
    kilobytes.plot(counts, [curves["kb_per_round"] for curves in by_count.values()], "o-", color="black")
    kilobytes.set_ylabel("KB per round, up and down")
    for axes in (seconds, kilobytes):
        axes.set_xlabel("Number of CLs, K")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
    figure.suptitle(f"{document['result']['slice']}, {IN_HOC}", size=9)
    return figure


SCRIPT = paper_script(figures.SCALABILITY, compute=experiment.scalability, draw=draw)

if __name__ == "__main__":
    SCRIPT.main()
