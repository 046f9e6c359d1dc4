"""Estimates against plain loops, and interpolation against NumPy's. None of this needs Sionna."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reproduction.ofdm.channels import FadingChannel, StaticChannel
from reproduction.ofdm.estimates import (
    ESTIMATES,
    data_pilot_aided,
    interpolated,
    least_squares,
    nearest,
    preamble_estimate,
    spectral_temporal_average,
)
from reproduction.ofdm.taps import PROFILES
from reproduction.seeds import generator, stateless_seed
from tests.oracles import ofdm as oracle

FRAMES, SYMBOLS = 3, 12


def square(side):
    """Return a square QAM of mean power 1, complex64 [side^2], in an order that is nobody's."""
    levels = np.arange(side) * 2.0 - (side - 1)
    points = np.add.outer(1j * levels, levels).reshape(-1)
    points = generator(0, "order", side).permutation(points)
    return (points / np.sqrt(np.mean(np.abs(points) ** 2))).astype(np.complex64)


def received(points, noise, channel=None):
    """Return preambles, symbols and the channel of a few frames."""
    draw = generator(1, "received", len(points))
    channel = channel or FadingChannel(PROFILES["VTV_SDWW"], 500.0)
    responses = channel.responses(FRAMES, 2 + SYMBOLS, stateless_seed(1, "received")).numpy()
    cells = draw.choice(points, (FRAMES, 2 + SYMBOLS, 52))
    cells[:, :2] = oracle.TRAINING
    for place, value in zip((5, 19, 32, 46), (1, 1, 1, -1), strict=True):
        cells[:, 2:, place] = value
    cells = responses * cells + noise * (draw.normal(size=cells.shape) + 1j * draw.normal(size=cells.shape))
    cells = cells.astype(np.complex64)
    return cells[:, :2], cells[:, 2:], responses[:, 2:]


@pytest.mark.parametrize("side", [2, 4, 8])
@pytest.mark.parametrize("name", ESTIMATES)
def test_estimates_are_the_plain_loops(name, side):
    """Float32 against float64. Cells that lie on a boundary to the float could be decided otherwise; here none is."""
    points = square(side)
    preambles, symbols, _ = received(points, noise=0.05)
    measured = ESTIMATES[name](preambles, symbols, points).numpy()
    assert measured.shape == (FRAMES, SYMBOLS, 52)
    for frame in range(FRAMES):
        expected = oracle.ESTIMATES[name](preambles[frame].astype(complex), symbols[frame].astype(complex), points)
        np.testing.assert_allclose(measured[frame], expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("name", ESTIMATES)
def test_a_single_symbol(name):
    points = square(2)
    preambles, symbols, _ = received(points, noise=0.05)
    alone = ESTIMATES[name](preambles, symbols[:, :1], points)
    np.testing.assert_allclose(alone, ESTIMATES[name](preambles, symbols, points)[:, :1], rtol=1e-6)


def test_decisions_are_wrong_now_and_then_in_these_frames():
    """Otherwise the loops above would not try what happens then."""
    points = square(8)
    preambles, symbols, channel = received(points, noise=0.05)
    by_estimate = nearest(symbols / data_pilot_aided(preambles, symbols, points), points).numpy()
    assert 0.01 < np.mean(by_estimate != nearest(symbols / channel, points).numpy()) < 0.9


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0), (4.0, 1), (2.0, 60)])
def test_other_memory_and_reach(alpha, beta):
    points = square(2)
    preambles, symbols, _ = received(points, noise=0.05)
    measured = spectral_temporal_average(preambles, symbols, points, alpha, beta).numpy()
    for frame in range(FRAMES):
        expected = oracle.spectral_temporal_average(
            preambles[frame].astype(complex), symbols[frame].astype(complex), points, alpha, beta
        )
        np.testing.assert_allclose(measured[frame], expected, rtol=1e-5, atol=2e-6)


