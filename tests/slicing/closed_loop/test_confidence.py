"""Eqs. (2) to (6), (9) and (10), the in-loop explainers and the evaluation, against NumPy."""

import itertools
import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from reproduction.attribution.shapley import coalitions, shapley_weights
from reproduction.slicing.closed_loop import client as closed_loop
from reproduction.slicing.closed_loop import confidence
from reproduction.slicing.closed_loop.client_model import predict, split
from reproduction.slicing.closed_loop.explainers import weighted_attributions
from reproduction.slicing.closed_loop.proxy_lagrangian import terms
from reproduction.slicing.closed_loop.weights import initial_weights, serialise
from reproduction.slicing.settings import EXPLAINERS, LocalSettings, ModelSettings, SliceSettings
from tests.helpers.closed_loops import eager_evaluation
from tests.oracles import eager_round

FLOAT32 = {"rtol": 1e-5, "atol": 1e-6}  # float32 against float64 of the same discretisation
BOUNDS = np.array([0.0, 3.0], np.float32)
BASELINES = {"zero": np.zeros(5, np.float32), "not zero": np.array([0.1, 0.05, 0.0, 0.5, 0.2], np.float32)}


def floats(low, high):
    return st.floats(low, high, width=32, allow_subnormal=False)  # TensorFlow takes a subnormal number for 0


def matrices(elements):
    return arrays.arrays(np.float32, st.tuples(st.integers(1, 7), st.integers(1, 5)), elements=elements)


def vectors(elements):
    return arrays.arrays(np.float32, 9, elements=elements)


def network(model, sizes, seed=0):
    """Return one network twice, as the compiled code sees it and the oracle's; it predicts around the bound of 3 %."""
    weights = initial_weights(sizes, seed, "eMBB") + np.float32(0.1)
    weights[-1] = 2.5
    keras_view = eager_round.network(weights, sizes, model.leaky_slope).get_weights()
    layers = split(tf.constant(weights), sizes)
    return weights, lambda x: predict(layers, x, model.leaky_slope), eager_round.Plain(keras_view, model.leaky_slope)


# ---- eq. (2)


@given(matrices(floats(-1e4, 1e4)))
def test_soft_attributions_are_distributions(weighted):
    soft = confidence.soft_attributions(tf.constant(weighted), "softmax").numpy()
    assert (soft >= 0).all()
    np.testing.assert_allclose(soft.sum(axis=0), 1.0, rtol=1e-6)


@given(matrices(floats(-50, 50)))
def test_soft_attributions_equal_equation_2(weighted):
    soft = confidence.soft_attributions(tf.constant(weighted), "softmax").numpy()
    expected = eager_round.soft_attributions(weighted.T.astype(float)).T
    # rtol 1e-5 for exponents up to 50: float32 holds 50 to 4e-6, which the exponential turns into a relative error.
    np.testing.assert_allclose(soft, expected, rtol=1e-5, atol=1e-6)


# ---- the explainers


@pytest.mark.parametrize("baseline", BASELINES.values(), ids=BASELINES)
@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_explainers_on_a_linear_net(build, explainer, baseline):
    """All three give the slope w_j; Shapley gives 0 where the feature stands at its baseline."""
    slope = np.array([1.2, 0.8, -0.5, -2.2, 0.0], np.float32)
    features = build.samples(3, 50)[0].T
    features[3, :10] = baseline[3]
    explain = weighted_attributions(explainer, steps=5)
    weighted = explain(lambda x: tf.tensordot(slope, x, 1) + 0.7, tf.constant(features), baseline[:, None]).numpy()
    expected = np.repeat(slope[:, None], 50, axis=1)
    if explainer == "shapley_exact":  # compare the values, not the quotient, which magnifies rounding near a baseline
        difference = features - baseline[:, None]
        assert (weighted[difference == 0] == 0).all()
        weighted, expected = weighted * difference, expected * difference
    np.testing.assert_allclose(weighted, expected, **FLOAT32)


