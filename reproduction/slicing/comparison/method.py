"""Your own method in this federation: our data, clients, network and score; your training and, if you like, averaging.

    class Mine:
        name = "mine"

        def local_update(self, weights, client_data, round_number, rng):
            return train(weights, client_data.features, client_data.target)  # float32 [P]

    frame = run_method(Mine(), generate_slice("eMBB", seed=0), PAPER, seed=0)

The frame is in the form of `curves`, ready for `curves.write` and `compare.py`. A method that does what our
post-hoc scheme does gets its curve, bit for bit. `reproduction.slicing.examples` holds four methods.
"""

import dataclasses
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import pandas as pd

from reproduction import seeds
from reproduction.results.progress import Job, OnRound
from reproduction.slicing.closed_loop.client import Assignment, Samples
from reproduction.slicing.closed_loop.weights import parameter_count, serialise
from reproduction.slicing.comparison import curves
from reproduction.slicing.comparison.messages import (
    broadcast_size,
    hides_traffic,
    read_only,
    require_picklable,
    size,
    state_of,
    weights_from,
)
from reproduction.slicing.datasets.slice_data import SliceData
from reproduction.slicing.federation import server
from reproduction.slicing.federation.clients import assign, clients_of
from reproduction.slicing.federation.held import Held, hold
from reproduction.slicing.federation.in_process import Here, InProcessFleet, Pool
from reproduction.slicing.metrics import round_in_words
from reproduction.slicing.settings import Explainer, Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, eq=False)
class LocalData:
    """What a method sees of one CL: its training samples as rows, and what the SLA asks for.

    Attributes:
        name: of the CL, unique within the slice.
        features: scaled as x / maximum, float32 [n, Q].
        target: CPU load in %, float32 [n].
        feature_names: Q names.
        lower_percent: alpha_n of eq. (4).
        upper_percent: beta_n of eq. (4).
        confidence_threshold: nu_n of eq. (7b).
        baseline: "absent" per scaled feature, float32 [Q].
    """

    name: str
    features: np.ndarray
    target: np.ndarray
    feature_names: tuple[str, ...]
    lower_percent: float
    upper_percent: float
    confidence_threshold: float
    baseline: np.ndarray


class FederatedMethod(Protocol):
    """A federated method.

    Attributes:
        name: the scheme's name in curves and legends.

    It may also have:

        aggregate(updates, samples) -> weights    else eq. (1) averages the updates
        broadcast() -> message                    what every CL is sent beside the weights in the round to come
        epochs                                    its local epochs per round, else those of the settings

    With `aggregate`, an update may be anything that pickles; without, it is the local weights, float32 [P]. `aggregate`
    runs in the calling process and may keep state in the method; `local_update` may run in another and must not. CLs
    that read such state have received it: `broadcast` returns it, to be counted, or None if they read none. Of a method
    that keeps state and does not say, the KB are left out.
    """

    @property
    def name(self) -> str:
        """The scheme's name."""

    def local_update(
        self, weights: np.ndarray, client_data: LocalData, round_number: int, rng: np.random.Generator, /
    ) -> Any:
        """Run one CL's round.

        Args:
            weights: the global model (read-only, as all that is given), float32 [P], in the layout of
                `closed_loop.weights.initial_weights`.
            client_data: the CL's data.
            round_number: 1..T.
            rng: the CL's own stream of this round, whoever trains before it.
        """


def run_method(
    method: FederatedMethod,
    data: SliceData,
    settings: Settings,
    *,
    seed: int = 0,
    explainer: Explainer = "integrated_gradients",
    pool: Pool | None = None,
    watch: Callable[[Job], AbstractContextManager[OnRound]] | None = None,
) -> pd.DataFrame:
    """Run a method for T rounds and score its global model after each as our own federations are scored.

    Args:
        method: see `FederatedMethod`.
        data: one slice, `settings.slices` knowing it by name.
        settings: rounds, network and SLA; `settings.local` only for scoring, a method's rates are its own, and so may
            be its epochs.
        seed: root seed: of the first weights, the method's streams and the score's.
        explainer: that scores the confidence.
        pool: who computes, this process by default; under `federation.workers.Workers` the method must pickle.
        watch: who is told of each round, e.g. `results.progress.watch`.

    Returns:
        the columns of `curves`: mse [%^2], confidence, kb and seconds of rounds 1..T, and under what they were made.
        KB: the weights sent to the CLs, 4 bytes each, what is broadcast beside them, and the updates received: an
        array's `nbytes`, or the length of anything else's pickle.

    Raises:
        ValueError: a slice without settings; another number of clients than `settings.clients`; a method that does not
            pickle; an update or an aggregate of another shape or not finite, naming method, slice, client and round.
        ClientError: if the score is not finite.
    """
    _require_fitting(data, settings)
    pool = pool or Here()
    if not isinstance(pool, Here):
        require_picklable(method)
    assignment = assign(data, "post-hoc", explainer, seed, settings)
    training, _ = clients_of(data)
    fleet, held = InProcessFleet(assignment, training, pool=pool), hold(training)
    samples = [one.count for one in held.samples]
    train = partial(_train, method, assignment, data.feature_names, held, pool)
    weights, state = server.first_state(assignment).weights, state_of(method)
    rounds = []
    title = f"{data.name}, {method.name}, seed {seed}, {len(samples)} CLs"
    job = Job(title=title, steps=settings.rounds, in_words=round_in_words)
    with watch(job) if watch else nullcontext() as on_round:
        for t in range(settings.rounds):
            weights, cost = train(weights, t)
            measured = server.measure(fleet.evaluate(weights, t, "training"), samples)
            rounds.append(cost | dataclasses.asdict(measured))
            if on_round:
                on_round(t + 1, rounds[-1])
    identity = {"scheme": method.name, "explainer": explainer, "slice": data.name, "seed": seed}
    identity |= {"clients": len(samples), "rounds": settings.rounds, "data": data.digest()}
    identity["local"] = {"epochs": getattr(method, "epochs", settings.local.epochs)}
    frame = curves.from_federation({"identity": identity, "rounds": rounds}, data.training_samples)
    if not hides_traffic(method, state):
        return frame
    log.warning(
        "method %r keeps state that its CLs may read, so its KB are not known and left out; give it a broadcast() that "
        "returns what they are sent beside the weights, or None",
        method.name,
    )
    return frame[frame["metric"] != "kb"].reset_index(drop=True)


