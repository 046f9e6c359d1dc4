"""The axioms the methods are built on, over random networks and samples."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reproduction.attribution import completeness_gap, explain
from tests.attribution.networks import keras_model, random_network, samples

FEW = settings(  # each example builds a Keras model; the same examples in every run, no database beside the code
    max_examples=12, deadline=None, derandomize=True, database=None
)
SEEDS = st.integers(0, 10_000)
ALL = st.sampled_from(["relu", "leaky_relu", "elu", "tanh", "sigmoid", "softplus"])


@FEW
@given(SEEDS, st.sampled_from(["elu", "tanh", "sigmoid", "softplus"]))
def test_integrated_gradients_are_complete(seed, activation):
    model = keras_model(random_network(activation, seed=seed))
    inputs, baselines = samples(4, seed=seed)
    gap = completeness_gap(model, inputs, method="integrated_gradients", baseline=baselines, steps=200)
    np.testing.assert_allclose(gap, 0.0, atol=2e-4)  # midpoint error of order 200^-2 times curvature


@FEW
@given(SEEDS, ALL)
def test_deeplift_sums_to_delta(seed, activation):
    model = keras_model(random_network(activation, seed=seed))
    inputs, baselines = samples(4, seed=seed)
    gap = completeness_gap(model, inputs, method="deeplift", baseline=baselines)
    np.testing.assert_allclose(gap, 0.0, atol=5e-6)  # the model's own float32 rounding


@FEW
@given(SEEDS, ALL, st.sampled_from(["shapley_exact", "shapley_sampling"]))
def test_shapley_values_are_efficient(seed, activation, method):
    model = keras_model(random_network(activation, seed=seed))
    inputs, baselines = samples(4, seed=seed)
    options = {} if method == "shapley_exact" else {"samples": 3, "seed": seed}
    gap = completeness_gap(model, inputs, method=method, baseline=baselines, **options)
    np.testing.assert_allclose(gap, 0.0, atol=5e-6)  # float32 predictions, added in float64


@FEW
@given(SEEDS, ALL)
def test_shapley_values_are_symmetric_and_ignore_dummies(seed, activation):
    layers = random_network(activation, seed=seed)
    kernel = layers[0][1].copy()
    kernel[1] = kernel[0]  # features 0 and 1 are interchangeable
    kernel[4] = 0.0  # feature 4 is a dummy
    model = keras_model([("dense", kernel, layers[0][2]), *layers[1:]])
    inputs, _ = samples(4, seed=seed)
    inputs[:, 1] = inputs[:, 0]
    values = explain(model, inputs, method="shapley_exact")
    np.testing.assert_allclose(values[:, 0], values[:, 1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(values[:, 4], 0.0, atol=1e-6)
    assert np.abs(values[:, :4]).max() > 1e-3


@FEW
@given(SEEDS, st.sampled_from(["relu", "leaky_relu", "elu", "tanh"]))
def test_lrp_conserves_relevance_without_biases(seed, activation):
    """Activations through the origin: sum of relevance = f(input), up to epsilon."""
    model = keras_model(random_network(activation, seed=seed, bias=False))
    inputs, _ = samples(4, seed=seed)
    relevance = explain(model, inputs, method="epsilon_lrp", epsilon=1e-9)
    np.testing.assert_allclose(relevance.sum(axis=1), model(inputs)[:, 0], rtol=1e-4, atol=1e-5)  # float32 sums


SCALES = (1e-9, 1e-6, 1e-3, 1.0, 1e3, 1e6)


@FEW
@given(SEEDS, st.sampled_from(["relu", "leaky_relu"]))
def test_deeplift_of_a_homogeneous_network_adds_up_at_every_scale(seed, activation):
    """Without biases f(s x) = s f(x), so the attributions scale along and the gap is the same share of the change."""
    model = keras_model(random_network(activation, seed=seed, bias=False))
    inputs, baselines = samples(4, seed=seed)
    for scale in SCALES:
        x, b = inputs * np.float32(scale), baselines * np.float32(scale)
        got = explain(model, x, method="deeplift", baseline=b)
        expected = scale * explain(model, inputs, method="deeplift", baseline=baselines)
        # the inputs' rounding to float32 in the unit that they are scaled to
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5 * scale)
        gap = completeness_gap(model, x, method="deeplift", baseline=b)
        np.testing.assert_allclose(gap / scale, 0.0, atol=5e-6)  # the model's own float32 rounding


@FEW
@given(SEEDS, st.sampled_from(["relu", "leaky_relu"]))
def test_a_relative_epsilon_gives_shares_that_do_not_know_the_scale(seed, activation):
    model = keras_model(random_network(activation, seed=seed, bias=False))
    inputs, _ = samples(4, seed=seed)
    options = {"method": "epsilon_lrp", "epsilon": 0.1}
    expected = explain(model, inputs, relative=True, **options)
    for scale in SCALES:
        got = explain(model, inputs * np.float32(scale), relative=True, **options)
        np.testing.assert_allclose(got / scale, expected, rtol=1e-4, atol=1e-5)  # float32 inputs
    small = explain(model, inputs * np.float32(1e-6), **options)
    assert np.abs(small / 1e-6).max() < 0.01 * np.abs(expected).max()  # an absolute epsilon takes nearly all


def test_lrp_loses_to_biases_what_they_contributed():
    """One linear unit 2x + 3 at x = 1: f = 5, of which the bias absorbs 3."""
    model = keras_model([("dense", np.array([[2.0]], np.float32), np.array([3.0], np.float32))])
    np.testing.assert_allclose(explain(model, [[1.0]], method="epsilon_lrp"), [[2.0]])
    np.testing.assert_allclose(completeness_gap(model, [[1.0]], method="epsilon_lrp"), [0.0])


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_lrp_leaves_input_x_gradient_by_order_epsilon(activation):
    """With biases too, a piecewise linear network's LRP tends to input x gradient (Ancona et al. 2018, Prop. 3).

    At a finite epsilon it is another method, and the distance is of first order in epsilon.
    """
    model = keras_model(random_network(activation))
    inputs, _ = samples(20)
    limit = explain(model, inputs, method="input_x_gradient")
    # samples with a pre-activation near 0 are far from the limit: the median sample shows the order
    distances = [
        np.median(np.abs(explain(model, inputs, method="epsilon_lrp", epsilon=epsilon) - limit).max(axis=1))
        for epsilon in (0.1, 1e-2, 1e-3)
    ]
    assert distances[0] > 1e-2
    assert distances[1] / distances[2] == pytest.approx(10.0, rel=0.3)


@pytest.mark.parametrize("activation", ["elu", "tanh", "sigmoid", "softplus"])
def test_lrp_is_not_input_x_gradient(activation):
    model = keras_model(random_network(activation))
    inputs, _ = samples(5)
    distance = explain(model, inputs, method="epsilon_lrp") - explain(model, inputs, method="input_x_gradient")
    assert np.abs(distance).max() > 0.05


def test_deeplift_of_a_leaky_relu_network_with_biases_is_not_input_x_gradient():
    model = keras_model(random_network("leaky_relu"))
    inputs, _ = samples(5)
    distance = explain(model, inputs, method="deeplift") - explain(model, inputs, method="input_x_gradient")
    assert np.abs(distance).max() > 0.05
    assert np.abs(completeness_gap(model, inputs, method="input_x_gradient")).max() > 0.05


@FEW
@given(SEEDS, ALL)
def test_integrated_gradients_see_the_function_only(seed, activation):
    """Implementation invariance: the network, and the same function in another shape.

    The twin has its hidden units doubled with half the outgoing weights, and its first layer split in two.
    """
    layers = random_network(activation, seed=seed, widths=(5, 4, 1))
    (_, kernel, bias), hidden, (_, kernel_out, bias_out) = layers[:3]
    twin = [
        ("dense", 2.0 * np.eye(5, dtype=np.float32), None),
        ("dense", np.concatenate([kernel, kernel], axis=1) / 2.0, np.concatenate([bias, bias])),
        hidden,
        ("dense", np.concatenate([kernel_out, kernel_out]) / 2.0, bias_out),
    ]
    inputs, baselines = samples(4, seed=seed)
    first, second = (
        explain(keras_model(net), inputs, method="integrated_gradients", baseline=baselines, steps=9)
        for net in (layers, twin)
    )
    # the same numbers up to rounding; a ReLU unit that rounds to either side of its kink at a node would differ by
    # its whole slope, which random float32 inputs do not hit
    np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", ["saliency", "integrated_gradients", "deeplift", "epsilon_lrp", "shapley_exact"])
def test_dropout_and_batch_norm_are_at_inference(method):
    """Twice the same answer, and batch statistics left as they were."""
    model = keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(4, activation="tanh"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1),
        ]
    )
    before = [np.array(weight) for weight in model.get_weights()]
    inputs, _ = samples(6)
    first, second = (explain(model, inputs, method=method) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert np.abs(first).max() > 0.0
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
