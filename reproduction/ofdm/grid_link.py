"""A link over a resource grid: random bits, QAM, pilots, a channel of each frame's own, noise; and soft bits again.

Bits are not coded. The SNR is Es/N0, the mean power of a cell over the noise's: Eb/N0 is the SNR over the bits per
cell, and pilots and prefix are not charged to it. Receivers without a network are told N0.

A soft bit is log P(bit = 1) / P(bit = 0), exact for the estimate that it is computed with, as if that were the channel
and its error noise. Where the estimate is the channel no receiver decides a bit better from its own cell.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from reproduction.ofdm.conditions import Conditions
from reproduction.ofdm.grid import Grid
from reproduction.ofdm.link import MODULATIONS, Constellation, Demapper, Mapper
from reproduction.ofdm.mixed_channels import responses

_LEAST_GAIN = 1e-12
"""An estimate of 0 says nothing of its cell."""


@dataclass(frozen=True)
class Frames:
    """Frames as they came.

    Attributes:
        bits: that were sent, float32 [n, symbols, subcarriers, bits per cell]; 0 at pilots, where they do not count.
        received: complex64 [n, symbols, subcarriers].
        channel: what each cell met, complex64 [n, symbols, subcarriers].
        noise: N0 of each frame, float32 [n].
        conditions: of each.
    """

    bits: Any
    received: Any
    channel: Any
    noise: Any
    conditions: Conditions


class GridLink:
    """A transmitter, and the demapper of a receiver.

    Args:
        modulation: one of `link.MODULATIONS`.
        grid: of every frame.

    Attributes:
        grid: as given.
        bits_per_cell: of the modulation.
        points: the constellation, complex64 [2^bits per cell], each at the number that its bits read as.

    Raises:
        ValueError: an unknown modulation.
    """

    def __init__(self, modulation: str, grid: Grid | None = None) -> None:
        if modulation not in MODULATIONS:
            raise ValueError(f"modulation must be one of {', '.join(MODULATIONS)}, got {modulation!r}; pick one.")
        self.grid = grid or Grid()
        self.bits_per_cell = MODULATIONS[modulation]
        constellation = Constellation("qam", self.bits_per_cell, precision="single")
        self.points = constellation.points
        self._mapper = Mapper(constellation=constellation, precision="single")
        self._demapper = Demapper("app", constellation=constellation, precision="single")

    def send(self, conditions: Conditions, seed: Any) -> Frames:
        """Send a frame of random bits under each of the conditions.

        Args:
            conditions: of n >= 1 frames. Memory grows by about 0.5 MB a frame: send many in blocks.
            seed: of `tf.random.stateless_*`, int32 [2]: bits, channels and noise are a function of it and of n.

        Raises:
            ValueError: no frame, or a seed of another shape.
        """
        if not len(conditions):
            raise ValueError("conditions must be those of at least 1 frame, got 0; draw some.")
        if np.shape(seed) != (2,):
            raise ValueError(f'seed must be two numbers, got {seed!r}; take seeds.stateless_seed(root, "link", block).')
        of_channel, of_bits, of_noise = tf.unstack(tf.random.split(tf.cast(seed, tf.int32), 3, alg="philox"))
        return self._over(responses(self.grid, conditions, of_channel), conditions, of_bits, of_noise)

    def over(self, channel: Any, conditions: Conditions, seed: Any) -> Frames:
        """Send a frame of random bits over each of given channels, with noise of its conditions.

        Args:
            channel: what each cell meets, complex64 [n, symbols, subcarriers].
            conditions: of n frames; what they say of channels is not looked at.
            seed: of bits and noise, as `send` takes it.

        Raises:
            ValueError: channels of another grid, or not one for each of the conditions.
        """
        wanted = (len(conditions), self.grid.symbols, self.grid.subcarriers)
        if tuple(channel.shape) != wanted:
            raise ValueError(f"channel must be {wanted}, one for each of the conditions, got {tuple(channel.shape)}.")
        _, of_bits, of_noise = tf.unstack(tf.random.split(tf.cast(seed, tf.int32), 3, alg="philox"))
        return self._over(tf.constant(channel), conditions, of_bits, of_noise)

    def _over(self, channel: Any, conditions: Conditions, of_bits: Any, of_noise: Any) -> Frames:
        noise = tf.constant(conditions.noise)
        bits, received = self._sent(channel, noise, of_bits, of_noise)
        return Frames(bits, received, channel, noise, conditions)

    def soft_bits(self, received: Any, estimates: Any, noise: Any) -> Any:
        """Return the soft bits of every cell.

        Args:
            received: complex64 [n, symbols, subcarriers].
            estimates: of the channel, of that shape.
            noise: N0 with what the estimates err, float32 that broadcasts to that shape.

        Returns:
            Float32 [n, symbols, subcarriers, bits per cell].
        """
        return self._demapped(received, estimates, noise)

    def errors(self, bits: Any, soft_bits: Any) -> np.ndarray:
        """Return the number of bit errors of each frame at its data cells, int64 [n]; a soft bit of 0 decides for 0."""
        wrong = (np.asarray(soft_bits) > 0.0) != (np.asarray(bits) > 0.5)
        return wrong[:, ~self.grid.is_pilot].sum(axis=(1, 2))

    @property
    def bits(self) -> int:
        """That a frame carries."""
        return self.grid.data_cells * self.bits_per_cell

    @tf.function(reduce_retracing=True)
    def _sent(self, channel: Any, noise: Any, of_bits: Any, of_noise: Any) -> tuple[Any, Any]:
        shape = tf.shape(channel)
        of_cells = (*tf.unstack(shape), self.bits_per_cell)
        drawn = tf.random.stateless_uniform(of_cells, of_bits, 0, 2, tf.int32, alg="philox")
        carried = tf.cast(drawn, tf.float32) * tf.constant(~self.grid.is_pilot[..., None], tf.float32)
        flat = tf.reshape(carried, (shape[0], shape[1] * shape[2] * self.bits_per_cell))
        cells = tf.where(self.grid.is_pilot, self.grid.pilots, tf.reshape(self._mapper(flat), shape))
        parts = tf.random.stateless_normal((2, *tf.unstack(shape)), of_noise, alg="philox")
        parts *= tf.sqrt(noise / 2.0)[:, None, None]
        return carried, channel * cells + tf.complex(parts[0], parts[1])

    @tf.function(jit_compile=True)
    def _demapped(self, received: Any, estimates: Any, noise: Any) -> Any:
        shape = received.shape
        gains = tf.maximum(tf.math.real(estimates) ** 2 + tf.math.imag(estimates) ** 2, _LEAST_GAIN)
        equalised = received * tf.math.conj(estimates) / tf.cast(gains, tf.complex64)
        flat = (shape[0], shape[1] * shape[2])
        soft = self._demapper(tf.reshape(equalised, flat), tf.reshape(noise / gains, flat))
        return tf.reshape(soft, (*shape, self.bits_per_cell))
