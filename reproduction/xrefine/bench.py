"""A case, which is a channel, a modulation and a seed: its samples, and how networks are trained and measured on them.

Everything random hangs on the seed: the samples, the first weights, the orders, the test's frames. All networks of a
case learn from the same samples and are held to the same frames, so that they are compared in pairs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from reproduction.ofdm.taps import PROFILES, Taps
from reproduction.seeds import generator
from reproduction.xrefine.network import Kept, Weights, cut_out, first_weights, forward, masks_of
from reproduction.xrefine.samples import Pairs, Scaler, Test, draw_pairs, draw_test, estimated, estimates_of, scaler_of
from reproduction.xrefine.settings import Settings
from reproduction.xrefine.training import order_seed, trained

CONVENTIONAL = ("LS", "STA", "TRFI")
"""The estimates without a network that are shown beside it."""


@dataclass(frozen=True)
class Case:
    """What is looked at.

    Attributes:
        settings: of the study.
        channel: its name.
        modulation: its name.
        seed: of everything random.
    """

    settings: Settings
    channel: str
    modulation: str
    seed: int


class Bench:
    """A case with its samples, drawn when they are first asked for.

    Args:
        case: what is looked at.
        taps: in place of those that its channel's name stands for.
    """

    def __init__(self, case: Case, taps: Taps | None = None) -> None:
        from reproduction.ofdm.channels import FadingChannel
        from reproduction.ofdm.link import Link

        self.case, self.settings = case, case.settings
        self._link, self._coded_link = (Link(case.modulation, is_coded) for is_coded in (False, True))
        self._channel = FadingChannel(taps or PROFILES[case.channel], case.settings.doppler_hz)

    def _pairs(self, symbols: int, purpose: str) -> Pairs:
        case, settings = self.case, self.settings
        return draw_pairs(self._link, self._channel, symbols, settings.ebno_db, case.seed, purpose)

    @cached_property
    def learned_from(self) -> Pairs:
        """The training samples, as they come."""
        return self._pairs(self.settings.training_symbols, "training")

    @cached_property
    def held_out(self) -> Pairs:
        """What rankings look at."""
        return self._pairs(self.settings.held_out_symbols, "held out")

    @cached_property
    def test(self) -> Test:
        """The test's frames, bits uncoded."""
        settings = self.settings
        return draw_test(self._link, self._channel, settings.test_frames, settings.ebno_db, self.case.seed, "test")

    @cached_property
    def coded_test(self) -> Test:
        """The test's frames with coded bits."""
        settings, link = self.settings, self._coded_link
        return draw_test(link, self._channel, settings.coded_frames, settings.ebno_db, self.case.seed, "coded test")

    @cached_property
    def scalers(self) -> tuple[Scaler, Scaler]:
        """Of inputs and targets, from the training samples alone."""
        return scaler_of(self.learned_from.inputs), scaler_of(self.learned_from.targets)

    @cached_property
    def samples(self) -> tuple[np.ndarray, np.ndarray]:
        """The training samples, standardised."""
        return self.scaled(self.learned_from)

    def scaled(self, pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs and targets, standardised."""
        return self.scalers[0].scaled(pairs.inputs), self.scalers[1].scaled(pairs.targets)

    def first(self, purpose: str) -> Weights:
        """Return the weights that a network begins with."""
        return first_weights(self.settings.hidden, generator(self.case.seed, "weights", purpose))

    def trained(self, weights: Weights, kept: Kept, purpose: str, times: int = 1) -> Weights:
        """Train what is kept, the settings' epochs as many times."""
        masks = masks_of(kept, self.settings.hidden)
        for turn in range(times):
            order = order_seed(self.case.seed, purpose, turn)
            weights = trained(weights, masks, *self.samples, self.settings.training, order)
        return weights

    def errors(self, weights: Weights, kept: Kept, test: Test | None = None) -> list[int]:
        """Return the bit errors of a network at each Eb/N0 of a test, of as many `bits` each."""
        test = test or self.test
        small = cut_out(weights, kept)

        def estimate(place: int, received: Any) -> np.ndarray:
            features = self.scalers[0].scaled(test.inputs[place])[:, kept.features]
            rows = self.scalers[1].unscaled(forward(small, features).numpy())
            return estimates_of(rows, received.symbols.shape[0])

        return test.errors(estimate)

    def conventional(self, test: Test) -> dict[str, list[int]]:
        """Return the bit errors of the estimates without a network, and of the channel itself."""

        def by(name: str) -> Callable[[int, Any], Any]:
            return lambda place, received: estimated(name, test.link, received)

        kinds = {name: by(name) for name in CONVENTIONAL} | {"perfect": lambda place, received: received.channel}
        return {name: test.errors(kind) for name, kind in kinds.items()}
