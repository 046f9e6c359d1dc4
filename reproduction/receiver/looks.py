"""How selections look, in every figure alike, and the mean over targets and seeds with its interval."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from reproduction.receiver.names import (
    ASCENT,
    CORRECTED,
    COSINE,
    FRESH,
    NEAREST_CHANNEL,
    NEAREST_SNR,
    PAPERS,
    PLAIN,
    PRODUCT,
    RANDOM,
    SECOND_ORDER,
)

COLOURS = {
    PAPERS: "#D55E00",
    PLAIN: "#E69F00",
    CORRECTED: "#F0E442",
    PRODUCT: "#009E73",
    COSINE: "#56B4E9",
    NEAREST_SNR: "#CC79A7",
    NEAREST_CHANNEL: "#8B4513",
    RANDOM: "#999999",
    FRESH: "#0072B2",
    ASCENT: "black",
    SECOND_ORDER: "#7F3C8D",
}
"""Of influence's other kinds see `look`."""


def look(kind: str) -> dict[str, Any]:
    """Return matplotlib's properties of a selection's curve."""
    return {"color": COLOURS.get(kind, "#E69F00"), "linestyle": "--" if kind in (RANDOM, FRESH, ASCENT) else "-"}


def mean_and_interval(values: Sequence[Sequence[float]] | np.ndarray) -> tuple[float, float, float]:
    """Return the mean over targets and seeds, and a 95 % percentile bootstrap of it, targets drawn within each seed.

    Args:
        values: [seeds][targets].
    """
    array = np.asarray(values, float)
    generator = np.random.default_rng(0)
    places = generator.integers(0, array.shape[1], (2000, *array.shape))
    means = np.take_along_axis(np.broadcast_to(array, places.shape), places, axis=2).mean(axis=(1, 2))
    low, high = np.quantile(means, (0.025, 0.975))
    return float(array.mean()), float(low), float(high)