@pytest.mark.parametrize("baseline", BASELINES.values(), ids=BASELINES)
@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_explainers_equal_brute_force(build, explainer, baseline):
    """IG by explicit back-propagation at each midpoint, Shapley over all 120 orders of joining."""
    assignment = build.assignment()
    _, compiled, plain = network(assignment.model, assignment.sizes)
    features = build.samples(4, 60)[0]
    explain = weighted_attributions(explainer, steps=6)
    weighted = explain(compiled, tf.constant(features.T), baseline[:, None]).numpy().T
    expected = eager_round.EXPLAINERS[explainer](plain, features.astype(float), baseline.astype(float), 6)
    assert expected.std(axis=0).max() > 0.05  # else the network would be linear here, and the test blind
    if explainer == "shapley_exact":  # compare the values, not the quotient, which magnifies rounding near a baseline
        weighted, expected = weighted * (features - baseline), expected * (features - baseline)
    np.testing.assert_allclose(weighted, expected, **FLOAT32)


@given(st.integers(1, 7))
def test_shapley_weights(players):
    """Each row is the definition: on joining S, |S|! (Q - |S| - 1)! / Q!; the shares of all S add up to 1."""
    members = coalitions(players)
    every, weights = members.astype(np.float32), shapley_weights(members).T
    assert sorted(map(tuple, every)) == sorted(itertools.product((0.0, 1.0), repeat=players))
    position = {tuple(present): index for index, present in enumerate(every)}
    for player in range(players):
        for present in every[every[:, player] == 0]:
            joined = present.copy()
            joined[player] = 1.0
            size = int(present.sum())
            share = math.factorial(size) * math.factorial(players - size - 1) / math.factorial(players)
            np.testing.assert_allclose(weights[player, position[tuple(joined)]], share, rtol=1e-6)
            np.testing.assert_allclose(weights[player, position[tuple(present)]], -share, rtol=1e-6)
    np.testing.assert_allclose(weights.clip(min=0).sum(axis=1), 1.0, rtol=1e-6)


def test_unknown_explainer():
    with pytest.raises(ValueError, match=r"explainer must be integrated_gradients, .*got 'lime'"):
        weighted_attributions("lime", 8)


# ---- eqs. (3) to (6)


@given(st.integers(0, 2**32 - 1))
def test_mutation_equals_equation_3(seed):
    """With the baseline 0: x (1 - p), p = 1 where the draw is below pi."""
    random = np.random.default_rng(seed)
    features, probability, uniform = random.random((3, 5, 8), dtype=np.float32)
    zero = np.zeros((5, 1), np.float32)
    mutated = confidence.mutate(tf.constant(features), zero, tf.constant(probability), tf.constant(uniform)).numpy()
    np.testing.assert_array_equal(mutated, features * (1 - (uniform < probability)))


@given(st.integers(0, 2**32 - 1))
def test_linear_normalisation_is_the_share_of_the_sum(seed):
    weighted = np.random.default_rng(seed).normal(size=(5, 7)).astype(np.float32)
    soft = confidence.soft_attributions(tf.constant(weighted), "linear").numpy()
    np.testing.assert_allclose(soft, np.abs(weighted) / np.abs(weighted).sum(0), rtol=1e-6)  # float32
    assert (confidence.soft_attributions(tf.zeros((5, 7)), "linear").numpy() == 0).all()


def test_copies_are_mutations_one_after_another():
    """S copies in one call are S calls with a copy's draws each, and U's members belong to each."""
    random = np.random.default_rng(0)
    features, probability = random.random((2, 5, 8), dtype=np.float32)
    uniform = random.random((3 * 5, 8), dtype=np.float32)
    zero = np.zeros((5, 1), np.float32)
    together = confidence.mutate(tf.constant(features), zero, tf.constant(probability), tf.constant(uniform)).numpy()
    each = [features * (1 - (draws < probability)) for draws in np.split(uniform, 3)]
    np.testing.assert_array_equal(together, np.concatenate(each, axis=1))
    members = (random.random(8) < 0.5).astype(np.float32)
    kept = random.random(3 * 8).astype(np.float32)
    chosen = kept[np.concatenate([members] * 3) == 1]
    np.testing.assert_allclose(confidence.mean_over(tf.constant(members), tf.constant(kept)), chosen.mean(), rtol=1e-6)


