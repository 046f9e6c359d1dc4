"""The server of one slice: Algorithm 1's outer loop and eq. (1).

It knows its CLs only as a `Fleet`, which holds their data and may be a pool of processes or machines across a network,
and it imports no TensorFlow.

Differs from the paper: with `multipliers="keep"` a CL goes on with its log A of the round before.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from reproduction.slicing.closed_loop.client import Assignment, Part, Score, Update
from reproduction.slicing.closed_loop.weights import deserialise, initial_weights, serialise


class Fleet(Protocol):
    """Who holds the CLs: their data, and what a CL keeps between rounds (log A). Answers come in the order of names.

    `evaluate` on the training part after round t and `train` in round t + 1 are given the same weights, so that a fleet
    across a network may ask for both in one message.
    """

    def train(self, weights: np.ndarray, round_number: int) -> list[Update]:
        """Let every CL run its local epochs.

        Args:
            weights: W(t), float32 [P].
            round_number: t, from 0.
        """

    def evaluate(self, weights: np.ndarray, round_number: int, part: Part) -> list[Score]:
        """Let every CL score a global model on its own data.

        Args:
            weights: the model, float32 [P].
            round_number: t, from 0, of the round that made it.
            part: on which data.
        """


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    """The federation between two rounds.

    Attributes:
        round_number: t, rounds finished.
        weights: W_n(t), float32 [P].
    """

    round_number: int
    weights: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The new global model on the CLs' training samples.

    Attributes:
        mse: on all samples of all CLs, in %^2.
        confidence: C, mean over the CLs that have one; NaN if none.
        confidence_sd: its standard deviation over the CLs.
        inside: share of the samples predicted inside the SLA.
        undefined_clients: CLs whose U is empty.
    """

    mse: float
    confidence: float
    confidence_sd: float
    inside: float
    undefined_clients: int


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What the local epochs and their transport came to; means over the CLs where nothing else is said.

    Attributes:
        training_confidence: C within the local epochs; NaN for post-hoc.
        multiplier: lambda_1 after the last local epoch; 0 for post-hoc.
        empty_epochs: local epochs with an empty U, summed over the CLs.
        bytes_down: serialised models sent to the CLs.
        bytes_up: serialised updates received.
        seconds: wall time of broadcast, local training and aggregation; the evaluation is not in it.
    """

    training_confidence: float
    multiplier: float
    empty_epochs: int
    bytes_down: int
    bytes_up: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Round:
    """What one FL round gave."""

    measured: Measured
    trained: Trained

    def entry(self) -> dict[str, Any]:
        """Return the round as it stands in a record: one flat object."""
        return asdict(self.measured) | asdict(self.trained)


def first_state(assignment: Assignment) -> State:
    """Return the federation before its first round."""
    return State(round_number=0, weights=initial_weights(assignment.sizes, assignment.seed, assignment.slice_name))


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


def fl_round(state: State, fleet: Fleet) -> tuple[State, Round]:
    """Run round t: broadcast, local rounds, aggregation (1), evaluation."""
    started, t = time.perf_counter(), state.round_number
    updates = fleet.train(state.weights, t)
    samples = [update.samples for update in updates]
    weights = aggregate([deserialise(update.payload) for update in updates], samples)
    seconds = time.perf_counter() - started

    scores = fleet.evaluate(weights, t, "training")
    trained = _trained(updates, len(serialise(state.weights)), seconds)
    return State(round_number=t + 1, weights=weights), Round(measured=measure(scores, samples), trained=trained)


def federate(state: State, fleet: Fleet, rounds: int) -> Iterator[tuple[State, Round]]:
    """Algorithm 1: yield the state and the record after each of the remaining rounds of T = `rounds`."""
    while state.round_number < rounds:
        state, result = fl_round(state, fleet)
        yield state, result


def measure(scores: Sequence[Score], samples: Sequence[int]) -> Measured:
    """Sum up how the CLs score a global model.

    Args:
        scores: K scores on the training samples.
        samples: K counts D_k.
    """
    confidence = _defined([score.confidence for score in scores])
    return Measured(
        mse=float(np.average([score.mse for score in scores], weights=samples)),
        confidence=float(confidence.mean()) if len(confidence) else float("nan"),
        confidence_sd=float(confidence.std()) if len(confidence) else float("nan"),
        inside=float(np.average([score.inside for score in scores], weights=samples)),
        undefined_clients=len(scores) - len(confidence),
    )


def _trained(updates: Sequence[Update], broadcast_bytes: int, seconds: float) -> Trained:
    """Sum up the CLs' answers to a round."""
    confidence = _defined([update.confidence for update in updates])
    return Trained(
        training_confidence=float(confidence.mean()) if len(confidence) else float("nan"),
        multiplier=float(np.mean([update.multiplier for update in updates])),
        empty_epochs=sum(update.empty_epochs for update in updates),
        bytes_down=broadcast_bytes * len(updates),
        bytes_up=sum(len(update.payload) for update in updates),
        seconds=seconds,
    )


def _defined(values: Sequence[float]) -> np.ndarray:
    array = np.array(values)
    return array[~np.isnan(array)]
