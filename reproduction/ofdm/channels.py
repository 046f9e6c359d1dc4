"""Channels of a link: what each symbol meets on each subcarrier.

Source: Jakes 1974 (Microwave Mobile Communications) for the spectrum of a tap, whose autocorrelation is
J0(2 pi f_D t). A channel stands still during a symbol and changes from symbol to symbol.

A tap is a Gaussian vector drawn with that very covariance over the times of a frame: its fading is Rayleigh and its
autocorrelation J0 up to float32, where sums of sinusoids come near to both. It costs times^2 per tap, little for a
frame.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from scipy.special import j0

from reproduction.ofdm.frame import ACTIVE, SPACING_HZ, SYMBOL_SECONDS
from reproduction.ofdm.taps import LONGEST_DELAY_NS, Taps


class Channel(Protocol):
    """Anything that gives responses."""

    def responses(self, frames: int, times: int, seed: Any) -> Any:
        """Draw the responses that frames meet, each by itself.

        Args:
            frames: how many.
            times: symbols in each, preambles included.
            seed: of `tf.random.stateless_*`, int32 [2]; the same seed draws the same bits.

        Returns:
            Complex64 [frames, times, 52].
        """


@dataclass(frozen=True)
class FadingChannel:
    """Rayleigh taps under the Jakes spectrum, of mean power 1 in all.

    Attributes:
        taps: their delays and powers.
        doppler_hz: greatest Doppler shift, >= 0; 0 stands still within a frame. 500 is 92 km/h at 5.9 GHz.
    """

    taps: Taps
    doppler_hz: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.doppler_hz) and self.doppler_hz >= 0.0):
            raise ValueError(
                f"doppler_hz must be a finite number >= 0, got {self.doppler_hz}; 500 is 92 km/h at 5.9 GHz."
            )

    def responses(self, frames: int, times: int, seed: Any) -> Any:
        """Draw the responses, as in `Channel`."""
        return _responses(self.fading(frames, times, seed), steering(self.taps.delays_ns))

    def fading(self, frames: int, times: int, seed: Any) -> Any:
        """Draw the taps at the symbols, complex64 [frames, times, taps]; arguments are those of `responses`."""
        root = tf.constant(_root(float(self.doppler_hz), times), tf.float32)
        return _fading(root, tf.constant(np.sqrt(self.taps.powers / 2.0), tf.float32), frames, seed)


@dataclass(frozen=True)
class StaticChannel:
    """Taps that never change: one of delay 0 and gain 1 leaves nothing but noise.

    Attributes:
        delays_ns: of each tap, from 0 to the cyclic prefix.
        gains: of each, complex.
    """

    delays_ns: tuple[float, ...] = (0.0,)
    gains: tuple[complex, ...] = (1.0,)

    def __post_init__(self) -> None:
        if len(self.delays_ns) != len(self.gains) or not self.gains:
            raise ValueError(
                f"gains must be one for each delay, got {len(self.delays_ns)} delays and {len(self.gains)} gains; give "
                "both for every tap."
            )
        if not np.isfinite(self.gains).all():
            raise ValueError(f"gains must be finite, got {list(self.gains)}; drop the others.")
        if not all(0.0 <= delay <= LONGEST_DELAY_NS for delay in self.delays_ns):
            raise ValueError(
                f"delays_ns must lie from 0 to {LONGEST_DELAY_NS:g}, the cyclic prefix, got {list(self.delays_ns)}; "
                "check the unit."
            )

    def responses(self, frames: int, times: int, seed: Any) -> Any:
        """Return the response, the same at all times, as in `Channel`."""
        del seed
        response = np.array(self.gains, complex) @ steering(self.delays_ns)
        return tf.constant(np.broadcast_to(response, (frames, times, len(ACTIVE))), tf.complex64)


def steering(delays_ns: tuple[float, ...]) -> np.ndarray:
    """Return exp(-2 pi i f tau) of each delay on the active subcarriers, complex128 [taps, 52]."""
    return np.exp(-2j * np.pi * SPACING_HZ * 1e-9 * np.outer(delays_ns, ACTIVE))


@lru_cache(maxsize=64)
def _root(doppler_hz: float, times: int) -> np.ndarray:
    """Return a square root of a tap's covariance over the symbols, float64 [times, times]."""
    apart = SYMBOL_SECONDS * np.abs(np.subtract.outer(np.arange(times), np.arange(times)))
    values, vectors = np.linalg.eigh(j0(2.0 * np.pi * doppler_hz * apart))
    return vectors * np.sqrt(np.maximum(values, 0.0))


@tf.function
def _fading(root: Any, amplitudes: Any, frames: int, seed: Any) -> Any:
    shape = (2, frames, amplitudes.shape[0], root.shape[0])
    parts = tf.matmul(tf.random.stateless_normal(shape, seed, alg="philox"), root, transpose_b=True)
    parts = tf.transpose(parts, (0, 1, 3, 2)) * amplitudes
    return tf.complex(parts[0], parts[1])


def _responses(fading: Any, at_delays: np.ndarray) -> Any:
    return tf.tensordot(fading, tf.constant(at_delays, tf.complex64), axes=1)
