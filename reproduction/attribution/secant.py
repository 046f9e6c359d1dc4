"""The slope of an activation between two inputs: what DeepLIFT passes, and what adds up in any graph."""

from collections.abc import Callable
from typing import Any

Activation = Callable[[Any], Any]
"""Tensor float64 [n, ...] to tensor float64 [n, ...], element by element."""

ROUNDING = 2.0**-49
"""Of g in float64, per greatest of |g(z0)| and 1: TensorFlow's ELU is exp(z) - 1, rounded as 1 is."""

NEAR = 2.0**29
"""How many roundings z and z0, and g(z) and g(z0), may be apart for the secant to be in doubt: beyond it, it is off by
less than 2e-9."""


def secant_slope(activation: Activation, z: Any, a: Any, z0: Any, a0: Any, rounding: float = ROUNDING) -> Any:
    """Return (a - a0) / (z - z0), or g's mean derivative between them where only rounding tells the two apart.

    The mean derivative is the secant's slope too, of any smooth g, and keeps its digits where the difference of two
    values has none left. Where g has a kink or a jump between z0 and z the two differ, and the secant is right.

    Args:
        activation: g.
        z: tensor float64 [n, ...].
        a: g(z).
        z0: tensor float64 [n, ...] or [1, ...].
        a0: g(z0).
        rounding: of g, as `ROUNDING`.

    Returns:
        Tensor float64 [n, ...].

    Raises:
        ValueError: the derivative is asked for and TensorFlow has none.
    """
    import tensorflow as tf

    distance, rise = z - z0, a - a0
    allowed = rounding * tf.maximum(tf.abs(a0), 1.0)
    near = (tf.abs(distance) <= NEAR * rounding * tf.maximum(tf.abs(z0), 1.0)) & (tf.abs(rise) <= NEAR * allowed)
    slope = rise / distance
    rows = tf.where(tf.reduce_any(near, axis=list(range(1, len(z.shape)))))
    if not len(rows):
        return slope

    def there(values: Any) -> Any:
        return tf.gather(values, rows[:, 0]) if len(values) == len(z) else values

    mean = _mean_derivative(activation, there(z0), there(z))
    moved = rounding * tf.abs(mean * there(z0)) if rounding > ROUNDING else 0.0  # z is rounded too in float32
    told_apart = tf.abs(there(rise) - mean * there(distance)) > there(allowed) + moved
    found = tf.where(there(near) & ~told_apart, mean, there(slope))
    return tf.tensor_scatter_nd_update(slope, rows, found)


def _mean_derivative(activation: Activation, z0: Any, z: Any) -> Any:
    """Return the mean of g' between z0 and z: over each side of 0, or over two halves of one side."""
    import tensorflow as tf

    middle = tf.where(tf.equal(z0 > 0.0, z > 0.0), 0.5 * (z0 + z), 0.0)
    share = tf.math.divide_no_nan(middle - z0, z - z0)
    return share * _gauss(activation, z0, middle) + (1.0 - share) * _gauss(activation, middle, z)


def _gauss(activation: Activation, start: Any, end: Any) -> Any:
    """Return the mean of g' between two points by Gauss and Legendre's rule of order 2, exact up to the third power."""
    middle, apart = 0.5 * (start + end), (end - start) / 12**0.5
    return 0.5 * (_derivative(activation, middle - apart) + _derivative(activation, middle + apart))


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
