"""Layers as users write them: what they hold, when they train, in which precision; LRP and DeepLIFT read them rightly.

Held to input x gradient, which LRP is for ReLU nets as epsilon vanishes, and to the sums that DeepLIFT keeps.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as kinds

from reproduction.attribution import completeness_gap, explain
from tests.attribution.test_layer_kinds import random_weights

X, B = np.random.default_rng(3).normal(size=(2, 40, 6)).astype(np.float32)


class Trains(kinds.Layer):
    """Twice as much in training, which is its default."""

    def __init__(self):
        super().__init__()
        self.dense = kinds.Dense(3)

    def build(self, shape):
        self.dense.build(shape)

    def call(self, inputs, training=True):
        return 2.0 * self.dense(inputs) if training else self.dense(inputs)


class Within(kinds.Layer):
    """Hands no training argument on."""

    def __init__(self):
        super().__init__()
        self.inner = Trains()

    def build(self, shape):
        self.inner.build(shape)

    def call(self, inputs):
        return self.inner(inputs)


class HalfWide(kinds.Layer):
    """Multiplies by its own weights and by a float32 matrix."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(6, 4))
        self.raw = tf.Variable(np.eye(6, 4, dtype=np.float32))

    def call(self, inputs):
        return tf.matmul(inputs, self.kernel) + tf.matmul(inputs, tf.ones((6, 4)) + self.raw)


class OfValues(kinds.Layer):
    """Asks its variables for their values."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(6, 4))
        self.more = {"scale": self.add_weight(shape=(4,))}

    def call(self, inputs):
        return tf.matmul(inputs, self.kernel.value) * self.more["scale"].value


class Counts(kinds.Layer):
    """Counts its calls, and keeps a metric of them."""

    def build(self, shape):
        self.calls = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False)
        self.seen = keras.metrics.Mean()

    def call(self, inputs):
        self.calls.assign_add(1)
        self.seen.update_state(inputs)
        return 2.0 * inputs


class HoldsItself(kinds.Layer):
    def __init__(self):
        super().__init__()
        self.__dict__["info"] = info = {}
        info["info"], info["list"] = info, [info]

    def call(self, inputs):
        return 3.0 * inputs


def nested_in_another_order():
    """An inner model of a list of inputs, called with a dict, whose keys come in another order."""
    one, two = keras.Input((6,), name="zz"), keras.Input((6,), name="aa")
    inner = keras.Model([one, two], kinds.Subtract()([kinds.Dense(6)(one), two]))
    start = keras.Input((6,))
    return keras.Model(start, kinds.Dense(1)(kinds.ReLU()(inner({"zz": start, "aa": 2.0 * start}))))


def stacked(layer):
    return lambda: keras.Sequential([keras.Input((6,)), layer(), kinds.ReLU(), kinds.Dense(1)])


def with_its_parent():
    model = stacked(lambda: kinds.Dense(6))()
    for layer in model.layers:
        layer.__dict__["parent"] = model
    return model


MODELS = {
    "trains by default within": stacked(Within),
    "half in float32": stacked(HalfWide),
    "values of variables": stacked(OfValues),
    "counts": stacked(Counts),
    "holds itself": stacked(HoldsItself),
    "holds its parent": with_its_parent,
    "a dict in another order": nested_in_another_order,
}


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e4])
@pytest.mark.parametrize("name", MODELS)
def test_what_users_write_is_read_rightly(name, scale):
    model = random_weights(MODELS[name]())
    for layer in model._flatten_layers():
        if getattr(layer, "use_bias", False):
            layer.bias.assign(0.0 * layer.bias)  # homogeneous: LRP is input x gradient at every scale
    relevance = explain(model, scale * X, method="epsilon_lrp", epsilon=1e-20)
    gradient = explain(model, scale * X, method="input_x_gradient")
    np.testing.assert_allclose(relevance / scale, gradient / scale, rtol=1e-3, atol=1e-4)  # float32 of the gradient
    gap = completeness_gap(model, scale * X, method="deeplift", baseline=scale * B)
    np.testing.assert_allclose(gap / scale, 0.0, atol=1e-4)


def test_trials_leave_what_a_layer_keeps_alone():
    """Explaining calls the model itself on the data, which counts; the trials' random numbers do not."""
    model = stacked(Counts)()
    layer = model.layers[0]
    model(X)
    explain(model, X, method="deeplift", baseline=B)
    assert np.abs(float(layer.seen.result()) - np.mean([X.mean(), B.mean()])) < 0.1
    assert int(layer.calls) <= 8


@pytest.mark.parametrize("size", [1e5, 1e6, 1e7])
def test_activations_in_float32_of_large_numbers(size):
    """A sigmoid from far below 0 to far above it rises by 1, whatever float32 leaves of the numbers."""

    class Narrow(kinds.Layer):
        def call(self, inputs):
            return tf.sigmoid(tf.cast(inputs, tf.float32))

    model = keras.Sequential([keras.Input((6,)), kinds.Dense(4, kernel_initializer="ones"), Narrow(), kinds.Dense(1)])
    x = np.full((1, 6), size, np.float32)
    expected = float((model(x) - model(-x))[0, 0])
    np.testing.assert_allclose(explain(model, x, method="deeplift", baseline=-x).sum(), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "function",
    [
        lambda z: 1e-6 * tf.sign(z),
        lambda z: tf.clip_by_value(z, -1e-6, 1e-6),
        lambda z: tf.clip_by_value(z, 1.0, 10.0),
        lambda z: 1e4 + tf.tanh(z),
        tf.round,
    ],
)
def test_what_is_level_is_not_taken_for_float32(function):
    model = random_weights(keras.Sequential([keras.Input((6,)), kinds.Dense(8), kinds.Lambda(function)]))
    gap = completeness_gap(model, X, method="deeplift", baseline=B, target=0)
    size = np.abs(np.asarray(model(X) - model(B))).max()
    np.testing.assert_allclose(gap / size, 0.0, atol=1e-2 if np.abs(model(X)).max() > 1e3 else 1e-5)  # 1e4 in float32


def test_functions_without_a_home_are_ones_own():
    names = {"tf": tf}
    exec("homeless = lambda z: z * abs(z)", names)
    model = random_weights(keras.Sequential([keras.Input((6,)), kinds.Lambda(names["homeless"]), kinds.Dense(1)]))
    np.testing.assert_allclose(completeness_gap(model, X, method="deeplift", baseline=B), 0.0, atol=1e-4)


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras's own, while it saves
def test_a_function_read_from_a_file_is_ones_own(tmp_path):
    """Which bends all units where one of 64 is large: a few trials may miss it."""
    bends = kinds.Lambda(lambda z: tf.where(z[:, 5:6] > 1.5, 2.0 * z, z))
    keras.Sequential([keras.Input((64,)), bends, kinds.Dense(1)]).save(tmp_path / "m.keras")
    model = keras.saving.load_model(tmp_path / "m.keras", safe_mode=False)
    model.layers[0].function.__globals__["tf"] = tf
    with pytest.raises(ValueError, match="of type Lambda"):
        explain(model, np.zeros((1, 64)), method="deeplift")


def test_an_activation_that_mixes_samples_is_refused():
    mixes = kinds.Lambda(lambda z: tf.tanh(z - tf.reduce_mean(z, 0, keepdims=True)), name="mixes")
    model = keras.Sequential([keras.Input((6,)), mixes, kinds.Dense(1)])
    with pytest.raises(ValueError, match="'mixes' of type Lambda, which mixes samples"):
        explain(model, X, method="deeplift")
