"""Statistics over training seeds: mean and spread, the lowest over the rounds, rank correlation, bootstraps.

A value that is not defined is NaN or None; it is left out, and counted by whoever writes the result.
"""

from collections.abc import Sequence

import numpy as np

RESAMPLES = 9999
DRAWS = 4000
ROUNDING = 1e-12
"""Differences that agree to this share of their size are one difference, and have no interval."""


def mean_and_spread(values: Sequence[float | None] | np.ndarray) -> dict[str, float]:
    """Return mean and sample standard deviation over seeds of the values that are defined; NaN where there is none.

    The standard deviation of a single value is not defined.
    """
    array = np.asarray(values, float)
    array = array[~np.isnan(array)]
    mean = array.mean() if len(array) else float("nan")
    return {"mean": float(mean), "sd": float(array.std(ddof=1)) if len(array) > 1 else float("nan")}


def mean(values: Sequence[float | None] | np.ndarray) -> float:
    """Return the mean over the seeds that are defined; NaN where there is none."""
    return mean_and_spread(values)["mean"]


def lowest_over_rounds(runs: Sequence[Sequence[float | None]]) -> list[float]:
    """Return each seed's lowest defined value over the rounds; NaN where there is none.

    Args:
        runs: [seeds, rounds].
    """
    return np.ma.masked_invalid(np.asarray(runs, float)).min(axis=1).filled(np.nan).tolist()


def at_round(runs: Sequence[Sequence[float | None]], index: int) -> list[float]:
    """Return each seed's value in one round.

    Args:
        runs: [seeds, rounds].
        index: 0 is the first round, -1 the last.
    """
    return np.asarray(runs, float)[:, index].tolist()


def rank_correlation(one: Sequence[float | None], other: Sequence[float | None]) -> float:
    """Return Spearman's rank correlation; NaN if either is constant, or not defined somewhere."""
    from scipy.stats import spearmanr

    pair = np.asarray([one, other], float)
    if np.isnan(pair).any() or (pair == pair[:, :1]).all(axis=1).any():
        return float("nan")
    return float(spearmanr(*pair).statistic)


def mean_and_interval(values: Sequence[Sequence[float]] | np.ndarray) -> tuple[float, float, float]:
    """Return the mean over cases and seeds, and its 95 % percentile bootstrap, cases drawn within each seed.

    It is an interval for these very seeds: how much another seed would differ is not in it.

    Args:
        values: [seeds][cases].

    Returns:
        mean, low and high; these are NaN where all cases of a seed are equal, as one is: nothing is known of the
        spread then.
    """
    array = np.asarray(values, float)
    if np.ptp(array, axis=1).max() <= ROUNDING * np.abs(array).max():
        return float(array.mean()), float("nan"), float("nan")
    places = np.random.default_rng(0).integers(0, array.shape[1], (DRAWS, *array.shape))
    means = np.take_along_axis(np.broadcast_to(array, places.shape), places, axis=2).mean(axis=(1, 2))
    low, high = np.quantile(means, (0.025, 0.975))
    return float(array.mean()), float(low), float(high)


def paired_interval(theirs: np.ndarray, ours: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of the mean difference of pairs: a bootstrap, bias-corrected and accelerated.

    Few pairs hold little: with five it covers less than 95 %.

    Args:
        theirs: float64 [pairs].
        ours: float64 [pairs], of the same seeds.

    Returns:
        low and high; NaN if fewer than two pairs are defined, or if all differ by the same: nothing is known of the
        spread then.
    """
    from scipy.stats import bootstrap

    defined = ~np.isnan(theirs - ours)
    pairs = theirs[defined], ours[defined]
    differences = pairs[0] - pairs[1]
    if len(differences) < 2 or np.ptp(differences) <= ROUNDING * np.abs(differences).max():
        return float("nan"), float("nan")
    found = bootstrap(
        pairs,
        lambda one, other, axis: np.mean(one - other, axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    dust = ROUNDING * max(np.abs(pairs[0]).max(), np.abs(pairs[1]).max())  # a bound that is 0 but for rounding is 0
    low, high = (0.0 if abs(bound) <= dust else float(bound) for bound in (found.low, found.high))
    return low, high
