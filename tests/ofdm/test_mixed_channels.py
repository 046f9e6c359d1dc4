"""Tapped delay lines against TR 38.901's own numbers, and drawn channels against their covariance by hand."""

import numpy as np
import pytest
from scipy.stats import kstest

from reproduction.ofdm.conditions import Conditions, Mix, drawn
from reproduction.ofdm.grid import Grid
from reproduction.ofdm.mixed_channels import covariances, interference_db, responses
from reproduction.ofdm.tdl import TDL
from reproduction.seeds import generator, stateless_seed
from tests.oracles import resource_grid as oracle

GRID = Grid()
SMALL = Grid(symbols=6, subcarriers=12, pilot_symbols=(1, 4))
MANY = 4000


def alike(channel, frames, snr_db=20.0, doppler_hz=400.0, delay_spread_ns=200.0):
    """Return the same conditions for all frames."""
    values = (np.full(frames, value) for value in (snr_db, doppler_hz, delay_spread_ns))
    return Conditions(np.full(frames, channel), *values)


@pytest.mark.parametrize("name", TDL)
def test_delays_are_in_units_of_the_delay_spread(name):
    """The tables print three or four digits; TDL-D's, whose powers have one decimal, come to 0.994."""
    assert TDL[name].delay_spread == pytest.approx(1.0, abs=0.007)
    assert len(TDL[name].delays) == len(TDL[name].powers_db)


def test_lines_of_sight_have_the_k_factors_of_the_tables():
    """13.3 dB and 22 dB over the first tap that fades."""
    for name, ratio_db in (("TDL-D", 13.3), ("TDL-E", 22.0)):
        first, second = TDL[name].powers[:2]
        assert 10 * np.log10(first / second) == pytest.approx(ratio_db)


def test_the_tables_are_sionnas():
    pytest.importorskip("sionna", reason="the package sionna-no-rt is not installed")
    from sionna.phy.channel.tr38901 import TDL as Theirs

    for name, profile in TDL.items():
        theirs = Theirs(name[-1], delay_spread=1.0, carrier_frequency=4e9)
        first = int(profile.has_line_of_sight)
        np.testing.assert_allclose(theirs.delays, profile.delays[first:], rtol=1e-6)
        powers = np.array(theirs.mean_powers)
        powers[0] -= float(theirs.mean_power_los) if first else 0.0  # rounded in float32
        np.testing.assert_allclose(powers, profile.powers[first:], rtol=1e-4)


