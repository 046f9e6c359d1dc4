"""The sum over all mutations: against brute force, draws, a closed form, and the closed loop's own confidence."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from reproduction.attribution.shapley import coalitions
from reproduction.slicing.closed_loop import client as closed_loop
from reproduction.slicing.closed_loop import confidence
from reproduction.slicing.closed_loop.weights import layer_sizes, serialise
from reproduction.slicing.forecast import expectation
from reproduction.slicing.forecast.expectation import chance_inside, expected, inside, most_samples, soft_attributions
from reproduction.slicing.forecast.polynomial import Quadratic
from reproduction.slicing.settings import LocalSettings, ModelSettings, SliceSettings

ALGEBRA = {"rtol": 1e-10, "atol": 1e-10}  # float64 algebra
BOUNDS = (0.0, 3.0)


def linear(value, *slope):
    slope = np.array(slope, float)
    return Quadratic(centre=np.zeros(len(slope)), value=value, slope=slope, curvature=np.zeros((len(slope),) * 2))


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def case(rng):
    """A bent polynomial of four features whose mutations often leave the SLA, and a probability of each sample's."""
    curvature = rng.normal(size=(4, 4))
    polynomial = Quadratic(
        centre=np.full(4, 0.5), value=2.5, slope=3 * rng.normal(size=4), curvature=curvature + curvature.T
    )
    return polynomial, rng.random((30, 4)), np.array([0.0, 0.1, 0.0, 0.3]), rng.random((30, 4))


@pytest.mark.parametrize("normalisation", ["softmax", "linear"])
def test_soft_attributions_are_the_closed_loops(rng, normalisation):
    weighted = 3 * rng.normal(size=(20, 5))
    weighted[4] = 0
    loops = confidence.soft_attributions(tf.constant(weighted.T, tf.float32), normalisation)
    ours = soft_attributions(weighted, normalisation)
    np.testing.assert_allclose(ours, np.transpose(loops), rtol=1e-5, atol=1e-6)  # float32 against float64
    assert soft_attributions(np.array([[800.0, 0.0]]), "softmax").tolist() == [[1.0, 0.0]]


def by_hand(polynomial, sample, baseline, lost):
    """Sum over all mutations of one sample, one by one."""
    total = 0.0
    for gone in itertools.product([False, True], repeat=len(sample)):
        chance = np.prod([pi if away else 1 - pi for away, pi in zip(gone, lost, strict=True)])
        (prediction,) = polynomial.predict(np.where(gone, baseline, sample)[None])
        total += chance * (BOUNDS[0] <= prediction <= BOUNDS[1])
    return total


def test_the_sum_is_over_every_mutation(case, rng):
    polynomial, features, baseline, probability = case
    chance, without = chance_inside(polynomial, features, baseline, probability, BOUNDS, rng)
    assert 0.2 < chance.mean() < 0.8
    samples = list(zip(features, probability, strict=True))
    np.testing.assert_allclose(chance, [by_hand(polynomial, x, baseline, pi) for x, pi in samples], **ALGEBRA)
    for kept in range(4):
        never = [by_hand(polynomial, x, baseline, np.where(np.arange(4) == kept, 0, pi)) for x, pi in samples]
        np.testing.assert_allclose(without[:, kept], never, **ALGEBRA)


def test_the_sum_does_not_know_how_many_samples_are_summed_at_once(case, rng, monkeypatch):
    whole = chance_inside(*case, BOUNDS, rng)
    monkeypatch.setattr(expectation, "_MUTATIONS_AT_ONCE", 7 * 2**4)
    for ours, theirs in zip(chance_inside(*case, BOUNDS, rng), whole, strict=True):
        np.testing.assert_allclose(ours, theirs, **ALGEBRA)


def test_expected_takes_the_order_of_the_coalitions(rng):
    """The chance that feature j is not lost is 1 - pi_j."""
    probability = rng.random((5, 3))
    for feature in range(3):
        present = np.tile(coalitions(3)[:, feature].astype(float), (5, 1))
        np.testing.assert_allclose(expected(present, probability), 1 - probability[:, feature], **ALGEBRA)


