"""The rate at which integrated gradients converge, on smooth networks (a kink would stall it)."""

import numpy as np
import pytest
import tensorflow as tf

from reproduction.attribution import completeness_gap, explain
from reproduction.attribution.gradients import QUADRATURES
from tests.attribution.networks import keras_model, random_network, samples


def error(model, inputs, baselines, **options):
    return np.abs(completeness_gap(model, inputs, method="integrated_gradients", baseline=baselines, **options)).max()


@pytest.fixture(scope="module", params=["tanh", "softplus"])
def problem(request):
    inputs, baselines = samples(8)
    return keras_model(random_network(request.param)), inputs, baselines


@pytest.mark.parametrize(("quadrature", "order"), [("right", 1), ("midpoint", 2)])
def test_order_of_convergence(problem, quadrature, order):
    coarse, fine = (error(*problem, steps=steps, quadrature=quadrature) for steps in (16, 64))
    assert np.log(coarse / fine) / np.log(4.0) == pytest.approx(order, abs=0.15)


def test_gauss_legendre_converges_faster_than_any_power(problem):
    errors = [error(*problem, steps=steps, quadrature="gauss_legendre") for steps in (2, 4, 8)]
    # a rule of order 2 would divide the error by 4 at each doubling; here the order itself grows, until float32's
    # rounding of about 3e-7 ends it
    assert np.log2(np.divide(errors[:-1], errors[1:])).max() > 6.0
    assert errors[2] < error(*problem, steps=32, quadrature="midpoint")


def test_the_attributions_themselves_converge(problem):
    """A vanishing sum of errors could hide opposite ones: each attribution has the same limit by either rule."""
    model, inputs, baselines = problem
    midpoint = explain(model, inputs, method="integrated_gradients", baseline=baselines, steps=500)
    gauss = explain(
        model, inputs, method="integrated_gradients", baseline=baselines, steps=24, quadrature="gauss_legendre"
    )
    np.testing.assert_allclose(midpoint, gauss, rtol=1e-4, atol=1e-5)  # midpoint's own error, about 500^-2


@pytest.mark.parametrize("quadrature", QUADRATURES)
@pytest.mark.parametrize("steps", [1, 2, 7, 30])
def test_nodes_and_weights(quadrature, steps):
    nodes, weights = QUADRATURES[quadrature](steps)
    assert nodes.shape == weights.shape == (steps,)
    assert ((nodes > 0.0) & (nodes <= 1.0)).all()
    np.testing.assert_allclose(weights.sum(), 1.0, rtol=1e-12)  # float64 algebra
    degree = {"right": 0, "midpoint": 1, "gauss_legendre": 2 * steps - 1}[quadrature]
    for power in range(min(degree, 12) + 1):
        np.testing.assert_allclose(weights @ nodes**power, 1.0 / (power + 1), rtol=1e-10)


def test_the_path_is_interpolated_in_float64():
    """A feature of 1e6 against a baseline of 1e6 - 1: their difference is not lost."""
    got = explain(
        lambda x: tf.reduce_sum(x, axis=1), [[1e6]], method="integrated_gradients", baseline=[1e6 - 1.0], steps=3
    )
    np.testing.assert_array_equal(got, [[1.0]])
