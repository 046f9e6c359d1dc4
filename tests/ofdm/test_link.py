"""The chain from bits to symbols: against samples through taps, by seeds, and what it refuses."""

import math

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("sionna", reason="the package sionna-no-rt is not installed; pip install '.[phy]' brings it")

from reproduction.ofdm.channels import FadingChannel, StaticChannel
from reproduction.ofdm.error_rate import ErrorRate
from reproduction.ofdm.estimates import ESTIMATES
from reproduction.ofdm.frame import Frame
from reproduction.ofdm.link import MODULATIONS, Link
from reproduction.ofdm.taps import PROFILES
from reproduction.seeds import stateless_seed
from tests.oracles import ofdm as oracle

SHORT = Frame(symbols=4)
FADING = FadingChannel(PROFILES["VTV_SDWW"], 500.0)
ALL = [(modulation, is_coded) for modulation in MODULATIONS for is_coded in (False, True)]


@pytest.fixture(scope="module")
def links():
    """Return links of short frames, compiled once."""
    return {(modulation, is_coded): Link(modulation, is_coded, SHORT) for modulation, is_coded in ALL}


def whole(received):
    """Return frames with their preambles, complex [n, times, 52]."""
    return np.concatenate([received.preambles, received.symbols], axis=1)


def test_frequency_is_the_fourier_transform_of_time(links):
    """Samples with a prefix through taps a sample apart, up to the prefix; the same seed sends the same symbols."""
    link, seed = links["16QAM", False], stateless_seed(0, "time")
    gains = np.zeros(17, complex)
    gains[[0, 1, 3, 9, 16]] = 0.7, -0.4j, 0.2 + 0.2j, 0.3, -0.1
    sent = whole(link.send(StaticChannel(), 2, math.inf, seed))
    channel = StaticChannel(tuple(100.0 * np.arange(17)), tuple(gains))
    received = whole(link.send(channel, 2, math.inf, seed))
    for frame in range(2):
        expected = oracle.through_time(sent[frame].astype(complex), gains)
        np.testing.assert_allclose(received[frame], expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize(("modulation", "is_coded"), ALL)
def test_the_grid(links, modulation, is_coded):
    link = links[modulation, is_coded]
    received = link.send(StaticChannel(), 50, math.inf, stateless_seed(0, "grid"))
    cells = np.array(received.symbols)
    assert received.bits.shape == (50, link.bits)
    assert np.unique(received.bits).tolist() == [0.0, 1.0]
    np.testing.assert_array_equal(received.preambles, np.broadcast_to(oracle.TRAINING, (50, 2, 52)))
    np.testing.assert_array_equal(cells[:, :, [5, 19, 32, 46]], np.broadcast_to([1, 1, 1, -1], (50, 4, 4)))
    data = np.delete(cells, [5, 19, 32, 46], axis=2).reshape(-1)
    assert set(data.tolist()) == set(np.array(link.points).tolist())
    assert np.mean(np.abs(link.points) ** 2) == pytest.approx(1.0, rel=1e-6)


def test_bits_of_a_frame():
    """A cell carries 2 to 6 bits, or half as many, and six end the code."""
    assert [Link(modulation, False).bits for modulation in MODULATIONS] == [4800, 9600, 14400]
    assert [Link(modulation, True).bits for modulation in MODULATIONS] == [2394, 4794, 7194]


@pytest.mark.parametrize(("modulation", "is_coded"), ALL)
def test_noise_has_the_power_of_ebno(links, modulation, is_coded):
    """4 x 54 x 50 complex normals: their mean power is known to 1 / sqrt(n)."""
    link = links[modulation, is_coded]
    received = link.send(StaticChannel(), 50, 7.0, stateless_seed(0, "noise"))
    expected = 1.0 / (10**0.7 * MODULATIONS[modulation] * (0.5 if is_coded else 1.0))
    assert float(received.noise) == pytest.approx(expected, rel=1e-5)
    noise = whole(received) - whole(link.send(StaticChannel(), 50, math.inf, stateless_seed(0, "noise")))
    assert np.mean(np.abs(noise) ** 2) == pytest.approx(expected, rel=5 / math.sqrt(noise.size))
    assert abs(np.mean(noise**2)) < 5 * expected / math.sqrt(noise.size)


@pytest.mark.parametrize(("modulation", "is_coded"), ALL)
def test_without_noise_no_bit_is_wrong(links, modulation, is_coded):
    link = links[modulation, is_coded]
    received = link.send(FADING, 50, math.inf, stateless_seed(0, "no noise"))
    assert link.errors(received, received.channel) == ErrorRate(0, 50 * link.bits)


@pytest.mark.parametrize("name", ESTIMATES)
def test_estimates_of_what_was_received(links, name):
    """At 35 dB and 500 Hz all are of use, and none beats the channel itself."""
    link = links["16QAM", False]
    received = link.send(FADING, 50, 35.0, stateless_seed(0, "estimates"))
    estimates = ESTIMATES[name](received.preambles, received.symbols, link.points)
    rate = link.errors(received, estimates).rate
    assert link.errors(received, received.channel).rate < rate < 0.1


def test_an_estimate_of_zero_says_nothing(links):
    """Half of the bits are then wrong, in the code as without it, where the soft bits are 0."""
    for is_coded in (False, True):
        link = links["16QAM", is_coded]
        received = link.send(FADING, 50, 20.0, stateless_seed(0, "zero"))
        rate = link.errors(received, 0.0 * received.channel)
        assert 0.5 == pytest.approx(rate.rate, abs=5 * 0.5 / math.sqrt(rate.bits))


def test_errors_of_frames_add_up(links):
    link = links["QPSK", True]
    received = link.send(FADING, 50, 5.0, stateless_seed(0, "frames"))
    by_frame = link.frame_errors(received, received.channel)
    assert by_frame.shape == (50,)
    assert link.errors(received, received.channel) == ErrorRate(int(by_frame.sum()), 50 * link.bits)
    assert by_frame.sum() > 0


@pytest.mark.parametrize("is_coded", [False, True])
def test_the_same_seed_sends_the_same_bits(links, is_coded):
    """Whatever was sent before it, and by another link of the same kind."""
    link = links["QPSK", is_coded]
    first = link.send(FADING, 50, 10.0, stateless_seed(0, "link", 0))
    other = link.send(FADING, 50, 10.0, stateless_seed(0, "link", 1))
    again = link.send(FADING, 50, 10.0, stateless_seed(0, "link", 0))
    anew = Link("QPSK", is_coded, SHORT).send(FADING, 50, 10.0, stateless_seed(0, "link", 0))
    for field in ("bits", "preambles", "symbols", "channel", "noise"):
        bytes_of = [np.array(getattr(received, field)).tobytes() for received in (first, again, anew)]
        assert bytes_of[0] == bytes_of[1] == bytes_of[2]
    assert 0.4 < np.mean(np.array(first.bits) == np.array(other.bits)) < 0.6
    assert not np.any(np.array(first.channel) == np.array(other.channel))
    assert link.frame_errors(first, first.channel).tolist() == link.frame_errors(again, again.channel).tolist()


def test_bits_channel_and_noise_are_of_different_streams(links):
    """Else the first normals of the channel and of the noise were the same numbers."""
    link, seed = links["QPSK", False], stateless_seed(0, "streams")
    clean, noisy = (link.send(FADING, 50, ebno_db, seed) for ebno_db in (math.inf, 0.0))
    assert np.array_equal(clean.channel, noisy.channel)
    noise, channel = (np.array(values).reshape(-1) for values in (noisy.symbols - clean.symbols, clean.channel))
    correlation = np.corrcoef(np.stack([noise.real, noise.imag, channel.real, channel.imag]))
    assert np.abs(correlation[:2, 2:]).max() < 5 / math.sqrt(50)  # a channel is one draw a frame, or few


def test_a_sweep_compiles_once(links):
    link = links["QPSK", True]
    for ebno_db, seed in ((0.0, 1), (10, 2), (20.5, 3)):
        received = link.send(FadingChannel(PROFILES["VTV_UC"], 100.0 * seed), 50, ebno_db, stateless_seed(seed))
        link.errors(received, received.channel)
        counts = [one.experimental_get_tracing_count() for one in (link._sent, link._errors, link._decoded)]
        if seed == 1:
            first = counts
    assert counts == first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"frames": 0}, "frames must be at least 1, got 0; send some"),
        ({"ebno_db": math.nan}, "ebno_db must be a number, got nan; 0 to 40 is usual"),
        ({"seed": 3}, r'seed must be two numbers, got 3; take seeds.stateless_seed\(root, "link", block\)'),
    ],
)
def test_refused_sending(links, arguments, message):
    usual = {"channel": StaticChannel(), "frames": 1, "ebno_db": 0.0, "seed": stateless_seed(0)}
    with pytest.raises(ValueError, match=message):
        links["QPSK", False].send(**(usual | arguments))


