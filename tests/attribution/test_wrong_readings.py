"""What random trials alone would read wrongly is refused by LRP and DeepLIFT, whichever sample shows it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as kinds
from keras import ops

from reproduction.attribution import completeness_gap, explain
from tests.attribution.test_layer_kinds import random_weights

METHODS = ["epsilon_lrp", "deeplift"]
X = np.random.default_rng(3).normal(size=(5, 6)).astype(np.float32)
ZERO_FIRST = np.concatenate([np.zeros((1, 6), np.float32), X])


class Block(kinds.Layer):
    """A residual block of one's own: its activation acts twice, once in the middle."""

    def __init__(self, **names):
        super().__init__(**names)
        self.first, self.second = kinds.Dense(6), kinds.Dense(6)
        self.activation = keras.activations.relu

    def build(self, shape):
        self.first.build(shape)
        self.second.build(shape)
        self.built = True

    def call(self, inputs):
        return self.activation(inputs + self.second(self.activation(self.first(inputs))))


class Before(kinds.Dense):
    def call(self, inputs):
        return super().call(self.activation(inputs))


def stack(*layers, shape=(6,)):
    return random_weights(keras.Sequential([keras.Input(shape), *layers]))


def functional(function, shape=(6,)):
    start = keras.Input(shape)
    return random_weights(keras.Model(start, kinds.Dense(1)(function(start))))


def hand_written_elu(h):
    return ops.where(h > 0, h, ops.exp(h) - 1)


@tf.custom_gradient
def reversed_gradient(x):
    return tf.identity(x), lambda upstream: -upstream


@tf.custom_gradient
def gradient_that_is_none(x):
    return 2.0 * x, lambda upstream: upstream * np.nan


CASES = {
    "activation in the middle": (lambda: stack(Block(), kinds.Dense(1)), ZERO_FIRST),
    "activation in front": (lambda: stack(Before(4, "relu"), kinds.Dense(1)), ZERO_FIRST),
    "where": (lambda: functional(hand_written_elu), X),
    "equal": (lambda: functional(lambda h: h * ops.cast(ops.equal(ops.relu(h), 0.0), "float32")), X),
    "logical": (lambda: functional(lambda h: ops.where(ops.logical_and(h > 0, h < 1), h, 0.5)), X),
    "mixed from 1000 on": (
        lambda: stack(kinds.Lambda(lambda t: ops.relu(t) + ops.relu(t[:, ::-1] - 1e3)), kinds.Dense(1)),
        np.concatenate([np.tile(X, (100, 1)), [[0, 0, 2e3, 0, 0, 0]], np.tile(X, (100, 1))]),
    ),
    "numpy_function": (
        lambda: stack(
            kinds.Lambda(lambda t: keras.ops.reshape(tf.numpy_function(lambda a: a * 2, [t], t.dtype), (-1, 6))),
            kinds.Dense(1),
        ),
        X,
    ),
    "gradient that is no number": (lambda: stack(kinds.Lambda(gradient_that_is_none), kinds.Dense(1)), X),
    "reversed gradient": (lambda: stack(kinds.Lambda(reversed_gradient), kinds.Dense(1)), X),
}

