"""What a unit of an estimator is worth, by relevance and by its rivals; all look at the same held-out samples.

A subcarrier is its real and its imaginary part together. Features are standardised, so that 0 is their mean: to set a
unit to 0 is to take from the network what it says of this sample.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from reproduction.xrefine.network import SUBCARRIERS, Weights, forward, hidden_of
from reproduction.xrefine.relevance import Scores, of_subcarriers, relevance_of


@dataclass(frozen=True)
class Subject:
    """What a ranking looks at.

    Attributes:
        weights: of the full network, trained.
        features: float32 [n, 104], held out.
        targets: float32 [n, 104].
        seed: of what is drawn.
    """

    weights: Weights
    features: np.ndarray
    targets: np.ndarray
    seed: int


def relevance(subject: Subject) -> Scores:
    """Return the mean absolute relevance."""
    return relevance_of(subject.weights, subject.features).scores()


def mean_relevance(subject: Subject) -> Scores:
    """Return the absolute value of the mean relevance: what has either sign by turns cancels."""
    return relevance_of(subject.weights, subject.features).scores("absolute mean")


def magnitude(subject: Subject) -> Scores:
    """Return the sum of absolute weights: those out of a subcarrier, those into a neuron (Li et al. 2017)."""
    kernels = subject.weights[::2]
    into = tuple(np.abs(kernel).sum(axis=0, dtype=float) for kernel in kernels[:-1])
    return Scores(of_subcarriers(np.abs(kernels[0]).sum(axis=1, dtype=float)), into)


def gradient_times_input(subject: Subject) -> Scores:
    """Return the mean absolute product of a unit's value and the derivative of the outputs' sum."""
    import tensorflow as tf

    layers = activations(subject.weights, subject.features)
    products = []
    for depth, values in enumerate(layers):
        tensor = tf.constant(values)
        with tf.GradientTape() as tape:
            tape.watch(tensor)
            total = tf.reduce_sum(forward(subject.weights[2 * depth :], tensor))
        products.append(values * tape.gradient(total, tensor).numpy())
    first, *hidden = products
    means = [np.abs(one).mean(axis=0, dtype=float) for one in (of_subcarriers(first), *hidden)]
    return Scores(means[0], tuple(means[1:]))


def ablation(subject: Subject) -> Scores:
    """Return by how much the mean squared error rises when a unit is set to 0."""
    return _by_change(subject, lambda values, places: 0.0)


def permutation(subject: Subject) -> Scores:
    """Return by how much the mean squared error rises when a unit's values are permuted over the samples."""
    generator = np.random.default_rng(subject.seed)
    return _by_change(subject, lambda values, places: values[generator.permutation(len(values))][:, places])


def drawn(subject: Subject) -> Scores:
    """Return random numbers."""
    generator = np.random.default_rng(subject.seed)
    hidden = hidden_of(subject.weights)
    return Scores(generator.uniform(size=SUBCARRIERS), tuple(generator.uniform(size=width) for width in hidden))


RANKINGS: Mapping[str, Callable[[Subject], Scores]] = MappingProxyType(
    {
        "LRP": relevance,
        "LRP, absolute mean": mean_relevance,
        "gradient x input": gradient_times_input,
        "ablation": ablation,
        "permutation": permutation,
        "magnitude": magnitude,
    }
)
"""Those that look at the network; of subcarriers and neurons."""


def activations(weights: Weights, features: np.ndarray) -> list[np.ndarray]:
    """Return what each layer reads: the features, and what every hidden layer gives, float32 [n, width]."""
    layers = [features]
    for layer in range(0, len(weights) - 2, 2):
        layers.append(np.maximum(layers[-1] @ weights[layer] + weights[layer + 1], 0.0))
    return layers


def _by_change(subject: Subject, changed: Callable[[np.ndarray, Sequence[int]], Any]) -> Scores:
    """Return by how much the error rises when a unit's values are changed, one unit at a time."""
    layers = activations(subject.weights, subject.features)

    def rises(depth: int, units: Sequence[Sequence[int]]) -> np.ndarray:
        found, before = [], _error(subject, depth, layers[depth])
        for places in units:
            values = layers[depth].copy()
            values[:, places] = changed(values, places)
            found.append(_error(subject, depth, values) - before)
        return np.array(found)

    pairs = [[place, place + SUBCARRIERS] for place in range(SUBCARRIERS)]
    neurons = tuple(
        rises(depth, [[place] for place in range(layers[depth].shape[1])]) for depth in range(1, len(layers))
    )
    return Scores(rises(0, pairs), neurons)


def _error(subject: Subject, depth: int, values: np.ndarray) -> float:
    """Return the mean squared error of the network from this layer on."""
    given = np.asarray(forward(subject.weights[2 * depth :], values))
    return float(np.mean((given - subject.targets) ** 2, dtype=float))
