"""Training: its loss by hand, that it learns, repeats and goes on where it was left."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("sionna", reason="the package sionna-no-rt is not installed; pip install '.[phy]' brings it")

from reproduction.ofdm.conditions import Mix
from reproduction.ofdm.grid import Grid
from reproduction.receiver.bench import Bench
from reproduction.receiver.samples import draw_fresh, draw_learned, draw_test, repeated
from reproduction.receiver.settings import PAPER, Architecture, Case, Training
from reproduction.receiver.training import cross_entropy, started

TINY = dataclasses.replace(
    PAPER,
    modulation="QPSK",
    grid=Grid(symbols=4, subcarriers=12, pilot_symbols=(1,)),
    learned=Mix(channels=("TDL-D",), snr_db=(20.0, 30.0), delay_spread_ns=(10.0, 30.0)),
    architecture=Architecture(first=16, widths=(16,), dilations=((1, 1),)),
    training=Training(frames=800, epochs=4, batch=8, learning_rate=1e-2),
    statistics_frames=20,
    test_frames=20,
)


@pytest.fixture(scope="module")
def bench():
    return Bench(Case(TINY, 0))


def same(one, other):
    arrays = zip([*one.weights, *one.adam], [*other.weights, *other.adam], strict=True)
    return all(np.array_equal(*pair) for pair in arrays) and one.losses == other.losses


def test_cross_entropy_by_hand(bench):
    soft_bits = np.random.default_rng(0).normal(size=(2, 4, 12, 2)).astype(np.float32)
    bits = (np.random.default_rng(1).random((2, 4, 12, 2)) < 0.5).astype(np.float32)
    is_data = ~bench.link.grid.is_pilot
    right = 1.0 / (1.0 + np.exp(-np.where(bits > 0.5, soft_bits, -soft_bits).astype(float)))
    expected = [-np.log(right[frame][is_data]).mean() for frame in range(2)]
    np.testing.assert_allclose(cross_entropy(soft_bits, bits, tf.constant(is_data, tf.float32)), expected, rtol=1e-5)


def test_pilots_do_not_count(bench):
    """Not by a bit: they have the weight 0."""
    is_data = tf.constant(~bench.link.grid.is_pilot, tf.float32)
    bits = np.zeros((1, 4, 12, 2), np.float32)
    soft_bits = np.where(bench.link.grid.is_pilot[None, ..., None], 50.0, -1.0) * np.ones_like(bits)
    np.testing.assert_array_equal(
        cross_entropy(soft_bits.astype(np.float32), bits, is_data),
        cross_entropy(np.full_like(bits, -1.0), bits, is_data),
    )


@pytest.fixture(scope="module")
def whole(bench):
    """The states of a training after each epoch."""
    trainer = bench.trainer()
    states = [started(trainer.model)]
    for _ in range(4):
        states.append(trainer.epoch(states[-1]))
    return states


def test_it_learns(whole):
    """A guess costs ln 2 = 0.69 nats."""
    losses = whole[-1].losses
    assert losses[-1] < 0.75 * losses[0]
    assert losses[-1] < 0.5


def test_it_goes_on_to_the_same_bits(whole, bench):
    """One that was stopped after two epochs, on a new trainer; and a trainer leaves no trace of what it did before."""
    trainer = bench.trainer()
    assert same(trainer.epoch(trainer.epoch(whole[2])), whole[4])
    assert same(trainer.epoch(whole[0]), whole[1])


def test_another_seed_learns_otherwise(whole):
    other = Bench(Case(TINY, 1))
    trainer = other.trainer()
    assert not np.any(other.learned.received == Bench(Case(TINY, 0)).learned.received)
    assert not np.array_equal(started(trainer.model).weights[0], whole[0].weights[0])


def test_the_rate_falls_to_0(whole):
    """Adam's steps are about as long as its rate: half a cosine leaves 4 % for the last of four epochs."""
    moved = [np.abs(after.weights[0] - before.weights[0]).mean() for before, after in pairwise(whole)]
    assert moved[-1] < 0.2 * moved[0]


def test_frames_are_functions_of_seed_and_purpose(bench):
    first, again = (draw_learned(bench.link, TINY.learned, 5, 0, "a purpose") for _ in range(2))
    other = draw_learned(bench.link, TINY.learned, 5, 0, "another")
    assert first.received.tobytes() == again.received.tobytes()
    assert first.bits.dtype == np.uint8
    assert not np.any(first.received == other.received)
    assert set(np.unique(first.bits)) == {0, 1}


def test_tests_have_one_snr_and_fresh_frames_a_targets_conditions(bench):
    test = draw_test(bench.link, TINY.learned, 6, 12.0, 0, "test")
    assert test.conditions.snr_db.tolist() == [12.0] * 6
    assert len(set(test.conditions.doppler_hz.tolist())) == 6
    conditions = repeated(test.conditions, 2, 4)
    assert conditions.doppler_hz.tolist() == [test.conditions.doppler_hz[2]] * 4
    one, other = (draw_fresh(bench.link, conditions, 0, "fresh", number) for number in range(2))
    assert not np.any(one.received == other.received)


def test_refusals(bench):
    with pytest.raises(ValueError, match="batch must be from 1 to frames, 5, got 8; 8 is usual"):
        Training(frames=5)
    # a ReLU makes 0 of NaN, and the cross-entropy stays finite for a while
    torn = Bench(Case(TINY, 0))
    torn.learned.received[3] = np.nan
    with pytest.raises(ValueError, match="weights must stay finite, got NaN or infinity in epoch 0; check the frames"):
        torn.trainer().epoch(started(torn.network()))
