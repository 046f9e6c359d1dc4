"""The estimator, a feed-forward network, and what is left of it: weights, masks, and the small network cut out.

A network that was cut is the full one with weights of 0, which stay 0 while it is trained: so all sizes are trained by
one compiled function (`training`), and `cut_out` gives the network of the small size, which computes the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

SUBCARRIERS = 52
"""Active ones of a symbol."""

FEATURES = 2 * SUBCARRIERS
"""The real parts of all subcarriers, then the imaginary parts."""

Weights = list[np.ndarray]
"""Kernel [inputs, outputs] and bias [outputs] of each layer in turn, float32."""


@dataclass(frozen=True)
class Kept:
    """What is left of a network.

    Attributes:
        subcarriers: that it reads, in order, of 0 .. 51.
        neurons: of each hidden layer, in order.
    """

    subcarriers: tuple[int, ...]
    neurons: tuple[tuple[int, ...], ...]

    @property
    def features(self) -> np.ndarray:
        """The places of its inputs among the features."""
        places = np.array(self.subcarriers, int)
        return np.concatenate([places, places + SUBCARRIERS])

    @property
    def widths(self) -> tuple[int, ...]:
        """Numbers that each layer reads, and those that the last one gives."""
        return (2 * len(self.subcarriers), *map(len, self.neurons), FEATURES)

    @property
    def units(self) -> list[np.ndarray]:
        """The places of what is left in each layer, from the features to the outputs."""
        return [self.features, *(np.array(layer, int) for layer in self.neurons), np.arange(FEATURES)]


def all_of(hidden: Sequence[int]) -> Kept:
    """Return the whole of a network with hidden layers of these widths."""
    return Kept(tuple(range(SUBCARRIERS)), tuple(tuple(range(width)) for width in hidden))


def first_weights(hidden: Sequence[int], generator: np.random.Generator) -> Weights:
    """Draw the weights of a network: kernels as Glorot and Bengio 2010, biases 0."""
    widths = (FEATURES, *hidden, FEATURES)
    weights: Weights = []
    for inputs, outputs in pairwise(widths):
        most = np.sqrt(6.0 / (inputs + outputs))
        weights += [
            generator.uniform(-most, most, (inputs, outputs)).astype(np.float32),
            np.zeros(outputs, np.float32),
        ]
    return weights


def masks_of(kept: Kept, hidden: Sequence[int]) -> Weights:
    """Return 1 where a weight of the full network is left, 0 elsewhere, of the shapes of its weights."""
    left = []
    for places, width in zip(kept.units, (FEATURES, *hidden, FEATURES), strict=True):
        here = np.zeros(width, np.float32)
        here[places] = 1.0
        left.append(here)
    masks: Weights = []
    for inputs, outputs in pairwise(left):
        masks += [np.outer(inputs, outputs), outputs.copy()]
    return masks


def hidden_of(weights: Weights) -> list[int]:
    """Return the widths of a network's hidden layers."""
    return [len(bias) for bias in weights[1:-1:2]]


def masked(weights: Weights, kept: Kept) -> Weights:
    """Return the full network's weights with 0 for what is not left."""
    masks = masks_of(kept, hidden_of(weights))
    return [weight * mask for weight, mask in zip(weights, masks, strict=True)]


def cut_out(weights: Weights, kept: Kept) -> Weights:
    """Return the weights of the small network, which reads the kept features alone."""
    units = kept.units
    small: Weights = []
    for layer, (inputs, outputs) in enumerate(pairwise(units)):
        small += [weights[2 * layer][np.ix_(inputs, outputs)], weights[2 * layer + 1][outputs]]
    return small


def as_keras(weights: Weights) -> Any:
    """Return a network of these weights as a Keras model; its layers are called "hidden_1" .. and "output"."""
    import keras

    *hidden, outputs = map(len, weights[1::2])
    layers = [keras.layers.Dense(width, "relu", name=f"hidden_{place}") for place, width in enumerate(hidden, 1)]
    last = keras.layers.Dense(outputs, name="output")
    model = keras.Sequential([keras.Input((len(weights[0]),)), *layers, last])
    model.set_weights(weights)
    return model


def forward(weights: Sequence[Any], features: Any) -> Any:
    """Return what a network gives for features [n, inputs]: tensors in, a tensor [n, outputs] out."""
    import tensorflow as tf

    values = features
    for layer in range(0, len(weights), 2):
        values = values @ weights[layer] + weights[layer + 1]
        if layer < len(weights) - 2:
            values = tf.nn.relu(values)
    return values
