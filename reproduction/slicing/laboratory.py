"""Federations, each trained once: stored under what decides its numbers, continued after a stop, and reused.

Nothing here imports TensorFlow; the workers do.
"""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from reproduction.results.progress import Job, OnRound
from reproduction.results.store import Store, only_one, path_of
from reproduction.slicing.cautions import empty_members
from reproduction.slicing.closed_loop.client import Assignment
from reproduction.slicing.datasets.slice_data import SliceData
from reproduction.slicing.federation.clients import assign, clients_of
from reproduction.slicing.federation.in_process import InProcessFleet, Pool
from reproduction.slicing.federation.record import (
    DECIDING,
    FEDERATION,
    Payload,
    after_round,
    is_finished,
    new_record,
    take_up,
)
from reproduction.slicing.federation.server import federate
from reproduction.slicing.federation.workers import Workers
from reproduction.slicing.forecast.paragraph import paragraph
from reproduction.slicing.metrics import round_in_words, round_scalars
from reproduction.slicing.schemes import EXPLAINER_LABELS, label_of
from reproduction.slicing.settings import Explainer, Scheme, Settings, without_constraint


@dataclass(frozen=True, kw_only=True, eq=False)
class Laboratory:
    """Everything that a figure needs to get its numbers.

    Attributes:
        settings: the preset.
        slices: names of the slices to run.
        seeds: root seeds, one federation each.
        data: (slice name, seed, clients) -> data; it holds fewer clients than asked for where there are no more.
        pool: who computes.
        store: where the records of federations live; a laboratory that `dataclasses.replace` makes of this one shares
            it, and so knows what this one trained.
        watch: job -> context manager giving an `OnRound`; a federation that is finished already is shown to it too.
    """

    settings: Settings
    slices: tuple[str, ...]
    seeds: tuple[int, ...]
    data: Callable[[str, int, int], SliceData]
    pool: Pool
    store: Store
    watch: Callable[[Job], AbstractContextManager[OnRound]]

    def federation(
        self, slice_name: str, scheme: Scheme, explainer: Explainer, seed: int, clients: int | None = None
    ) -> Payload:
        """Return the record of one finished federation (`federation.record`): from memory, from disk, or by training.

        A record on disk that stopped half-way is continued from its last round, to the same numbers.

        Raises:
            RecordError: if the record on disk is torn, wrong, foreign or of another version.
            ClientError: if a CL diverged.
        """
        data = self.data(slice_name, seed, clients or self.settings.clients)
        assignment = assign(data, scheme, explainer, seed, self.settings)
        fixed = identity(data, assignment, self.settings)
        name = f"{slice_name}-{scheme}-{explainer}-seed{seed}"
        train = partial(self._train, data, assignment, fixed, path_of(self.store.folder, fixed, name))
        return self.store.finished(fixed, name, train)

    def _train(
        self,
        data: SliceData,
        assignment: Assignment,
        fixed: Payload,
        path: Path,
        left: Payload | None,
        save: Callable[[Payload], None],
    ) -> Payload:
        """Run the rounds that are left; see `results.store.Make`."""
        fleet = InProcessFleet(assignment, *clients_of(data), pool=self.pool)
        record = left or new_record(fixed, assignment, fleet)
        start = take_up(path, record, assignment, fleet)
        with self.watch(job(data, assignment, record, path.stem)) as on_round:
            for state, result in federate(start, fleet, self.settings.rounds):
                record = after_round(record, state, result, fleet)
                save(record)
                on_round(state.round_number, result.entry())
        return record


def identity(data: SliceData, assignment: Assignment, settings: Settings) -> Payload:
    """Return everything that decides a federation's numbers, without what it never reads."""
    read = without_constraint if assignment.scheme == "post-hoc" else dataclasses.asdict
    return {
        "slice": assignment.slice_name,
        "scheme": assignment.scheme,
        "explainer": assignment.explainer,
        "seed": assignment.seed,
        "rounds": settings.rounds,
        "clients": len(data.clients),
        "sla": read(assignment.sla),
        "model": dataclasses.asdict(assignment.model),
        "local": read(assignment.local),
        "data": data.digest(),
    }


def job(data: SliceData, assignment: Assignment, record: Payload, stem: str) -> Job:
    """Return what somebody who watches a federation is told of it, `stem` being its record's name.

    Where there is a constraint, it opens with what the data alone say of its use.
    """
    clients = len(record["clients"])
    label = label_of(assignment.scheme, assignment.explainer)
    return Job(
        title=f"{assignment.slice_name}, {label}, seed {assignment.seed}, {clients} CLs",
        steps=record["identity"]["rounds"],
        about={
            "slice": assignment.slice_name,
            "scheme": assignment.scheme,
            "explainer": EXPLAINER_LABELS[assignment.explainer],
            "seed": assignment.seed,
            "clients": clients,
        },
        name=f"{stem}-{clients}CLs",
        past=tuple(record["rounds"]),
        opening=partial(opening, data, assignment),
        in_words=round_in_words,
        caution=empty_members(assignment.sla, clients, assignment.local.epochs),
        scalars=round_scalars,
    )


def opening(data: SliceData, assignment: Assignment) -> str:
    """Return the forecast that opens an in-hoc run."""
    if assignment.scheme == "post-hoc":
        return ""
    return paragraph(data, assignment.sla, assignment.local, assignment.seed)


@contextmanager
def open_laboratory(folder: Path, workers: int | None, **fields: Any) -> Iterator[Laboratory]:
    """Open a laboratory whose records live in `folder`, with a pool of workers; refuse a folder in use.

    Args:
        folder: made if it is not there.
        workers: processes, one per core if None.
        **fields: the laboratory's others.

    Raises:
        RuntimeError: if another process works in the folder.
    """
    with only_one(folder), Workers(workers) as pool:
        yield Laboratory(pool=pool, store=federations(folder), **fields)


def federations(folder: Path) -> Store:
    """Return the store of the federations in a folder."""
    return Store(folder, FEDERATION, is_finished=is_finished, deciding=DECIDING)