def test_mutation_frequency_is_pi():
    count = 40_000
    probability = np.array([[0.02], [0.1], [0.2], [0.28], [0.4]], np.float32)
    uniform = eager_round.draws([11, 12], (5, count))
    mutated = confidence.mutate(tf.ones((5, count)), tf.zeros((5, 1)), tf.repeat(probability, count, 1), uniform)
    deviation = np.abs((mutated.numpy() == 0).mean(axis=1) - probability[:, 0])
    # 4 standard errors of a Bernoulli mean
    assert (deviation < 4 * np.sqrt(probability * (1 - probability))[:, 0] / np.sqrt(count)).all()


def test_draw_of_zero_flips_and_certainty_flips():
    """P(flip) is pi exactly: draws lie in [0, 1), so pi = 0 never flips and pi = 1 always does."""
    one = tf.ones((1, 3))
    uniform = tf.constant([[0.0, 0.5, np.nextafter(np.float32(1), np.float32(0))]])
    assert (confidence.mutate(one, tf.zeros((1, 1)), 0.0 * one, uniform).numpy() == 1).all()
    assert (confidence.mutate(one, tf.zeros((1, 1)), one, uniform).numpy() == 0).all()


def test_sla_is_a_closed_interval():
    # The next float32 below 0 is denormal, which TensorFlow takes for 0: the next normal one, then.
    below, above = -np.finfo(np.float32).tiny, np.nextafter(BOUNDS[1], np.float32(4))
    members = confidence.inside_sla(tf.constant([below, 0.0, 1.5, 3.0, above]), BOUNDS)
    np.testing.assert_array_equal(members.numpy(), [0, 1, 1, 1, 0])


@given(vectors(floats(-5, 5)), vectors(floats(-5, 5)))
def test_confidence_equals_equations_4_to_6(prediction, mutated_prediction):
    members = confidence.inside_sla(tf.constant(prediction), BOUNDS)
    inside = eager_round.inside(prediction, BOUNDS)
    np.testing.assert_array_equal(members.numpy(), inside)
    for reading in ("interval", "literal"):
        ours = confidence.confidence(members, tf.constant(mutated_prediction), BOUNDS, reading).numpy()
        kept = eager_round.kept(mutated_prediction[inside], BOUNDS, reading == "literal")
        np.testing.assert_allclose(ours, kept.mean() if inside.any() else 0.0, rtol=1e-6)


@given(vectors(st.floats(allow_nan=False, width=32)))
def test_literal_confidence_is_always_one(mutated_prediction):
    """Fault 1: eq. (6)'s max of "above alpha" and "below beta" cannot be 0."""
    assert (confidence.conforms(tf.constant(mutated_prediction), BOUNDS, "literal").numpy() == 1).all()


# ---- eqs. (7b), (9), (10)


