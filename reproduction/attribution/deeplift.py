"""DeepLIFT with the Rescale rule, on a chain of Keras layers.

Shrikumar et al. 2017, Secs. 3.2 and 3.5, as multipliers (Ancona et al. 2018, Prop. 2): an activation is passed by the
slope of its secant between the reference and the input, (g(z) - g(z0)) / (z - z0), and the attribution is the
multiplier of the input times input - baseline. The attributions add up to f(input) - f(baseline).

DeepExplain's convention kept: where |z - z0| <= 1e-5 the secant gives way to the derivative at the midpoint.
"""

from dataclasses import dataclass

import numpy as np

from reproduction.attribution.chain import ChainMethod
from reproduction.attribution.pieces import Activation

SMALLEST_DIFFERENCE = 1e-5
"""The |z - z0| below which the secant gives way to the derivative, DeepExplain's."""


@dataclass(frozen=True, kw_only=True)
class DeepLift(ChainMethod):
    """DeepLIFT (Rescale)."""

    def passed(
        self, activation: Activation, multipliers: np.ndarray, z: np.ndarray, reference: np.ndarray
    ) -> np.ndarray:
        """Multiply by the slope of the secant."""
        return multipliers * secant_slope(activation, z, reference)


def secant_slope(activation: Activation, z: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return (g(z) - g(z0)) / (z - z0), or the derivative at the midpoint where z is about z0, float64 [n, units]."""
    distance = z - reference
    tiny = np.abs(distance) <= SMALLEST_DIFFERENCE
    secant = (activation.forward(z) - activation.forward(reference)) / np.where(tiny, 1.0, distance)
    return np.where(tiny, activation.derivative(0.5 * (z + reference)), secant)