FAR = {
    "bends far out": (
        lambda: stack(kinds.Lambda(lambda t: ops.relu((t - 1000.0) / 100.0)), kinds.Dense(1)),
        1000 + 150 * X,
    ),
    "clipped far out": (
        lambda: stack(kinds.Lambda(lambda t: ops.clip(t, 5e3, 1e4)), kinds.Dense(1)),
        10000 + 1500 * X,
    ),
    "clipped far out in one sample of many": (
        lambda: stack(kinds.Lambda(lambda t: ops.clip(t, -1e4, 1e3)), kinds.Dense(1)),
        np.concatenate([np.tile(X, (100, 1)), [[0, 0, 2e3, 0, 0, 0]], np.tile(X, (100, 1))]),
    ),
    "clipped far below in one sample of many": (
        lambda: stack(kinds.Lambda(lambda t: ops.clip(t, -1e3, 1e4)), kinds.Dense(1)),
        np.concatenate([np.tile(X, (100, 1)), [[0, 0, -2e3, 0, 0, 0]], np.tile(X, (100, 1))]),
    ),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", CASES)
def test_what_would_be_read_wrongly_is_refused(name, method):
    build, inputs = CASES[name]
    with pytest.raises(ValueError, match=r"model must be made of linear layers.* Take integrated_gradients"):
        explain(build(), inputs, method=method)


@pytest.mark.parametrize("name", FAR)
def test_a_bend_that_the_greatest_sample_alone_reaches_is_read(name):
    build, inputs = FAR[name]
    model, baseline = build(), inputs.mean(axis=0)
    size = np.abs(np.asarray(model(inputs))).max()
    gap = completeness_gap(model, inputs, method="deeplift", baseline=baseline)
    np.testing.assert_allclose(gap / size, 0.0, atol=1e-5)  # the model's own float32
    passed = explain(model, inputs, method="epsilon_lrp", epsilon=1e-7)
    same = explain(model, inputs, method="epsilon_lrp", epsilon=1e-7, batch_size=3)
    np.testing.assert_array_equal(passed, same)


def test_a_bend_that_a_hidden_unit_alone_reaches_is_refused():
    """Behind a difference of large numbers: the sample with the greatest number shows it least."""
    difference = kinds.Lambda(lambda t: 1e4 * (t[:, :1] - t[:, 1:2]))
    model = stack(difference, kinds.Lambda(lambda t: ops.clip(t, -1e3, 1e3), name="clip"), kinds.Dense(1))
    inputs = np.array([[100.0, 100.0, 0, 0, 0, 0], [3.0, 1.0, 0, 0, 0, 0]], np.float32)
    with pytest.raises(ValueError, match="'clip' of type Lambda, which is affine on what it was tried on, but not at"):
        explain(model, inputs, method="deeplift", baseline=1.0)


def test_a_bend_that_the_baseline_alone_reaches_is_refused():
    model = stack(kinds.Lambda(lambda t: ops.clip(t, -1e4, 1e3)), kinds.Dense(1))
    explain(model, X, method="deeplift")
    for baseline in (2e3, np.where(np.arange(5)[:, None] == 2, 2e3, 0.0)):
        with pytest.raises(ValueError, match="which is affine on what it was tried on, but not at these inputs"):
            explain(model, X, method="deeplift", baseline=baseline)


@pytest.mark.parametrize("method", METHODS)
def test_masks_are_refused_wherever_the_masked_sample_stands(method):
    model = stack(
        kinds.Masking(-1.0), kinds.Dense(4, "relu"), kinds.GlobalAveragePooling1D(), kinds.Dense(1), shape=(5, 3)
    )
    inputs = np.random.default_rng(3).normal(size=(3, 5, 3))
    inputs[1, 2:] = -1.0
    with pytest.raises(ValueError, match=r"'masking.*' of type Masking, whose mask they do not carry"):
        explain(model, inputs, method=method)


class OwnMask(kinds.Layer):
    supports_masking = True

    def call(self, inputs):
        return inputs

    def compute_mask(self, inputs, mask=None):
        return ops.any(ops.not_equal(inputs, 0), -1)


@pytest.mark.parametrize("layer", [OwnMask, lambda: kinds.Lambda(lambda t: t * 1.0, mask=lambda t, m: t[..., 0] > 0)])
def test_masks_of_ones_own_are_refused_too(layer):
    model = stack(layer(), kinds.GlobalAveragePooling1D(), kinds.Dense(1), shape=(5, 3))
    with pytest.raises(ValueError, match="whose mask they do not carry"):
        explain(model, np.ones((2, 5, 3)), method="deeplift")


@pytest.mark.parametrize("wrap", [kinds.Lambda, kinds.Activation])
def test_a_bend_of_one_among_many_is_found_in_a_function_of_ones_own(wrap):
    """Keras's own layers are tried on a few rows; a function within one is not Keras's own."""

    def bends(z):
        return tf.concat([z[:, :2], 10 * tf.nn.relu(z[:, 2:3] - 0.9), z[:, 3:]], 1)

    inputs = np.random.default_rng(0).uniform(size=(50, 100)).astype(np.float32)
    model = stack(wrap(bends), kinds.Dense(1), shape=(100,))
    np.testing.assert_allclose(completeness_gap(model, inputs, method="deeplift"), 0.0, atol=1e-4)


def test_a_mask_of_ones_own_within_a_graph_is_refused_as_one():
    start = keras.Input((5, 3))
    model = random_weights(keras.Model(start, kinds.Dense(1)(kinds.GlobalAveragePooling1D()(OwnMask()(start)))))
    with pytest.raises(ValueError, match=r"it gives bool, as masks and comparisons do|whose mask they do not carry"):
        explain(model, np.ones((2, 5, 3)), method="deeplift")


class TwoFaced(keras.Sequential):
    """What it computes is not its layers', in samples whose numbers are small."""

    def call(self, inputs, training=None, mask=None):
        output = super().call(inputs)
        small = ops.max(ops.abs(inputs), -1, keepdims=True) < 10.0
        return output + ops.where(small, 1e-2 * ops.sum(inputs, -1, keepdims=True), 0.0)


@pytest.mark.parametrize("method", METHODS)
def test_every_sample_is_held_to_the_models_own_output(monkeypatch, method):
    """A sample 1e4 times smaller than another, off by one part in 1e2."""
    from reproduction.attribution import reading

    model = random_weights(TwoFaced([keras.Input((6,)), kinds.Dense(4), kinds.Dense(1)]))
    monkeypatch.setattr(reading, "_of_keras", lambda called: True)  # as if nobody had seen that it is not Keras's own
    inputs = np.concatenate([1e4 * X, X[:1]])
    explain(model, inputs[:-1], method=method)
    with pytest.raises(ValueError, match="whose layers one by one give another output than it gives"):
        explain(model, inputs, method=method)


def test_a_kink_behind_a_wide_input_is_refused_or_adds_up():
    """relu of the mean of many features bends where a single trial may not look; and the same with a bias."""
    inputs = np.random.default_rng(0).normal(size=(6, 128)).astype(np.float32)
    for shift in (0.0, 5.0):
        model = stack(
            kinds.Lambda(lambda t, shift=shift: ops.relu(ops.mean(t, -1, keepdims=True) + shift)), shape=(128,)
        )
        with pytest.raises(ValueError, match="model must be made of linear layers"):
            explain(model, inputs, method="deeplift", baseline=1.0 - 2 * shift)


@pytest.mark.parametrize("method", METHODS)
def test_a_small_bend_beside_large_numbers_is_refused_by_name(method):
    """A trial is held to the size of each number, 1e8 of them stand beside it."""
    beside = kinds.Lambda(lambda t: ops.concatenate([t * 1e8, ops.relu(t)], -1), name="beside")
    model = stack(beside, kinds.Lambda(lambda t: t[:, 6:]), kinds.Dense(1))
    with pytest.raises(ValueError, match="got layer 'beside' of type Lambda"):
        explain(model, X, method=method)


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_what_is_read_rightly_is_not_refused(activation):
    model = stack(kinds.Dense(8, activation), kinds.BatchNormalization(), kinds.Dense(3, activation), kinds.Dense(1))
    for scale in (1e-3, 1.0, 1e3):
        for method in METHODS:
            explain(model, scale * ZERO_FIRST, method=method)
        gap = completeness_gap(model, scale * X, method="deeplift", baseline=scale)
        np.testing.assert_allclose(gap, 0.0, atol=1e-4 * max(1.0, scale))  # the model's own float32


def in_place(rows):
    rows *= 2
    return rows.sum(axis=1)


@pytest.mark.parametrize("method", ["occlusion", "shapley_exact", "shapley_sampling"])
@pytest.mark.parametrize("choice", [{}, {"start": 1.0}])
def test_a_function_that_works_in_place(method, choice):
    """Twice the sum of the features: a row's value is the same however often it is looked at."""
    np.testing.assert_allclose(explain(in_place, X, method=method, **choice), 2.0 * X, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("many", [tuple, list])
@pytest.mark.parametrize("count", [2, 4])
def test_several_outputs_are_not_samples(many, count):
    with pytest.raises(ValueError, match=f"model must return one output, got a {many.__name__} of 2; wrap it"):
        explain(lambda t: many([t, t**2]), X[:count], method="occlusion", target=0)


@pytest.mark.parametrize("axes", [(1, 0), True, (True, False)])
def test_feature_axes_in_another_order_are_refused(axes):
    with pytest.raises(ValueError, match="feature_axes must be axes of a sample"):
        explain(lambda t: t.sum(axis=(1, 2)), np.ones((1, 3, 4)), method="occlusion", feature_axes=axes, window=1)
