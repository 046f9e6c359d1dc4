"""Numbers of one run, read off its curves.

Where a number is not defined it is NaN.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from reproduction.slicing.metrics import convergence_round

Curves = Mapping[str, np.ndarray]
"""One run: metric -> its values over the rounds 1..T, float64 [T]."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the runs in one slice are judged by.

    Attributes:
        threshold: nu_n of eq. (7b).
        tolerance: of `metrics.convergence_round`.
    """

    threshold: float
    tolerance: float


Measure = Callable[[Curves, Limits], float]
"""A number of one run."""


def last_value(metric: str) -> Measure:
    """Return the measure that gives a metric's value in the last round."""
    return lambda curves, limits: float(curves[metric][-1])


def mean_over_rounds(metric: str) -> Measure:
    """Return the measure that gives a metric's mean over the rounds in which it is defined."""
    return lambda curves, limits: _mean(_defined(curves[metric]))


def rounds_to_convergence(curves: Curves, limits: Limits) -> float:
    """Return `metrics.convergence_round`."""
    return float(convergence_round(curves["mse"].tolist(), limits.tolerance))


def sum_to_convergence(metric: str) -> Measure:
    """Return the measure that gives what a metric adds up to until the run has converged."""

    def measure(curves: Curves, limits: Limits) -> float:
        rounds = rounds_to_convergence(curves, limits)
        return np.nan if np.isnan(rounds) else float(curves[metric][: int(rounds)].sum())

    return measure


def margin_over_threshold(curves: Curves, limits: Limits) -> float:
    """Return how far the lowest confidence lies above the threshold; negative below it."""
    confidence = _defined(curves["confidence"])
    return float(confidence.min() - limits.threshold) if len(confidence) else np.nan


def share_above_threshold(curves: Curves, limits: Limits) -> float:
    """Return the share of the rounds with a defined confidence in which it reaches the threshold."""
    return _mean(_defined(curves["confidence"]) >= limits.threshold)


def area_between(one: np.ndarray, other: np.ndarray) -> float:
    """Return the mean absolute difference of two curves over the rounds where both are defined.

    Args:
        one: float64 [T].
        other: float64 [T].
    """
    return _mean(_defined(np.abs(one - other)))


def _defined(values: np.ndarray) -> np.ndarray:
    return values[~np.isnan(values)]


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else np.nan
