"""Shapley values against the shap package."""

import warnings

import numpy as np
import pytest

with warnings.catch_warnings():
    # shap's colour maps call Matplotlib functions that are about to be deprecated, while it is imported
    warnings.simplefilter("ignore", PendingDeprecationWarning)
    import shap

from reproduction.attribution import explain
from tests.attribution.networks import random_network, samples

BACKGROUND = np.array([[0.3, -0.2, 0.1, 0.0, 0.5]], np.float32)


@pytest.fixture(scope="module", params=["leaky_relu", "tanh"])
def model(request):
    """A network as a plain NumPy function: many small calls, which Keras would spend its overhead on."""
    activation = {"tanh": np.tanh, "leaky_relu": lambda z: np.where(z > 0.0, z, 0.2 * z)}[request.param]
    (_, kernel, bias), _, (_, kernel_2, bias_2), _, (_, kernel_3, bias_3), _ = random_network(request.param)

    def network(x):
        return (activation(activation(x @ kernel + bias) @ kernel_2 + bias_2) @ kernel_3 + bias_3)[:, 0]

    return network


def test_exact_values_are_those_of_the_exact_explainer(model):
    inputs, _ = samples(6)
    explainer = shap.ExactExplainer(model, shap.maskers.Independent(BACKGROUND))
    expected = explainer(inputs, silent=True).values
    got = explain(model, inputs, method="shapley_exact", baseline=BACKGROUND[0])
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)  # ours in float32, shap's in float64


def test_exact_values_are_those_of_the_kernel_explainer(model):
    inputs, _ = samples(3)
    explainer = shap.KernelExplainer(model, BACKGROUND)
    expected = explainer.shap_values(inputs, nsamples=2**5, silent=True, l1_reg=False)
    got = explain(model, inputs, method="shapley_exact", baseline=BACKGROUND[0])
    # 2^5 evaluations are all the coalitions there are: no noise, a constrained least-squares solve
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("antithetic", [False, True])
def test_sampled_values_are_the_exact_ones_within_noise(model, antithetic):
    inputs, _ = samples(4)
    exact = explain(model, inputs, method="shapley_exact", baseline=BACKGROUND[0])
    runs, orders = 8, 100
    drawn = np.stack(
        [
            explain(
                model,
                inputs,
                method="shapley_sampling",
                baseline=BACKGROUND[0],
                samples=orders,
                seed=seed,
                antithetic=antithetic,
            )
            for seed in range(runs)
        ]
    )
    # the mean of independent runs, 5 standard errors: the spread between runs estimates the error of one run
    error = drawn.std(axis=0, ddof=1) / np.sqrt(runs)
    np.testing.assert_array_less(np.abs(drawn.mean(axis=0) - exact), 5.0 * error + 1e-5)


def test_the_error_of_sampling_falls_as_one_over_the_root(model):
    inputs, _ = samples(4)
    exact = explain(model, inputs, method="shapley_exact")

    def error(orders):
        drawn = [
            explain(model, inputs, method="shapley_sampling", samples=orders, seed=seed) - exact for seed in range(12)
        ]
        return np.sqrt(np.mean(np.square(drawn)))

    assert error(4) / error(64) == pytest.approx(4.0, rel=0.5)  # sqrt(64 / 4), estimated from 12 seeds