def test_without_memory_and_reach_sta_is_dpa():
    points = square(4)
    preambles, symbols, _ = received(points, noise=0.05)
    sta = spectral_temporal_average(preambles, symbols, points, 1.0, 0)
    np.testing.assert_allclose(sta, data_pilot_aided(preambles, symbols, points), rtol=1e-6)


@pytest.mark.parametrize("name", ["LS", "DPA", "TRFI"])
def test_exact_without_noise_on_a_channel_that_stands_still(name):
    """STA is not: it averages over subcarriers that differ. Three float32 operations a symbol."""
    points = square(8)
    preambles, symbols, channel = received(points, 0.0, StaticChannel((0.0, 300.0), (0.9, 0.3j)))
    np.testing.assert_allclose(preamble_estimate(preambles), channel[:, 0], rtol=1e-6)
    np.testing.assert_allclose(ESTIMATES[name](preambles, symbols, points), channel, rtol=1e-5)


def test_sta_is_exact_without_noise_on_a_flat_channel():
    points = square(8)
    preambles, symbols, channel = received(points, 0.0, StaticChannel((0.0,), (0.6 - 0.8j,)))
    np.testing.assert_allclose(spectral_temporal_average(preambles, symbols, points), channel, rtol=1e-5)


@pytest.mark.parametrize("name", ["DPA", "STA", "TRFI"])
def test_following_beats_holding_on_a_fast_channel(name):
    points = square(2)
    preambles, symbols, channel = received(points, 0.01, FadingChannel(PROFILES["VTV_UC"], 2000.0))
    followed, held = (
        np.mean(np.abs(estimate(preambles, symbols, points).numpy() - channel) ** 2)
        for estimate in (ESTIMATES[name], least_squares)
    )
    assert followed < 0.5 * held


@pytest.mark.parametrize("side", [2, 4, 8, 16])
def test_nearest_is_nearest(side):
    points = square(side)
    draw = generator(2, "cells", side)
    cells = (draw.normal(size=500) + 1j * draw.normal(size=500)).astype(np.complex64)
    expected = [oracle.decided(cell, points) for cell in cells]
    np.testing.assert_allclose(nearest(cells, points), expected, rtol=1e-6)
    np.testing.assert_allclose(nearest(points, points), points, rtol=1e-6)


def complex_rows(width):
    part = arrays(np.float32, (2, width), elements=st.floats(-100, 100, width=32, allow_subnormal=False))
    return st.builds(lambda real, imaginary: (real + 1j * imaginary).astype(np.complex64), part, part)


@given(st.data())
def test_interpolation_is_numpys(data):
    width = data.draw(st.integers(1, 12))
    values = data.draw(complex_rows(width))
    known = data.draw(arrays(bool, (2, width)).filter(lambda mask: mask.any(axis=1).all()))
    measured = interpolated(tf.constant(values), tf.constant(known)).numpy()
    for row in range(2):
        places = np.flatnonzero(known[row])
        for part in (np.real, np.imag):
            expected = np.interp(np.arange(width), places, part(values[row, places]))
            np.testing.assert_allclose(part(measured[row]), expected, rtol=1e-5, atol=1e-4)  # 100 in float32: 1e-5
    assert np.array_equal(measured[known], values[known])


def test_interpolation_does_not_look_at_what_is_unknown():
    values, known = np.array([[1.0, np.nan, 3.0, np.inf]], np.complex64), np.array([[True, False, True, False]])
    assert interpolated(values, known).numpy().tolist() == [[1, 2, 3, 3]]


def test_compiled_once_per_shape():
    points = square(2)
    preambles, symbols, _ = (tf.constant(values) for values in received(points, 0.05))
    points = tf.constant(points)
    for estimate in ESTIMATES.values():
        estimate(preambles, symbols, points)
        before = estimate.experimental_get_tracing_count()
        estimate(2.0 * preambles, 2.0 * symbols, points)
        assert estimate.experimental_get_tracing_count() == before
