"""Eqs. (2), (3) and (6) for a polynomial: the chance that its prediction of a mutated sample stays inside the SLA.

Feature j goes to its baseline with probability pi_j, independently of the others, so a sample has 2^Q mutations of
known probability, and their sum needs no draws.

All arrays are float64 with samples as rows.
"""

import numpy as np

from reproduction.attribution.shapley import coalitions
from reproduction.slicing.forecast.polynomial import Quadratic
from reproduction.slicing.settings import Normalisation

MOST_FEATURES = 12
"""The largest Q of the exact sum: 4,096 mutations a sample. Beyond, mutations are drawn."""

DRAWS = 8
"""Mutations drawn per sample then; a confidence over n samples has a standard error of at most 1 / (2 sqrt(n))."""

_MUTATIONS, _MUTATIONS_AT_ONCE = 2**23, 2**20


def most_samples(features: int) -> int:
    """Return for how many samples `chance_inside` takes about half a second: 2,048 where it sums most, Q = 12."""
    summed = features <= MOST_FEATURES
    return _MUTATIONS >> features if summed else _MUTATIONS // (DRAWS * features * (features + 1))


def soft_attributions(weighted: np.ndarray, normalisation: Normalisation) -> np.ndarray:
    """Eq. (2), pi [n, Q] of alpha [n, Q], as `closed_loop.confidence` has it for a network."""
    size = np.abs(weighted)
    if normalisation == "softmax":
        size = np.exp(size - size.max(axis=1, keepdims=True))
    total = size.sum(axis=1, keepdims=True)
    return np.divide(size, total, out=np.zeros_like(size), where=total > 0)


def inside(prediction: np.ndarray, bounds: tuple[float, float]) -> np.ndarray:
    """Eq. (4): whether a prediction lies in the closed interval."""
    return (prediction >= bounds[0]) & (prediction <= bounds[1])


def chance_inside(
    polynomial: Quadratic,
    features: np.ndarray,
    baseline: np.ndarray,
    probability: np.ndarray,
    bounds: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the chance that a mutated sample is predicted inside the SLA, and the same if one feature is never lost.

    Args:
        polynomial: of Q features.
        features: [n, Q].
        baseline: what a lost feature becomes, [Q].
        probability: of being lost, pi, [n, Q].
        bounds: alpha_n and beta_n, %.
        rng: draws the mutations if Q is above `MOST_FEATURES`.

    Returns:
        [n] and [n, Q].
    """
    count, number = features.shape
    chances = np.zeros((count, number + 1))
    variants = [probability, *(np.where(np.arange(number) == kept, 0.0, probability) for kept in range(number))]
    if number > MOST_FEATURES:
        for _ in range(DRAWS):
            draws = rng.random(features.shape)
            for column, lost in enumerate(variants):
                mutated = np.where(draws < lost, baseline, features)
                chances[:, column] += inside(polynomial.predict(mutated), bounds) / DRAWS
    else:
        members, step = coalitions(number), max(1, _MUTATIONS_AT_ONCE >> number)
        for part in (slice(start, start + step) for start in range(0, count, step)):
            outcome = inside(polynomial.worths(features[part], baseline, members), bounds).astype(float)
            for column, lost in enumerate(variants):
                chances[part, column] = expected(outcome, lost[part])
    return chances[:, 0], chances[:, 1:]


def expected(outcome: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Return the mean of an outcome over independent losses, [n]: one feature after another is averaged over.

    Args:
        outcome: of every coalition of features that are not lost, [n, 2^Q], in the order of `shapley.coalitions`.
        probability: of each feature's being lost, [n, Q].
    """
    for lost in probability.T[::-1]:
        without, with_it = np.split(outcome, 2, axis=1)  # the last feature is the first binary digit
        outcome = lost[:, None] * without + (1 - lost[:, None]) * with_it
    return outcome[:, 0]