def test_refused_modulation():
    with pytest.raises(ValueError, match="modulation must be one of QPSK, 16QAM, 64QAM, got '8PSK'; pick one"):
        Link("8PSK", False)


def test_refused_estimates(links):
    link = links["QPSK", False]
    received = link.send(StaticChannel(), 1, 0.0, stateless_seed(0))
    with pytest.raises(
        ValueError, match=r"estimates must have the symbols' shape \(1, 4, 52\), got \(1, 52\); give one"
    ):
        link.errors(received, received.channel[:, 0])


def test_refused_estimates_that_are_no_numbers(links):
    link = links["QPSK", False]
    received = link.send(StaticChannel(), 3, 0.0, stateless_seed(0))
    estimates = np.array(received.channel)
    estimates[2, 1, 5] = np.nan
    with pytest.raises(ValueError, match="estimates must be finite, got nan or infinity in frame 2; check the estim"):
        link.errors(received, estimates)


def test_estimates_of_another_library_are_taken(links):
    """NumPy's complex128 too, with the same errors."""
    link = links["QPSK", True]
    received = link.send(FADING, 50, 5.0, stateless_seed(0, "frames"))
    assert link.errors(received, np.array(received.channel, complex)) == link.errors(received, received.channel)


@pytest.mark.parametrize("modulation", MODULATIONS)
def test_uncoded_bits_are_those_of_sionnas_demapper(modulation):
    """Hard decisions of the most likely point, of cells all over the plane and beyond its corners."""
    from sionna.phy.mapping import Constellation, Demapper

    link = Link(modulation, is_coded=False)
    drawn = np.random.default_rng(0).normal(size=(2, 3, 48 * 50))
    cells = tf.complex(*(tf.constant(part, tf.float32) for part in drawn))
    constellation = Constellation("qam", MODULATIONS[modulation], precision="single")
    theirs = Demapper("maxlog", constellation=constellation, hard_out=True, precision="single")(
        cells, tf.ones(3)[:, None]
    )
    np.testing.assert_array_equal(link._decided(cells), theirs)
