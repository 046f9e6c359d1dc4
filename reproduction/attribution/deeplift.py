"""DeepLIFT with the Rescale rule, on a Keras model.

Shrikumar et al. 2017, Secs. 3.2 and 3.5, as multipliers (Ancona et al. 2018, Prop. 2): an activation is passed by the
slope of its secant between the reference and the input, (g(z) - g(z0)) / (z - z0), and the attribution is the
multiplier of the input times input - baseline. The attributions add up to f(input) - f(baseline), but for max pooling:
it is passed by its gradient, as in DeepExplain, which leaves out what the winner at the baseline gave.

DeepExplain's convention kept: where z is about z0 the secant gives way to the derivative at the midpoint. DeepExplain
does so where |z - z0| <= 1e-5, which takes small pre-activations on both sides of a kink for one: its attributions of
a homogeneous network depend on the scale of the inputs, and do not add up. Here the 1e-5 is relative.
"""

from dataclasses import dataclass
from typing import Any

from reproduction.attribution.walk import Activation, WalkMethod

SMALLEST_DIFFERENCE = 1e-5
"""The |z - z0|, per greatest of |z|, |z0|, |g(z)| and |g(z0)|, up to which the secant gives way to the derivative.

Where z and z0 are on one side of 0, 1 is among them: TensorFlow's ELU is exp(z) - 1, rounded as numbers about 1 are.
Beyond it float64's rounding of g moves the secant's slope by less than 1e-10. Up to it z and z0 stand on one side of
the kink at 0, and the midpoint's derivative is off by the square of it, times g's curvature: below 1e-9.
"""


@dataclass(frozen=True, kw_only=True)
class DeepLift(WalkMethod):
    """DeepLIFT (Rescale)."""

    def slope(self, activation: Activation, z: Any, reference: Any) -> Any:
        """Return that of the secant; see `secant_slope`."""
        return secant_slope(activation, z, reference)


def secant_slope(activation: Activation, z: Any, reference: Any) -> Any:
    """Return (g(z) - g(z0)) / (z - z0), or the derivative at the midpoint where z is about z0, float64 [n, ...].

    Raises:
        ValueError: the derivative is asked for and TensorFlow has none.
    """
    import tensorflow as tf

    output, output_reference = activation(z), activation(reference)
    one = tf.cast(z * reference > 0.0, z.dtype)
    size = tf.reduce_max(tf.abs(tf.stack([z, reference, output, output_reference, one])), axis=0)
    distance = z - reference
    tiny = tf.abs(distance) <= SMALLEST_DIFFERENCE * size
    secant = (output - output_reference) / tf.where(tiny, tf.ones_like(distance), distance)
    if not tf.reduce_any(tiny):
        return secant
    midpoint = 0.5 * (z + reference)
    with tf.GradientTape() as tape:
        tape.watch(midpoint)
        between = activation(midpoint)
    derivative = tape.gradient(between, midpoint)
    if derivative is None:
        raise ValueError(
            "model must have activations that TensorFlow differentiates where the input stands at the baseline, but "
            "one has no gradient; write it with tf.* operations, or take epsilon_lrp."
        )
    return tf.where(tiny, derivative, secant)
