"""A simulated link: bits, code, constellation, frame, channel, noise; and back again with any estimate of the channel.

A channel stands still during a symbol, and delays stay within the cyclic prefix: a subcarrier is a product. Noise has
power N0 = 1 / (Eb/N0 x bits per cell x code rate); cells have mean power 1, and so has a fading channel. Pilots,
preamble, prefix and the bits that end the code are not charged to Eb.

Differs from the standard: one random interleaver over the whole frame stands for its interleaver over a symbol, and
there is no scrambler, for the bits are random.

The receiver divides each cell by the estimate and takes the nearest point of each bit value (max-log): uncoded bits are
those of the nearest point, as closed forms of error rates have it; soft bits come from the two distances.

Everything is compiled once per number of frames; Eb/N0 and seeds are tensors and compile nothing anew.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from reproduction.ofdm.channels import Channel
from reproduction.ofdm.error_rate import ErrorRate
from reproduction.ofdm.estimates import levels
from reproduction.ofdm.frame import DATA, LONG_TRAINING, PILOT_VALUES, PILOTS, Frame

try:
    from sionna.phy.fec.conv import ConvEncoder, ViterbiDecoder
    from sionna.phy.fec.interleaving import Deinterleaver, RandomInterleaver
    from sionna.phy.mapping import Constellation, Demapper, Mapper
    from sionna.phy.utils import ebnodb2no
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"reproduction.ofdm.link needs Sionna, and the module {str(missing.name).partition('.')[0]} is not installed; "
        'pip install "explainable-fl-ran-slicing[phy]", or pip install ".[phy]" in a checkout, brings sionna-no-rt.',
        name=missing.name,
    ) from missing

MODULATIONS = {"QPSK": 2, "16QAM": 4, "64QAM": 6}
"""Bits per cell."""

BLOCK = 25
"""Frames that are decoded at once: up to 5 MB each (64QAM, coded)."""

MEMORY = 6
GENERATORS = ("1011011", "1111001")
"""IEEE 802.11's code of rate 1/2: 133 and 171 octal; six zero bits end a frame."""

_LEAST_GAIN, _LEAST_NOISE = 1e-30, 1e-12
"""An estimate of 0 leaves endless noise, and its cell says nothing; without noise, distances would be divided by 0."""

_SURE = 1e3
"""Greatest soft bit, in nepers: beyond it none is surer, and a frame's sums keep their digits in float32."""


@dataclass(frozen=True)
class Received:
    """Frames as they came.

    Attributes:
        bits: that were sent, float32 [n, bits], 0 or 1.
        preambles: training symbols, complex64 [n, preambles, 52].
        symbols: data symbols, complex64 [n, symbols, 52].
        channel: that of the data symbols, complex64 [n, symbols, 52]: the perfect estimate.
        noise: N0, float32.
    """

    bits: Any
    preambles: Any
    symbols: Any
    channel: Any
    noise: Any


