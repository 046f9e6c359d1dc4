"""The relevance of every subcarrier at each Eb/N0, its class, and the relevance of every hidden neuron.

Of subcarriers the share of a symbol's relevance, the mean over the seeds; pilots are marked. Classes are a row per
seed. Of neurons, sorted, each seed is a line.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from reproduction.figure_script import Document
from reproduction.results.plotting import new_figure
from reproduction.xrefine import experiment
from reproduction.xrefine.classes import CONTRIBUTING, HARMFUL, NEUTRAL, RELIABLE
from reproduction.xrefine.documents import Seen
from reproduction.xrefine.script import figure

COLOURS = ("#0072B2", "#D55E00", "#009E73")
CLASSES = {RELIABLE: "#08306B", CONTRIBUTING: "#6BAED6", NEUTRAL: "#DEEBF7", HARMFUL: "#D55E00"}


def draw(document: Document) -> Figure:
    """Draw a column per case: subcarriers, their classes, neurons."""
    cases = document["result"]["cases"]
    size = {"width": max(3.6, 2.4 * len(cases)), "height": 5.4}
    figure, grid = new_figure(len(cases), rows=3, **size, gridspec_kw={"height_ratios": [3, 1.2, 3]})
    for column, case in enumerate(cases):
        above, middle, below = grid[:, column]
        ebno_db = case["ebno_db"]
        shares = 100.0 * np.array(case["by_ebno"])
        image = above.imshow(
            shares, aspect="auto", origin="lower", cmap="viridis", extent=(-0.5, 51.5, -0.5, len(ebno_db) - 0.5)
        )
        above.set_yticks(range(0, len(ebno_db), 2), [f"{value:g}" for value in ebno_db[::2]])
        above.plot(case["pilots"], [len(ebno_db) - 0.4] * 4, "v", color="#D55E00", clip_on=False, markersize=5)
        above.grid(visible=False)
        above.set_title(f"{case['channel']}, {case['modulation']}", pad=10)
        _classes(middle, case["classes"], document["seeds"])
        figure.colorbar(image, ax=(above, middle), label="% of the relevance" if column == len(cases) - 1 else "")
        for layer, colour in enumerate(COLOURS[: len(case["neurons"][0])]):
            for seed, layers in enumerate(case["neurons"]):
                values = np.sort(layers[layer])[::-1]
                label = f"hidden layer {layer + 1}" if seed == 0 else None
                below.plot(range(1, len(values) + 1), values, color=colour, linewidth=0.8, label=label)
        below.set_xlabel("neuron, by rank")
    grid[0, 0].set_ylabel("Eb/N0 (dB)")
    grid[1, 0].set_ylabel("seed")
    grid[2, 0].set_ylabel("mean |relevance|")
    patches = [Patch(facecolor=colour, edgecolor="grey", label=name) for name, colour in CLASSES.items()]
    lines, _ = grid[2, 0].get_legend_handles_labels()
    figure.legend(handles=[*patches, *lines], loc="outside lower center", ncols=7 if len(cases) > 1 else 2)
    return figure


def _classes(axes: Axes, classes: list[list[str]], seeds: list[int]) -> None:
    names = list(CLASSES)
    codes = [[names.index(one) for one in of_seed] for of_seed in classes]
    colours = ListedColormap(list(CLASSES.values()))
    extent = (-0.5, 51.5, -0.5, len(codes) - 0.5)
    axes.imshow(codes, aspect="auto", origin="lower", cmap=colours, vmin=-0.5, vmax=3.5, extent=extent)
    axes.set_yticks(range(len(codes)), [f"{seed}" for seed in seeds])
    axes.grid(visible=False)
    axes.set_xlabel("subcarrier (triangles: pilots)")


SCRIPT = figure("relevance", __doc__.splitlines()[0], compute=experiment.relevance, draw=draw, case=Seen)

if __name__ == "__main__":
    SCRIPT.main()
