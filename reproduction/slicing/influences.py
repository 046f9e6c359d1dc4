"""Which closed loop's training samples drive a model out of its SLA, by influence functions.

A target is a test sample that the final model predicts outside the SLA; its loss is by how much, in percent of load.
The influence of a training sample on it says how much less that were without the sample (`attribution.influence`).

Differs from the paper: it explains by features alone, not by samples.
"""

from typing import Any

import numpy as np

from reproduction.slicing.datasets.slice_data import SliceData
from reproduction.slicing.settings import Settings, SliceSettings

MOST_TARGETS, CURVATURE_SAMPLES, ITERATIONS, DAMPING = 500, 5000, 50, 0.01
"""Targets at most, at equal distances over all CLs; samples over which the Hessian is the mean, likewise; the dimension
of Arnoldi's space; the damping, in units of the Hessian's greatest eigenvalue."""

DRIVERS = 0.05
"""The share of the training samples that drives the most, whose loads are shown."""

BINS = 20
"""Of the load, from 0 to the greatest."""


def drivers_of(weights: np.ndarray, data: SliceData, settings: Settings, of_slice: SliceSettings) -> dict[str, Any]:
    """Return what drives one final model out of its SLA.

    Args:
        weights: of the model, float32 [P].
        data: of its slice.
        settings: its network.
        of_slice: the SLA.

    Returns:
        the number of test samples that are predicted outside; per CL by how many percentage points of load the mean
        violation falls without its samples, [K]; the share of the targets whose own CL is among the tenth of CLs that
        drives them most; counts of the load over `edges`, of all training samples and of those that drive most.
    """
    from reproduction.results.processes import single_thread

    single_thread()
    import tensorflow as tf

    from reproduction.attribution.influence import Influence
    from reproduction.slicing.closed_loop.client_model import keras_model
    from reproduction.slicing.closed_loop.weights import layer_sizes

    clients = data.clients
    owners = np.concatenate([np.full(len(one.train_target), place) for place, one in enumerate(clients)])
    x = np.concatenate([one.train_features for one in clients]) / data.feature_maxima
    y = np.concatenate([one.train_target for one in clients])[:, None]
    model = keras_model(weights, layer_sizes(x.shape[1], settings.model), settings.model)
    tested = np.concatenate([one.test_features for one in clients]) / data.feature_maxima
    owned = np.concatenate([np.full(len(one.test_target), place) for place, one in enumerate(clients)])
    given = model.predict(tested, verbose=0)[:, 0]
    outside = np.flatnonzero((given < of_slice.lower_percent) | (given > of_slice.upper_percent))
    loads = np.linspace(0.0, float(y.max()), BINS + 1)
    empty = {"violations": len(outside), "falls": [0.0] * len(clients), "own": None, "edges": loads.tolist()}
    if not len(outside):
        return empty | {"all": np.histogram(y, loads)[0].tolist(), "drivers": [0] * BINS}

    def violation(wanted: Any, load: Any) -> Any:
        del wanted
        return tf.nn.relu(load - of_slice.upper_percent) + tf.nn.relu(of_slice.lower_percent - load)

    spread = np.linspace(0, len(x) - 1, min(CURVATURE_SAMPLES, len(x))).astype(int)
    order = np.concatenate([spread, np.setdiff1d(np.arange(len(x)), spread)])
    greatest = float(Influence(model, "mse", iterations=10).fit(x[spread], y[spread]).eigenvalues.max())
    influence = Influence(
        model,
        "mse",
        damping=DAMPING * greatest,
        influence_loss=violation,
        curvature_samples=len(spread),
        iterations=ITERATIONS,
    ).fit(x[order], y[order])
    targets = outside[np.linspace(0, len(outside) - 1, min(MOST_TARGETS, len(outside))).astype(int)]
    scores = np.empty((len(targets), len(x)), np.float32)
    scores[:, order] = influence.scores(tested[targets], np.zeros((len(targets), 1), np.float32))
    by_client = np.stack([scores[:, owners == place].sum(axis=1, dtype=float) for place in range(len(clients))], axis=1)
    ranks = by_client.argsort(axis=1).argsort(axis=1)[np.arange(len(targets)), owned[targets]]
    driving = np.argsort(scores.mean(axis=0, dtype=float), kind="stable")[: max(1, round(DRIVERS * len(x)))]
    return empty | {
        "falls": (-by_client.mean(axis=0) / len(x)).tolist(),
        "own": float((ranks < max(1, round(0.1 * len(clients)))).mean()),
        "all": np.histogram(y, loads)[0].tolist(),
        "drivers": np.histogram(y[driving], loads)[0].tolist(),
    }
