"""What a chain of layers is made of: affine maps, which every rule passes exactly, and activations.

The pieces compute in float64, so that the quotients of LRP and DeepLIFT keep float32's digits near zero. At a kink the
derivative of an activation is the one TensorFlow takes: that of the side x <= 0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np


@dataclass(frozen=True)
class Dense:
    """The map x @ kernel + bias.

    Attributes:
        kernel: float64 [inputs, outputs].
        bias: float64 [outputs].
    """

    kernel: np.ndarray
    bias: np.ndarray

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Map float64 [n, inputs] to float64 [n, outputs]."""
        return x @ self.kernel + self.bias

    def pull_back(self, multipliers: np.ndarray) -> np.ndarray:
        """Carry multipliers of the outputs, float64 [n, outputs], to the inputs, float64 [n, inputs]."""
        return multipliers @ self.kernel.T


@dataclass(frozen=True)
class Scaling:
    """The map x * factor + shift, unit by unit.

    Attributes:
        factor: float64 [units].
        shift: float64 [units].
    """

    factor: np.ndarray
    shift: np.ndarray

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Map float64 [n, units] to float64 [n, units]."""
        return x * self.factor + self.shift

    def pull_back(self, multipliers: np.ndarray) -> np.ndarray:
        """Carry multipliers of the outputs to the inputs, both float64 [n, units]."""
        return multipliers * self.factor


@dataclass(frozen=True)
class Activation:
    """A function applied unit by unit.

    Attributes:
        forward: float64 [n, units] to float64 [n, units].
        derivative: of the same form.
        is_linear: True for the identity alone, which LRP passes without a stabiliser.
    """

    forward: Callable[[np.ndarray], np.ndarray]
    derivative: Callable[[np.ndarray], np.ndarray]
    is_linear: bool = False


Piece = Dense | Scaling | Activation
"""All have `forward`; the affine ones have `pull_back`, while an activation passes as a method's rule says."""


def leaky_relu(negative_slope: float) -> Activation:
    """Return max(x, 0) + negative_slope * min(x, 0); slope 0 is the ReLU (Maas et al. 2013)."""
    return Activation(
        lambda x: np.where(x > 0.0, x, negative_slope * x),
        lambda x: np.where(x > 0.0, 1.0, negative_slope),
    )


def elu(alpha: float) -> Activation:
    """Return x for x > 0, else alpha * (exp(x) - 1) (Clevert et al. 2016, arXiv 1511.07289)."""
    return Activation(
        lambda x: np.where(x > 0.0, x, alpha * np.expm1(np.minimum(x, 0.0))),
        lambda x: np.where(x > 0.0, 1.0, alpha * np.exp(np.minimum(x, 0.0))),
    )


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)) without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * x))


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        "linear": Activation(lambda x: x, np.ones_like, is_linear=True),
        "relu": leaky_relu(0.0),
        "leaky_relu": leaky_relu(0.2),  # Keras 3's slope where none is given
        "elu": elu(1.0),
        "tanh": Activation(np.tanh, lambda x: 1.0 - np.tanh(x) ** 2),
        "sigmoid": Activation(sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
        "softplus": Activation(lambda x: np.logaddexp(0.0, x), sigmoid),
    }
)
"""By their names in `keras.activations`."""
