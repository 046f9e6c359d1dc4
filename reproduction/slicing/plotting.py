"""What the pictures of federations share beside the ground's style: the axis of FL rounds."""

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator


def rounds_axis(axes: Axes, rounds: int) -> None:
    """Label the x axis as FL rounds 1..T."""
    axes.set_xlabel("FL round")
    axes.set_xlim(0.5, rounds + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
