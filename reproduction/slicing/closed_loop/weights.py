"""The model's weights as values: how many, how they start, how they travel. NumPy only, for the server's sake.

Differs from the paper: the initialiser is not printed; Glorot uniform is TensorFlow 1's default, the paper's stack.
"""

from itertools import pairwise

import numpy as np

from reproduction import seeds
from reproduction.slicing.settings import ModelSettings


def layer_sizes(features: int, settings: ModelSettings) -> tuple[int, ...]:
    """Return the widths from input to output, e.g. (5, 26, 26, 26, 1)."""
    return (features, *settings.hidden, 1)


def parameter_count(sizes: tuple[int, ...]) -> int:
    """Return the number of weights and biases, P."""
    return sum((inputs + 1) * outputs for inputs, outputs in pairwise(sizes))


def initial_weights(sizes: tuple[int, ...], seed: int, slice_name: str) -> np.ndarray:
    """Draw W(0) of one slice: Glorot uniform kernels, zero biases.

    Returns:
        float32 [P], layer by layer, each kernel [inputs, outputs] row by row, then its bias.
    """
    random = seeds.generator(seed, "initial weights", slice_name)
    parts = []
    for inputs, outputs in pairwise(sizes):
        limit = np.sqrt(6 / (inputs + outputs))
        parts += [random.uniform(-limit, limit, inputs * outputs), np.zeros(outputs)]
    return np.concatenate(parts).astype(np.float32)


def serialise(weights: np.ndarray) -> bytes:
    """Write weights [P] as they travel: little-endian float32, nothing else."""
    return weights.astype("<f4").tobytes()


def deserialise(payload: bytes) -> np.ndarray:
    """Read `serialise`'s bytes, float32 [P]."""
    return np.frombuffer(payload, "<f4")
