"""What a study stands on: link, frames, network and receivers of one seed, made when they are first asked for."""

import functools
from collections.abc import Mapping
from functools import cached_property

import keras
import numpy as np
import tensorflow as tf

from reproduction.ofdm.conditions import Mix, drawn
from reproduction.ofdm.grid_estimates import wiener
from reproduction.ofdm.grid_link import Frames, GridLink
from reproduction.ofdm.mixed_channels import covariances
from reproduction.receiver.network import deeprx
from reproduction.receiver.receivers import Receiver, conventional
from reproduction.receiver.samples import Learned, draw_learned, draw_test
from reproduction.receiver.settings import Case
from reproduction.receiver.training import Trainer
from reproduction.seeds import generator, stream


class Bench:
    """A case with its frames and networks; everything random hangs on its seed.

    Args:
        case: what is looked at.
    """

    def __init__(self, case: Case) -> None:
        tf.config.experimental.enable_tensor_float_32_execution(False)  # else a GPU rounds factors to ten bits
        self.case, self.settings = case, case.settings
        self.link = GridLink(case.settings.modulation, case.settings.grid)

    @property
    def mixes(self) -> Mapping[str, Mix]:
        """The conditions of the tests by name."""
        return {"learned": self.settings.learned, "unseen": self.settings.unseen}

    @cached_property
    def learned(self) -> Learned:
        """The training frames."""
        return draw_learned(self.link, self.settings.learned, self.settings.training.frames, self.case.seed, "training")

    @cached_property
    def conventional(self) -> Mapping[str, Receiver]:
        """The receivers without a network."""
        settings = self.settings
        seen = drawn(settings.learned, settings.statistics_frames, generator(self.case.seed, "statistics"))
        each = (covariances(settings.grid, seen[[place]]) for place in range(len(seen)))
        return conventional(self.link, wiener(settings.grid, functools.reduce(np.add, each) / len(seen)))

    def network(self) -> keras.Model:
        """Return a network with its first weights."""
        seed = int(stream(self.case.seed, "weights").generate_state(1)[0])
        return deeprx(self.settings.architecture, self.link.bits_per_cell, seed)

    def trainer(self) -> Trainer:
        """Return what trains a network on the training frames."""
        return Trainer(self.network(), self.settings.training, self.learned, self.settings.grid.pilots, self.case.seed)

    def test(self, mix: str, snr_db: float) -> Frames:
        """Return the test's frames of one SNR, under the conditions of one of `mixes`."""
        return draw_test(self.link, self.mixes[mix], self.settings.test_frames, snr_db, self.case.seed, f"test {mix}")
