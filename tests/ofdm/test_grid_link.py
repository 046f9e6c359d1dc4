"""The link over a resource grid: error rates against integrals, estimates against their known errors.

Frames are the independent draws: a mean over them is held to theory within `SIGMAS` of its standard error, as their own
spread has it. Theory errs only by chance beyond that, about once in 15,000 comparisons.
"""

import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("sionna", reason="the package sionna-no-rt is not installed; pip install '.[phy]' brings it")

from reproduction.ofdm.conditions import Conditions, Mix, drawn
from reproduction.ofdm.grid import Grid
from reproduction.ofdm.grid_estimates import interpolated_estimate, raw_estimate, wiener
from reproduction.ofdm.grid_link import GridLink
from reproduction.ofdm.link import MODULATIONS
from reproduction.ofdm.mixed_channels import covariances
from reproduction.seeds import generator, stateless_seed
from tests.oracles import ofdm as link_oracle
from tests.oracles import resource_grid as oracle

SIGMAS = 4.0
MIX = Mix(channels=("TDL-B", "TDL-C", "TDL-D"))
SHORT = Grid(symbols=4, subcarriers=24, pilot_symbols=(1, 3))


@pytest.fixture(scope="module")
def links():
    """Return links over a small grid, compiled once."""
    return {modulation: GridLink(modulation, SHORT) for modulation in MODULATIONS}


def alike(channel, frames, snr_db, doppler_hz=500.0, delay_spread_ns=300.0):
    """Return the same conditions for all frames."""
    values = (np.full(frames, value) for value in (snr_db, doppler_hz, delay_spread_ns))
    return Conditions(np.full(frames, channel), *values)


@pytest.mark.parametrize(("modulation", "snr_db"), [("QPSK", 10.0), ("16QAM", 5.0), ("16QAM", 20.0), ("64QAM", 15.0)])
def test_perfect_knowledge_errs_as_theory_has_it(links, modulation, snr_db):
    """On any profile without line of sight a cell is Rayleigh. The SNR is Es/N0; pilots are not charged to it."""
    link, count = links[modulation], 2000 if modulation == "64QAM" else 8000
    frames = link.send(alike("TDL-A", count, snr_db), stateless_seed(0, "theory", modulation))
    soft_bits = link.soft_bits(frames.received, frames.channel, frames.noise[:, None, None])
    rates = link.errors(frames.bits, soft_bits) / link.bits
    expected = oracle.best_rayleigh_bit_error(link.bits_per_cell, 10 ** (-snr_db / 10))
    error = rates.std() / np.sqrt(len(rates))
    assert error < 0.03 * expected
    assert abs(rates.mean() - expected) < SIGMAS * error


@pytest.mark.parametrize(("modulation", "snr_db"), [("QPSK", 0.0), ("QPSK", 20.0), ("16QAM", 20.0), ("64QAM", 25.0)])
def test_the_integral_is_the_closed_form(modulation, snr_db):
    """The closed form decides for the nearest point, which is best for QPSK, and at high SNR."""
    bits_per_cell = MODULATIONS[modulation]
    ratio = link_oracle.half_distance_over_noise(bits_per_cell, snr_db - 10 * np.log10(bits_per_cell))
    closed = link_oracle.gray_bit_error(bits_per_cell, link_oracle.rayleigh_tail(ratio))
    found = oracle.best_rayleigh_bit_error(bits_per_cell, 10 ** (-snr_db / 10))
    assert found == pytest.approx(closed, rel=1e-3 if modulation == "QPSK" else 2e-2)
    assert found < closed * (1 + 1e-3)