def test_draws_agree_with_the_sum(case, monkeypatch):
    """Where features are too many to sum: within 5 standard errors of the sum, for each of the five chances."""
    polynomial, features, baseline, probability = case
    features, probability = np.tile(features, (400, 1)), np.tile(probability, (400, 1))
    summed = chance_inside(polynomial, features, baseline, probability, BOUNDS, np.random.default_rng(0))
    monkeypatch.setattr(expectation, "MOST_FEATURES", 3)
    drawn = chance_inside(polynomial, features, baseline, probability, BOUNDS, np.random.default_rng(0))
    draws = len(features) * expectation.DRAWS
    np.testing.assert_allclose(drawn[0].mean(), summed[0].mean(), atol=5 * 0.5 / np.sqrt(draws))
    np.testing.assert_allclose(drawn[1].mean(axis=0), summed[1].mean(axis=0), atol=5 * 0.5 / np.sqrt(draws))


def test_closed_form_of_one_feature(rng):
    """Softmax over one feature is 1: it is always lost, and f(0) decides."""
    for value, stays in ((2.0, 1.0), (4.0, 0.0)):
        polynomial, features = linear(value, -1.5), np.array([[1.0]])
        probability = soft_attributions(polynomial.mean_gradient(features, np.zeros(1)), "softmax")
        chance, without = chance_inside(polynomial, features, np.zeros(1), probability, BOUNDS, rng)
        assert (chance.tolist(), without.tolist()) == ([stays], [[1.0]])


def test_closed_form_of_two_features(rng):
    """f = 2.5 + x_1 - 2 x_2 at (1, 1) is 1.5. Only losing x_2 alone leaves the SLA (3.5): C = 1 - pi_2 (1 - pi_1)."""
    polynomial, features = linear(2.5, 1.0, -2.0), np.ones((1, 2))
    first, second = np.exp([1.0, 2.0]) / np.exp([1.0, 2.0]).sum()
    probability = soft_attributions(polynomial.mean_gradient(features, np.zeros(2)), "softmax")
    (chance,), without = chance_inside(polynomial, features, np.zeros(2), probability, BOUNDS, rng)
    np.testing.assert_allclose(chance, 1 - second * (1 - first), **ALGEBRA)
    np.testing.assert_allclose(without, [[1 - second, 1.0]], **ALGEBRA)


def test_a_network_that_is_linear_has_this_confidence(build, rng):
    """As the closed loop measures it, mutations drawn: a hidden unit that is never negative is a linear network."""
    slope, count, mutations = np.array([1.2, 0.4, -1.5], np.float32), 500, 40
    model, local = ModelSettings(hidden=(1,)), LocalSettings(mutations=mutations)
    sizes = layer_sizes(3, model)
    weights = np.concatenate([slope, [10.0], [1.0], [2.4 - 10.0]]).astype(np.float32)  # kernel, bias, kernel, bias
    samples = closed_loop.Samples(
        name="CL",
        features=rng.random((3, count)).astype(np.float32),
        target=np.zeros(count, np.float32),
        sample_weights=np.ones(count, np.float32),
    )
    assignment = build.assignment(
        scheme="post-hoc",
        sla=SliceSettings(confidence_threshold=0.82),
        model=model,
        local=local,
        baseline=np.zeros(3, np.float32),
    )
    assert assignment.sizes == sizes
    (measured,) = closed_loop.score(assignment, serialise(weights), 0, "training", [samples])

    polynomial, features = linear(2.4, *slope), samples.features.T.astype(float)
    u = features[inside(polynomial.predict(features), BOUNDS)]
    probability = soft_attributions(polynomial.mean_gradient(u, np.zeros(3)), "softmax")
    chance, _ = chance_inside(polynomial, u, np.zeros(3), probability, BOUNDS, rng)
    assert 0.3 < chance.mean() < 0.9
    assert measured.inside == pytest.approx(len(u) / count, abs=1e-6)
    error = np.sqrt((chance * (1 - chance)).sum() / mutations) / len(u)
    assert measured.confidence == pytest.approx(chance.mean(), abs=5 * error)


def test_how_many_samples():
    """What a second allows: the same number of mutations, summed or drawn."""
    assert [most_samples(features) for features in (5, 12)] == [2**18, 2**11]
    assert most_samples(13) == 2**23 // (8 * 13 * 14)
