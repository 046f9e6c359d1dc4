"""The activations that LRP and DeepLIFT can pass, with their derivatives, in float64.

At a kink the derivative is the one TensorFlow takes: that of the side x <= 0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np


@dataclass(frozen=True)
class Activation:
    """A function applied unit by unit.

    Attributes:
        name: for messages and tests.
        function: float64 [...] to float64 [...].
        derivative: float64 [...] to float64 [...].
        is_linear: True for the identity alone, which LRP passes without a stabiliser.
    """

    name: str
    function: Callable[[np.ndarray], np.ndarray]
    derivative: Callable[[np.ndarray], np.ndarray]
    is_linear: bool = False

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Map float64 [n, units] to float64 [n, units]."""
        return self.function(x)


def leaky_relu(negative_slope: float) -> Activation:
    """Return max(x, 0) + negative_slope * min(x, 0); slope 0 is the ReLU (Maas et al. 2013)."""
    return Activation(
        "leaky_relu",
        lambda x: np.where(x > 0.0, x, negative_slope * x),
        lambda x: np.where(x > 0.0, 1.0, negative_slope),
    )


def elu(alpha: float) -> Activation:
    """Return x for x > 0, else alpha * (exp(x) - 1) (Clevert et al. 2016, arXiv 1511.07289)."""
    return Activation(
        "elu",
        lambda x: np.where(x > 0.0, x, alpha * np.expm1(np.minimum(x, 0.0))),
        lambda x: np.where(x > 0.0, 1.0, alpha * np.exp(np.minimum(x, 0.0))),
    )


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)) without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * x))


BY_KERAS_NAME: Mapping[str, Activation] = MappingProxyType(
    {
        "linear": Activation("linear", lambda x: x, np.ones_like, is_linear=True),
        "relu": leaky_relu(0.0),
        "leaky_relu": leaky_relu(0.2),  # Keras 3's slope where none is given
        "elu": elu(1.0),
        "tanh": Activation("tanh", np.tanh, lambda x: 1.0 - np.tanh(x) ** 2),
        "sigmoid": Activation("sigmoid", sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
        "softplus": Activation("softplus", lambda x: np.logaddexp(0.0, x), sigmoid),
    }
)
"""Activations by their names in `keras.activations`."""
