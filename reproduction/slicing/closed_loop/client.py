"""One closed loop as the server sees it: a model comes in as bytes, an update goes out as bytes.

Everything here is a pure function of its arguments, so it does not matter which process runs it, nor when.

Differs from the paper: nothing.
"""

from dataclasses import dataclass

import numpy as np

from reproduction import seeds
from reproduction.slicing.closed_loop.weights import deserialise, layer_sizes, serialise
from reproduction.slicing.settings import Explainer, LocalSettings, ModelSettings, Scheme, SliceSettings


class ClientError(RuntimeError):
    """A CL's training or evaluation gave numbers that must not be averaged in."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Client:
    """A CL's local data, scaled, features as rows, padded with samples of weight 0.

    Attributes:
        name: unique within the slice; names the CL's stream of randomness.
        features: float32 [Q, N].
        target: CPU load in %, float32 [N].
        sample_weights: 1 for a sample, 0 for padding, float32 [N].
    """

    name: str
    features: np.ndarray
    target: np.ndarray
    sample_weights: np.ndarray

    @property
    def samples(self) -> int:
        """D_k, the number of samples that count."""
        return int(self.sample_weights.sum())


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
        state: log A, float32 [2, 2]; stays with the CL.
        multiplier: lambda_1 after the last epoch.
        confidence: C averaged over the epochs with a non-empty U; NaN if none, or post-hoc.
        empty_epochs: epochs whose U was empty.
    """

    payload: bytes
    samples: int
    state: np.ndarray
    multiplier: float
    confidence: float
    empty_epochs: int


@dataclass(frozen=True, kw_only=True)
class Score:
    """The global model on one CL's samples: MSE [%^2], confidence (NaN if U is empty), share inside the SLA."""

    mse: float
    confidence: float
    inside: float


def initial_state() -> np.ndarray:
    """Return log A with A = 1 / (M + 1) everywhere, float32 [2, 2]."""
    return np.full((2, 2), np.log(0.5), np.float32)


def train(assignment: Assignment, client: Client, broadcast: bytes, state: np.ndarray, round_number: int) -> Update:
    """Run one CL's round.

    Raises:
        ClientError: if the weights are not finite afterwards.
    """
    from reproduction.slicing.closed_loop import local_training

    key = (assignment.sizes, assignment.model, assignment.local)
    arrays = (deserialise(broadcast), client.features, client.target, client.sample_weights)
    if assignment.scheme == "post-hoc":
        weights = local_training.post_hoc_round(*key)(*arrays).numpy()
        multiplier, confidence, empty_epochs = 0.0, float("nan"), 0
    else:
        threshold = np.float32(assignment.sla.confidence_threshold)
        seed = seeds.stateless_seed(assignment.seed, "training", assignment.slice_name, round_number, client.name)
        constraint = (assignment.baseline[:, None], assignment.bounds, threshold, state, seed)
        local = local_training.in_hoc_round(assignment.explainer, *key)(*arrays, *constraint)
        weights, state = local.weights.numpy(), local.state.numpy()
        multiplier, confidence = float(local.multiplier), float(local.confidence)
        empty_epochs = int(local.empty_epochs)
    if not np.isfinite(weights).all():
        raise _diverged(assignment, client, round_number, "local training: weights are not finite")
    return Update(
        payload=serialise(weights),
        samples=client.samples,
        state=state,
        multiplier=multiplier,
        confidence=confidence,
        empty_epochs=empty_epochs,
    )


def evaluate(assignment: Assignment, client: Client, broadcast: bytes, round_number: int, part: str) -> Score:
    """Score the global model on one CL's samples, explained with the assignment's explainer.

    Raises:
        ClientError: if the MSE is not finite.
    """
    from reproduction.slicing.closed_loop.evaluation import evaluation

    compiled = evaluation(assignment.explainer, assignment.sizes, assignment.model, assignment.local)
    seed = seeds.stateless_seed(assignment.seed, f"evaluation {part}", assignment.slice_name, round_number, client.name)
    arrays = (deserialise(broadcast), client.features, client.target, client.sample_weights)
    mse, confidence, inside = compiled(*arrays, assignment.baseline[:, None], assignment.bounds, seed)
    if not np.isfinite(mse):
        raise _diverged(assignment, client, round_number, f"evaluation on {part} data: the MSE is not finite")
    return Score(mse=float(mse), confidence=float(confidence), inside=float(inside))


def _diverged(assignment: Assignment, client: Client, round_number: int, what: str) -> ClientError:
    return ClientError(
        f"slice {assignment.slice_name!r}, client {client.name!r}, round {round_number + 1}, {what}; the round is "
        "discarded. Check the data and their scaling, this client's first, or lower the learning rate"
    )
