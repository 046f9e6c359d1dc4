"""The polynomial that stands for a network: against scikit-learn, finite differences and the attribution library."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.preprocessing import PolynomialFeatures

from reproduction.attribution import explain
from reproduction.slicing.forecast.polynomial import Quadratic, coefficients, fit, r_squared

ALGEBRA = {"rtol": 1e-10, "atol": 1e-10}  # float64 algebra
BASELINE = np.array([0.0, 0.2, 0.5, 0.0])


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def polynomial(rng):
    """A polynomial of four features, made up."""
    curvature = rng.normal(size=(4, 4))
    return Quadratic(
        centre=rng.random(4), value=1.7, slope=rng.normal(size=4), curvature=curvature + np.transpose(curvature)
    )


def test_fit_finds_the_polynomial_that_made_the_data(polynomial, rng):
    features = rng.random((60, 4))
    found = fit(features, polynomial.predict(features))
    elsewhere = rng.random((20, 4)) * 3 - 1
    np.testing.assert_allclose(found.predict(elsewhere), polynomial.predict(elsewhere), **ALGEBRA)
    np.testing.assert_allclose(found.curvature, polynomial.curvature, **ALGEBRA)


def test_fit_is_least_squares(rng):
    """Of a target that no polynomial meets."""
    features = rng.random((80, 3)) * [1.0, 0.1, 10.0]
    target = np.sin(5 * features[:, 0]) + features[:, 1] ** 3 + rng.normal(size=80)
    columns = PolynomialFeatures(2).fit(features)
    oracle = LinearRegression().fit(columns.transform(features), target)
    expected = oracle.predict(columns.transform(features))
    assert columns.n_output_features_ == coefficients(3)
    np.testing.assert_allclose(fit(features, target).predict(features), expected, rtol=1e-8)  # scales 1e-2 to 1e2


def test_gradient_is_the_slope_of_the_prediction(polynomial, rng):
    """Central differences of a quadratic are exact."""
    features = rng.random((7, 4))
    step = 0.5 * np.eye(4)
    differences = [polynomial.predict(features + one) - polynomial.predict(features - one) for one in step]
    np.testing.assert_allclose(polynomial.gradient(features), np.transpose(differences), **ALGEBRA)


@pytest.mark.parametrize("method", ["integrated_gradients", "shapley_exact"])
def test_mean_gradient_is_alpha_of_both_explainers(polynomial, rng, method):
    """Eq. (2)'s a / (x - baseline): IG's nodes are exact for a linear gradient, and Shapley values are the same."""
    features = rng.random((9, 4)) + 1  # no feature stands at its baseline, where a / (x - baseline) is 0 / 0
    centre, slope, curvature = (
        tf.constant(part) for part in (polynomial.centre, polynomial.slope, polynomial.curvature)
    )

    def function(inputs):
        deviation = tf.cast(inputs, tf.float64) - centre
        bent = tf.reduce_sum(tf.matmul(deviation, curvature) * deviation, axis=1) / 2
        return polynomial.value + tf.linalg.matvec(deviation, slope) + bent

    options = {"steps": 8} if method == "integrated_gradients" else {}
    attributions = explain(function, features, method=method, baseline=BASELINE, **options)
    ours = polynomial.mean_gradient(features, BASELINE) * (features - BASELINE)
    np.testing.assert_allclose(ours, attributions, rtol=1e-5, atol=1e-6)  # float32 against float64


def test_worths_are_the_predictions_of_the_mixtures(polynomial, rng):
    features = rng.random((6, 4))
    members = np.array(list(itertools.product([False, True], repeat=4)))
    expected = [polynomial.predict(np.where(present, features, BASELINE)) for present in members]
    np.testing.assert_allclose(polynomial.worths(features, BASELINE, members), np.transpose(expected), **ALGEBRA)


def test_a_feature_that_never_changes_has_no_weight(rng):
    features = rng.random((40, 3))
    features[:, 1] = 0.7
    found = fit(features, 2 + features[:, 0] * features[:, 2])
    np.testing.assert_allclose([found.slope[1], *found.curvature[1]], 0, atol=1e-12)
    np.testing.assert_allclose(found.predict(features), 2 + features[:, 0] * features[:, 2], **ALGEBRA)


def test_equal_features_share_the_weight(rng):
    one = rng.random(40)
    found = fit(np.column_stack([one, one]), 3 * one)
    np.testing.assert_allclose(found.slope, [1.5, 1.5], **ALGEBRA)


def test_fit_needs_a_sample_per_coefficient(rng):
    features = rng.random((6, 2))
    fit(features, rng.random(6))
    with pytest.raises(
        ValueError, match=r"5 samples are too few for the 6 coefficients .* in 2 features; give more rows"
    ):
        fit(features[:5], rng.random(5))


def test_r_squared(rng):
    target, prediction = rng.random(30), rng.random(30)
    np.testing.assert_allclose(r_squared(target, prediction), r2_score(target, prediction), rtol=1e-10)
    assert np.isnan(r_squared(np.full(30, 2.5), prediction))
