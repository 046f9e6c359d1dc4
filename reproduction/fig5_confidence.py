"""Fig. 5: (a) confidence against FL round; (b) confidence of the final models on test data, over the CLs.

Differs from the paper: mean and spread over seeds; (b) also shows the post-hoc baseline.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reproduction.figure_script import Document
from reproduction.results.plotting import draw_curves, legend_below, new_figure
from reproduction.results.seed_statistics import mean_and_spread
from reproduction.slicing import experiment, figures
from reproduction.slicing.plotting import rounds_axis
from reproduction.slicing.schemes import LOOKS, SHORT_LABELS
from reproduction.slicing.script import paper_script

LOWEST_SHOWN = 0.8


def draw(document: Document) -> Figure:
    """Draw (a) above (b), a column per slice."""
    slices = document["result"]["slices"]
    figure, grid = new_figure(len(slices), rows=2, height=4.6, sharey="row")
    for column, (name, numbers) in enumerate(slices.items()):
        above, below = grid[:, column]
        for label, curves in numbers["rounds"].items():
            draw_curves(above, curves["confidence"], label, **LOOKS[label])
        above.axhline(numbers["threshold"], color="black", linewidth=1, linestyle=(0, (1, 1)), label="threshold ν")
        above.set_title(name)
        rounds_axis(above, document["settings"]["rounds"])
        _distributions(below, numbers["test"])
        below.axhline(numbers["threshold"], color="black", linewidth=1, linestyle=(0, (1, 1)))
    grid[0, 0].set_ylabel("(a) Confidence C, training")
    grid[1, 0].set_ylabel("(b) Confidence C per CL, test")
    legend_below(figure, grid[0, -1])
    for row in grid:
        lowest = min(LOWEST_SHOWN, row[0].get_ylim()[0])
        row[0].set_ylim(lowest, 1.02)
    return figure


def _distributions(axes: Axes, test: dict) -> None:
    """Draw a box per scheme over all CLs and seeds, and the mean of each seed as a point."""
    for position, (label, numbers) in enumerate(test.items()):
        per_seed = [np.asarray(seed, float) for seed in numbers["confidence"]]
        pooled = np.concatenate(per_seed)
        colour = LOOKS[label]["color"]
        box = axes.boxplot(
            pooled[~np.isnan(pooled)], positions=[position], widths=0.5, patch_artist=True, flierprops={"markersize": 2}
        )
        box["boxes"][0].set(facecolor=colour, alpha=0.35, edgecolor=colour)
        box["medians"][0].set(color="black")
        means = [mean_and_spread(seed)["mean"] for seed in per_seed]
        axes.plot([position] * len(means), means, linestyle="", marker=LOOKS[label]["marker"], color=colour, ms=4)
    axes.set_xticks(range(len(test)), [SHORT_LABELS[label] for label in test])
    axes.grid(axis="x", visible=False)


SCRIPT = paper_script(figures.CONFIDENCE, compute=experiment.confidence, draw=draw)

if __name__ == "__main__":
    SCRIPT.main()
