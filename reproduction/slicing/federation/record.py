"""A federation on disk, rewritten after every round: its fields, and what must hold between them.

identity     everything that decides the numbers: settings, seed, data digest (`laboratory.identity`)
rounds       a list of `server.Round.entry`, NaN as null
round_number rounds finished
weights      W_n(t), float32 little-endian, base64
multipliers  log A per CL, float32 little-endian, base64 [K, 2, 2]
test         null until the last round, then per CL (in the order of `clients`): mse, confidence, inside
clients      the CLs' names, sorted
provenance   machine and versions that it was begun with
"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field
from typing_extensions import TypedDict

from reproduction.results.records import Kind, Provenance, RecordError, decode, encode, provenance
from reproduction.slicing.closed_loop.client import Assignment
from reproduction.slicing.closed_loop.weights import parameter_count
from reproduction.slicing.federation.in_process import InProcessFleet
from reproduction.slicing.federation.server import Round, State, first_state

DECIDING = ("tensorflow", "keras", "tensorflow-constrained-optimization", "numpy")
"""Packages that decide a federation's bits: one is not continued under another version of these."""

PACKAGES = (*DECIDING, "shap", "pandas", "matplotlib")
"""What a provenance of this wing lists."""

Payload = dict[str, Any]

Size = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class Identity(TypedDict):
    """What decides a federation's numbers."""

    slice: str
    scheme: str
    explainer: str
    seed: Count
    rounds: Count
    clients: Count
    sla: dict[str, float]
    model: dict[str, Any]
    local: dict[str, Any]
    data: str


class Entry(TypedDict):
    """One round; see `server.Measured` and `server.Trained`. Null is not defined."""

    mse: Size
    confidence: Share | None
    confidence_sd: Size | None
    inside: Share
    undefined_clients: Count
    training_confidence: Share | None
    multiplier: Size
    empty_epochs: Count
    bytes_down: Count
    bytes_up: Count
    seconds: Size


class Test(TypedDict):
    """The final model on the CLs' test data, an entry per CL."""

    mse: list[Size]
    confidence: list[Share | None]
    inside: list[Share]


class FederationRecord(TypedDict):
    """The fields above."""

    identity: Identity
    clients: list[str]
    provenance: Provenance
    rounds: list[Entry]
    test: Test | None
    round_number: int
    weights: str
    multipliers: str


def check(payload: FederationRecord) -> None:
    """Check what must hold between the fields.

    Raises:
        ValueError: naming the field that contradicts the others.
    """
    finished, rounds, clients = payload["round_number"], payload["identity"]["rounds"], payload["clients"]
    if not 0 <= finished <= rounds:
        raise ValueError(f"field round_number must lie in 0..{rounds}, the rounds of the identity, got {finished}")
    if len(payload["rounds"]) != finished:
        raise ValueError(f"field rounds must have round_number = {finished} entries, got {len(payload['rounds'])}")
    if clients != sorted(set(clients)) or len(clients) != payload["identity"]["clients"]:
        raise ValueError(
            f"field clients must hold {payload['identity']['clients']} different names, sorted, got {len(clients)}"
        )
    _finite("weights", payload["weights"], (-1,))
    _finite("multipliers", payload["multipliers"], (len(clients), 2, 2))
    if (payload["test"] is None) != (finished < rounds):
        raise ValueError(
            f"field test must be there after round {rounds} and not before; the record ends with {finished}"
        )
    for name, column in (payload["test"] or {}).items():
        if len(column) != len(clients):  # type: ignore[arg-type]  # a TypedDict's values are objects to mypy
            raise ValueError(f"field test.{name} must have an entry per client ({len(clients)})")


def _finite(field: str, text: str, shape: tuple[int, ...]) -> None:
    try:
        array = decode(text, shape)
    except ValueError as error:
        raise ValueError(f"field {field} must be base64 of float32 {list(shape)} ({error})") from error
    if not np.isfinite(array).all():
        raise ValueError(f"field {field} must be finite")


FEDERATION = Kind(fields=FederationRecord, check=check)


def is_finished(payload: Payload) -> bool:
    """Return whether a federation has its last round and its test."""
    return payload["test"] is not None


def new_record(identity: Payload, assignment: Assignment, fleet: InProcessFleet) -> Payload:
    """Return the record of a federation before its first round."""
    fixed = {"identity": identity, "clients": list(fleet.names), "provenance": provenance(PACKAGES)}
    return fixed | {"rounds": [], "test": None} | _state(first_state(assignment), fleet)


def after_round(record: Payload, state: State, result: Round, fleet: InProcessFleet) -> Payload:
    """Return the record with one more round, and with the test if it was the last."""
    record = record | _state(state, fleet) | {"rounds": [*record["rounds"], result.entry()]}
    if state.round_number == record["identity"]["rounds"]:
        rows = [asdict(score) for score in fleet.evaluate(state.weights, state.round_number - 1, "test")]
        record["test"] = {name: [row[name] for row in rows] for name in rows[0]}
    return record


def _state(state: State, fleet: InProcessFleet) -> Payload:
    """Return where a federation stands as a record's fields: the server's state, and what the CLs keep."""
    return {
        "round_number": state.round_number,
        "weights": encode(state.weights),
        "multipliers": encode(fleet.log_matrices),
    }


def take_up(path: Path, record: Payload, assignment: Assignment, fleet: InProcessFleet) -> State:
    """Return the state that a record holds, and give the CLs back what they kept.

    Raises:
        RecordError: if its weights or its clients are not those of this federation; `path` names it.
    """
    weights, count = decode(record["weights"]), parameter_count(assignment.sizes)
    if len(weights) != count:
        raise RecordError(
            f"{path}: field weights must hold the network's {count} numbers, got {len(weights)}; {FEDERATION.remedy}"
        )
    if tuple(record["clients"]) != fleet.names:
        raise RecordError(f"{path}: field clients must name the clients of the data; {FEDERATION.remedy}")
    fleet.log_matrices = decode(record["multipliers"], (-1, 2, 2))
    return State(round_number=record["round_number"], weights=weights)
