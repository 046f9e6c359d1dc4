"""Pairs that an estimator learns from, and the frames that it is held to.

An input is the STA estimate of one symbol on the 52 subcarriers, a target the channel itself; both real parts first,
then imaginary parts, and standardised by the mean and deviation of the training samples of each feature.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reproduction.seeds import generator, stateless_seed
from reproduction.xrefine.network import SUBCARRIERS


@dataclass(frozen=True)
class Pairs:
    """Samples, a row per symbol.

    Attributes:
        inputs: float32 [n, 104].
        targets: float32 [n, 104].
        ebno_db: float64 [n].
    """

    inputs: np.ndarray
    targets: np.ndarray
    ebno_db: np.ndarray


@dataclass(frozen=True)
class Scaler:
    """Mean and standard deviation of each feature, float32 [104]."""

    mean: np.ndarray
    deviation: np.ndarray

    def scaled(self, rows: np.ndarray) -> np.ndarray:
        """Return rows of mean 0 and deviation 1, float32 [n, 104]."""
        return (rows - self.mean) / self.deviation

    def unscaled(self, rows: Any) -> Any:
        """Return rows as they were before."""
        return rows * self.deviation + self.mean


def scaler_of(rows: np.ndarray) -> Scaler:
    """Return the scaler that standardises these rows.

    Raises:
        ValueError: a feature never changes.
    """
    deviation = rows.std(axis=0, dtype=float)
    if not (deviation > 0.0).all():
        constant = int(np.argmin(deviation))
        raise ValueError(f"samples must vary in every feature, but feature {constant} is constant; give more of them.")
    return Scaler(rows.mean(axis=0, dtype=float).astype(np.float32), deviation.astype(np.float32))


def features_of(estimates: Any) -> np.ndarray:
    """Return estimates, complex64 [n, symbols, 52], as rows float32 [n symbols, 104]."""
    cells = np.asarray(estimates).reshape(-1, SUBCARRIERS)
    return np.concatenate([cells.real, cells.imag], axis=1)


def estimates_of(rows: np.ndarray, frames: int) -> np.ndarray:
    """Return rows, float32 [frames symbols, 104], as estimates, complex64 [frames, symbols, 52]."""
    cells = rows[:, :SUBCARRIERS] + 1j * rows[:, SUBCARRIERS:]
    return cells.reshape(frames, -1, SUBCARRIERS).astype(np.complex64)


def estimated(name: str, link: Any, received: Any) -> Any:
    """Return one of `ofdm.estimates.ESTIMATES` of received frames, complex64 [n, symbols, 52]."""
    from reproduction.ofdm.estimates import ESTIMATES  # which imports TensorFlow, as drawing need not

    return ESTIMATES[name](received.preambles, received.symbols, link.points)


def draw_pairs(link: Any, channel: Any, symbols: int, ebno_db: Sequence[float], root_seed: int, purpose: str) -> Pairs:
    """Simulate samples of all Eb/N0 alike, in random order.

    Args:
        link: that sends the frames.
        channel: that they pass.
        symbols: how many samples.
        ebno_db: the Eb/N0 of the frames.
        root_seed: of the run.
        purpose: of the samples; another purpose draws others.
    """
    per_frame = link.frame.symbols
    frames = -(-symbols // (per_frame * len(ebno_db)))
    parts = []
    for number, value in enumerate(ebno_db):
        received = link.send(channel, frames, value, stateless_seed(root_seed, purpose, number))
        inputs, targets = features_of(estimated("STA", link, received)), features_of(received.channel)
        parts.append((inputs, targets, np.full(len(inputs), value)))
    inputs, targets, values = (np.concatenate(several) for several in zip(*parts, strict=True))
    order = generator(root_seed, purpose, "order").permutation(len(inputs))
    places = order[:symbols]
    return Pairs(inputs[places], targets[places], values[places])


@dataclass(frozen=True)
class Test:
    """Frames that every estimate is held to.

    Attributes:
        link: that sent them.
        received: of each Eb/N0.
        inputs: their STA estimates as rows, float32 [n symbols, 104], of each Eb/N0.
    """

    link: Any
    received: tuple[Any, ...]
    inputs: tuple[np.ndarray, ...]

    @property
    def bits(self) -> int:
        """That are sent at each Eb/N0."""
        return int(np.prod(self.received[0].bits.shape))

    def errors(self, estimate: Callable[[int, Any], Any]) -> list[int]:
        """Count the bit errors of each Eb/N0; `estimate` is given its place and what was received."""
        return [self.link.errors(one, estimate(place, one)).errors for place, one in enumerate(self.received)]


def draw_test(link: Any, channel: Any, frames: int, ebno_db: Sequence[float], root_seed: int, purpose: str) -> Test:
    """Simulate the frames of a test; the arguments are those of `draw_pairs`."""
    received = tuple(
        link.send(channel, frames, value, stateless_seed(root_seed, purpose, number))
        for number, value in enumerate(ebno_db)
    )
    return Test(link, received, tuple(features_of(estimated("STA", link, one)) for one in received))
