"""Fading against its own statistics, each within five standard errors, and responses against a sum over taps."""

import numpy as np
import pytest
from scipy.special import j0
from scipy.stats import kstest

from reproduction.ofdm import channels
from reproduction.ofdm.channels import FadingChannel, StaticChannel
from reproduction.ofdm.taps import PROFILES, Taps
from reproduction.seeds import stateless_seed
from tests.oracles import ofdm as oracle

ONE = Taps((0.0,), (0.0,))
MANY = 20_000


@pytest.fixture(scope="module")
def vehicular():
    """Return many draws of a profile at two symbols, complex [n, 2, taps]."""
    return FadingChannel(PROFILES["VTV_SDWW"], 500.0).fading(MANY, 2, stateless_seed(0, "vehicular")).numpy()


def test_power_delay_profile(vehicular):
    """A tap's power is exponential: its mean has the standard error power / sqrt(n)."""
    powers = PROFILES["VTV_SDWW"].powers
    for time in (0, 1):
        measured = (np.abs(vehicular[:, time]) ** 2).mean(axis=0)
        np.testing.assert_allclose(measured, powers, rtol=5 / np.sqrt(MANY))


def test_taps_are_independent(vehicular):
    units = vehicular[:, 0] / np.sqrt(PROFILES["VTV_SDWW"].powers)
    correlation = units.T @ units.conj() / MANY
    assert np.abs(correlation - np.eye(12)).max() < 5 / np.sqrt(MANY)


def test_amplitudes_are_rayleigh_and_phases_uniform(vehicular):
    first, last = vehicular[:, 0, 0], vehicular[:, 1, -1]
    for tap, power in ((first, PROFILES["VTV_SDWW"].powers[0]), (last, PROFILES["VTV_SDWW"].powers[-1])):
        assert kstest(np.abs(tap) / np.sqrt(power / 2.0), "rayleigh").pvalue > 1e-3
        assert kstest(np.angle(tap) / (2 * np.pi) + 0.5, "uniform").pvalue > 1e-3


def test_autocorrelation_is_j0():
    """At 2000 Hz the lags of a frame go past its least value; the products' standard error is 1 / sqrt(n)."""
    fading = FadingChannel(ONE, 2000.0).fading(MANY, 52, stateless_seed(1, "doppler")).numpy()[..., 0]
    expected = j0(2 * np.pi * 2000.0 * 8e-6 * np.arange(52))
    assert expected.min() < -0.4
    for start in (0, 20):
        measured = (fading[:, start:] * fading[:, start, None].conj()).mean(axis=0)
        assert np.abs(measured - expected[: 52 - start]).max() < 5 / np.sqrt(MANY)


@pytest.mark.parametrize("doppler_hz", [0.0, 1.0, 500.0, 2000.0])
def test_the_covariance_that_is_drawn_is_j0(doppler_hz):
    """Float64 algebra; rounding makes some eigenvalues negative, of up to 52 eps, which are left out."""
    root = channels._root(doppler_hz, 52)
    lags = np.abs(np.subtract.outer(np.arange(52), np.arange(52)))
    np.testing.assert_allclose(root @ root.T, j0(2 * np.pi * doppler_hz * 8e-6 * lags), atol=1e-12)


def test_without_doppler_a_channel_stands_still():
    """The covariance is of rank 1 but for rounding, whose root is 1e-8."""
    responses = FadingChannel(PROFILES["RTV_UC"], 0.0).responses(5, 52, stateless_seed(2, "still")).numpy()
    np.testing.assert_allclose(responses, np.broadcast_to(responses[:, :1], responses.shape), atol=1e-5)
    assert np.abs(responses[0] - responses[1]).max() > 0.1


