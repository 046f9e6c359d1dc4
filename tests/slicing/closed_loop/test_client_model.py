"""The network's two views, its weights as bytes, and the loop's Adam against Keras' own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from reproduction.slicing.closed_loop.client_model import keras_model, leaky_relu, predict, split, weighted_mse
from reproduction.slicing.closed_loop.local_training import Adam
from reproduction.slicing.closed_loop.weights import (
    deserialise,
    initial_weights,
    layer_sizes,
    parameter_count,
    serialise,
)
from reproduction.slicing.settings import ModelSettings


@pytest.mark.parametrize("hidden", [(26, 26, 26), (6, 5), (4,)])
def test_predict_equals_the_keras_model(build, hidden):
    settings = ModelSettings(hidden=hidden, leaky_slope=0.3)
    sizes = layer_sizes(5, settings)
    weights = initial_weights(sizes, 1, "eMBB") + np.float32(0.05)
    features = build.samples(2, 80)[0]
    ours = predict(split(tf.constant(weights), sizes), tf.constant(features.T), settings.leaky_slope).numpy()
    theirs = keras_model(weights, sizes, settings)(features).numpy()
    assert ours.shape == (80,)
    assert theirs.shape == (80, 1)
    np.testing.assert_allclose(ours, theirs[:, 0], rtol=1e-5, atol=1e-6)  # float32, another order of summation


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("slope", [0.0, 0.01, 0.2, 0.9])
def test_leaky_relu_and_its_gradient_are_tensorflows(slope, compiled):
    """Bit for bit, also at the kink, at the smallest normal numbers (subnormal ones are flushed) and beyond numbers."""
    tiny = np.finfo(np.float32).tiny
    special = np.array([0.0, -0.0, tiny, -tiny, 1e30, -1e30, np.inf, -np.inf, np.nan], np.float32)
    random = np.random.default_rng(0)
    signal = np.concatenate([special, random.normal(size=200)]).astype(np.float32)
    upstream = random.normal(size=len(signal)).astype(np.float32)

    def both(activation):
        def value_and_gradient(signal, upstream):
            with tf.GradientTape() as tape:
                tape.watch(signal)
                value = activation(signal, slope)
            return value, tape.gradient(value, signal, upstream)

        function = tf.function(value_and_gradient, jit_compile=True) if compiled else value_and_gradient
        return [array.numpy() for array in function(tf.constant(signal), tf.constant(upstream))]

    for ours, theirs in zip(both(leaky_relu), both(tf.nn.leaky_relu), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_keras_model_holds_the_weights_in_their_order(build):
    sizes, settings = (5, 6, 5, 1), ModelSettings(hidden=(6, 5))
    weights = initial_weights(sizes, 1, "eMBB")
    model = keras_model(weights, sizes, settings)
    np.testing.assert_array_equal(np.concatenate([array.ravel() for array in model.get_weights()]), weights)
    assert [array.shape for array in model.get_weights()] == [(5, 6), (6,), (6, 5), (5,), (5, 1), (1,)]


def test_the_default_network_is_the_one_that_table_iv_hints_at():
    sizes = layer_sizes(5, ModelSettings())
    assert sizes == (5, 26, 26, 26, 1)
    assert parameter_count(sizes) == 5 * 26 + 26 + 2 * (26 * 26 + 26) + 26 + 1 == 1587
    assert len(initial_weights(sizes, 0, "eMBB")) == 1587


def test_initial_weights_are_glorot_uniform():
    sizes = (5, 26, 26, 26, 1)
    weights = initial_weights(sizes, 3, "eMBB")
    for kernel, bias in split(tf.constant(weights), sizes):
        limit = np.sqrt(6 / sum(kernel.shape))
        assert np.abs(kernel).max() <= limit
        # 4 standard errors of the variance of n uniform draws, which is limit^2 / 3 * sqrt(4 / (5 n)) each
        error = 4 * limit**2 / 3 * np.sqrt(0.8 / kernel.numpy().size)
        assert abs(np.mean(kernel.numpy() ** 2) - limit**2 / 3) < error
        assert (bias.numpy() == 0).all()


def test_initial_weights_depend_on_seed_and_slice_alone():
    first = initial_weights((5, 6, 1), 0, "eMBB")
    np.testing.assert_array_equal(first, initial_weights((5, 6, 1), 0, "eMBB"))
    assert not np.array_equal(first, initial_weights((5, 6, 1), 1, "eMBB"))
    assert not np.array_equal(first, initial_weights((5, 6, 1), 0, "Browsing"))


def test_weights_travel_as_little_endian_float32():
    weights = np.array([1.0, -2.5, 1e-30], np.float32)
    assert serialise(weights) == b"\x00\x00\x80\x3f\x00\x00\x20\xc0" + np.array(1e-30, "<f4").tobytes()
    np.testing.assert_array_equal(deserialise(serialise(weights)), weights)


def test_adam_equals_keras():
    """50 steps on gradients that change sign and size."""
    random = np.random.default_rng(0)
    weights = random.normal(size=30).astype(np.float32)
    gradients = (random.normal(size=(50, 30)) * np.geomspace(1e-4, 10, 30)).astype(np.float32)
    theirs, optimizer = keras.Variable(weights), keras.optimizers.Adam(0.02)
    ours, state = tf.constant(weights), Adam(tf.zeros(30), tf.zeros(30))
    for number, gradient in enumerate(gradients):
        ours, state = state.step(ours, tf.constant(gradient), tf.constant(number), 0.02)
        optimizer.apply_gradients([(tf.constant(gradient), theirs)])
    # Both float32: 50 steps of 0.02 rounded at 1e-7 of a weight of order 1.
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5, atol=1e-6)
    assert np.abs(ours.numpy() - weights).max() > 0.05


def test_weighted_mse_ignores_padding():
    prediction, target = np.array([1.0, 2.0, 9.0], np.float32), np.array([0.0, 4.0, 1.0], np.float32)
    assert weighted_mse(prediction, target, np.array([1.0, 1.0, 0.0], np.float32)).numpy() == 2.5
