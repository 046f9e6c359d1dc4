"""Closed loops as the server sees them: a model comes in as bytes, updates go out as bytes.

Everything here is a pure function of its arguments, so it does not matter which process runs it, nor when. What
all CLs of a round share comes first, what is a CL's own last. How many CLs come in one call changes no result.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from reproduction import seeds
from reproduction.slicing.closed_loop.weights import deserialise, layer_sizes, serialise
from reproduction.slicing.settings import Explainer, LocalSettings, ModelSettings, Scheme, SliceSettings

if TYPE_CHECKING:
    from reproduction.slicing.closed_loop.local_training import Local

Part = Literal["training", "test"]


class ClientError(RuntimeError):
    """A CL's training or evaluation gave numbers that must not be averaged in."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """One part, training or test, of a CL's data as it is computed with: scaled, features as rows, padded.

    Attributes:
        name: the CL's, unique within the slice; names its stream of randomness.
        features: float32 [Q, N].
        target: CPU load in %, float32 [N].
        sample_weights: 1 for a sample, 0 for padding, float32 [N].
    """

    name: str
    features: np.ndarray
    target: np.ndarray
    sample_weights: np.ndarray

    @property
    def count(self) -> int:
        """D_k, the number of samples that count."""
        return int(self.sample_weights.sum())

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Features, target and sample weights, in the order in which compiled functions take them."""
        return self.features, self.target, self.sample_weights


@dataclass(frozen=True, kw_only=True, eq=False)
class Assignment:
    """What every CL of a federation is told once.

    Attributes:
        slice_name: n.
        scheme: "in-hoc", constrained, or "post-hoc", not.
        explainer: in the loop of "in-hoc"; "post-hoc" is explained with it afterwards.
        sla: alpha_n, beta_n, nu_n.
        model: the network.
        local: Algorithm 1's inner loop.
        baseline: "absent" per scaled feature, float32 [Q].
        seed: the run's root seed.
    """

    slice_name: str
    scheme: Scheme
    explainer: Explainer
    sla: SliceSettings
    model: ModelSettings
    local: LocalSettings
    baseline: np.ndarray
    seed: int

    @property
    def bounds(self) -> np.ndarray:
        """alpha_n and beta_n, float32 [2]."""
        return np.array([self.sla.lower_percent, self.sla.upper_percent], np.float32)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The network's widths."""
        return layer_sizes(len(self.baseline), self.model)


@dataclass(frozen=True, kw_only=True, eq=False)
class Update:
    """A CL's answer to a round.

    Attributes:
        payload: the local weights, serialised; all that crosses the network.
        samples: D_k of eq. (1).
        multiplier: lambda_1 after the last epoch; 0 for post-hoc.
        confidence: C averaged over the epochs with a non-empty U; NaN if none, or post-hoc.
        empty_epochs: epochs whose U was empty; 0 for post-hoc.
    """

    payload: bytes
    samples: int
    multiplier: float
    confidence: float
    empty_epochs: int


@dataclass(frozen=True, kw_only=True)
class Score:
    """The global model on one CL's samples: MSE [%^2], confidence (NaN if U is empty), share inside the SLA."""

    mse: float
    confidence: float
    inside: float


def initial_log_matrix() -> np.ndarray:
    """Return log A with A = 1 / (M + 1) everywhere, float32 [2, 2]."""
    return np.full((2, 2), np.log(0.5), np.float32)


def train(
    assignment: Assignment,
    broadcast: bytes,
    round_number: int,
    samples: Sequence[Samples],
    log_matrices: Sequence[np.ndarray],
) -> list[tuple[Update, np.ndarray]]:
    """Run several CLs' round.

    Args:
        assignment: what all CLs are told once.
        broadcast: W(t), serialised.
        round_number: t, from 0.
        samples: the CLs' training parts.
        log_matrices: each CL's log A to start from, float32 [2, 2].

    Returns:
        for each CL the answer to the server, and log A after the last epoch, float32 [2, 2], which stays with the CL.

    Raises:
        ClientError: if a CL's weights are not finite afterwards.
    """
    weights = deserialise(broadcast)
    if assignment.scheme == "post-hoc":
        trained = _post_hoc_rounds(assignment, weights, samples, log_matrices)
    else:
        trained = _in_hoc_rounds(assignment, weights, round_number, samples, log_matrices)
    answers = []
    for one, local in zip(samples, trained, strict=True):
        if not np.isfinite(local.weights).all():
            raise _diverged(assignment, one, round_number, "local training: weights are not finite")
        update = Update(
            payload=serialise(local.weights),
            samples=one.count,
            multiplier=float(local.multiplier),
            confidence=float(local.confidence),
            empty_epochs=int(local.empty_epochs),
        )
        answers.append((update, local.log_matrix))
    return answers