@pytest.mark.parametrize("name", PROFILES)
def test_responses_are_sums_over_taps(name):
    """Float32 against float64 of the same."""
    channel, seed = FadingChannel(PROFILES[name], 1000.0), stateless_seed(3, name)
    fading, responses = channel.fading(2, 3, seed).numpy(), channel.responses(2, 3, seed).numpy()
    assert responses.shape == (2, 3, 52)
    for frame, time in np.ndindex(2, 3):
        expected = oracle.response(channel.taps.delays_ns, fading[frame, time])
        np.testing.assert_allclose(responses[frame, time], expected, rtol=1e-5, atol=1e-6)


def test_responses_are_sionnas():
    """The phases of Sionna are float32 ones of up to 14 radians, which are known to 1e-6."""
    pytest.importorskip("sionna", reason="the package sionna-no-rt is not installed")
    import tensorflow as tf
    from sionna.phy.channel import cir_to_ofdm_channel

    channel, seed = FadingChannel(PROFILES["TDL_C"], 1000.0), stateless_seed(3, "Sionna")
    taps = tf.transpose(channel.fading(4, 6, seed), (0, 2, 1))[:, None, None, None, None]
    delays = tf.constant(1e-9 * np.tile(channel.taps.delays_ns, (4, 1, 1, 1)), tf.float32)
    frequencies = tf.constant(156_250.0 * np.array(oracle.ACTIVE), tf.float32)
    expected = cir_to_ofdm_channel(frequencies, taps, delays)[:, 0, 0, 0, 0]
    np.testing.assert_allclose(channel.responses(4, 6, seed), expected, rtol=1e-5, atol=2e-5)


def test_responses_have_mean_power_1():
    """A response's power is exponential; that of a subcarrier is a draw per frame."""
    for name, taps in PROFILES.items():
        responses = FadingChannel(taps, 500.0).responses(MANY, 1, stateless_seed(4, name)).numpy()
        np.testing.assert_allclose((np.abs(responses) ** 2).mean(axis=0), 1.0, atol=5 / np.sqrt(MANY))


def test_a_static_channel_is_its_response():
    delays_ns, gains = (0.0, 33.0, 1600.0), (0.8, 0.3 - 0.4j, 0.1j)
    responses = StaticChannel(delays_ns, gains).responses(2, 3, stateless_seed(0, "unused")).numpy()
    expected = np.broadcast_to(oracle.response(delays_ns, gains), (2, 3, 52))
    np.testing.assert_allclose(responses, expected, rtol=1e-5, atol=1e-6)
    assert np.all(StaticChannel().responses(2, 3, stateless_seed(0, "unused")) == 1.0)


def test_the_same_seed_draws_the_same_bits():
    first, again, other = (
        FadingChannel(PROFILES["VTV_UC"], 500.0).responses(3, 5, stateless_seed(seed, "draw")).numpy()
        for seed in (5, 5, 6)
    )
    assert first.tobytes() == again.tobytes()
    assert not np.any(first == other)


@pytest.mark.parametrize("doppler_hz", [-1.0, np.nan, np.inf])
def test_refused_doppler(doppler_hz):
    with pytest.raises(ValueError, match=f"doppler_hz must be a finite number >= 0, got {doppler_hz}; 500 is 92 km/h"):
        FadingChannel(ONE, doppler_hz)


@pytest.mark.parametrize(
    ("delays_ns", "gains", "message"),
    [
        ((0.0,), (1.0, 1.0), "gains must be one for each delay, got 1 delays and 2 gains; give both"),
        ((), (), "got 0 delays and 0 gains"),
        ((0.0,), (np.nan,), r"gains must be finite, got \[nan\]; drop the others"),
        ((-1.0,), (1.0,), "delays_ns must lie from 0 to 1600, the cyclic prefix, got .*; check the unit"),
        ((1601.0,), (1.0,), "delays_ns must lie from 0 to 1600"),
        ((np.nan,), (1.0,), "delays_ns must lie from 0 to 1600"),
    ],
)
def test_refused_static_taps(delays_ns, gains, message):
    with pytest.raises(ValueError, match=message):
        StaticChannel(delays_ns, gains)