@pytest.mark.parametrize("modulation", MODULATIONS)
def test_soft_bits_are_the_logarithms_of_the_odds(links, modulation):
    """Against the sum over points, whose bits are those of TS 38.211."""
    link = links[modulation]
    frames = link.send(drawn(MIX, 5, generator(0, "odds")), stateless_seed(0, "odds"))
    found = link.soft_bits(frames.received, frames.channel, frames.noise[:, None, None]).numpy()
    levels, labels = oracle.amplitude_levels(link.bits_per_cell)
    received, channel, noise = (np.asarray(values) for values in (frames.received, frames.channel, frames.noise))
    for frame, symbol, subcarrier in ((0, 0, 0), (3, 2, 11), (4, 3, 7)):
        gain = abs(channel[frame, symbol, subcarrier]) ** 2
        equalised = received[frame, symbol, subcarrier] / channel[frame, symbol, subcarrier]
        for bit in range(link.bits_per_cell):
            axis = (equalised.real, equalised.imag)[bit % 2]
            exponents = -((axis - levels) ** 2) * gain / noise[frame]
            ones = labels[:, bit // 2] == 1
            expected = np.logaddexp.reduce(exponents[ones]) - np.logaddexp.reduce(exponents[~ones])
            # distances of float32, divided by N0: their digits are lost as the odds grow
            np.testing.assert_allclose(found[frame, symbol, subcarrier, bit], expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("modulation", MODULATIONS)
def test_the_grid_carries_pilots_and_bits(links, modulation):
    link = links[modulation]
    conditions = alike("TDL-B", 50, 100.0)
    frames = link.send(conditions, stateless_seed(0, "grid"))
    assert frames.bits.shape == (50, 4, 24, link.bits_per_cell)
    assert link.bits == (4 * 24 - 24) * link.bits_per_cell
    sent = (frames.received / frames.channel).numpy()
    at_data = np.asarray(frames.bits)[:, ~SHORT.is_pilot]
    assert abs(at_data.mean() - 0.5) < 5 * 0.5 / math.sqrt(at_data.size)
    assert not np.asarray(frames.bits)[:, SHORT.is_pilot].any()
    numbers = (at_data @ (2 ** np.arange(link.bits_per_cell - 1, -1, -1))).astype(int)
    expected = np.asarray(link.points)[numbers]
    strong = np.abs(frames.channel.numpy()) > 0.1  # noise of 1e-5 over the channel
    at_data = strong[:, ~SHORT.is_pilot]
    np.testing.assert_allclose(sent[:, ~SHORT.is_pilot][at_data], expected[at_data], atol=1e-3)
    expected = np.broadcast_to(SHORT.pilots, sent.shape)
    at_pilots = strong & SHORT.is_pilot
    np.testing.assert_allclose(sent[at_pilots], expected[at_pilots], atol=1e-3)


def test_noise_has_the_power_of_the_snr(links):
    """38,400 complex normals: their mean power is known to 1 / sqrt(n)."""
    frames = links["QPSK"].send(alike("TDL-B", 400, 7.0), stateless_seed(0, "noise"))
    loud = links["QPSK"].send(alike("TDL-B", 400, -13.0), stateless_seed(0, "noise"))
    noise = (loud.received - frames.received).numpy() / (10.0 - 1.0)  # the same draw, ten times as strong
    expected = 10**-0.7
    np.testing.assert_allclose(np.mean(np.abs(noise) ** 2), expected, rtol=5 / np.sqrt(noise.size))


def test_raw_estimates_are_exact_without_noise(links):
    frames = links["16QAM"].send(alike("TDL-C", 20, 300.0), stateless_seed(0, "exact"))
    raw = raw_estimate(frames.received, SHORT.pilots).numpy()
    expected = np.where(SHORT.is_pilot, frames.channel, 0.0)
    np.testing.assert_allclose(raw, expected, rtol=1e-5, atol=1e-6)


def test_linear_interpolation_is_numpys(links):
    """Over frequency, then over time; complex128 against complex64."""
    frames = links["16QAM"].send(alike("TDL-C", 2, 20.0), stateless_seed(0, "linear"))
    raw = raw_estimate(frames.received, SHORT.pilots)
    found = interpolated_estimate(raw, SHORT).numpy()
    for frame in range(2):
        at_pilots = {}
        for symbol in (1, 3):
            values = raw.numpy()[frame, symbol, ::2].astype(complex)
            at_pilots[symbol] = np.interp(range(24), range(0, 24, 2), values)
        for subcarrier in range(24):
            expected = np.interp(range(4), [1, 3], [at_pilots[1][subcarrier], at_pilots[3][subcarrier]])
            np.testing.assert_allclose(found[frame, :, subcarrier], expected, rtol=1e-5, atol=1e-6)


def test_linear_interpolation_is_exact_where_nothing_changes(links):
    frames = links["16QAM"].send(alike("TDL-B", 20, 300.0, 0.0, 0.0), stateless_seed(0, "flat"))
    found = interpolated_estimate(raw_estimate(frames.received, SHORT.pilots), SHORT)
    np.testing.assert_allclose(found, frames.channel, rtol=1e-4, atol=1e-5)  # a channel stands still to 1e-5


def wiener_by_hand(covariance, is_pilot, raw, noise):
    """Return estimates and errors by the normal equations, in complex128."""
    cells = covariance.reshape(-1, covariance.shape[-1])
    inner = cells[is_pilot.reshape(-1)] + noise * np.eye(cells.shape[1])
    estimate = cells @ np.linalg.solve(inner, raw[is_pilot].astype(complex))
    errors = 1.0 - np.einsum("cp,pc->c", cells, np.linalg.solve(inner, cells.conj().T)).real
    return estimate.reshape(is_pilot.shape), errors.reshape(is_pilot.shape)


def test_wieners_estimate_solves_the_normal_equations(links):
    """Rounded to complex64 at the end; the eigenvalues and the solution agree to 1e-10 of the noise's inverse."""
    conditions = drawn(MIX, 6, generator(0, "normal"))
    frames = links["16QAM"].send(conditions, stateless_seed(0, "normal"))
    raw = raw_estimate(frames.received, SHORT.pilots)
    own = covariances(SHORT, conditions)
    for covariance in (own, own.mean(axis=0, keepdims=True)):
        estimates, errors = wiener(SHORT, covariance)(raw, frames.noise)
        for frame in range(6):
            one = covariance[frame % len(covariance)]
            noise = float(frames.noise[frame])
            expected = wiener_by_hand(one, SHORT.is_pilot, raw.numpy()[frame], noise)
            np.testing.assert_allclose(estimates[frame], expected[0], rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(errors[frame], expected[1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("snr_db", [0.0, 20.0])
def test_wieners_error_is_what_it_says(links, snr_db):
    """On many frames of the same conditions, cell by cell; squares of complex normals spread by their own mean."""
    count = 4000
    conditions = alike("TDL-C", count, snr_db)
    frames = links["16QAM"].send(conditions, stateless_seed(0, "error"))
    estimate = wiener(SHORT, covariances(SHORT, conditions[[0]]))
    estimates, errors = estimate(raw_estimate(frames.received, SHORT.pilots), frames.noise)
    ratios = np.mean(np.abs(estimates - frames.channel) ** 2, axis=0) / errors.numpy()[0]
    np.testing.assert_allclose(ratios, 1.0, atol=5 / np.sqrt(count))


def test_knowing_more_errs_less(links):
    """Linear interpolation, the mix's statistics, a frame's own, the channel: each is better than the one before."""
    link = links["16QAM"]
    conditions = drawn(dataclasses.replace(MIX, snr_db=(10.0, 20.0)), 1000, generator(0, "more"))
    frames = link.send(conditions, stateless_seed(0, "more"))
    raw = raw_estimate(frames.received, SHORT.pilots)
    own = covariances(SHORT, conditions)
    kinds = [
        (interpolated_estimate(raw, SHORT), 0.0),
        wiener(SHORT, own.mean(axis=0, keepdims=True))(raw, frames.noise),
        wiener(SHORT, own)(raw, frames.noise),
        (frames.channel, 0.0),
    ]
    squares = [float(np.mean(np.abs(estimates - frames.channel) ** 2)) for estimates, _ in kinds]
    rates = [
        link.errors(frames.bits, link.soft_bits(frames.received, one, frames.noise[:, None, None] + error)).mean()
        for one, error in kinds
    ]
    assert squares == sorted(squares, reverse=True)
    assert rates == sorted(rates, reverse=True)
    assert rates[0] > 1.2 * rates[-1]


def test_an_estimate_of_zero_says_nothing(links):
    frames = links["QPSK"].send(alike("TDL-B", 3, 10.0), stateless_seed(0, "zero"))
    soft_bits = links["QPSK"].soft_bits(frames.received, tf.zeros_like(frames.channel), frames.noise[:, None, None])
    assert np.abs(soft_bits).max() < 1e-4


def test_the_same_seed_sends_the_same_bits(links):
    conditions = drawn(MIX, 4, generator(0, "same"))
    first, again, other = (links["64QAM"].send(conditions, stateless_seed(seed, "same")) for seed in (0, 0, 1))
    assert first.received.numpy().tobytes() == again.received.numpy().tobytes()
    assert first.bits.numpy().tobytes() == again.bits.numpy().tobytes()
    assert not np.any(first.received == other.received)


def test_refusals(links):
    with pytest.raises(ValueError, match="modulation must be one of QPSK, 16QAM, 64QAM, got 'BPSK'; pick one"):
        GridLink("BPSK")
    conditions = alike("TDL-B", 2, 10.0)
    with pytest.raises(ValueError, match="conditions must be those of at least 1 frame, got 0; draw some"):
        links["QPSK"].send(conditions[:0], stateless_seed(0, "none"))
    with pytest.raises(ValueError, match=r"seed must be two numbers, got 3; take seeds.stateless_seed"):
        links["QPSK"].send(conditions, 3)
