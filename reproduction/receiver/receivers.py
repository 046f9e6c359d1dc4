"""Receivers: from frames as they came to soft bits, by estimates of the channel, by a network, by perfect knowledge."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from reproduction.ofdm.grid_estimates import Wiener, interpolated_estimate, raw_estimate, wiener
from reproduction.ofdm.grid_link import Frames, GridLink
from reproduction.ofdm.mixed_channels import covariances
from reproduction.receiver.network import features

Receiver = Callable[[Frames], Any]
"""Frames -> soft bits, float32 [n, symbols, subcarriers, bits per cell]."""

LS, LMMSE, OWN, DEEPRX, GENIE = "LS", "LMMSE", "LMMSE, own statistics", "DeepRx", "genie"

BLOCK = 100
"""Frames that a receiver reads at once: the network's widest layer then takes 17 MB, a frame's own statistics 50 MB."""


def conventional(link: GridLink, statistics: Wiener) -> MappingProxyType[str, Receiver]:
    """Return the receivers without a network.

    LS interpolates linearly. LMMSE knows the SNR, and of the channel only the mean covariance of the conditions that
    are trained on; the one of own statistics knows each frame's profile, delay spread and Doppler shift, which no real
    receiver does. The genie knows the channel.

    Args:
        link: whose frames they read.
        statistics: LMMSE's.
    """
    grid = link.grid

    def soft(frames: Frames, estimates: Any, errors: Any) -> Any:
        return link.soft_bits(frames.received, estimates, frames.noise[:, None, None] + errors)

    def by_interpolation(frames: Frames) -> Any:
        return soft(frames, interpolated_estimate(raw_estimate(frames.received, grid.pilots), grid), 0.0)

    def by_mean_statistics(frames: Frames) -> Any:
        return soft(frames, *statistics(raw_estimate(frames.received, grid.pilots), frames.noise))

    def by_own_statistics(frames: Frames) -> Any:
        own = wiener(grid, covariances(grid, frames.conditions))
        return soft(frames, *own(raw_estimate(frames.received, grid.pilots), frames.noise))

    def by_perfect_knowledge(frames: Frames) -> Any:
        return soft(frames, frames.channel, 0.0)

    return MappingProxyType(
        {LS: by_interpolation, LMMSE: by_mean_statistics, OWN: by_own_statistics, GENIE: by_perfect_knowledge}
    )


def by_network(model: keras.Model, pilots: np.ndarray) -> Receiver:
    """Return the receiver that a network is."""

    @tf.function(input_signature=[tf.TensorSpec((None, *pilots.shape), tf.complex64)])
    def received(grids: Any) -> Any:
        return model(features(grids, pilots), training=False)

    return lambda frames: received(frames.received)


def frame_errors(link: GridLink, receiver: Receiver, frames: Frames) -> np.ndarray:
    """Return a receiver's bit errors in each frame, int64 [n]."""
    found = []
    for start in range(0, len(frames.conditions), BLOCK):
        part = slice(start, start + BLOCK)
        block = Frames(
            frames.bits[part],
            frames.received[part],
            frames.channel[part],
            frames.noise[part],
            frames.conditions[part],
        )
        found.append(link.errors(block.bits, receiver(block)))
    return np.concatenate(found)
