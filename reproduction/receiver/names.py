"""Names of selections, and of what fine-tuned networks are held to, as records and figures have them."""

import re

BCE, CAPACITY = "BCE", "capacity"
"""Losses: the cross-entropy, and a frame of it weighed by log2(1 + SNR)."""

PLAIN, THETA, LOSS = f"influence, {BCE}", f"theta-relative, {BCE}", f"loss-relative, {BCE}"
PAPERS = f"loss-relative, {CAPACITY}"
"""The selection that the paper found the most consistent, as its abstract has it."""

CORRECTED = f"self-influence corrected, {BCE}"

KINDS_OF_INFLUENCE = (
    *(PLAIN, f"influence, {CAPACITY}", THETA, f"theta-relative, {CAPACITY}"),
    *(LOSS, PAPERS, CORRECTED),
)

PRODUCT, COSINE, HARDEST = "gradient product", "gradient cosine", "greatest loss"
"""Without curvature, and without the target."""

NEAREST_SNR, NEAREST_CHANNEL, NEAREST, RANDOM = "nearest SNR", "nearest channel", "nearest SNR and channel", "random"
"""Without any network; random draws are numbered."""

FRESH, ITSELF = "fresh frames", "the target itself"
"""Not of the training: sent anew under the target's own conditions, and the very frame, whose bits influence knows."""

SAME_LENGTH = ", same length"
"""Ends the name of a selection by which the weights go as far as by the paper's."""

ASCENT, SECOND_ORDER = "harmful, ascent", "second order"
"""Other updates, of that length too: up the gradient of the least influences, and along the inverse Hessian of the
paper's selection."""

SAME, ALIKE, OTHERS = "same channel", "fresh channels", "other targets"
"""What a network is held to: see `adaptation`."""


def random_name(draw: int, ending: str = "") -> str:
    """Return the name of a random draw."""
    return f"{RANDOM} {draw}{ending}"


def is_random(name: str, ending: str = "") -> bool:
    """Return whether this is the name of a random draw with that ending."""
    return re.fullmatch(rf"{RANDOM} \d+{re.escape(ending)}", name) is not None
