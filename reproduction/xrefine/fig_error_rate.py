"""Bit error rate against Eb/N0 of estimates with and without a network, bits uncoded and coded.

Of the seeds the mean; the band is from the least to the greatest. A rate of 0 is not drawn.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reproduction.figure_script import Document
from reproduction.results.plotting import legend_below, new_figure
from reproduction.xrefine import experiment
from reproduction.xrefine.documents import Rates
from reproduction.xrefine.script import figure

LOOKS = {
    "LS": {"color": "#999999", "linestyle": ":", "marker": ""},
    "STA": {"color": "#56B4E9", "linestyle": "--", "marker": "v"},
    "TRFI": {"color": "#009E73", "linestyle": "--", "marker": "^"},
    "full": {"color": "#0072B2", "linestyle": "-", "marker": "o"},
    "X-REFINE": {"color": "#D55E00", "linestyle": "-", "marker": "s"},
    "perfect": {"color": "black", "linestyle": ":", "marker": ""},
}
LABELS = {"full": "full network", "perfect": "perfect channel"}


def draw(document: Document) -> Figure:
    """Draw a column per case, uncoded above coded."""
    cases = document["result"]["cases"]
    figure, grid = new_figure(len(cases), rows=2, width=max(3.2, 2.2 * len(cases)), height=4.8, sharey=True)
    for column, case in enumerate(cases):
        for row, kind in enumerate(("uncoded", "coded")):
            _curves(grid[row, column], case["ebno_db"], case[kind])
        grid[0, column].set_title(f"{case['channel']}, {case['modulation']}")
        grid[1, column].set_xlabel("Eb/N0 (dB)")
    grid[0, 0].set_ylabel("bit error rate, uncoded")
    grid[1, 0].set_ylabel("bit error rate, coded")
    legend_below(figure, grid[0, -1], 3 * len(cases))
    return figure


def _curves(axes: Axes, ebno_db: list[float], curves: dict[str, list[list[float]]]) -> None:
    for name, look in LOOKS.items():
        rates = np.ma.masked_equal(np.array(curves[name]), 0.0)
        axes.semilogy(ebno_db, rates.mean(axis=0), label=LABELS.get(name, name), markersize=3, **look)
        axes.fill_between(ebno_db, rates.min(axis=0), rates.max(axis=0), color=look["color"], alpha=0.15, linewidth=0)


SCRIPT = figure("error_rate", __doc__.splitlines()[0], compute=experiment.error_rates, draw=draw, case=Rates)

if __name__ == "__main__":
    SCRIPT.main()
