"""What a chain of layers is made of: affine maps, which every rule passes exactly, and activations.

The pieces compute in float64, so that the quotients of LRP and DeepLIFT keep float32's digits near zero.
"""

from dataclasses import dataclass

import numpy as np

from reproduction.attribution.activations import Activation


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


Piece = Dense | Scaling | Activation
"""All have `forward`; the affine ones have `pull_back`, while an activation passes as a method's rule says."""
