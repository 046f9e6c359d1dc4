"""How well forecasts agree, on numbers made by hand, and the criterion on both sides of each of its four bounds."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from reproduction.slicing.regimes.agreement import agreement, has_forecast, holds

NAN = float("nan")


def point(forecast, last, lowest):
    """Make the row of one slice in one regime; two seeds around each mean."""
    return {
        "forecast": [forecast - 0.01, forecast + 0.01],
        "last": [last, last],
        "lowest": [lowest - 0.02, lowest + 0.02],
        "r_squared": [0.9, 0.9],
        "threshold": 0.82,
    }


def test_errors_and_ranks_are_of_the_means_over_seeds():
    rows = [point(0.9, 0.92, 0.8), point(0.7, 0.75, 0.7), point(0.5, 0.4, 0.35), point(0.95, 0.9, 0.9)]
    found = agreement(rows)
    assert (found["points"], found["left_out"]) == (4, 0)
    np.testing.assert_allclose(found["mean_error"]["last"], (0.02 + 0.05 + 0.1 + 0.05) / 4, rtol=1e-10)
    np.testing.assert_allclose(found["mean_error"]["lowest"], (0.1 + 0.0 + 0.15 + 0.05) / 4, rtol=1e-10)
    expected = spearmanr([0.9, 0.7, 0.5, 0.95], [0.92, 0.75, 0.4, 0.9]).statistic
    np.testing.assert_allclose(found["rank_correlation"]["last"], expected, rtol=1e-10)
    assert found["rank_correlation"]["lowest"] == 1.0


def test_a_call_is_right_on_the_side_of_the_lowest_confidence():
    """Nu is 0.82; within 0.05 of it nothing is called."""
    rows = [point(0.7, 0.9, 0.8), point(0.7, 0.9, 0.83), point(0.9, 0.9, 0.83), point(0.8, 0.9, 0.1)]
    found = agreement(rows)
    assert (found["called"], found["right"]) == (3, 2)


@pytest.mark.parametrize(
    "changes",
    [{"r_squared": [0.7, 0.8]}, {"r_squared": [NAN, NAN]}, {"forecast": [None, None]}, {"last": [None, None]}],
    ids=["low R^2", "no R^2", "no forecast", "no confidence"],
)
def test_a_point_without_forecast_or_confidence_is_left_out(changes):
    found = agreement([point(0.9, 0.9, 0.9), point(0.2, 0.9, 0.9) | changes])
    assert (found["points"], found["left_out"]) == (1, 1)
    np.testing.assert_allclose(found["mean_error"]["last"], 0, atol=1e-12)
    assert np.isnan(found["rank_correlation"]["last"])
    assert has_forecast(point(0.2, 0.9, 0.9) | {"r_squared": [0.7, 0.95]})


def test_nothing_agrees_with_nothing():
    found = agreement([])
    assert (found["points"], found["left_out"], found["called"]) == (0, 0, 0)
    assert not holds(found)


@pytest.mark.parametrize(
    ("changes", "met"),
    [
        ({}, True),
        ({"mean_error": {"last": 0.051, "lowest": 0.01}}, False),
        ({"mean_error": {"last": 0.01, "lowest": 0.051}}, False),
        ({"rank_correlation": {"last": 0.89, "lowest": 0.95}}, False),
        ({"rank_correlation": {"last": 0.95, "lowest": 0.89}}, False),
        ({"rank_correlation": {"last": 0.95, "lowest": NAN}}, False),
        ({"rank_correlation": {"last": None, "lowest": 0.95}}, False),
    ],
)
def test_the_criterion(changes, met):
    """Written before the runs: a mean error of at most 0.05 and a correlation of at least 0.9, each twice."""
    found = {"mean_error": {"last": 0.05, "lowest": 0.05}, "rank_correlation": {"last": 0.9, "lowest": 0.9}}
    assert holds(found | changes) is met