@given(vectors(floats(-20, 20)), st.integers(0, 2**9 - 1), st.sampled_from(["printed", "product"]))
def test_terms_equal_equations_7_9_10(mutated_prediction, mask, surrogate):
    members = np.array([(mask >> i) & 1 for i in range(9)], bool)
    local = LocalSettings(surrogate=surrogate)
    batch = (tf.constant(members, tf.float32), tf.constant(mutated_prediction))
    ours = terms(tf.constant(0.5), *batch, BOUNDS, np.float32(0.82), local)
    constraint = psi = 0.0
    if members.any():
        chosen = mutated_prediction[members].astype(float)
        constraint = 0.82 - eager_round.kept(chosen, BOUNDS, literal=False).mean()
        product = surrogate == "product"
        psi = eager_round.surrogate(tf.constant(chosen), BOUNDS.astype(float), 0.82, 3.0, product).numpy()
        if surrogate == "printed":  # fault 2: the summand lies in (1.19, 1.70), so that Psi < 0 always
            assert 0.82 - math.log(2 * math.e) - 1e-9 < psi < 0.82 - math.log(2 * math.exp(0.5)) + 1e-9
        else:
            assert 0.82 - 1 - 1e-9 < psi < 0.82 + 1e-9
    np.testing.assert_allclose(ours.mse.numpy(), 0.5)
    np.testing.assert_allclose(ours.constraint.numpy(), constraint, **FLOAT32)
    np.testing.assert_allclose(ours.surrogate.numpy(), psi, **FLOAT32)


# ---- the evaluation


@pytest.mark.parametrize(("normalisation", "mutations"), [("softmax", 1), ("linear", 1), ("softmax", 3)])
@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_evaluation_equals_numpy(build, explainer, normalisation, mutations):
    model, baseline = ModelSettings(hidden=(6, 5), leaky_slope=0.35), BASELINES["not zero"]
    client = build.client(seed=5, count=170, width=200)
    # The padding must not matter, whatever stands in it: here samples of which some are predicted inside the SLA.
    client.features[:, 170:], client.target[170:] = client.features[:, :30], 50.0
    rows = client.features.T[:170].astype(float)
    weights, _, plain = network(model, (5, *model.hidden, 1), seed=2)
    predicted = plain(rows)
    bounds = tuple(np.round(np.quantile(predicted, [0.1, 0.6]), 2))
    sla = SliceSettings(lower_percent=bounds[0], upper_percent=bounds[1], confidence_threshold=0.8)
    local = LocalSettings(integration_steps=5, normalisation=normalisation, mutations=mutations)
    assignment = build.assignment(explainer=explainer, baseline=baseline, model=model, local=local, sla=sla)
    (score,) = closed_loop.score(assignment, serialise(weights), 4, "test", [client])

    expected = eager_evaluation(assignment, client, weights, round_number=4)
    assert expected.margin > 2e-6  # no draw and no bound that float32 could turn
    assert 0.2 < expected.confidence < 0.95
    np.testing.assert_allclose(score.mse, expected.mse, rtol=1e-5)
    np.testing.assert_allclose(score.confidence, expected.confidence, rtol=1e-6)
    np.testing.assert_allclose(score.inside, expected.inside, rtol=1e-6)


def constant_network(sizes, value):
    weights = np.zeros_like(initial_weights(sizes, 0, "eMBB"))
    weights[-1] = value
    return serialise(weights)


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_constant_predictor_inside_the_sla_is_fully_confident(build, explainer):
    """Fault 17: which is why an MSE always stands beside C."""
    assignment, client = build.assignment(explainer=explainer), build.client()
    (score,) = closed_loop.score(assignment, constant_network(assignment.sizes, 1.5), 0, "training", [client])
    assert score.confidence == 1.0
    assert score.inside == 1.0
    np.testing.assert_allclose(score.mse, np.mean((client.target.astype(float) - 1.5) ** 2), rtol=1e-6)


def test_empty_u_is_undefined(build):
    assignment, client = build.assignment(), build.client()
    (score,) = closed_loop.score(assignment, constant_network(assignment.sizes, 9.0), 0, "training", [client])
    assert math.isnan(score.confidence)
    assert score.inside == 0.0


def test_the_sla_asked_for_is_used(build):
    client = build.client()
    for upper, inside in ((2.0, 1.0), (1.0, 0.0)):
        assignment = build.assignment(sla=SliceSettings(upper_percent=upper, confidence_threshold=0.8))
        (score,) = closed_loop.score(assignment, constant_network(assignment.sizes, 1.5), 0, "training", [client])
        assert score.inside == inside
