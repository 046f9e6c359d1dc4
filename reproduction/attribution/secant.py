"""The slope of an activation between two inputs: what DeepLIFT passes, and what adds up in any graph."""

from collections.abc import Callable
from typing import Any

Activation = Callable[[Any], Any]
"""Tensor float64 [n, ...] to tensor float64 [n, ...], element by element."""

SMALLEST_DIFFERENCE = 1e-5
"""The |z - z0|, per greatest of |z0| and |g(z0)|, the latter up to 1, up to which the derivative stands for the secant,
if |g(z) - g(z0)| is as small, per greatest of |g(z0)| and 1: of a steep g the secant is sure.

Where z and z0 are on one side of 0, 1 is among them: TensorFlow's ELU is exp(z) - 1, rounded as numbers about 1 are.
Beyond it float64's rounding of g moves the secant's slope by less than 1e-10 of g's size. Up to it z and z0 stand on
one side of the kink at 0, and the midpoint's derivative is off by the square of it, times g's curvature: below 1e-9.
"""


def secant_slope(activation: Activation, z: Any, a: Any, z0: Any, a0: Any) -> Any:
    """Return (a - a0) / (z - z0), or the derivative at the midpoint where z is about z0.

    Args:
        activation: g.
        z: tensor float64 [n, ...].
        a: g(z).
        z0: tensor float64 [n, ...] or [1, ...].
        a0: g(z0).

    Returns:
        Tensor float64 [n, ...].

    Raises:
        ValueError: the derivative is asked for and TensorFlow has none.
    """
    import tensorflow as tf

    distance = z - z0
    apart = tf.abs(distance)
    size = tf.abs(a0)
    near = apart <= SMALLEST_DIFFERENCE * tf.maximum(tf.abs(z0), tf.minimum(size, 1.0))
    near |= (apart <= SMALLEST_DIFFERENCE) & tf.equal(z > 0.0, z0 > 0.0)
    tiny = near & (tf.abs(a - a0) <= SMALLEST_DIFFERENCE * tf.maximum(size, 1.0))
    slope = (a - a0) / distance
    rows = tf.where(tf.reduce_any(tiny, axis=list(range(1, len(z.shape)))))
    if not len(rows):
        return slope
    places = rows[:, 0]
    midpoint = 0.5 * (tf.gather(z, places) + (tf.gather(z0, places) if len(z0) == len(z) else z0))
    derivative = tf.where(tf.gather(tiny, places), _derivative(activation, midpoint), tf.gather(slope, places))
    return tf.tensor_scatter_nd_update(slope, rows, derivative)


def _derivative(activation: Activation, z: Any) -> Any:
    """Return g'(z), 0 where it is infinite, as a root's at 0.

    Raises:
        ValueError: TensorFlow has none.
    """
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(z)
        output = activation(z)
    derivative = tape.gradient(output, z)
    if derivative is None:
        raise ValueError(
            "model must have activations that TensorFlow differentiates where the input stands at the baseline, but "
            "one has no gradient; write it with tf.* operations, or take epsilon_lrp."
        )
    return tf.where(tf.math.is_finite(derivative), derivative, tf.zeros_like(derivative))
