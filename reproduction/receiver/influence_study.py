"""The study of influence: jobs in processes of their own, each kept under what decides its numbers.

A seed is prepared first; behind it come its targets, one by one and several at once, and trainings without frames.
"""

import dataclasses
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from reproduction.receiver.settings import PACKAGES, Case
from reproduction.receiver.study import training_of
from reproduction.receiver.work import adapted, adapted_together, prepared, trained_without
from reproduction.results.processes import Processes, deaths_in_words
from reproduction.results.records import Kind
from reproduction.results.store import Payload, Store

PREPARATION = Kind(format="receiver-preparation", remedy="delete it to choose and score anew")
ADAPTATION = Kind(format="receiver-adaptation", remedy="delete it to adapt anew")
TOGETHER = Kind(format="receiver-together", remedy="delete it to adapt anew")
LEFT_OUT = Kind(format="receiver-left-out", remedy="delete it to train without the frames anew")


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


def identity_of_influence(case: Case, kind: Kind, part: str) -> Payload:
    """Return everything that decides the numbers of a part of the study of influence."""
    settings = dataclasses.asdict(case.settings)
    for name in ("name", "snr_db", "test_frames"):
        del settings[name]
    settings["influences"] = {name: settings["influences"][name] for name in DECIDES[kind]}
    return {"settings": settings, "seed": case.seed, "part": part}


def _stored(kind: Kind, stem: str, part: str, case: Case, folder: Path, make: Callable[..., Payload]) -> Payload:
    """Return the record of a part: from disk, or by doing what is left of it.

    Args:
        kind: of the record.
        stem: of its file's name, for people.
        part: as `identity_of_influence` takes it.
        case: what is looked at.
        folder: of the records.
        make: does the work, as `work` has it: (the record as it was left, how to save it, what decides its numbers).
    """
    fixed = identity_of_influence(case, kind, part)
    store = Store(folder, kind, is_finished=lambda record: record["finished"], deciding=PACKAGES)
    return store.finished(fixed, f"{stem}-seed{case.seed}", lambda left, save: make(left=left, save=save, fixed=fixed))


def preparation_of(case: Case, folder: Path) -> Payload:
    """Return the record of a seed's preparation."""
    make = partial(prepared, case, training_of(case, folder))
    return _stored(PREPARATION, "preparation", "preparation", case, folder, make)


@lru_cache(maxsize=4)
def _before(case: Case, folder: Path) -> tuple[Payload, Payload]:
    """Return what the other parts stand on, the records of training and preparation, each read once by a process."""
    return training_of(case, folder), preparation_of(case, folder)


def adaptation_of(case: Case, number: int, folder: Path) -> Payload:
    """Return the record of a target's adaptations."""
    make = partial(adapted, case, number, *_before(case, folder))
    return _stored(ADAPTATION, f"target{number}", f"target {number}", case, folder, make)


def together_of(case: Case, folder: Path) -> Payload:
    """Return the record of adaptations to several targets at once."""
    make = partial(adapted_together, case, *_before(case, folder))
    return _stored(TOGETHER, "together", "together", case, folder, make)


def left_out_of(case: Case, number: int, folder: Path) -> Payload:
    """Return the record of trainings without frames."""
    make = partial(trained_without, case, number, *_before(case, folder))
    return _stored(LEFT_OUT, f"left-out{number}", f"left out of target {number}", case, folder, make)


def work_of(wanted: list[Case], folder: Path, workers: int | None, on_job: Callable[[str], None]) -> Work:
    """Return all records of the study of influence; `on_job` hears of each job as it is done.

    Raises:
        ValueError: the settings contradict each other.
        RuntimeError: a process died.
        RecordError: a record on disk is refused.
    """
    first, how = wanted[0], wanted[0].settings.influences
    first.settings.require_influences()

    def behind(case: Case) -> Iterator[tuple[str, Callable[..., Payload], tuple[Any, ...]]]:
        """Yield what stands on a seed's preparation: its name, and a call."""
        yield f"seed {case.seed}, together", together_of, (case, folder)
        for number in range(how.targets_left_out if case == first else 0):
            yield f"seed {case.seed}, target {number}, left out", left_out_of, (case, number, folder)
        for number in range(how.targets):
            yield f"seed {case.seed}, target {number}", adaptation_of, (case, number, folder)

    with Processes(workers) as processes, deaths_in_words():
        preparing = {processes.submit(preparation_of, case, folder): case for case in wanted}
        names = {future: f"seed {case.seed}, prepared" for future, case in preparing.items()}
        left = set(names)
        while left:
            done, left = wait(left, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
                on_job(names[future])
                if future in preparing:
                    jobs = {processes.submit(call, *given): name for name, call, given in behind(preparing[future])}
                    names |= jobs
                    left |= set(jobs)
    return Work(
        [training_of(case, folder) for case in wanted],
        [preparation_of(case, folder) for case in wanted],
        [[adaptation_of(case, number, folder) for number in range(how.targets)] for case in wanted],
        [together_of(case, folder) for case in wanted],
        [left_out_of(wanted[0], number, folder) for number in range(how.targets_left_out)],
    )