def local_data(assignment: Assignment, samples: Samples, feature_names: tuple[str, ...]) -> LocalData:
    """Return a CL's data as a method sees them: samples as rows, no padding."""
    return LocalData(
        name=samples.name,
        features=samples.features[:, : samples.count].T,
        target=samples.target[: samples.count],
        feature_names=feature_names,
        lower_percent=assignment.sla.lower_percent,
        upper_percent=assignment.sla.upper_percent,
        confidence_threshold=assignment.sla.confidence_threshold,
        baseline=assignment.baseline,
    )


def _train(
    method: FederatedMethod,
    assignment: Assignment,
    feature_names: tuple[str, ...],
    held: Held,
    pool: Pool,
    weights: np.ndarray,
    t: int,
) -> tuple[np.ndarray, dict[str, float]]:
    """Run one round of a method over all CLs: the next global model, float32 [P], and its bytes and seconds."""
    started = time.perf_counter()
    bytes_down = len(held.samples) * (len(serialise(weights)) + broadcast_size(method))
    local_update = partial(_local_update, assignment, method, feature_names, weights, t)
    updates = pool.map(partial(_each, local_update), held)
    weights = _aggregate(method, assignment, updates, [one.count for one in held.samples], t)
    bytes_up = sum(map(size, updates))
    return weights, {"bytes_down": bytes_down, "bytes_up": bytes_up, "seconds": time.perf_counter() - started}


def _each(local_update: Callable[[Samples], Any], samples: Sequence[Samples]) -> list[Any]:
    """Run several CLs one after another, in whichever process."""
    return [local_update(one) for one in samples]


def _local_update(
    assignment: Assignment,
    method: FederatedMethod,
    feature_names: tuple[str, ...],
    weights: np.ndarray,
    t: int,
    samples: Samples,
) -> Any:
    """Run one CL's round of a method."""
    rng = seeds.generator(assignment.seed, "method", assignment.slice_name, t, samples.name)
    given = local_data(assignment, samples, feature_names)
    shared = (weights, given.features, given.target, given.baseline)
    weights, features, target, baseline = map(read_only, shared)  # other CLs and the score read them too
    given = dataclasses.replace(given, features=features, target=target, baseline=baseline)
    update = method.local_update(weights, given, t + 1, rng)
    if hasattr(method, "aggregate"):
        return update
    where = f"method {method.name!r}, slice {assignment.slice_name!r}, client {samples.name!r}, round {t + 1}"
    return weights_from(update, parameter_count(assignment.sizes), f"{where}: local_update")


def _aggregate(
    method: FederatedMethod, assignment: Assignment, updates: Sequence[Any], samples: Sequence[int], t: int
) -> np.ndarray:
    custom = getattr(method, "aggregate", None)
    if custom is None:
        return server.aggregate(updates, samples)
    where = f"method {method.name!r}, slice {assignment.slice_name!r}, round {t + 1}"
    return weights_from(custom(updates, samples), parameter_count(assignment.sizes), f"{where}: aggregate")


def _require_fitting(data: SliceData, settings: Settings) -> None:
    """Refuse data that the settings do not know, or know with another number of clients."""
    if data.name not in settings.slices:
        raise ValueError(f"settings.slices must know slice {data.name!r}, got {', '.join(settings.slices)}; add it")
    if len(data.clients) != settings.clients:
        raise ValueError(
            f"data must have settings.clients = {settings.clients} clients, got {len(data.clients)}; generate "
            "that many, or replace the setting"
        )
