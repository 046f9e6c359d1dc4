"""Fig. 7: seconds to convergence = FL rounds to convergence x seconds per round, browsing.

Rounds of all schemes are timed in turn in one run, so that the machine's drift hits all alike; the time is that of
broadcast, local training and aggregation.

Differs from the paper: it shows the product alone.
"""

import numpy as np
from matplotlib.figure import Figure

from reproduction.figure_script import Document
from reproduction.results.plotting import new_figure
from reproduction.slicing import experiment, figures
from reproduction.slicing.schemes import LOOKS
from reproduction.slicing.script import paper_script


def draw(document: Document) -> Figure:
    """Draw both factors and their product, a bar per scheme."""
    result = document["result"]
    figure, grid = new_figure(3, sharey=True)
    labels = list(result["schemes"])
    panels = {
        "rounds": "FL rounds to convergence",
        "timed_seconds": "Seconds per round",
        "seconds": "Seconds to convergence",
    }
    for axes, (quantity, title) in zip(grid[0], panels.items(), strict=True):
        for position, label in enumerate(labels):
            values = np.asarray(result["schemes"][label][quantity], float)
            values = values[~np.isnan(values)]  # a seed that did not converge is left out
            if len(values) == 0:
                axes.annotate("not converged", (0, position), (6, 0), textcoords="offset points", va="center")
                continue
            centre = np.median(values) if quantity == "timed_seconds" else values.mean()
            axes.barh(position, centre, color=LOOKS[label]["color"], alpha=0.5, height=0.6)
            axes.plot(values, np.full(len(values), position), "o", color=LOOKS[label]["color"], ms=3)
            axes.annotate(f"{centre:.3g}", (values.max(), position), (6, 0), textcoords="offset points", va="center")
        axes.set_xlabel(title)
        axes.margins(x=0.3)
        axes.set_xlim(left=0)
        axes.grid(axis="y", visible=False)
    grid[0, 0].set_yticks(range(len(labels)), labels)
    grid[0, 0].invert_yaxis()
    figure.suptitle(f"{result['slice']}, {result['clients']} CLs (points: seeds, or timed rounds)", size=9)
    return figure


SCRIPT = paper_script(figures.CONVERGENCE_TIME, compute=experiment.convergence_time, draw=draw)

if __name__ == "__main__":
    SCRIPT.main()
