"""DeepLIFT with the Rescale rule, on a Keras model.

Shrikumar et al. 2017, Secs. 3.2 and 3.5, as multipliers (Ancona et al. 2018, Prop. 2): an activation is passed by the
slope of its secant between the reference and the input, (g(z) - g(z0)) / (z - z0), and the attribution is the
multiplier of the input times input - baseline. The attributions add up to f(input) - f(baseline), but for max pooling:
it is passed by its gradient, as in DeepExplain, which leaves out what the winner at the baseline gave.

DeepExplain's convention kept: where z is about z0 the secant gives way to the derivative. DeepExplain takes that of
the midpoint wherever |z - z0| <= 1e-5, which takes small pre-activations on both sides of a kink for one: its
attributions of a homogeneous network depend on the scale of the inputs, and do not add up. Here it is the mean
derivative, where rounding alone tells it from the secant (see `secant_slope`).
"""

from dataclasses import dataclass
from typing import Any

from reproduction.attribution.graph import Operation
from reproduction.attribution.secant import secant_slope
from reproduction.attribution.walk import WalkMethod


@dataclass(frozen=True, kw_only=True)
class DeepLift(WalkMethod):
    """DeepLIFT (Rescale)."""

    def slope(self, activation: Operation, z: Any, a: Any, z0: Any, a0: Any) -> Any:
        """Return that of the secant; see `secant_slope`."""
        return secant_slope(activation.call, z, a, z0, a0, activation.rounding)