@pytest.mark.parametrize("name", TDL)
def test_covariances_are_sums_over_taps(name):
    """Float64 algebra."""
    found = covariances(GRID, alike(name, 1))[0]
    pilots = np.argwhere(GRID.is_pilot)
    assert found.shape == (14, 48, 48)
    for symbol, subcarrier, pilot in ((0, 0, 0), (5, 7, 30), (13, 47, 47), (2, 1, 24)):
        seconds = (symbol - pilots[pilot][0]) / 14000.0
        hertz = 15e3 * (subcarrier - pilots[pilot][1])
        expected = oracle.autocorrelation(TDL[name], 400.0, 200.0, seconds, hertz)
        np.testing.assert_allclose(found[symbol, subcarrier, pilot], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", TDL)
def test_drawn_channels_have_their_covariance(name):
    """A product of two responses has a standard error of at most 1 / sqrt(n); 864 of them are looked at."""
    drawn_now = responses(SMALL, alike(name, MANY), stateless_seed(0, name)).numpy()
    pilots = drawn_now[:, SMALL.is_pilot]
    measured = np.einsum("nsf,np->sfp", drawn_now, pilots.conj()) / MANY
    expected = covariances(SMALL, alike(name, 1))[0]
    assert np.abs(measured - expected).max() < 5.5 / np.sqrt(MANY)
    assert np.abs((drawn_now**2).mean(axis=0)).max() < 5.5 * np.sqrt(2 / MANY)


def test_frames_have_conditions_of_their_own():
    """Each frame of a mixed batch has the covariance of its own conditions, and fades by itself."""
    kinds = Conditions(
        np.tile(["TDL-A", "TDL-D"], MANY), *(np.tile(pair, MANY) for pair in ((0.0, 30.0), (0.0, 500.0), (300.0, 10.0)))
    )
    found = responses(SMALL, kinds, stateless_seed(1, "mixed")).numpy()
    still, moving = found[::2], found[1::2]
    np.testing.assert_allclose(still, np.broadcast_to(still[:, :1], still.shape), atol=1e-5)  # roots of 0 are 1e-8
    assert np.abs((still[:, 0, 0] * moving[:, 0, 0].conj()).mean()) < 5 / np.sqrt(MANY)
    for part, place in ((still, 0), (moving, 1)):
        expected = covariances(SMALL, kinds[[place]])[0, :, :, 0]
        measured = (part * part[:, 1, :1].conj()[:, :, None]).mean(axis=0)
        assert np.abs(measured - expected).max() < 5 / np.sqrt(MANY)


def test_power_is_not_made_1_in_each_frame():
    """A flat channel without line of sight is Rayleigh: its power is exponential."""
    flat = responses(
        SMALL, alike("TDL-B", MANY, delay_spread_ns=0.0, doppler_hz=0.0), stateless_seed(2, "flat")
    ).numpy()
    np.testing.assert_allclose(flat, np.broadcast_to(flat[:, :1, :1], flat.shape), atol=1e-5)
    assert kstest(np.abs(flat[:, 0, 0]) ** 2, "expon").pvalue > 1e-3


def test_the_same_seed_draws_the_same_bits():
    conditions = drawn(Mix(channels=tuple(TDL)), 20, generator(0, "conditions"))
    first, again, other = (responses(GRID, conditions, stateless_seed(seed, "draw")).numpy() for seed in (5, 5, 6))
    assert first.tobytes() == again.tobytes()
    assert not np.any(first == other)


@pytest.mark.parametrize(("doppler_hz", "expected"), [(500.0, -27.4), (250.0, -33.4)])
def test_the_interference_that_is_left_out(doppler_hz, expected):
    """Ray by ray: a tone at f_D cos(angle) keeps sinc^2 of its power in a symbol's mean."""
    angles = (np.arange(20_000) + 0.5) * np.pi / 20_000
    lost = 1.0 - (np.sinc(doppler_hz / 15e3 * np.cos(angles)) ** 2).mean()
    found = interference_db(doppler_hz, 15e3)
    assert found == pytest.approx(10.0 * np.log10(lost), abs=1e-3)
    assert found == pytest.approx(expected, abs=0.05)


def test_conditions_are_drawn_from_the_mix():
    mix = Mix(channels=("TDL-B", "TDL-D"), snr_db=(0.0, 10.0))
    found = drawn(mix, 2000, generator(0, "mix"))
    assert set(found.channels) == {"TDL-B", "TDL-D"}
    for values, (least, greatest) in (
        (found.snr_db, (0.0, 10.0)),
        (found.doppler_hz, (0.0, 500.0)),
        (found.delay_spread_ns, (10.0, 300.0)),
    ):
        assert kstest((values - least) / (greatest - least), "uniform").pvalue > 1e-3
    np.testing.assert_allclose(found.noise, 10 ** (-found.snr_db / 10), rtol=1e-6)
    assert len(found[3:5]) == 2
    assert found[[7]].snr_db[0] == found.snr_db[7]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"channels": ("TDL-X",)}, r"channels must be some of TDL-A, .*, got \['TDL-X'\]; pick from these"),
        ({"channels": ()}, r"channels must be some of TDL-A, .*, got \[\]"),
        ({"snr_db": (5.0, 0.0)}, "snr_db must be two finite numbers, the least first, got 5.0 and 0.0; correct them"),
        ({"snr_db": (np.nan, 0.0)}, "snr_db must be two finite numbers"),
        ({"doppler_hz": (-1.0, 0.0)}, "doppler_hz must be at least 0, got -1.0; 0 is none"),
        ({"delay_spread_ns": (-1.0, 0.0)}, "delay_spread_ns must be at least 0"),
    ],
)
def test_refused_mixes(change, message):
    with pytest.raises(ValueError, match=message):
        Mix(**{"channels": ("TDL-A",), **change})
