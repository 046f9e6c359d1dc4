"""The study: all cases, each in a process of its own, kept under what decides its numbers."""

import dataclasses
from collections.abc import Callable, Iterator
from concurrent.futures import as_completed
from pathlib import Path

from reproduction.results.processes import Processes, deaths_in_words
from reproduction.results.records import Kind
from reproduction.results.store import Payload, Store
from reproduction.xrefine.bench import Case
from reproduction.xrefine.case import PACKAGES, worked_through
from reproduction.xrefine.settings import Settings

CASE = Kind(format="x-refine-case", remedy="delete it to work through this case anew")


def cases(settings: Settings, seeds: tuple[int, ...]) -> list[Case]:
    """Return the cases of a study."""
    return [
        Case(settings, channel, modulation, seed)
        for channel in settings.channels
        for modulation in settings.modulations
        for seed in seeds
    ]


def identity(case: Case) -> Payload:
    """Return everything that decides a case's numbers."""
    decides = dataclasses.asdict(case.settings)
    for name in ("name", "channels", "modulations"):
        del decides[name]
    return {"settings": decides, "channel": case.channel, "modulation": case.modulation, "seed": case.seed}


def store_of(folder: Path) -> Store:
    """Return where cases are kept."""
    return Store(folder, CASE, is_finished=lambda payload: payload["finished"], deciding=PACKAGES)


def _file(case: Case) -> str:
    return f"{case.channel}-{case.modulation}-seed{case.seed}"


def is_finished(case: Case, folder: Path) -> bool:
    """Return whether a case's finished record is on disk.

    Raises:
        RecordError: the record on disk is refused.
    """
    return store_of(folder).has_finished(identity(case), _file(case))


def record_of(case: Case, folder: Path) -> Payload:
    """Return a case's record: from disk, or by doing what is left of it."""
    fixed = identity(case)
    return store_of(folder).finished(fixed, _file(case), lambda left, save: worked_through(case, left, save, fixed))


def records_of(
    wanted: list[Case], folder: Path, workers: int | None, on_case: Callable[[Case], None]
) -> Iterator[tuple[Case, Payload]]:
    """Yield the record of each case, in their order, once all are done; `on_case` hears of each that was left.

    Raises:
        RuntimeError: a process died.
        RecordError: a record on disk is refused.
    """
    with Processes(workers) as processes, deaths_in_words():
        left = [case for case in wanted if not is_finished(case, folder)]
        futures = {processes.submit(record_of, case, folder): case for case in left}
        for future in as_completed(futures):
            future.result()
            on_case(futures[future])
    for case in wanted:
        yield case, record_of(case, folder)
