"""Channel estimates from the pilots of a resource grid: raw, interpolated, and of least mean square error.

Linear interpolation goes over frequency in the pilot symbols and then over time, and holds the nearest pilot beyond the
outermost. The Wiener estimate (LMMSE; Kay 1993, Fundamentals of Statistical Signal Processing I, eq. 12.20) needs the
channel's covariance: a frame's own, or the mean over many conditions, which is the covariance of a channel whose
conditions are not known.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from reproduction.ofdm.grid import Grid


def raw_estimate(received: Any, pilots: Any) -> Any:
    """Return received over sent at the pilots, whose power is 1, and 0 elsewhere.

    Args:
        received: complex64 [n, symbols, subcarriers].
        pilots: `Grid.pilots`, complex64 [symbols, subcarriers].

    Returns:
        Complex64 [n, symbols, subcarriers].
    """
    return received * tf.math.conj(tf.constant(pilots))


@tf.function
def interpolated_estimate(raw: Any, grid: Grid) -> Any:
    """Return raw estimates interpolated to all cells, complex64 [n, symbols, subcarriers]."""
    at_pilots = tf.gather(tf.gather(raw, grid.pilot_symbols, axis=1), grid.pilot_subcarriers, axis=2)
    over_time = _linear(np.array(grid.pilot_symbols), grid.symbols)
    over_frequency = _linear(grid.pilot_subcarriers, grid.subcarriers)
    return tf.einsum("sp,npq,fq->nsf", over_time, at_pilots, over_frequency)


def _linear(known: np.ndarray, count: int) -> Any:
    """Return the weights of linear interpolation, complex64 [count, known]."""
    weights = [np.interp(np.arange(count), known, one) for one in np.eye(len(known))]
    return tf.constant(np.array(weights).T, tf.complex64)


@dataclass(frozen=True)
class Wiener:
    """The linear estimate of least mean square error.

    Attributes:
        grid: of the frames.
        toward: complex128 [n or 1, cells, pilots]: the covariance of cells and the pilots' eigenvectors.
        vectors: of the pilots' covariance, complex128 [n or 1, pilots, pilots].
        values: its eigenvalues, float64 [n or 1, pilots].
    """

    grid: Grid
    toward: Any
    vectors: Any
    values: Any

    def __call__(self, raw: Any, noise: Any) -> tuple[Any, Any]:
        """Estimate the channel.

        Args:
            raw: by `raw_estimate`, complex64 [n, symbols, subcarriers].
            noise: N0 of each frame, float32 [n].

        Returns:
            The estimates, complex64 [n, symbols, subcarriers], and their mean square errors, float32 of that shape.
        """
        return _wiener(raw, noise, self.toward, self.vectors, self.values, self.grid.is_pilot)


def wiener(grid: Grid, covariance: np.ndarray) -> Wiener:
    """Return the estimate for a covariance by `mixed_channels.covariances`, of each frame, or [1, ...] for all."""
    cells = covariance.reshape(len(covariance), -1, covariance.shape[-1])
    values, vectors = np.linalg.eigh(cells[:, grid.is_pilot.reshape(-1)])
    return Wiener(grid, tf.constant(cells @ vectors), tf.constant(vectors), tf.constant(np.maximum(values, 0.0)))


@tf.function(reduce_retracing=True)
def _wiener(raw: Any, noise: Any, toward: Any, vectors: Any, values: Any, is_pilot: Any) -> tuple[Any, Any]:
    at_pilots = tf.cast(tf.boolean_mask(raw, is_pilot, axis=1), tf.complex128)
    strength = values + tf.cast(noise, tf.float64)[:, None]
    along = tf.matmul(vectors, at_pilots[..., None], adjoint_a=True)[..., 0] / tf.cast(strength, tf.complex128)
    estimates = tf.matmul(toward, along[..., None])[..., 0]
    known = tf.matmul(tf.math.abs(toward) ** 2, 1.0 / strength[..., None])[..., 0]
    shape = tf.shape(raw)
    errors = tf.cast(tf.maximum(1.0 - known, 0.0), tf.float32)
    return tf.cast(tf.reshape(estimates, shape), tf.complex64), tf.reshape(errors, shape)
