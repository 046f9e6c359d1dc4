"""Bit error rate against SNR of a neural receiver, conventional ones, and one that knows the channel; bits uncoded.

Of the seeds the mean; the band is Wilson's 95 % interval of all together, with frames for draws. A rate of 0 is not
drawn.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reproduction.figure_script import Document
from reproduction.receiver import experiment
from reproduction.receiver.documents import ErrorRates, form
from reproduction.receiver.script import TESTS, figure
from reproduction.results.plotting import legend_below, new_figure

LOOKS = {
    "LS": {"color": "#999999", "linestyle": ":", "marker": "v"},
    "LMMSE": {"color": "#009E73", "linestyle": "--", "marker": "^"},
    "LMMSE, own statistics": {"color": "#56B4E9", "linestyle": "--", "marker": ""},
    "DeepRx": {"color": "#D55E00", "linestyle": "-", "marker": "o"},
    "genie": {"color": "black", "linestyle": ":", "marker": ""},
}
TITLES = {"learned": "channels of the training", "unseen": "unseen channels"}


def draw(document: Document) -> Figure:
    """Draw a panel per mix of channels."""
    result = document["result"]
    figure, grid = new_figure(len(result["mixes"]), height=3.2, sharey=True)
    for axes, mix in zip(grid[0], result["mixes"], strict=True):
        _curves(axes, result["snr_db"], mix["receivers"])
        axes.set_title(f"{TITLES[mix['mix']]}: {', '.join(mix['channels'])}")
        axes.set_xlabel("SNR (dB)")
    grid[0, 0].set_ylabel("bit error rate, uncoded")
    legend_below(figure, grid[0, -1])
    return figure


def _curves(axes: Axes, snr_db: list[float], receivers: dict[str, dict[str, list[list[float]]]]) -> None:
    for name, look in LOOKS.items():
        rates = np.ma.masked_equal(np.mean(receivers[name]["rates"], axis=0), 0.0)
        low, high = np.array(receivers[name]["intervals"]).T
        axes.semilogy(snr_db, rates, label=name, markersize=3, **look)
        axes.fill_between(snr_db, low, high, where=~np.ma.getmaskarray(rates), color=look["color"], alpha=0.15, lw=0)


SCRIPT = figure(
    "error_rate", __doc__.splitlines()[0], TESTS, compute=experiment.error_rates, draw=draw, check=form(ErrorRates)
)

if __name__ == "__main__":
    SCRIPT.main()
