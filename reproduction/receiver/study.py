"""The study: a training per seed, each in a process of its own, and its test, kept under what decides their numbers."""

import dataclasses
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, wait
from pathlib import Path

from reproduction.receiver.bench import Bench
from reproduction.receiver.case import network_of, tested, trained_network
from reproduction.receiver.settings import PACKAGES, Case
from reproduction.results.processes import Processes, deaths_in_words
from reproduction.results.records import Kind, provenance, read_record
from reproduction.results.store import Payload, Store, path_of

TRAINING = Kind(format="receiver-training", remedy="delete it to train this network anew")
TEST = Kind(format="receiver-test", remedy="delete it to test this network anew")

LOOK_SECONDS = 2.0
"""Between looks at what the processes have saved."""

TRAINING_DECIDES = ("modulation", "grid", "learned", "architecture", "training")
"""Settings that decide what a training comes to; the others decide what it is held to."""


def identity(case: Case) -> Payload:
    """Return everything that decides a training's numbers."""
    settings = dataclasses.asdict(case.settings)
    decides = {name: settings[name] for name in TRAINING_DECIDES}
    return {"settings": decides, "kept_after_epoch": case.settings.late_epoch, "seed": case.seed}


def identity_of_test(case: Case) -> Payload:
    """Return everything that decides a test's numbers."""
    settings = dataclasses.asdict(case.settings)
    del settings["name"]
    return {"settings": settings, "seed": case.seed}


def _trainings(folder: Path) -> Store:
    return Store(folder, TRAINING, is_finished=lambda record: record["finished"], deciding=PACKAGES)


def is_trained(case: Case, folder: Path) -> bool:
    """Return whether the record of a case's finished training is on disk.

    Raises:
        RecordError: the record on disk is refused.
    """
    return _trainings(folder).has_finished(identity(case), _name(case))


def training_of(case: Case, folder: Path) -> Payload:
    """Return the record of a case's training: from disk, or by doing what is left of it."""
    fixed = identity(case)
    return _trainings(folder).finished(fixed, _name(case), lambda left, save: trained_network(case, left, save, fixed))


def _name(case: Case) -> str:
    return f"training-seed{case.seed}"


def _name_of_test(case: Case) -> str:
    return f"test-seed{case.seed}"


def _path(case: Case, folder: Path) -> Path:
    return path_of(folder, identity(case), _name(case))


def losses_so_far(case: Case, folder: Path) -> list[float]:
    """Return the cross-entropy of each epoch of a training that is on disk, finished or not.

    Raises:
        RecordError: the record on disk is refused.
    """
    path = _path(case, folder)
    return read_record(path, TRAINING)["losses"] if path.exists() else []


def _tests(folder: Path) -> Store:
    return Store(folder, TEST, is_finished=lambda record: True, deciding=PACKAGES)


def is_tested(case: Case, folder: Path) -> bool:
    """Return whether the records of a case's finished training and test are on disk.

    Raises:
        RecordError: one of them is refused.
    """
    return _tests(folder).has_finished(identity_of_test(case), _name_of_test(case)) and is_trained(case, folder)


def _do(case: Case, folder: Path) -> None:
    """Train and test; the records are read from disk, not sent from process to process."""
    training_of(case, folder)
    outcome_of(case, folder)


def outcome_of(case: Case, folder: Path) -> Payload:
    """Return the record of a case's test: from disk, or by training what is left and testing it."""
    fixed = identity_of_test(case)

    def make(left: Payload | None, save: Callable[[Payload], None]) -> Payload:
        if left:
            return left
        training, bench = training_of(case, folder), Bench(case)
        record = {"identity": fixed, "provenance": provenance(PACKAGES), "bits": bench.link.bits}
        record["errors"] = tested(bench, network_of(training, bench))
        save(record)
        return record

    return _tests(folder).finished(fixed, _name_of_test(case), make)


def outcomes_of(
    wanted: list[Case],
    folder: Path,
    workers: int | None,
    on_epoch: Callable[[Case, float], None],
    on_test: Callable[[Case], None],
) -> list[Payload]:
    """Return the record of each case's test, in their order.

    Args:
        wanted: the cases.
        folder: of the records.
        workers: processes; one per core if None.
        on_epoch: hears of the cross-entropy of every epoch, seconds after it was saved.
        on_test: hears of every case that is done, behind its epochs.

    Raises:
        RuntimeError: a process died.
        RecordError: a record on disk is refused.
    """
    told = {case: len(losses_so_far(case, folder)) for case in wanted}
    saved = dict.fromkeys(wanted, 0)

    def tell() -> None:
        for case in wanted:
            path = _path(case, folder)
            if not path.exists() or saved[case] == (now := path.stat().st_mtime_ns):
                continue
            saved[case], losses = now, losses_so_far(case, folder)
            for loss in losses[told[case] :]:
                on_epoch(case, loss)
            told[case] = len(losses)

    with Processes(workers) as processes, deaths_in_words():
        left = {processes.submit(_do, case, folder): case for case in wanted if not is_tested(case, folder)}
        while left:
            done, _ = wait(left, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
            tell()
            for future in done:
                on_test(left.pop(future))
    return [outcome_of(case, folder) for case in wanted]
