"""One style for all figures: sizes, the mean over seeds with its band, one legend below, saving."""

import io
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reproduction.files import write_atomically

STYLE = Path(__file__).with_name("paper.mplstyle")


def new_figure(columns: int, *, rows: int = 1, width: float = 7.2, height: float = 2.6, **options) -> tuple:
    """Return a figure and its axes, [rows, columns]; sizes in inches."""
    figure = Figure(figsize=(width, height))
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def style() -> AbstractContextManager:
    """Return the context in which figures are drawn and saved."""
    return mpl.rc_context(fname=STYLE)


def legend_below(figure: Figure, axes: Axes, columns: int | None = None) -> None:
    """Put one legend, that of `axes`, below all panels; in one row, if not in so many columns."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), columns or len(labels)))


def draw_curves(axes: Axes, curves: Sequence[Sequence[float]], label: str, **look) -> None:
    """Draw the mean over seeds against the round or epoch, 1, 2, ..., and mean ± standard deviation as a band.

    Args:
        axes: where.
        curves: [seeds, rounds]; null or NaN where not defined.
        label: for the legend.
        **look: matplotlib's line properties.
    """
    values = np.asarray(curves, float)
    rounds = np.arange(1, values.shape[1] + 1)
    defined = np.ma.masked_invalid(values)
    mean = defined.mean(0).filled(np.nan)
    axes.plot(rounds, mean, label=label, markevery=max(1, len(rounds) // 8), markersize=3.5, **look)
    if len(values) > 1:
        spread = np.ma.sqrt(defined.var(0, ddof=1)).filled(np.nan)
        axes.fill_between(rounds, mean - spread, mean + spread, color=look["color"], alpha=0.18, linewidth=0)


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write `name`.png and `name`.pdf, each whole or not at all; the same picture gives the same bytes."""
    paths = []
    for suffix, metadata in ((".png", {"Software": None}), (".pdf", {"CreationDate": None, "Producer": None})):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=suffix[1:], metadata=metadata)
        write_atomically(folder / f"{name}{suffix}", buffer.getvalue())
        paths.append(folder / f"{name}{suffix}")
    return paths
