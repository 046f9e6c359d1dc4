"""Frames that a network learns from, and those that receivers are held to, each a function of a seed and a purpose."""

from dataclasses import dataclass

import numpy as np

from reproduction.ofdm.conditions import Conditions, Mix, drawn
from reproduction.ofdm.grid_link import Frames, GridLink
from reproduction.seeds import generator, stateless_seed

BLOCK = 1000
"""Frames that are sent at once."""


@dataclass(frozen=True)
class Learned:
    """Frames to learn from, in little memory: 8 kB each at 16QAM.

    Attributes:
        received: complex64 [n, symbols, subcarriers].
        bits: uint8 [n, symbols, subcarriers, bits per cell], 0 at pilots.
        conditions: of each frame.
    """

    received: np.ndarray
    bits: np.ndarray
    conditions: Conditions


def conditions_of(mix: Mix, frames: int, root_seed: int, purpose: str) -> Conditions:
    """Return the conditions of the frames that are drawn for a purpose."""
    return drawn(mix, frames, generator(root_seed, purpose, "conditions"))


def draw_learned(link: GridLink, mix: Mix, frames: int, root_seed: int, purpose: str) -> Learned:
    """Simulate frames to learn from; another purpose draws others."""
    conditions = conditions_of(mix, frames, root_seed, purpose)
    received, bits = [], []
    for number, start in enumerate(range(0, frames, BLOCK)):
        sent = link.send(conditions[start : start + BLOCK], stateless_seed(root_seed, purpose, number))
        received.append(sent.received.numpy())
        bits.append(sent.bits.numpy().astype(np.uint8))
    return Learned(np.concatenate(received), np.concatenate(bits), conditions)


def draw_test(link: GridLink, mix: Mix, frames: int, snr_db: float, root_seed: int, purpose: str) -> Frames:
    """Simulate frames of one SNR; the other conditions are those of the mix."""
    conditions = drawn(mix, frames, generator(root_seed, purpose, "conditions", str(snr_db)))
    conditions = Conditions(
        conditions.channels, np.full(frames, snr_db), conditions.doppler_hz, conditions.delay_spread_ns
    )
    return link.send(conditions, stateless_seed(root_seed, purpose, str(snr_db)))


def repeated(conditions: Conditions, place: int, frames: int) -> Conditions:
    """Return the conditions of one frame as those of many: fresh frames of a target's own SNR and channel."""
    return conditions[np.full(frames, place)]


def draw_fresh(link: GridLink, conditions: Conditions, root_seed: int, *purpose: str | int) -> Frames:
    """Simulate a frame under each of given conditions; another purpose draws others."""
    return link.send(conditions, stateless_seed(root_seed, *purpose))


def draw_pool(link: GridLink, mix: Mix, frames: int, root_seed: int, purpose: str) -> Frames:
    """Simulate frames of a mix, in blocks."""
    conditions = conditions_of(mix, frames, root_seed, purpose)
    sent = [
        link.send(conditions[start : start + BLOCK], stateless_seed(root_seed, purpose, number))
        for number, start in enumerate(range(0, frames, BLOCK))
    ]
    bits, received, channel, noise = (
        np.concatenate([np.asarray(getattr(one, name)) for one in sent])
        for name in ("bits", "received", "channel", "noise")
    )
    return Frames(bits, received, channel, noise, conditions)
