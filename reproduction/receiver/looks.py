"""How selections look, in every figure alike."""

from typing import Any

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
