"""Streams of randomness: pure functions of their keys."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reproduction import seeds

KEYS = {
    "a purpose": (0, "training"),
    "another purpose": (0, "evaluation"),
    "another root": (1, "training"),
    "a slice": (0, "training", "eMBB"),
    "another slice": (0, "training", "Browsing"),
    "round 0": (0, "training", "eMBB", 0),
    "round 1": (0, "training", "eMBB", 1),
    "client 0": (0, "training", "eMBB", 0, 0),
    "client 1": (0, "training", "eMBB", 0, 1),
    "round 1, client 0": (0, "training", "eMBB", 1, 0),
    "named client": (0, "training", "eMBB", 0, "CL 000"),
    "keys turned round": (0, "eMBB", "training"),
    "keys glued": (0, "trainingeMBB"),
}


def draws(*keys):
    return seeds.generator(*keys).random(4).tobytes()


@pytest.mark.parametrize(("one", "other"), list(combinations(KEYS, 2)))
def test_any_key_makes_another_stream(one, other):
    assert draws(*KEYS[one]) != draws(*KEYS[other])
    assert seeds.stateless_seed(*KEYS[one]).tolist() != seeds.stateless_seed(*KEYS[other]).tolist()


def test_a_stream_knows_nothing_of_the_others():
    alone = draws(3, "data", "eMBB", 7)
    for keys in KEYS.values():
        draws(*keys)
    np.random.default_rng().random(9)
    assert draws(3, "data", "eMBB", 7) == alone


key = st.one_of(st.text(max_size=8), st.integers(0, 2**31 - 1))


@given(st.integers(0, 2**40), st.lists(key, max_size=4))
def test_a_stream_is_a_function_of_its_keys(root, keys):
    assert draws(root, *keys) == draws(root, *keys)
    assert seeds.stream(root, *keys).entropy == root


@given(st.lists(key, min_size=1, max_size=4), st.integers(0, 3))
def test_seed_of_a_stateless_call(keys, root):
    seed = seeds.stateless_seed(root, *keys)
    assert seed.dtype == np.int32
    assert seed.shape == (2,)


# Recorded once. NumPy promises SeedSequence and PCG64 for ever (NEP 19), and CRC-32 is a standard: the same everywhere.
GOLDEN = {
    (0, "training", "eMBB", 0, "CL 000"): ([3802902294, 219685447, 549228742], [1195465704, -1292736168]),
    (4, "data", "Browsing", 99, "profile"): ([2416118606, 1102677116, 2619550442], [1849687193, -1597154259]),
}


@pytest.mark.parametrize("keys", GOLDEN)
def test_golden(keys):
    numbers, seed = GOLDEN[keys]
    assert seeds.generator(*keys).integers(0, 2**32, 3).tolist() == numbers
    assert seeds.stateless_seed(*keys).tolist() == seed


def test_the_seed_suits_tensorflow():
    import tensorflow as tf

    seed = seeds.stateless_seed(0, "training")
    other = seeds.stateless_seed(1, "training")
    first, again, others = (tf.random.stateless_uniform((3,), key).numpy() for key in (seed, seed, other))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, others)


@pytest.mark.parametrize("keys", [(-1, "training"), (0, "training", -1)])
def test_negative_numbers_are_refused(keys):
    with pytest.raises((ValueError, OverflowError), match=r"non-negative|negative"):
        seeds.stream(*keys).generate_state(1)
