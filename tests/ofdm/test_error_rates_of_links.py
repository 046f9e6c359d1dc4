"""Simulated error rates against closed forms and bounds.

Frames are the independent draws: a mean over them is held to theory within `SIGMAS` of its standard error, as their own
spread has it. Theory errs only by chance beyond that, about once in 15,000 comparisons.
"""

import numpy as np
import pytest

pytest.importorskip("sionna", reason="the package sionna-no-rt is not installed; pip install '.[phy]' brings it")

from reproduction.ofdm.channels import FadingChannel, StaticChannel
from reproduction.ofdm.error_rate import ErrorRate, counted
from reproduction.ofdm.frame import Frame
from reproduction.ofdm.link import MODULATIONS, Link
from reproduction.ofdm.taps import PROFILES, Taps
from reproduction.seeds import stateless_seed
from tests.oracles import ofdm as oracle

SIGMAS = 4.0


def measured(link, channel, frames, ebno_db):
    """Return the rate of a receiver that knows the channel, and its standard error."""
    received = link.send(channel, frames, ebno_db, stateless_seed(0, "rates", str(ebno_db)))
    rates = link.frame_errors(received, received.channel) / link.bits
    return rates.mean(), rates.std() / np.sqrt(frames)


@pytest.mark.parametrize(("modulation", "ebno_db"), [("QPSK", 4.0), ("16QAM", 8.0), ("64QAM", 12.0), ("64QAM", -5.0)])
def test_white_noise(modulation, ebno_db):
    bits_per_cell = MODULATIONS[modulation]
    ratio = oracle.half_distance_over_noise(bits_per_cell, ebno_db)
    expected = oracle.gray_bit_error(bits_per_cell, oracle.still_tail(ratio))
    rate, error = measured(Link(modulation, False), StaticChannel(), 100, ebno_db)
    assert error < 0.02 * expected
    assert abs(rate - expected) < SIGMAS * error


@pytest.mark.parametrize("profile", ["one tap", "VTV_SDWW", "TDL_C"])
@pytest.mark.parametrize(("modulation", "ebno_db"), [("QPSK", 10.0), ("16QAM", 15.0), ("64QAM", 5.0)])
def test_rayleigh_fading(modulation, ebno_db, profile):
    """A frame of one symbol, many of them: on every profile a subcarrier is Rayleigh."""
    bits_per_cell = MODULATIONS[modulation]
    ratio = oracle.half_distance_over_noise(bits_per_cell, ebno_db)
    expected = oracle.gray_bit_error(bits_per_cell, oracle.rayleigh_tail(ratio))
    channel = FadingChannel(PROFILES.get(profile, Taps((0.0,), (0.0,))), 0.0)
    rate, error = measured(Link(modulation, False, Frame(preambles=1, symbols=1)), channel, 10_000, ebno_db)
    assert error < 0.04 * expected
    assert abs(rate - expected) < SIGMAS * error


def test_closed_forms_of_the_oracle():
    """QPSK's are Q(sqrt(2 Eb/N0)) and, faded, 1/2 (1 - sqrt(g / (1 + g)))."""
    per_bit = 10**0.4
    ratio = oracle.half_distance_over_noise(2, 4.0)
    assert ratio == pytest.approx(2 * per_bit)
    assert oracle.gray_bit_error(2, oracle.still_tail(ratio)) == pytest.approx(0.0125008, rel=1e-5)
    expected = 0.5 * (1 - np.sqrt(per_bit / (1 + per_bit)))
    assert oracle.gray_bit_error(2, oracle.rayleigh_tail(ratio)) == pytest.approx(expected, rel=1e-12)


def test_the_code_has_the_published_weights():
    """Those of IT++'s test of convolutional codes: 36, 211, 1404, 11633, 77433 from weight 10 in steps of 2."""
    assert list(oracle.bit_weights(longest=18).items()) == [(10, 36), (12, 211), (14, 1404), (16, 11633), (18, 77433)]


def test_the_code_in_white_noise():
    """Between the bounds, near to the upper one, and far below no code: 2.3 % at 3 dB."""
    link = Link("QPSK", True)
    for ebno_db in (2.5, 3.0):
        rate, error = measured(link, StaticChannel(), 100, ebno_db)
        assert oracle.genie_bound(ebno_db) < rate + SIGMAS * error
        assert 0.2 * oracle.union_bound(ebno_db) - SIGMAS * error < rate
        assert rate - SIGMAS * error < oracle.union_bound(ebno_db)
        assert 0 < rate < 0.005


def test_the_code_and_the_interleaver_gain_from_fading_in_frequency():
    channel = FadingChannel(PROFILES["TDL_C"], 500.0)
    short = Frame(symbols=10)
    coded, plain = (measured(Link("QPSK", is_coded, short), channel, 100, 10.0)[0] for is_coded in (True, False))
    assert coded < 0.5 * plain


def test_blocks_are_counted_until_there_are_enough():
    """Blocks of a seed each: what `counted` adds up lies within the spread of theory."""
    link, channel = Link("QPSK", False, Frame(preambles=1, symbols=1)), StaticChannel()

    def block(number):
        received = link.send(channel, 20, 4.0, stateless_seed(0, "blocks", number))
        return link.errors(received, received.channel)

    total = counted(block, least_errors=300, most_blocks=100)
    assert total.errors >= 300
    assert total.bits % (20 * 96) == 0
    assert total == sum((block(number) for number in range(1, total.bits // (20 * 96))), block(0))
    low, high = total.interval(0.9999)
    assert low < oracle.gray_bit_error(2, oracle.still_tail(2 * 10**0.4)) < high
    assert isinstance(total, ErrorRate)
