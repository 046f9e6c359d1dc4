"""Fig. 4: training MSE against FL round, in-hoc (IG) and post-hoc, mean and spread over the seeds.

Differs from the paper: it draws one run, and no controls; the dotted lines mark our convergence rounds, for which it
has no criterion.
"""

from matplotlib.figure import Figure

from reproduction.figure_script import Document
from reproduction.results.plotting import draw_curves, legend_below, new_figure
from reproduction.results.seed_statistics import mean_and_spread
from reproduction.slicing import experiment, figures
from reproduction.slicing.documents import CONSTANT, LEAST_SQUARES
from reproduction.slicing.plotting import rounds_axis
from reproduction.slicing.schemes import LOOKS
from reproduction.slicing.script import paper_script

DASHES = {CONSTANT: (0, (6, 2)), LEAST_SQUARES: (0, (4, 1, 1, 1))}


def draw(document: Document) -> Figure:
    """Draw one panel per slice."""
    slices = document["result"]["slices"]
    figure, grid = new_figure(len(slices), sharey=True)
    for axes, (name, schemes) in zip(grid[0], slices.items(), strict=True):
        for label, curves in schemes.items():
            draw_curves(axes, curves["mse"], label, **LOOKS[label])
            converged = mean_and_spread(curves["convergence_round"])["mean"]
            axes.axvline(converged, color=LOOKS[label]["color"], linestyle=":", linewidth=1)
        for label, errors in document["result"]["controls"][name].items():
            level = mean_and_spread(errors["mse"])["mean"]
            axes.axhline(level, label=label, color="dimgrey", linewidth=1, linestyle=DASHES[label])
        axes.set_title(name)
        axes.set_yscale("log")
        rounds_axis(axes, document["settings"]["rounds"])
    grid[0, 0].set_ylabel("Training MSE [%²]")
    grid[0, -1].plot([], [], color="grey", linestyle=":", linewidth=1, label="converged (mean)")
    legend_below(figure, grid[0, -1])
    return figure


SCRIPT = paper_script(figures.CONVERGENCE, compute=experiment.convergence, draw=draw)

if __name__ == "__main__":
    SCRIPT.main()
