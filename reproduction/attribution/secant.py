"""The slope of an activation between two inputs: what DeepLIFT passes, and what adds up in any graph."""

from collections.abc import Callable
from typing import Any

Activation = Callable[[Any], Any]
"""Tensor float64 [n, ...] to tensor float64 [n, ...], element by element."""

SMALLEST_DIFFERENCE = 1e-5
"""The |z - z0|, per greatest of |z|, |z0|, |g(z)| and |g(z0)|, up to which the secant gives way to the derivative.

Where z and z0 are on one side of 0, 1 is among them: TensorFlow's ELU is exp(z) - 1, rounded as numbers about 1 are.
Beyond it float64's rounding of g moves the secant's slope by less than 1e-10. Up to it z and z0 stand on one side of
the kink at 0, and the midpoint's derivative is off by the square of it, times g's curvature: below 1e-9.
"""


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
