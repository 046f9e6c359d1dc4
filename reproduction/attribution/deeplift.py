"""DeepLIFT with the Rescale rule, on a chain of Keras layers.

Shrikumar et al. 2017, Secs. 3.2 and 3.5, as multipliers (Ancona et al. 2018, Prop. 2): an activation is passed by the
slope of its secant between the reference and the input, (g(z) - g(z0)) / (z - z0), and the attribution is the
multiplier of the input times input - baseline. The attributions add up to f(input) - f(baseline).

DeepExplain's convention kept: where z is about z0 the secant gives way to the derivative at the midpoint. DeepExplain
does so where |z - z0| <= 1e-5, which takes small pre-activations on both sides of a kink for one: its attributions of
a homogeneous network depend on the scale of the inputs, and do not add up. Here the 1e-5 is relative.
"""

from dataclasses import dataclass

import numpy as np

from reproduction.attribution.chain import ChainMethod
from reproduction.attribution.pieces import Activation

SMALLEST_DIFFERENCE = 1e-5
"""The |z - z0|, per greatest of |z|, |z0|, |g(z)| and |g(z0)|, up to which the secant gives way to the derivative.

Beyond it float64's rounding of g moves the secant's slope by less than 1e-10. Up to it z and z0 stand on one side of
the kink at 0, and the midpoint's derivative is off by the square of it, times g's curvature: below 1e-9.
"""


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
    output, output_reference = activation.forward(z), activation.forward(reference)
    size = np.max(np.abs([z, reference, output, output_reference]), axis=0)
    distance = z - reference
    tiny = np.abs(distance) <= SMALLEST_DIFFERENCE * size
    secant = (output - output_reference) / np.where(tiny, 1.0, distance)
    return np.where(tiny, activation.derivative(0.5 * (z + reference)), secant)
