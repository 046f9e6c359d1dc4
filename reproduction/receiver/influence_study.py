"""The study of influence: jobs in processes of their own, each kept under what decides its numbers.

A seed is prepared first; behind it come its targets, one by one and several at once, and trainings without frames.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from reproduction.receiver.settings import PACKAGES, Case
from reproduction.receiver.study import is_trained, training_of
from reproduction.receiver.work import adapted, adapted_together, prepared, trained_without
from reproduction.results.processes import Processes, deaths_in_words
from reproduction.results.records import Kind, RecordError, digest, provenance
from reproduction.results.store import Payload, Store, path_of

PREPARATION = Kind(format="receiver-preparation", version=2, remedy="delete it to choose and score anew")
ADAPTATION = Kind(format="receiver-adaptation", version=2, remedy="delete it to adapt anew")
TOGETHER = Kind(format="receiver-together", version=2, remedy="delete it to adapt anew")
LEFT_OUT = Kind(format="receiver-left-out", version=2, remedy="delete it to train without the frames anew")


@dataclass(frozen=True)
class Work:
    """All records of the study of influence.

    Attributes:
        trainings: one per seed.
        preparations: one per seed.
        adaptations: of each seed, one per target.
        together: one per seed.
        left_out: of the first seed, one per target.
    """

    trainings: list[Payload]
    preparations: list[Payload]
    adaptations: list[list[Payload]]
    together: list[Payload]
    left_out: list[Payload]


PREPARED = ("candidates", "curvature_frames", "iterations", "damping_over_curvature", "pool", "targets", "selected")
FINE_TUNED = (*PREPARED, "steps", "step_times_curvature", "same_frames", "alike_frames", "draws_of_other_counts")
DECIDES = {
    PREPARATION: PREPARED,
    ADAPTATION: (
        *(*FINE_TUNED, "random_draws", "told_at", "other_frames"),
        *("other_counts", "kinds_of_other_counts", "targets_of_other_counts"),
    ),
    TOGETHER: (*FINE_TUNED, "together"),
    LEFT_OUT: (*PREPARED, "groups_left_out", "random_groups_left_out", "last_epochs"),
}
"""Of `Influences`, what decides the numbers of a kind of record."""

WORK: Mapping[Kind, Callable[..., Payload]] = MappingProxyType(
    {PREPARATION: prepared, ADAPTATION: adapted, TOGETHER: adapted_together, LEFT_OUT: trained_without}
)
"""Called with the case, the number of the target where there is one, the records that it stands on, the record as it
was begun or left unfinished, and what saves one."""


@dataclass(frozen=True)
class Part:
    """What one process does of the study, kept as a record.

    Attributes:
        case: what is looked at.
        kind: of the record.
        target: its number; None where a part is of all targets.
    """

    case: Case
    kind: Kind
    target: int | None = None

    @property
    def name(self) -> str:
        """What it is called within its case."""
        return {
            PREPARATION: "preparation",
            ADAPTATION: f"target {self.target}",
            TOGETHER: "together",
            LEFT_OUT: f"left out of target {self.target}",
        }[self.kind]

    @property
    def identity(self) -> Payload:
        """Everything that decides its numbers."""
        settings = dataclasses.asdict(self.case.settings)
        for name in ("name", "snr_db", "test_frames"):
            del settings[name]
        settings["influences"] = {name: settings["influences"][name] for name in DECIDES[self.kind]}
        return {"settings": settings, "seed": self.case.seed, "part": self.name}

    @property
    def _file(self) -> str:
        return f"{self.name}-seed{self.case.seed}"

    def _store(self, folder: Path) -> Store:
        return Store(folder, self.kind, is_finished=lambda record: record["finished"], deciding=PACKAGES)

    def is_finished(self, folder: Path) -> bool:
        """Return whether its finished record is on disk.

        Raises:
            RecordError: the record on disk is refused.
        """
        return self._store(folder).has_finished(self.identity, self._file)

    def record(self, folder: Path) -> Payload:
        """Return its record: from disk, or by doing what is left of it.

        Raises:
            RecordError: the record on disk is refused.
        """
        fixed, before = self.identity, [_training_of(self.case, folder)]
        stands_on = [_mark_of_training(self.case, folder)]
        if self.kind != PREPARATION:
            before.append(_preparation_of(self.case, folder))
            stands_on.append(_mark_of_preparation(self.case, folder))

        def make(left: Payload | None, save: Callable[[Payload], None]) -> Payload:
            if left and left["stands_on"] != stands_on:
                raise RecordError(
                    f"{path_of(folder, fixed, self._file)}: stands on another training or preparation than is here; "
                    f"delete all records of seed {self.case.seed}, so that they are made anew"
                )
            if left and left["finished"]:
                return left
            begun = {"identity": fixed, "stands_on": stands_on, "provenance": provenance(PACKAGES), "finished": False}
            number = () if self.target is None else (self.target,)
            return WORK[self.kind](self.case, *number, *before, left or begun, save)

        return self._store(folder).finished(fixed, self._file, make)


@lru_cache(maxsize=4)
def _training_of(case: Case, folder: Path) -> Payload:
    """Return what a case's parts stand on, read once by a process."""
    return training_of(case, folder)


