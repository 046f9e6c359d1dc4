"""The plain Lagrangian's round against a second one, eager and in float64, with no setting at its default."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from reproduction.slicing.closed_loop.weights import initial_weights
from reproduction.slicing.comparison.method import LocalData
from reproduction.slicing.examples.lagrangian import Lagrangian
from reproduction.slicing.settings import LocalSettings, ModelSettings
from tests.oracles import eager_round

MODEL = ModelSettings(hidden=(6, 5), leaky_slope=0.35)
LOCAL = LocalSettings(
    epochs=40, learning_rate=0.03, steepness_per_percent=1.7, tester_batch=48, integration_steps=1, multipliers="keep"
)
BOUNDS, THRESHOLD = (0.6, 2.2), 0.97
BASELINE = np.array([0.1, 0.05, 0.2, 0.4, 0.3], np.float32)
SIZES = (5, *MODEL.hidden, 1)


def by_hand(weights, features, target, seed, *, rate, ascent, batch, steps):
    """Descend MSE + lambda * Psi; lambda rises from 0 in every round by ascent on the same Psi, and stays >= 0."""
    model, adam = eager_round.network(weights, SIZES, MODEL.leaky_slope), keras.optimizers.Adam(rate)
    rows, iterates, multiplier, margins = features.astype(float), [], 0.0, []
    for epoch in range(LOCAL.epochs):
        uniform = eager_round.draws([seed[0], seed[1] + epoch], (6, batch))
        tested = rows[(uniform[0] * np.float32(len(rows))).astype(int)]
        plain = eager_round.Plain(model.get_weights(), MODEL.leaky_slope)
        pi = eager_round.soft_attributions(eager_round.integrated_gradients(plain, tested, BASELINE, steps))
        mutated, predicted = np.where(uniform[1:].T < pi, BASELINE, tested), plain(tested)
        members = eager_round.inside(predicted, BOUNDS)
        margins += [np.abs(uniform[1:].T - pi).min(), *(np.abs(predicted - bound).min() for bound in BOUNDS)]
        with tf.GradientTape() as tape:
            psi = eager_round.surrogate(
                model(mutated[members])[:, 0], BOUNDS, THRESHOLD, LOCAL.steepness_per_percent, product=True
            )
            loss = tf.reduce_mean((model(rows)[:, 0] - target.astype(float)) ** 2) + multiplier * psi
        gradients = tape.gradient(loss, model.trainable_variables)
        adam.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        multiplier = max(0.0, multiplier + ascent * float(psi))
        iterates.append(eager_round.flat(model))
    return np.mean(iterates, axis=0), min(margins)


GIVEN = {"rate": 0.03, "ascent": 0.03, "batch": 48, "steps": 1}
DEFAULTS = {"rate": 0.02, "ascent": 0.02, "batch": 250, "steps": 8}


@pytest.fixture(scope="module")
def case(build):
    features, target = build.samples(0, 60)
    start = 2 * initial_weights(SIZES, 7, "eMBB")
    start[-1] = 1.9  # predictions on both sides of both bounds, of a network far from linear
    return start, features, target, np.random.default_rng(1).integers(2**31, size=2, dtype=np.int32)


def test_the_round_takes_every_number(case):
    start, features, target, _ = case
    data = LocalData(
        name="a", features=features, target=target, feature_names=tuple("abcde"), lower_percent=BOUNDS[0],
        upper_percent=BOUNDS[1], confidence_threshold=THRESHOLD, baseline=BASELINE,
    )  # fmt: skip
    ours = Lagrangian(local=LOCAL, model=MODEL).local_update(start, data, 1, np.random.default_rng(1))
    expected, margin = by_hand(*case, **GIVEN)
    assert margin > 5e-6, "float32 may decide a draw or a bound otherwise: choose another seed for this case"
    # Float32 against float64 over 40 Adam steps, on weights of the order 0.1 to 2.
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", GIVEN)
def test_each_number_matters(case, name):
    """A default in its place is ten times the tolerance away, and more."""
    expected, _ = by_hand(*case, **GIVEN)
    other, _ = by_hand(*case, **GIVEN | {name: DEFAULTS[name]})
    assert np.abs(other - expected).max() > 1e-4
