"""Occlusion: how the prediction changes when a window of features is switched off.

Zeiler and Fergus 2014 (arXiv 1311.2901), Sec. 4.2. DeepExplain's conventions kept: the attribution is f(input) -
f(input with the window at the baseline), shared evenly over the window; a feature under several windows gets the mean
of its shares. Several inputs are occluded one at a time.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from reproduction.attribution.layout import Layout
from reproduction.attribution.method import Method, require_whole_number
from reproduction.attribution.players import checked_axes
from reproduction.attribution.scalar_function import ScalarFunction


@dataclass(frozen=True, kw_only=True)
class Occlusion(Method):
    """Occlusion by a sliding window.

    Attributes:
        feature_axes: the axes of a sample, counted from 0, along which the window moves; along the others it takes
            everything, such as a pixel's channels. None for all axes.
        window: how many neighbouring features are switched off together, along each of these axes; one number
            holds for all of them.
        step: how far the window moves along each, >= 1.
    """

    feature_axes: Sequence[int] | None = None
    window: int | Sequence[int] = 1
    step: int | Sequence[int] = 1

    def __post_init__(self) -> None:
        for name in ("window", "step"):
            value = getattr(self, name)
            for one in value if isinstance(value, (tuple, list)) else (value,):
                require_whole_number(name, one, minimum=1)

    def attributions(self, function: ScalarFunction, inputs: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        """Return the attributions, float64 [n, features].

        Raises:
            ValueError: the windows do not fit, or leave features uncovered.
        """
        windows = list(self.windows(function.layout))
        original = function.values(inputs)
        shares = np.zeros(inputs.shape)
        windows_over = np.zeros(inputs.shape[1])
        for covered in windows:
            occluded = inputs.copy()
            occluded[:, covered] = baseline[:, covered]
            shares[:, covered] += ((original - function.values(occluded)) / len(covered))[:, None]
            windows_over[covered] += 1.0
        return shares / windows_over

    def windows(self, layout: Layout) -> Iterator[np.ndarray]:
        """Yield the features under each window, int [features of the window].

        Raises:
            ValueError: the windows do not fit, or leave features uncovered.
        """
        for first, size, shape in zip((0, *layout.ends), layout.sizes, layout.shapes, strict=True):
            index = np.arange(first, first + size).reshape(shape)
            axes = checked_axes(self.feature_axes, len(shape))
            sides = zip(_per_axis("window", self.window, axes), _per_axis("step", self.step, axes), axes, strict=True)
            slices = [list(_along(window, step, shape[axis])) for window, step, axis in sides]
            for chosen in itertools.product(*slices):
                where: list[slice] = [slice(None)] * len(shape)
                for axis, piece in zip(axes, chosen, strict=True):
                    where[axis] = piece
                yield index[tuple(where)].reshape(-1)


def _per_axis(name: str, value: int | Sequence[int], axes: Sequence[int]) -> Sequence[int]:
    """Return one number for each axis.

    Raises:
        ValueError: there are more or fewer.
    """
    if isinstance(value, (int, np.integer)):
        return [value] * len(axes)
    if len(value) != len(axes):
        raise ValueError(
            f"{name} must be one number, or one for each of the {len(axes)} feature axes, got {value!r}; "
            "leave out the axis of the samples."
        )
    return value


def _along(window: int, step: int, features: int) -> Iterator[slice]:
    if window > features:
        raise ValueError(f"window must be at most the {features} features, got {window}; make it smaller.")
    starts = range(0, features - window + 1, step)
    if (len(starts) > 1 and step > window) or starts[-1] + window < features:
        raise ValueError(
            f"window and step must cover all {features} features, got window={window}, step={step}; "
            "step=1 always covers."
        )
    for start in starts:
        yield slice(start, start + window)
