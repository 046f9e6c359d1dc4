"""Who plays in a coalition: every feature by itself, or groups of features that join and leave together."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from reproduction.attribution.layout import Layout


def players_of(layout: Layout, feature_axes: Sequence[int] | None, groups: Any) -> np.ndarray:
    """Return the player of each feature, int [features], numbered from 0 in the order in which they first stand.

    Args:
        layout: of the features.
        feature_axes: the axes of a sample, counted from 0, along which features are told apart; along the others they
            are one player, such as a pixel with all its channels. None for all axes.
        groups: in place of it, the same number for features that play together, int of a sample's shape, or a list of
            these where the model takes a list.

    Raises:
        ValueError: both are given, an axis that a sample has not, or groups of another shape or no whole numbers.
    """
    if feature_axes is not None and groups is not None:
        raise ValueError("feature_axes and groups each say who plays; pass one of them.")
    if groups is not None:
        labels = _labels(layout, groups)
    else:
        labels, start = [], 0
        for shape in layout.shapes:
            kept = checked_axes(feature_axes, len(shape))
            index = np.arange(np.prod([shape[axis] for axis in kept], dtype=int)) + start
            start = index[-1] + 1
            sides = [shape[axis] if axis in kept else 1 for axis in range(len(shape))]
            labels.append(np.broadcast_to(index.reshape(sides), shape))
    flat = np.concatenate([one.reshape(-1) for one in labels])
    _, first, inverse = np.unique(flat, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def checked_axes(feature_axes: Sequence[int] | None, rank: int) -> tuple[int, ...]:
    """Return the axes of a sample of this rank in order; all of them for None.

    Raises:
        ValueError: none, one twice, or one that a sample has not.
    """
    if feature_axes is None:
        return tuple(range(rank))
    axes = tuple(np.atleast_1d(feature_axes).tolist())
    whole = all(type(axis) is int and 0 <= axis < rank for axis in axes)
    if not axes or not whole or list(axes) != sorted(set(axes)):
        raise ValueError(
            f"feature_axes must be axes of a sample, 0 .. {rank - 1} without the samples' own, got {feature_axes!r}; "
            "in increasing order (0, 1) are the pixels of [height, width, channels]."
        )
    return axes


def _labels(layout: Layout, groups: Any) -> list[np.ndarray]:
    given = groups if layout.is_list else [groups]
    try:
        labels = [np.asarray(one) for one in given]
    except (TypeError, ValueError):  # lists of different lengths
        labels = []
    shapes = tuple(one.shape for one in labels)
    if shapes != layout.shapes or any(one.dtype.kind not in "iu" for one in labels):
        found = ", ".join(f"{one.dtype} {one.shape}" for one in labels) or repr(groups)
        raise ValueError(
            f"groups must be whole numbers of a sample's shape {', '.join(map(str, layout.shapes))}, got {found}; "
            "features with the same number play together."
        )
    return labels
