"""The relevance of every subcarrier at each Eb/N0, and of every hidden neuron; pilots are marked.

Of subcarriers the share of a symbol's relevance, the mean over the seeds; of neurons, sorted, each seed a line.
"""

import numpy as np
from matplotlib.figure import Figure

from reproduction.figure_script import Document
from reproduction.results.plotting import legend_below, new_figure
from reproduction.xrefine import experiment
from reproduction.xrefine.documents import Seen
from reproduction.xrefine.script import figure

COLOURS = ("#0072B2", "#D55E00", "#009E73")


def draw(document: Document) -> Figure:
    """Draw a column per case, subcarriers above neurons."""
    cases = document["result"]["cases"]
    figure, grid = new_figure(len(cases), rows=2, width=max(3.6, 2.4 * len(cases)), height=4.6)
    for column, case in enumerate(cases):
        above, below = grid[:, column]
        ebno_db = case["ebno_db"]
        shares = 100.0 * np.array(case["by_ebno"])
        image = above.imshow(
            shares, aspect="auto", origin="lower", cmap="viridis", extent=(-0.5, 51.5, -0.5, len(ebno_db) - 0.5)
        )
        above.set_yticks(range(0, len(ebno_db), 2), [f"{value:g}" for value in ebno_db[::2]])
        above.plot(case["pilots"], [len(ebno_db) - 0.4] * 4, "v", color="#D55E00", clip_on=False, markersize=5)
        above.grid(visible=False)
        above.set_title(f"{case['channel']}, {case['modulation']}", pad=10)
        above.set_xlabel("subcarrier (triangles: pilots)")
        figure.colorbar(image, ax=above, label="% of the relevance" if column == len(cases) - 1 else "")
        for layer, colour in enumerate(COLOURS[: len(case["neurons"][0])]):
            for seed, layers in enumerate(case["neurons"]):
                values = np.sort(layers[layer])[::-1]
                label = f"hidden layer {layer + 1}" if seed == 0 else None
                below.plot(range(1, len(values) + 1), values, color=colour, linewidth=0.8, label=label)
        below.set_xlabel("neuron, by rank")
    grid[0, 0].set_ylabel("Eb/N0 (dB)")
    grid[1, 0].set_ylabel("mean |relevance|")
    legend_below(figure, grid[1, 0])
    return figure


SCRIPT = figure("relevance", __doc__.splitlines()[0], compute=experiment.relevance, draw=draw, case=Seen)

if __name__ == "__main__":
    SCRIPT.main()
