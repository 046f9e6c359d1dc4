"""How well the forecast agrees with what federations come to. The criterion was written before any of them was run.

A point is one slice in one regime, its numbers the means over the seeds. It is left out, and counted, where the
polynomial's R^2 is too low for a forecast or confidence is not defined.
"""

from collections.abc import Sequence

import numpy as np

from reproduction.results.seed_statistics import mean, rank_correlation
from reproduction.slicing.forecast.forecast import LOWEST_R_SQUARED
from reproduction.slicing.forecast.paragraph import MARGIN
from reproduction.slicing.regimes.form import Agreement, Row

MEASURED = ("last", "lowest")
"""Confidence of the post-hoc federation in the last round, and at its lowest."""

GREATEST_ERROR, LEAST_CORRELATION = MARGIN, 0.9
"""The forecast holds if on the random regimes the mean absolute error is at most, and Spearman's correlation at least,
this: against the last confidence and against the lowest."""


def agreement(rows: Sequence[Row]) -> Agreement:
    """Return the statistics over these points."""
    points = np.array(
        [[mean(row["forecast"]), mean(row["last"]), mean(row["lowest"])] for row in rows if _defined(row)]
    )
    threshold = np.array([row["threshold"] for row in rows if _defined(row)])
    forecast, *measured = points.reshape(-1, 3).T
    called = np.abs(forecast - threshold) > MARGIN
    right = (forecast < threshold) == (measured[1] < threshold)
    return {
        "points": len(forecast),
        "left_out": len(rows) - len(forecast),
        "called": int(called.sum()),
        "right": int((called & right).sum()),
        "mean_error": {name: mean(np.abs(forecast - one)) for name, one in zip(MEASURED, measured, strict=True)},
        "rank_correlation": {name: _correlation(forecast, one) for name, one in zip(MEASURED, measured, strict=True)},
    }


def holds(random: Agreement) -> bool:
    """Return whether the criterion is met; the agreement is the random regimes'."""
    errors, correlations = random["mean_error"], random["rank_correlation"]
    near = all((error := errors[name]) is not None and error <= GREATEST_ERROR for name in MEASURED)
    ranked = all((value := correlations[name]) is not None and value >= LEAST_CORRELATION for name in MEASURED)
    return near and ranked


def has_forecast(row: Row) -> bool:
    """Return whether the polynomial was good enough, on average over the seeds, and confidence is defined."""
    return mean(row["r_squared"]) >= LOWEST_R_SQUARED and bool(np.isfinite(mean(row["forecast"])))


def _defined(row: Row) -> bool:
    return has_forecast(row) and bool(np.isfinite([mean(row[name]) for name in ("last", "lowest")]).all())


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    return rank_correlation(one.tolist(), other.tolist()) if len(one) > 1 else float("nan")
