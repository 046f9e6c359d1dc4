"""Rounds to convergence and kilobytes, on curves made by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reproduction.results.seed_statistics import at_round, lowest_over_rounds, mean_and_spread, rank_correlation
from reproduction.results.words import mean_and_sd
from reproduction.slicing.metrics import convergence_round, kilobytes_per_round

CURVES = {
    "one round": ([0.3], np.nan),
    "constant, so nothing was learnt": ([0.3, 0.3, 0.3], np.nan),
    "monotone": ([1.0, 0.5, 0.2, 0.06, 0.04, 0.0], 5),  # 5 % of the drop from 1 to 0 is 0.05
    "a plateau first": ([1.0, 1.0, 1.0, 0.0, 0.0], 4),
    "a plateau last": ([1.0, 0.04, 0.0, 0.01, 0.0], 2),
    "leaves the band again": ([1.0, 0.0, 0.04, 0.3, 0.01, 0.02], 5),
    "never settles": ([1.0, 0.0, 1.0, 0.0, 1.0], np.nan),
    "settles in the last round": ([1.0, 0.9, 0.8, 0.0], 4),
    "only rises": ([0.1, 0.2, 0.3], np.nan),
    "rises and comes back": ([0.1, 0.2, 0.1], np.nan),
    "on the edge of the band": ([1.0, 0.25, 0.0], 2),  # with the tolerance below, exactly at the best + 25 %
}


@pytest.mark.parametrize(("curve", "expected"), CURVES.values(), ids=CURVES)
def test_convergence_round(curve, expected):
    np.testing.assert_equal(convergence_round(curve, 0.25 if curve[1:2] == [0.25] else 0.05), expected)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=12), st.floats(0.01, 0.9))
def test_convergence_round_is_its_definition(curve, tolerance):
    """The first round from which all rounds lie in the band; NaN if the last one does not, or if nothing fell."""
    limit = min(curve) + tolerance * (curve[0] - min(curve))
    if curve[0] <= limit:
        assert np.isnan(convergence_round(curve, tolerance))
        return
    settled = [t for t in range(1, len(curve) + 1) if all(value <= limit for value in curve[t - 1 :])]
    np.testing.assert_equal(convergence_round(curve, tolerance), settled[0] if settled else np.nan)


def test_kilobytes_are_1000_bytes_up_and_down():
    assert kilobytes_per_round([{"bytes_down": 3000, "bytes_up": 1500}] * 4) == 4.5


def test_mean_and_spread():
    assert mean_and_spread([1.0, 2.0, 4.0]) == {"mean": 7 / 3, "sd": pytest.approx(np.sqrt(7 / 3))}
    np.testing.assert_equal(mean_and_spread([2.0]), {"mean": 2.0, "sd": np.nan})  # one value has no spread
    np.testing.assert_equal(mean_and_spread([np.nan, 3.0]), {"mean": 3.0, "sd": np.nan})
    np.testing.assert_equal(mean_and_spread([np.nan]), {"mean": np.nan, "sd": np.nan})


def test_lowest_over_rounds_is_of_the_rounds_that_have_a_value():
    runs = [[0.9, 0.5, 0.7], [np.nan, 0.8, None], [None, np.nan, None]]
    np.testing.assert_equal(lowest_over_rounds(runs), [0.5, 0.8, np.nan])


def test_at_round_is_a_value_per_seed():
    runs = [[1.0, 2.0, 3.0], [4.0, 5.0, None]]
    assert at_round(runs, 0) == [1.0, 4.0]
    np.testing.assert_equal(at_round(runs, -1), [3.0, np.nan])


def test_rank_correlation_is_of_the_order_alone():
    assert rank_correlation([1, 2, 3, 4], [0.1, 0.2, 5.0, 90.0]) == pytest.approx(1.0)
    assert rank_correlation([1, 2, 3, 4], [9.0, 3.0, 2.0, -1.0]) == pytest.approx(-1.0)
    # without ties: 1 - 6 sum d^2 / (n (n^2 - 1)), here d = (1, -1, 0, 0)
    assert rank_correlation([1, 2, 3, 4], [2, 1, 3, 4]) == pytest.approx(1 - 6 * 2 / (4 * 15))
    for other in ([7.0, 7.0, 7.0], [1.0, None, 2.0], [1.0, np.nan, 2.0]):
        assert np.isnan([rank_correlation([1, 2, 3], other), rank_correlation(other, [1, 2, 3])]).all()


def test_in_words():
    assert mean_and_sd([1.0, 2.0, 3.0]) == "2 ± 1"
    assert mean_and_sd([2.0]) == "2"
    assert mean_and_sd([12.0, np.nan], ".1f") == "12.0 (1 of 2 seeds not defined)"