def _post_hoc_rounds(
    assignment: Assignment, weights: np.ndarray, samples: Sequence[Samples], log_matrices: Sequence[np.ndarray]
) -> list["Local"]:
    """Train without constraint: lambda_1 is 0, and log A stays as it is."""
    from reproduction.slicing.closed_loop.in_turn import in_turn
    from reproduction.slicing.closed_loop.local_training import Local, post_hoc_round

    local_round = post_hoc_round(assignment.sizes, assignment.model, assignment.local)
    trained = in_turn(local_round, (weights,), [one.arrays for one in samples])
    pairs = zip(trained, log_matrices, strict=True)
    return [Local(*pair, multiplier=0.0, confidence=float("nan"), empty_epochs=0) for pair in pairs]


def _in_hoc_rounds(
    assignment: Assignment,
    weights: np.ndarray,
    round_number: int,
    samples: Sequence[Samples],
    log_matrices: Sequence[np.ndarray],
) -> list["Local"]:
    """Train under the constraint."""
    from reproduction.slicing.closed_loop.in_turn import in_turn
    from reproduction.slicing.closed_loop.local_training import in_hoc_round

    local_round = in_hoc_round(assignment.explainer, assignment.sizes, assignment.model, assignment.local)
    threshold = np.float32(assignment.sla.confidence_threshold)
    rows = [
        (*one.arrays, log_matrix, _draws(assignment, "training", round_number, one))
        for one, log_matrix in zip(samples, log_matrices, strict=True)
    ]
    return in_turn(local_round, (weights, assignment.baseline[:, None], assignment.bounds, threshold), rows)


def score(
    assignment: Assignment, broadcast: bytes, round_number: int, part: Part, samples: Sequence[Samples]
) -> list[Score]:
    """Score the global model on several CLs' samples, explained with the assignment's explainer.

    Args:
        assignment: what all CLs are told once.
        broadcast: the global model, serialised.
        round_number: t, from 0.
        part: which of the CLs' data `samples` are.
        samples: the CLs'.

    Raises:
        ClientError: if a CL's MSE is not finite.
    """
    from reproduction.slicing.closed_loop.evaluation import evaluation
    from reproduction.slicing.closed_loop.in_turn import in_turn

    evaluate = evaluation(assignment.explainer, assignment.sizes, assignment.model, assignment.local)
    shared = (deserialise(broadcast), assignment.baseline[:, None], assignment.bounds)
    rows = [(*one.arrays, _draws(assignment, f"evaluation {part}", round_number, one)) for one in samples]
    scores = []
    for one, (mse, confidence, inside) in zip(samples, in_turn(evaluate, shared, rows), strict=True):
        if not np.isfinite(mse):
            raise _diverged(assignment, one, round_number, f"evaluation on {part} data: the MSE is not finite")
        scores.append(Score(mse=float(mse), confidence=float(confidence), inside=float(inside)))
    return scores


def _draws(assignment: Assignment, purpose: str, round_number: int, samples: Samples) -> np.ndarray:
    """Return the seed of a CL's draws, int32 [2]."""
    return seeds.stateless_seed(assignment.seed, purpose, assignment.slice_name, round_number, samples.name)


def _diverged(assignment: Assignment, samples: Samples, round_number: int, what: str) -> ClientError:
    return ClientError(
        f"slice {assignment.slice_name!r}, client {samples.name!r}, round {round_number + 1}, {what}; the round is "
        "discarded. Check the data and their scaling, this client's first, or lower the learning rate"
    )