@lru_cache(maxsize=4)
def _preparation_of(case: Case, folder: Path) -> Payload:
    """Return what a case's other parts stand on, likewise."""
    return Part(case, PREPARATION).record(folder)


@lru_cache(maxsize=4)
def _mark_of_training(case: Case, folder: Path) -> str:
    """Return what tells a training's numbers from those of another with the same settings."""
    return digest(_training_of(case, folder)["weights"])


@lru_cache(maxsize=4)
def _mark_of_preparation(case: Case, folder: Path) -> str:
    """Return likewise a preparation's."""
    seed = _preparation_of(case, folder)
    return digest([seed[part] for part in ("targets", "scores", "curvature", "directions")])


def parts_of(wanted: Sequence[Case]) -> list[Part]:
    """Return all parts of a study; in the first case influences are held to trainings without frames, too.

    Raises:
        ValueError: the settings contradict each other.
    """
    wanted[0].settings.require_influences()
    how = wanted[0].settings.influences
    parts: list[Part] = []
    for case in wanted:
        left_out = range(how.targets_left_out if case == wanted[0] else 0)
        parts += [Part(case, PREPARATION), Part(case, TOGETHER)]
        parts += [Part(case, LEFT_OUT, number) for number in left_out]
        parts += [Part(case, ADAPTATION, number) for number in range(how.targets)]
    return parts


def _do(part: Part, folder: Path) -> None:
    """Do what is left of a part; its record is read from disk, not sent from process to process."""
    part.record(folder)


def work_of(wanted: Sequence[Case], folder: Path, workers: int | None, on_part: Callable[[Part], None]) -> Work:
    """Return all records of the study of influence; `on_part` hears of each part as it is done.

    Raises:
        ValueError: the settings contradict each other.
        RuntimeError: a process died.
        RecordError: a record on disk is refused.
    """
    parts = parts_of(wanted)
    left = [part for part in parts if not part.is_finished(folder)]
    ready = {case for case in wanted if is_trained(case, folder) and Part(case, PREPARATION) not in left}
    with Processes(workers) as processes, deaths_in_words():
        running: dict[Future[None], Part] = {}

        def begin(parts: Iterable[Part]) -> None:
            running.update({processes.submit(_do, part, folder): part for part in parts})

        begin(Part(case, PREPARATION) for case in wanted if case not in ready)  # which trains first
        begin(part for part in left if part.case in ready)
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
                part = running.pop(future)
                if part in left:
                    on_part(part)
                if part.kind == PREPARATION:
                    begin(one for one in left if one.case == part.case and one != part)
    records = {part: part.record(folder) for part in parts}

    def of(kind: Kind, case: Case) -> list[Payload]:
        return [record for part, record in records.items() if (part.kind, part.case) == (kind, case)]

    return Work(
        [_training_of(case, folder) for case in wanted],
        [*chain.from_iterable(of(PREPARATION, case) for case in wanted)],
        [of(ADAPTATION, case) for case in wanted],
        [*chain.from_iterable(of(TOGETHER, case) for case in wanted)],
        of(LEFT_OUT, wanted[0]),
    )
