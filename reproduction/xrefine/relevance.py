"""The relevance of every subcarrier and every hidden neuron of an estimator, in one backward pass."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from reproduction.attribution import explain_layers
from reproduction.xrefine.network import SUBCARRIERS, Weights, as_keras

EPSILON = 1e-7
"""LRP's stabiliser, small beside the pre-activations: what it takes is lost to the inputs."""

Aggregation = Callable[[np.ndarray], np.ndarray]
"""Relevance float32 [n, units] -> float64 [units]."""

AGGREGATIONS: Mapping[str, Aggregation] = MappingProxyType(
    {
        "mean absolute": lambda relevance: np.abs(relevance).mean(axis=0, dtype=float),
        "absolute mean": lambda relevance: np.abs(relevance.mean(axis=0, dtype=float)),
    }
)
"""How a data set's relevance becomes one number per unit; outputs are standardised, so that signed means cancel."""


@dataclass(frozen=True)
class Relevance:
    """Of each sample.

    Attributes:
        subcarriers: float32 [n, 52], of the real and the imaginary part together.
        neurons: float32 [n, width] of each hidden layer.
    """

    subcarriers: np.ndarray
    neurons: tuple[np.ndarray, ...]

    def scores(self, how: str = "mean absolute") -> "Scores":
        """Return one number per unit, by one of `AGGREGATIONS`."""
        aggregate = AGGREGATIONS[how]
        return Scores(aggregate(self.subcarriers), tuple(map(aggregate, self.neurons)))


@dataclass(frozen=True)
class Scores:
    """What each unit of a network is worth; greater is better.

    Attributes:
        subcarriers: float64 [52].
        neurons: float64 [width] of each hidden layer.
    """

    subcarriers: np.ndarray
    neurons: tuple[np.ndarray, ...]


def relevance_of(weights: Weights, features: np.ndarray, epsilon: float = EPSILON) -> Relevance:
    """Return the relevance for all outputs at once, by epsilon-LRP (Bach et al. 2015, Eq. (58)).

    Args:
        weights: of the full network.
        features: float32 [n, 104].
        epsilon: the stabiliser.
    """
    start = np.ones(len(weights[-1]))
    found = explain_layers(as_keras(weights), features, method="epsilon_lrp", start=start, epsilon=epsilon)
    inputs, *neurons, _ = found.values()
    return Relevance(of_subcarriers(inputs), tuple(neurons))


def of_subcarriers(values: np.ndarray) -> np.ndarray:
    """Return the sum of real and imaginary part, [..., 52], of values per feature [..., 104]."""
    return values[..., :SUBCARRIERS] + values[..., SUBCARRIERS:]
