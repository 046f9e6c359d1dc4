"""What beneficial training frames look like: their influence against SNR, delay spread and Doppler shift.

The paper's influence, in standard deviations over the candidates of each target; a line per seed is the mean over
targets and over parts of the range. Ticks below are the targets' own conditions.
"""

import numpy as np
from matplotlib.figure import Figure

from reproduction.figure_script import Document
from reproduction.receiver import experiment
from reproduction.receiver.documents import Beneficial, form
from reproduction.receiver.script import INFLUENCES, figure
from reproduction.results.plotting import legend_below, new_figure

LABELS = {"snr_db": "SNR (dB)", "delay_spread_ns": "delay spread (ns)", "doppler_hz": "Doppler shift (Hz)"}


def draw(document: Document) -> Figure:
    """Draw a panel per condition."""
    result = document["result"]
    figure, grid = new_figure(len(LABELS), height=2.9, sharey=True)
    shown = np.concatenate([np.ravel(np.array(result[name]["scores"], float)) for name in LABELS])
    below = np.nanmin(shown) - 0.15 * np.ptp(shown[~np.isnan(shown)])
    for axes, (name, label) in zip(grid[0], LABELS.items(), strict=True):
        one = result[name]
        scores = np.array(one["scores"], float).T  # [parts, seeds]
        lines = axes.plot(one["middles"], scores, color="#D55E00", marker="o", markersize=3, linewidth=0.9)
        lines[0].set_label("training frames, one seed")
        targets = np.ravel(one["targets"])
        axes.plot(targets, np.full(len(targets), below), "|", color="#0072B2", markersize=6, label="targets")
        axes.axhline(0.0, color="black", linewidth=0.6, linestyle=":")
        axes.set_xlabel(label)
    grid[0, 0].set_ylabel("influence (standard deviations)")
    legend_below(figure, grid[0, 0])
    return figure


SCRIPT = figure(
    "beneficial",
    __doc__.splitlines()[0],
    INFLUENCES,
    compute=experiment.beneficial,
    draw=draw,
    check=form(Beneficial),
)

if __name__ == "__main__":
    SCRIPT.main()
