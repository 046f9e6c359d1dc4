"""The grid's pilots, against the standard by hand and against Sionna's sequence."""

import numpy as np
import pytest

from reproduction.ofdm.grid import Grid, gold_sequence, reference_signal


def test_where_pilots_stand():
    grid = Grid()
    assert np.argwhere(grid.is_pilot).tolist() == [[symbol, 2 * place] for symbol in (2, 11) for place in range(24)]
    assert grid.data_cells == 14 * 48 - 48
    assert grid.symbol_seconds == pytest.approx(1e-3 / 14)
    np.testing.assert_allclose(np.abs(grid.pilots), grid.is_pilot, atol=1e-7)


def test_the_first_numbers_of_the_gold_sequence():
    """By a list that grows, and by Sionna's."""
    start = 98765
    first, second = [1] + [0] * 30, [(start >> place) & 1 for place in range(31)]
    for n in range(1700):
        first.append((first[n + 3] + first[n]) % 2)
        second.append(sum(second[n : n + 4]) % 2)
    expected = [(first[n + 1600] + second[n + 1600]) % 2 for n in range(100)]
    assert gold_sequence(100, start).tolist() == expected


@pytest.mark.parametrize("start", [0, 12345, 2**31 - 1])
def test_the_gold_sequence_is_sionnas(start):
    pytest.importorskip("sionna", reason="the package sionna-no-rt is not installed")
    from sionna.phy.nr.utils import generate_prng_seq

    assert np.array_equal(gold_sequence(200, start), generate_prng_seq(200, start))


def test_the_reference_signal_is_qpsk_by_the_sequence():
    """c_init = 2^17 (14 slot + symbol + 1)(2 id + 1) + 2 id, with slot and id 0."""
    signs = 1 - 2 * gold_sequence(48, 2**17 * 12)
    expected = (signs[::2] + 1j * signs[1::2]) / np.sqrt(2)
    np.testing.assert_allclose(reference_signal(11, 24), expected, rtol=1e-6)
    np.testing.assert_array_equal(Grid().pilots[11, ::2], reference_signal(11, 24))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"comb": 0}, "comb must be from 1 to below subcarriers, 48, got 0; 2 is usual"),
        ({"comb": 48}, "comb must be from 1 to below subcarriers, 48, got 48"),
        ({"pilot_symbols": ()}, r"pilot_symbols must rise within 0 .. 13, got \[\]; 2 and 11 are usual"),
        ({"pilot_symbols": (11, 2)}, "pilot_symbols must rise"),
        ({"pilot_symbols": (2, 14)}, "pilot_symbols must rise"),
        ({"spacing_hz": 0.0}, "spacing_hz must be above 0 and prefix_share at least 0, got 0.0 and 0.07"),
    ],
)
def test_refused_grids(change, message):
    with pytest.raises(ValueError, match=message):
        Grid(**change)
