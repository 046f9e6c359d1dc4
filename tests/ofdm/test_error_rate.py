import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from reproduction.ofdm.error_rate import ErrorRate, counted


@given(bits=st.integers(1, 10**9), share=st.floats(0, 1), confidence=st.floats(0.01, 0.9999))
def test_interval_is_wilsons(bits, share, confidence):
    """SciPy's, to float64 algebra: the square root of a difference keeps half the digits near a rate of 0 or 1."""
    errors = round(share * bits)
    expected = binomtest(errors, bits).proportion_ci(confidence, method="wilson")
    np.testing.assert_allclose(ErrorRate(errors, bits).interval(confidence), expected, rtol=1e-9, atol=1e-15)


def test_interval_at_the_ends_in_closed_form():
    """No error in n bits: from 0 to z^2 / (n + z^2)."""
    z = 1.959963984540054
    low, high = ErrorRate(0, 100).interval()
    assert low == 0.0
    assert high == pytest.approx(z**2 / (100 + z**2), rel=1e-12)
    assert ErrorRate(100, 100).interval() == pytest.approx((1.0 - high, 1.0), rel=1e-12)


def test_counts_add_up():
    assert ErrorRate(1, 10) + ErrorRate(2, 30) == ErrorRate(3, 40)
    assert ErrorRate(3, 40).rate == 0.075


def test_counted_until_there_are_enough():
    asked = []

    def block(number):
        asked.append(number)
        return ErrorRate(10, 100)

    assert counted(block, 25, 10) == ErrorRate(30, 300)
    assert asked == [0, 1, 2]
    assert counted(block, 1000, 4) == ErrorRate(40, 400)
    assert counted(block, 0, 4) == ErrorRate(10, 100)


@pytest.mark.parametrize(("errors", "bits"), [(-1, 10), (11, 10), (0, 0)])
def test_refused_counts(errors, bits):
    with pytest.raises(ValueError, match=f"errors must lie from 0 to bits, .* got {errors} of {bits}; count again"):
        ErrorRate(errors, bits)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, float("nan")])
def test_refused_confidence(confidence):
    with pytest.raises(ValueError, match=f"confidence must lie between 0 and 1, got {confidence}; 0.95 is usual"):
        ErrorRate(1, 10).interval(confidence)


def test_refused_number_of_blocks():
    with pytest.raises(ValueError, match="most_blocks must be at least 1, got 0; allow some"):
        counted(lambda number: ErrorRate(0, 1), 1, 0)
