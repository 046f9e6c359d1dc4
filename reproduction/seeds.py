"""Streams of randomness: one root seed, one independent stream per purpose, slice, round and client.

No stream depends on which other streams were drawn before it, so a client's result depends neither on
who trained before it nor on the number of workers.

Differs from the paper: the paper prints no seeds.
"""

import zlib

import numpy as np


def stream(root_seed: int, *keys: str | int) -> np.random.SeedSequence:
    """Derive the seed sequence of one purpose.

    Args:
        root_seed: the seed of the whole run, >= 0.
        *keys: what the stream is for, outermost first, e.g. `"training", "eMBB", round, client`.
            Text enters by its CRC-32, numbers (>= 0) as they are.

    Returns:
        A sequence that is a pure function of its arguments, on every platform.
    """
    words = [zlib.crc32(key.encode()) if isinstance(key, str) else int(key) for key in keys]
    return np.random.SeedSequence(entropy=root_seed, spawn_key=tuple(words))


def generator(root_seed: int, *keys: str | int) -> np.random.Generator:
    """Return a NumPy generator on `stream(root_seed, *keys)`."""
    return np.random.default_rng(stream(root_seed, *keys))


def stateless_seed(root_seed: int, *keys: str | int) -> np.ndarray:
    """Return the seed of a `tf.random.stateless_*` call, int32 [2]."""
    return stream(root_seed, *keys).generate_state(2).view(np.int32)