class Link:
    """A transmitter and a receiver.

    Args:
        modulation: one of `MODULATIONS`.
        is_coded: whether bits are coded, interleaved over the frame, and decoded by Viterbi.
        frame: how long a frame is.

    Attributes:
        frame: as given.
        bits: how many a frame carries.
        points: the constellation, complex64 [2^bits per cell].

    Raises:
        ValueError: an unknown modulation.
    """

    def __init__(self, modulation: str, is_coded: bool, frame: Frame | None = None) -> None:
        if modulation not in MODULATIONS:
            raise ValueError(f"modulation must be one of {', '.join(MODULATIONS)}, got {modulation!r}; pick one.")
        self.frame = frame or Frame()
        self._is_coded = is_coded
        self._bits_per_cell = MODULATIONS[modulation]
        self._cells = self.frame.symbols * len(DATA)
        sent_bits = self._cells * self._bits_per_cell
        self.bits = sent_bits // 2 - MEMORY if is_coded else sent_bits
        constellation = Constellation("qam", self._bits_per_cell, precision="single")
        self.points = constellation.points
        self._mapper = Mapper(constellation=constellation, precision="single")
        self._labels = self._bits_by_level()
        if is_coded:
            self._demapper = Demapper("maxlog", constellation=constellation, precision="single")
            self._encoder = ConvEncoder(gen_poly=GENERATORS, terminate=True, precision="single")
            self._decoder = ViterbiDecoder(gen_poly=GENERATORS, terminate=True, precision="single")
            self._interleaver = RandomInterleaver(seed=1, keep_batch_constant=True, precision="single")
            self._deinterleaver = Deinterleaver(self._interleaver, precision="single")

    def send(self, channel: Channel, frames: int, ebno_db: float, seed: Any) -> Received:
        """Send frames of random bits.

        Args:
            channel: what they meet.
            frames: how many, >= 1. Memory grows with it, by up to 1 MB a frame: send many frames in blocks.
            ebno_db: energy per bit over noise power density; infinity is no noise.
            seed: of `tf.random.stateless_*`, int32 [2], such as `seeds.stateless_seed(root, "link", block)`: bits,
                channel and noise are a function of it and of `frames`.

        Raises:
            ValueError: no frame, Eb/N0 that is no number, a seed of another shape.
        """
        if frames < 1:
            raise ValueError(f"frames must be at least 1, got {frames}; send some.")
        if np.isnan(ebno_db):
            raise ValueError("ebno_db must be a number, got nan; 0 to 40 is usual.")
        if np.shape(seed) != (2,):
            raise ValueError(f'seed must be two numbers, got {seed!r}; take seeds.stateless_seed(root, "link", block).')
        of_channel, of_bits, of_noise = tf.unstack(tf.random.split(tf.cast(seed, tf.int32), 3, alg="philox"))
        responses = channel.responses(frames, self.frame.times, of_channel)
        return Received(*self._sent(responses, tf.constant(ebno_db, tf.float32), of_bits, of_noise))

    def errors(self, received: Received, estimates: Any) -> ErrorRate:
        """Count the errors of a receiver that takes estimates for the channel.

        Args:
            received: by `send`.
            estimates: complex64 [n, symbols, 52].

        Raises:
            ValueError: estimates of another shape, or not finite.
        """
        return ErrorRate(int(np.sum(self.frame_errors(received, estimates))), int(np.prod(received.bits.shape)))

    def frame_errors(self, received: Received, estimates: Any) -> np.ndarray:
        """Return the number of errors in each frame, int64 [n]: bits of a frame are not independent, frames are.

        Arguments and errors are those of `errors`.
        """
        if tuple(estimates.shape) != tuple(received.symbols.shape):
            raise ValueError(
                f"estimates must have the symbols' shape {tuple(received.symbols.shape)}, got "
                f"{tuple(estimates.shape)}; give one for every data symbol."
            )
        estimates = tf.cast(estimates, tf.complex64)
        finite = tf.math.is_finite(tf.abs(estimates))
        if not tf.reduce_all(finite):
            frame = int(tf.where(~finite)[0, 0])
            raise ValueError(f"estimates must be finite, got nan or infinity in frame {frame}; check the estimator.")
        found = []
        for start in range(0, estimates.shape[0], BLOCK):
            part = slice(start, start + BLOCK)
            counts = self._errors(received.bits[part], received.symbols[part], received.noise, estimates[part])
            found.append(counts.numpy())
        return np.concatenate(found)

    @tf.function
    def _sent(self, responses: Any, ebno_db: Any, of_bits: Any, of_noise: Any) -> tuple[Any, ...]:
        frames = responses.shape[0]
        drawn = tf.random.stateless_uniform((frames, self.bits), of_bits, 0, 2, tf.int32, alg="philox")
        bits = tf.cast(drawn, tf.float32)
        grid = self._grid(self._mapper(self._interleaver(self._encoder(bits)) if self._is_coded else bits))
        noise = ebnodb2no(ebno_db, self._bits_per_cell, 0.5 if self._is_coded else 1.0, precision="single")
        parts = tf.sqrt(noise / 2.0) * tf.random.stateless_normal((2, *grid.shape), of_noise, alg="philox")
        received = responses * grid + tf.complex(parts[0], parts[1])
        first = self.frame.preambles
        return bits, received[:, :first], received[:, first:], responses[:, first:], noise

    @tf.function
    def _errors(self, bits: Any, symbols: Any, noise: Any, estimates: Any) -> Any:
        cells = (bits.shape[0], self._cells)
        received, estimated = (tf.gather(values, DATA, axis=2) for values in (symbols, estimates))
        equalised = tf.math.divide_no_nan(received, estimated)
        if self._is_coded:
            noise = noise / tf.maximum(tf.abs(estimated) ** 2, _LEAST_GAIN)
            soft = self._demapped(tf.reshape(equalised, cells), tf.maximum(tf.reshape(noise, cells), _LEAST_NOISE))
            found = self._decoded(self._deinterleaver(tf.clip_by_value(soft, -_SURE, _SURE)))
        else:
            found = self._decided(tf.reshape(equalised, cells))
        return tf.math.count_nonzero(tf.not_equal(found, bits), axis=1)

    def _decided(self, equalised: Any) -> Any:
        """Return the bits of the nearest points, float32 [n, bits]."""
        side = int(np.sqrt(self.points.shape[0]))
        real, imaginary = (tf.cast(level, tf.int32) + side // 2 for level in levels(equalised, self.points))
        return tf.reshape(tf.gather(self._labels, real * side + imaginary), (equalised.shape[0], -1))

    def _bits_by_level(self) -> Any:
        """Return the bits of the point at each pair of levels, float32 [points, bits per cell]."""
        count, width = self.points.shape[0], self._bits_per_cell
        side = int(np.sqrt(count))
        real, imaginary = (level.numpy().astype(int) + side // 2 for level in levels(self.points, self.points))
        labels = np.empty((count, width), np.float32)
        labels[real * side + imaginary] = (np.arange(count)[:, None] >> np.arange(width - 1, -1, -1)) & 1
        return tf.constant(labels)

    @tf.function(jit_compile=True)
    def _demapped(self, equalised: Any, noise: Any) -> Any:
        return self._demapper(equalised, noise)

    @tf.function(jit_compile=True)
    def _decoded(self, soft_bits: Any) -> Any:
        return self._decoder(soft_bits)

    def _grid(self, cells: Any) -> Any:
        """Return frames, complex64 [n, preambles + symbols, 52], of the data's cells [n, symbols x 48]."""
        frames = cells.shape[0]
        data = tf.reshape(cells, (frames, self.frame.symbols, len(DATA)))
        pilots = tf.tile(tf.constant(PILOT_VALUES, data.dtype)[None, None], (frames, self.frame.symbols, 1))
        order = np.argsort(np.concatenate([DATA, PILOTS]))
        body = tf.gather(tf.concat([data, pilots], axis=2), order, axis=2)
        head = tf.tile(tf.constant(LONG_TRAINING, data.dtype)[None, None], (frames, self.frame.preambles, 1))
        return tf.concat([head, body], axis=1)
