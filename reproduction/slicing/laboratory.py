"""Federations, each trained once: stored under what decides its numbers, continued after a stop, and reused.

Nothing here imports TensorFlow; the workers do.

Differs from the paper: five seeds instead of one run, and their spread.
"""

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reproduction.results import records
from reproduction.results.progress import Job, Report
from reproduction.slicing.closed_loop.client import Assignment, Samples
from reproduction.slicing.datasets.slice_data import SliceData
from reproduction.slicing.federation.in_process import InProcessFleet, Pool
from reproduction.slicing.federation.server import State, federate, first_state
from reproduction.slicing.schemes import EXPLAINER_LABELS
from reproduction.slicing.settings import Explainer, LocalSettings, Scheme, Settings

NUMERIC_PACKAGES = ("tensorflow", "keras", "tensorflow-constrained-optimization", "numpy")
"""A federation is not continued under another version of these."""

OF_THE_CONSTRAINT = (
    "confidence_threshold",
    "multiplier_radius",
    "steepness_per_percent",
    "tester_batch",
    "surrogate",
    "multipliers",
)
"""Settings that a post-hoc federation never reads."""

Payload = dict[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Laboratory:
    """Everything that a figure needs to get its numbers.

    Attributes:
        settings: the preset.
        slices: names of the slices to run.
        seeds: root seeds, one federation each.
        data: (slice name, seed, clients) -> data; fewer clients than asked for if there are no more.
        pool: who computes.
        folder: where the records of federations live.
        watch: job -> context manager giving a `Report`; a finished federation is shown to it too.
    """

    settings: Settings
    slices: tuple[str, ...]
    seeds: tuple[int, ...]
    data: Callable[[str, int, int], SliceData]
    pool: Pool
    folder: Path
    watch: Callable[[Job], AbstractContextManager[Report]]
    _memory: dict[str, Payload] = field(default_factory=dict)

    def federation(
        self, slice_name: str, scheme: Scheme, explainer: Explainer, seed: int, clients: int | None = None
    ) -> Payload:
        """Return the record of one finished federation (`results.records`): from memory, from disk, or by training.

        A record on disk that stopped half-way is continued from its last round, to the same numbers.

        Raises:
            RecordError: if the record on disk is torn, foreign or of another version.
            ClientError: if a CL diverged.
        """
        data = self.data(slice_name, seed, clients or self.settings.clients)
        assignment = assign(data, scheme, explainer, seed, self.settings)
        known = identity(data, assignment, self.settings)
        key = records.digest(known)[:16]
        if key not in self._memory:
            name = f"{slice_name}-{scheme}-{explainer}-seed{seed}-{key}.json".replace(" ", "_").replace("/", "_")
            self._memory[key] = self._train(data, assignment, known, self.folder / name)
        return self._memory[key]

    def trained_with(self) -> list[Payload]:
        """Return the machines and versions that trained the federations used so far, each once."""
        known = {records.digest(payload["provenance"]): payload["provenance"] for payload in self._memory.values()}
        return list(known.values())

    def _train(self, data: SliceData, assignment: Assignment, known: Payload, path: Path) -> Payload:
        training, test = clients_of(data)
        fleet = InProcessFleet(assignment, training, test, pool=self.pool)
        payload = load(path, known) if path.exists() else new_payload(known, assignment, fleet)
        rounds = self.settings.rounds
        with self.watch(job(assignment, payload, rounds, path.stem)) as report:
            if payload["test"] is not None:
                return payload
            for state, result in federate(take_up(payload, fleet), fleet, rounds):
                entry = result.entry()
                payload = payload | dump(state, fleet) | {"rounds": [*payload["rounds"], entry]}
                if state.round_number == rounds:
                    payload["test"] = columns(fleet.evaluate(state.weights, rounds - 1, "test"))
                records.write_record(path, payload)
                report(state.round_number, entry)
        return records.read_record(path)


def identity(data: SliceData, assignment: Assignment, settings: Settings) -> Payload:
    """Return everything that decides a federation's numbers; what only a constraint reads, only if there is one."""
    sla, local = dataclasses.asdict(assignment.sla), dataclasses.asdict(assignment.local)
    if assignment.scheme == "post-hoc":
        sla = {name: value for name, value in sla.items() if name not in OF_THE_CONSTRAINT}
        local = {name: value for name, value in local.items() if name not in OF_THE_CONSTRAINT}
    return {
        "slice": assignment.slice_name,
        "scheme": assignment.scheme,
        "explainer": assignment.explainer,
        "seed": assignment.seed,
        "rounds": settings.rounds,
        "clients": len(data.clients),
        "sla": sla,
        "model": dataclasses.asdict(assignment.model),
        "local": local,
        "data": data.digest(),
    }


def assign(data: SliceData, scheme: Scheme, explainer: Explainer, seed: int, settings: Settings) -> Assignment:
    """Return what the CLs of one federation are told."""
    return Assignment(
        slice_name=data.name,
        scheme=scheme,
        explainer=explainer,
        sla=settings.slices[data.name],
        model=settings.model,
        local=settings.local,
        baseline=scaled_baseline(data, settings.local),
        seed=seed,
    )


def job(assignment: Assignment, payload: Payload, rounds: int, name: str) -> Job:
    """Return what somebody who watches a federation is told of it, `name` being its record's."""
    label, clients = EXPLAINER_LABELS[assignment.explainer], len(payload["clients"])
    scheme = "post-hoc" if assignment.scheme == "post-hoc" else f"in-hoc {label}"
    return Job(
        title=f"{assignment.slice_name}, {scheme}, seed {assignment.seed}, {clients} CLs",
        rounds=rounds,
        about={
            "slice": assignment.slice_name,
            "scheme": assignment.scheme,
            "explainer": label,
            "seed": assignment.seed,
            "clients": clients,
        },
        name=f"{name}-{clients}CLs",
        past=tuple(payload["rounds"]),
    )


def scaled_baseline(data: SliceData, local: LocalSettings) -> np.ndarray:
    """Return "absent" per feature by its unit, scaled: Mbps is traffic, % is MIMO, none is CQI; float32 [Q]."""
    by_unit = {"Mbps": local.baseline_traffic_mbps, "%": local.baseline_mimo_percent}
    values = [by_unit.get(unit, local.baseline_cqi) for unit in data.feature_units]
    return np.asarray(values, np.float32) / data.feature_maxima


def clients_of(data: SliceData) -> tuple[list[Samples], list[Samples]]:
    """Return training and test clients, sorted by name, scaled and padded to ONE common number of samples."""
    scaled = sorted(data.scaled().clients, key=lambda client: client.name)
    width = max(max(len(client.train_target), len(client.test_target)) for client in scaled)

    def pad(name: str, features: np.ndarray, target: np.ndarray) -> Samples:
        padding = width - len(target)
        return Samples(
            name=name,
            features=np.pad(features.T, ((0, 0), (0, padding))).astype(np.float32),
            target=np.pad(target, (0, padding)).astype(np.float32),
            sample_weights=np.pad(np.ones(len(target), np.float32), (0, padding)),
        )

    training = [pad(client.name, client.train_features, client.train_target) for client in scaled]
    return training, [pad(client.name, client.test_features, client.test_target) for client in scaled]


def new_payload(known: Payload, assignment: Assignment, fleet: InProcessFleet) -> Payload:
    """Return the record of a federation before its first round."""
    fixed = {"identity": known, "clients": list(fleet.names), "provenance": records.provenance()}
    return fixed | {"rounds": [], "test": None} | dump(first_state(assignment), fleet)


def dump(state: State, fleet: InProcessFleet) -> Payload:
    """Return where a federation stands as a record's fields: the server's state, and what the CLs keep."""
    return {
        "round_number": state.round_number,
        "weights": records.encode(state.weights),
        "multipliers": records.encode(fleet.log_matrices),
    }


def take_up(payload: Payload, fleet: InProcessFleet) -> State:
    """Return the state that a record holds, and give the CLs back what they kept."""
    fleet.log_matrices = records.decode(payload["multipliers"], (-1, 2, 2))
    return State(round_number=payload["round_number"], weights=records.decode(payload["weights"]))


def load(path: Path, known: Payload) -> Payload:
    """Read a record and check that it is of the run that is asked for, and that it can be continued.

    Raises:
        RecordError: if it is not.
    """
    payload = records.read_record(path)
    if records.digest(payload["identity"]) != records.digest(known):
        raise records.RecordError(f"{path}: a record of other settings or data; delete it to start this run anew")
    old, new = payload["provenance"]["versions"], records.provenance()["versions"]
    changed = [f"{name} {old[name]}, now {new[name]}" for name in NUMERIC_PACKAGES if old[name] != new[name]]
    if payload["test"] is None and changed:
        raise records.RecordError(
            f"{path}: unfinished, and begun with {'; '.join(changed)}; go on with the old versions, or delete it"
        )
    return payload


def columns(scores: Sequence) -> dict[str, list[float]]:
    """Turn the CLs' scores into one list per quantity."""
    rows = [dataclasses.asdict(entry) for entry in scores]
    return {name: [row[name] for row in rows] for name in rows[0]}
