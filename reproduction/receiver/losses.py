"""Losses of a frame, for influence: of (bits and weight, soft bits), a number per frame.

The paper speaks of a "capacity-like" cross-entropy and its text could not be had. Read as the rate 1 - BCE / ln 2, bits
per bit, it ranks frames as the cross-entropy does, for it is affine in it. So what is compared beside the cross-entropy
is the other thing that the words may mean: a frame weighs log2(1 + SNR), the capacity of its channel's mean gain.

In the relative forms a training frame's own weight cancels: these then differ from the cross-entropy's by the curvature
alone, in which frames of high SNR weigh more.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from reproduction.receiver.names import BCE, CAPACITY
from reproduction.receiver.training import cross_entropy

FrameLoss = Callable[[Any, Any], Any]
"""Targets by `targets_of`, soft bits -> float32 [n]."""


def targets_of(bits: np.ndarray, snr_db: np.ndarray) -> np.ndarray:
    """Return what the losses take of frames, float32 [n, symbols, subcarriers, bits per cell + 1]: the weight is last.

    Args:
        bits: [n, symbols, subcarriers, bits per cell].
        snr_db: float64 [n].
    """
    weights = np.log2(1.0 + 10.0 ** (np.asarray(snr_db) / 10.0))
    last = np.broadcast_to(weights[:, None, None, None], (*bits.shape[:3], 1))
    return np.concatenate([bits, last], axis=3).astype(np.float32)


def losses(is_data: np.ndarray) -> dict[str, FrameLoss]:
    """Return the losses by name.

    Args:
        is_data: bool [symbols, subcarriers], where bits count.
    """
    counts = is_data.astype(np.float32)

    def bce(targets: Any, soft_bits: Any) -> Any:
        return cross_entropy(soft_bits, targets[..., :-1], counts)

    def capacity(targets: Any, soft_bits: Any) -> Any:
        return targets[:, 0, 0, -1] * bce(targets, soft_bits)

    return {BCE: bce, CAPACITY: capacity}
