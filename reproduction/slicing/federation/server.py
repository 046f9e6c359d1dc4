"""The server of one slice: Algorithm 1's outer loop and eq. (1).

It knows its CLs only through `run`, which may be a pool of processes or anything else, and it imports no
TensorFlow.

Differs from the paper: with `multipliers="keep"` the CLs' multipliers pass through here, because a simulated CL keeps
nothing between rounds; a real one would, so they do not count as traffic.
"""

import dataclasses
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from reproduction.slicing.closed_loop import client as closed_loop
from reproduction.slicing.closed_loop.client import Assignment, Client
from reproduction.slicing.closed_loop.weights import deserialise, serialise


class Run(Protocol):
    """Whoever runs the CLs: `function(assignment, client, *rest)` for each client, answers in the same order."""

    def __call__(self, function: Any, assignment: Assignment, clients: Sequence[Client], *rest: Sequence) -> list:
        """Run all; `rest` holds one sequence per further argument, an entry per client."""


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    """The federation between two rounds.

    Attributes:
        round_number: t, rounds finished.
        weights: W_n(t), float32 [P].
        multipliers: each CL's log A, float32 [K, 2, 2]; used again only with `multipliers="keep"`.
    """

    round_number: int
    weights: np.ndarray
    multipliers: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Round:
    """What one FL round gave; means over the CLs where nothing else is said.

    Attributes:
        mse: of the new global model on all training samples of all CLs, in %^2.
        confidence: C of the new global model on each CL's training samples, over the CLs that have one; NaN if none.
        confidence_sd: its standard deviation over the CLs.
        inside: share of the training samples predicted inside the SLA.
        undefined_clients: CLs whose U is empty.
        training_confidence: C within the local epochs; NaN for post-hoc.
        multiplier: lambda_1 after the last local epoch; 0 for post-hoc.
        empty_epochs: local epochs with an empty U, summed over the CLs.
        bytes_down: serialised models sent to the CLs.
        bytes_up: serialised updates received.
        seconds: wall time of broadcast, local training and aggregation; the evaluation is not in it.
    """

    mse: float
    confidence: float
    confidence_sd: float
    inside: float
    undefined_clients: int
    training_confidence: float
    multiplier: float
    empty_epochs: int
    bytes_down: int
    bytes_up: int
    seconds: float


def aggregate(weights: Sequence[np.ndarray], samples: Sequence[int]) -> np.ndarray:
    """Eq. (1): the mean of the local weights, weighted by D_k.

    Args:
        weights: K arrays, float32 [P].
        samples: K counts D_k.

    Returns:
        float32 [P]; the sum runs in float64, in the order given.
    """
    total = np.zeros(len(weights[0]))
    for local, count in zip(weights, samples, strict=True):
        total += np.float64(count) * local
    return (total / sum(samples)).astype(np.float32)


def fl_round(state: State, assignment: Assignment, clients: Sequence[Client], run: Run) -> tuple[State, Round]:
    """Run round t: broadcast, local rounds, aggregation (1), evaluation."""
    started, t = time.perf_counter(), state.round_number
    broadcasts = [serialise(state.weights)] * len(clients)
    keep = assignment.local.multipliers == "keep"
    multipliers = list(state.multipliers) if keep else [closed_loop.initial_state()] * len(clients)
    updates = run(closed_loop.train, assignment, clients, broadcasts, multipliers, [t] * len(clients))
    weights = aggregate([deserialise(update.payload) for update in updates], [update.samples for update in updates])
    seconds = time.perf_counter() - started

    in_training = np.array([update.confidence for update in updates])
    in_training = in_training[~np.isnan(in_training)]
    result = Round(
        **measure(weights, assignment, clients, [update.samples for update in updates], run, t),
        training_confidence=float(in_training.mean()) if len(in_training) else float("nan"),
        multiplier=float(np.mean([update.multiplier for update in updates])),
        empty_epochs=sum(update.empty_epochs for update in updates),
        bytes_down=sum(map(len, broadcasts)),
        bytes_up=sum(len(update.payload) for update in updates),
        seconds=seconds,
    )
    states = np.stack([update.state for update in updates])
    return State(round_number=t + 1, weights=weights, multipliers=states), result


def measure(
    weights: np.ndarray, assignment: Assignment, clients: Sequence[Client], samples: Sequence[int], run: Run, t: int
) -> dict[str, Any]:
    """Evaluate the global model of round t on all CLs' training samples; the fields of `Round` that tell of it."""
    scores = score(weights, assignment, clients, run, t, "training")
    confidence = np.array([entry.confidence for entry in scores])
    defined = confidence[~np.isnan(confidence)]
    return {
        "mse": float(np.average([entry.mse for entry in scores], weights=samples)),
        "confidence": float(defined.mean()) if len(defined) else float("nan"),
        "confidence_sd": float(defined.std()) if len(defined) else float("nan"),
        "inside": float(np.average([entry.inside for entry in scores], weights=samples)),
        "undefined_clients": len(confidence) - len(defined),
    }


def score(weights: np.ndarray, assignment: Assignment, clients: Sequence[Client], run: Run, t: int, part: str) -> list:
    """Evaluate a global model on every CL's `part` ("training" or "test"); a `Score` per client."""
    everyone = len(clients)
    return run(
        closed_loop.evaluate, assignment, clients, [serialise(weights)] * everyone, [t] * everyone, [part] * everyone
    )


def federate(
    state: State, assignment: Assignment, clients: Sequence[Client], run: Run, rounds: int
) -> Iterator[tuple[State, Round]]:
    """Algorithm 1: yield the state and the record after each of the remaining rounds.

    The CLs are visited in the order of their names, so that the order given does not matter.

    Args:
        state: its multipliers in the order of `clients`; those yielded are in the order of the names.
        assignment: what the CLs are told.
        clients: the CLs, of different names.
        run: who runs them.
        rounds: T.

    Raises:
        ValueError: if two clients share a name, and so a stream of randomness.
    """
    order = sorted(range(len(clients)), key=lambda number: clients[number].name)
    clients = [clients[number] for number in order]
    if len({client.name for client in clients}) < len(clients):
        raise ValueError("clients must have different names, got one twice; rename it")
    state = dataclasses.replace(state, multipliers=state.multipliers[order])
    while state.round_number < rounds:
        state, result = fl_round(state, assignment, clients, run)
        yield state, result
