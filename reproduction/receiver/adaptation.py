"""One target's adaptations: every selection fine-tuned on, and what became of the bit errors; the last two steps.

A network is held to the target's own channel with other bits and noise, to fresh channels under the target's
conditions, and to all other targets, which it may forget.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from reproduction.ofdm.grid_link import Frames, GridLink
from reproduction.receiver.bench import Bench
from reproduction.receiver.fine_tuning import FineTuner
from reproduction.receiver.losses import losses, targets_of
from reproduction.receiver.names import (
    ALIKE,
    ASCENT,
    BCE,
    FRESH,
    ITSELF,
    OTHERS,
    PAPERS,
    SAME,
    SAME_LENGTH,
    SECOND_ORDER,
    random_name,
)
from reproduction.receiver.network import features
from reproduction.receiver.preparation import Targets, read
from reproduction.receiver.receivers import GENIE, Receiver, by_network, frame_errors
from reproduction.receiver.samples import draw_fresh, repeated
from reproduction.receiver.selection import CONDITIONS, Question, best, selected
from reproduction.seeds import stateless_seed, stream


@dataclass(frozen=True)
class Attempt:
    """A fine-tuning.

    Attributes:
        kind: of the selection.
        count: frames that are selected.
    """

    kind: str
    count: int

    @property
    def key(self) -> str:
        """Its name in a record."""
        return f"{self.kind}, {self.count}"


def attempts(bench: Bench, kinds: Iterable[str], number: int) -> Iterator[Attempt]:
    """Yield all fine-tunings for a target.

    Args:
        bench: of the study.
        kinds: of the scores.
        number: of the target; the first ones are also given fewer frames, and more.
    """
    how = bench.settings.influences
    draws = [random_name(draw) for draw in range(how.random_draws)]
    few = draws[: how.draws_of_other_counts]
    as_far = [f"{kind}{SAME_LENGTH}" for kind in (*few, FRESH, ITSELF)]
    for kind in (*kinds, *CONDITIONS, *draws, FRESH, ITSELF, *as_far, ASCENT, SECOND_ORDER):
        yield Attempt(kind, how.selected)
    if number < how.targets_of_other_counts:
        for count in how.other_counts:
            for kind in (*how.kinds_of_other_counts, *few):
                yield Attempt(kind, count)


class Adaptation:
    """Fine-tunes a network for one target, again and again.

    Args:
        bench: of the study.
        model: trained; its weights are overwritten.
        targets: all of them.
        number: which one.
        scores: of the candidates for it, float32 [candidates], by kind.
        curvature: greatest eigenvalue of the Hessian.
        direction: of the second-order update, float32 [P].
    """

    def __init__(
        self,
        bench: Bench,
        model: Any,
        targets: Targets,
        number: int,
        scores: Mapping[str, np.ndarray],
        curvature: float,
        direction: np.ndarray,
    ) -> None:
        self.bench, self.targets, self.number, self.direction = bench, targets, number, direction
        self.how = bench.settings.influences
        pilots = bench.settings.grid.pilots
        self._tuner = FineTuner(model, losses(pilots == 0)[BCE])
        self._receiver = by_network(model, pilots)
        self._rate = self.how.step_times_curvature / curvature
        seed = int(stream(bench.case.seed, "selection", number).generate_state(1)[0])
        candidates = bench.learned.conditions[: self.how.candidates]
        self._question = Question(scores, candidates, targets.conditions[[number]], bench.settings.learned, seed)

    @cached_property
    def tests(self) -> dict[str, Frames]:
        """What networks are held to, by name."""
        how, link, seed = self.how, self.bench.link, self.bench.case.seed
        others = [place for place in range(len(self.targets)) if place != self.number]
        return {
            SAME: again(link, self.targets, [self.number] * how.same_frames, seed, "same", self.number),
            ALIKE: draw_fresh(
                link, repeated(self.targets.conditions, self.number, how.alike_frames), seed, "alike", self.number
            ),
            OTHERS: again(link, self.targets, others * how.other_frames, seed, "others", self.number),
        }

    def errors(self) -> dict[str, int]:
        """Return the network's bit errors in each test."""
        return {name: self._count(self._receiver, frames) for name, frames in self.tests.items()}

    def before(self) -> dict[str, Any]:
        """Return how many bits a test has, and the errors of the network as it was trained, and of the genie."""
        genie = self.bench.conventional[GENIE]
        self._tuner.reset()
        return {
            "bits": {name: len(frames.conditions) * self.bench.link.bits for name, frames in self.tests.items()},
            "trained": self.errors(),
            "genie": {name: self._count(genie, frames) for name, frames in self.tests.items()},
        }

    def adapted(self, attempt: Attempt, far: float | None) -> dict[str, Any]:
        """Return what a fine-tuning comes to: the errors after some of its steps, and how far the weights have come.

        Where they are no finite numbers any more, the distance is None, and the network says 0 for every bit, wrong of
        every second.

        Args:
            attempt: which.
            far: how far the weights came by the paper's selection, which ascents, second-order updates and what ends
                in `SAME_LENGTH` go as well; None if that was no finite number.
        """
        curve: dict[str, dict[str, int]] = {}

        def on_step(step: int) -> None:
            if step in self.how.told_at:
                curve[str(step)] = self.errors()

        whole = np.nan if far is None else far
        if attempt.kind == SECOND_ORDER:
            self._tuner.along(self.direction, whole, self.how.steps, on_step)
            distance = whole
        elif attempt.kind == ASCENT:
            distance = self._tuner.as_far(*self._frames(attempt), -whole, self.how.steps, on_step)
        elif attempt.kind.endswith(SAME_LENGTH):
            distance = self._tuner.as_far(*self._frames(attempt), whole, self.how.steps, on_step)
        else:
            distance = self._tuner.first_order(*self._frames(attempt), self._rate, self.how.steps, on_step)
        return {"curve": curve, "distance": distance if np.isfinite(distance) else None}

    def _frames(self, attempt: Attempt) -> tuple[np.ndarray, np.ndarray]:
        bench, kind = self.bench, attempt.kind.removesuffix(SAME_LENGTH)
        if kind == ITSELF:
            x = features(self.targets.received[[self.number]], bench.settings.grid.pilots).numpy()
            return x, targets_of(self.targets.bits[[self.number]], self.targets.conditions.snr_db[[self.number]])
        if kind == FRESH:
            alike = repeated(self.targets.conditions, self.number, attempt.count)
            sent = draw_fresh(bench.link, alike, bench.case.seed, "fresh", self.number)
            x = features(sent.received, bench.settings.grid.pilots).numpy()
            return x, targets_of(np.asarray(sent.bits), alike.snr_db)
        if kind == ASCENT:
            places = best(-self._question.scores[PAPERS], attempt.count)
        else:
            places = selected(self._question, kind, attempt.count)
        return read(bench, places)

    def _count(self, receiver: Receiver, frames: Frames) -> int:
        return int(frame_errors(self.bench.link, receiver, frames).sum())


def again(link: GridLink, targets: Targets, places: list[int], root_seed: int, *purpose: Any) -> Frames:
    """Send other bits, with other noise, over the very channels of targets."""
    return link.over(targets.channel[places], targets.conditions[places], stateless_seed(root_seed, *purpose))
