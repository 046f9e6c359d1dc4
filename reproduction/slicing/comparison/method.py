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
import pickle
import sys
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
from reproduction.slicing.datasets.slice_data import SliceData
from reproduction.slicing.federation import server
from reproduction.slicing.federation.clients import assign, clients_of
from reproduction.slicing.federation.held import hold
from reproduction.slicing.federation.in_process import Here, InProcessFleet, Pool
from reproduction.slicing.metrics import round_in_words
from reproduction.slicing.settings import Explainer, Settings


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
    """A federated method; it may also have `aggregate(updates, samples) -> weights`, else eq. (1) averages the updates.

    Attributes:
        name: the scheme's name in curves and legends.

    With `aggregate`, an update may be anything that pickles; without, it is the local weights, float32 [P]. `aggregate`
    runs in the calling process and may keep state in the method; `local_update` may run in another and must not.
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
        settings: rounds, network and SLA; `settings.local` only for scoring, a method's rates are its own.
        seed: root seed: of the first weights, the method's streams and the score's.
        explainer: that scores the confidence.
        pool: who computes, this process by default; under `federation.workers.Workers` the method must pickle.
        watch: who is told of each round, e.g. `results.progress.watch`.

    Returns:
        the columns of `curves`: mse [%^2], confidence, kb and seconds of rounds 1..T. KB: the weights sent to
        the CLs, 4 bytes each, and the updates received: an array's `nbytes`, or the length of anything else's pickle.

    Raises:
        ValueError: a slice without settings; another number of clients than `settings.clients`; a method that does not
            pickle; an update or an aggregate of another shape or not finite, naming method, slice, client and round.
        ClientError: if the score is not finite.
    """
    if data.name not in settings.slices:
        raise ValueError(f"settings.slices must know slice {data.name!r}, got {', '.join(settings.slices)}; add it")
    if len(data.clients) != settings.clients:
        raise ValueError(
            f"data must have settings.clients = {settings.clients} clients, got {len(data.clients)}; generate "
            "that many, or replace the setting"
        )
    pool = pool or Here()
    if not isinstance(pool, Here):
        _require_picklable(method)
    assignment = assign(data, "post-hoc", explainer, seed, settings)
    training, _ = clients_of(data)
    fleet, held = InProcessFleet(assignment, training, pool=pool), hold(training)
    samples = [one.count for one in held.samples]
    weights = server.first_state(assignment).weights
    rounds = []
    title = f"{data.name}, {method.name}, seed {seed}, {len(samples)} CLs"
    job = Job(title=title, steps=settings.rounds, in_words=round_in_words)
    with watch(job) if watch else nullcontext() as on_round:
        for t in range(settings.rounds):
            started = time.perf_counter()
            local_update = partial(_local_update, assignment, method, data.feature_names, weights, t)
            updates = pool.map(partial(_each, local_update), held)
            bytes_down = len(updates) * len(serialise(weights))
            weights = _aggregate(method, assignment, updates, samples, t)
            entry = {
                "bytes_down": bytes_down,
                "bytes_up": sum(map(_size, updates)),
                "seconds": time.perf_counter() - started,
            }
            measured = server.measure(fleet.evaluate(weights, t, "training"), samples)
            rounds.append(entry | dataclasses.asdict(measured))
            if on_round:
                on_round(t + 1, rounds[-1])
    identity = {"scheme": method.name, "explainer": explainer, "slice": data.name, "seed": seed}
    return curves.from_federation({"identity": identity, "rounds": rounds})


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
    weights, features, target, baseline = map(_read_only, shared)  # other CLs and the score read them too
    given = dataclasses.replace(given, features=features, target=target, baseline=baseline)
    update = method.local_update(weights, given, t + 1, rng)
    if hasattr(method, "aggregate"):
        return update
    where = f"method {method.name!r}, slice {assignment.slice_name!r}, client {samples.name!r}, round {t + 1}"
    return _weights(update, parameter_count(assignment.sizes), f"{where}: local_update")


def _aggregate(
    method: FederatedMethod, assignment: Assignment, updates: Sequence[Any], samples: Sequence[int], t: int
) -> np.ndarray:
    custom = getattr(method, "aggregate", None)
    if custom is None:
        return server.aggregate(updates, samples)
    where = f"method {method.name!r}, slice {assignment.slice_name!r}, round {t + 1}"
    return _weights(custom(updates, samples), parameter_count(assignment.sizes), f"{where}: aggregate")


def _weights(value: Any, count: int, where: str) -> np.ndarray:
    """Return what a method gave as weights, float32 [P], or refuse it."""
    try:
        weights = np.asarray(value, np.float32)
    except (TypeError, ValueError) as error:
        kind = type(value).__name__
        raise ValueError(f"{where} must return float32 [{count}], got {kind}; return flat weights") from error
    if weights.shape != (count,):
        raise ValueError(f"{where} must return float32 [{count}], got shape {weights.shape}; return flat weights")
    if not np.isfinite(weights).all():
        raise ValueError(f"{where} returned weights that are not finite; lower its learning rate, or check the data")
    return weights


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.setflags(write=False)
    return view


def _size(update: Any) -> int:
    """Return the bytes that an update takes on its way."""
    return update.nbytes if isinstance(update, np.ndarray) else len(pickle.dumps(update))


def _require_picklable(method: FederatedMethod) -> None:
    """Refuse what a worker process could not load, before it dies of it."""
    remedy = "define its class at the top level of a module, without open files or lambdas, or leave `pool` out"
    try:
        pickle.dumps(method)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(
            f"method {method.name!r} must pickle to run in worker processes, got {error}; {remedy}"
        ) from error
    if type(method).__module__ == "__main__" and not hasattr(sys.modules["__main__"], "__file__"):
        raise ValueError(f"method {method.name!r} lives in a notebook, where worker processes do not find it; {remedy}")
