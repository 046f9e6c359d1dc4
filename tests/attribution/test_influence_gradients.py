"""Per-sample gradients of every kind of layer, beside a plain loop over the samples."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from reproduction.attribution import sample_gradients as module
from reproduction.attribution.influence import Influence
from reproduction.attribution.objective import checked_objective, checked_samples
from reproduction.attribution.sample_gradients import block_size, sample_gradients

N = 11
IMAGE, STEPS, VOLUME = (8, 7, 4), (6, 4), (5, 4, 3, 2)


def chain(shape, *rest):
    return keras.Sequential([keras.Input(shape), *rest])


class Subclassed(keras.Model):
    """Nested, with a layer that is called twice and a weight of its own."""

    def __init__(self):
        super().__init__()
        self.first = layers.Dense(4, "tanh")
        self.inner = chain((4,), layers.Dense(4, "relu"), layers.BatchNormalization())
        self.scale = self.add_weight(shape=(4,), initializer="ones")

    def call(self, inputs):
        return self.inner(self.first(self.inner(self.first(inputs)) * self.scale))


class LowRank(layers.Layer):
    """A kernel that is itself a product of weights."""

    def build(self, shape):
        self.left = self.add_weight(shape=(shape[-1], 2))
        self.right = self.add_weight(shape=(2, 3))

    def call(self, inputs):
        return inputs @ (self.left @ self.right)


def two_inputs():
    left, right = keras.Input((4,)), keras.Input((8, 7, 4))
    seen = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(right))
    return keras.Model([left, right], layers.Dense(2)(layers.Concatenate()([layers.Dense(3)(left), seen])))


def attention():
    start = keras.Input(STEPS)
    return keras.Model(start, layers.MultiHeadAttention(2, 3)(start, start))


TOGETHER = {
    "dense": lambda: chain((4,), layers.Dense(5, "tanh"), layers.Dense(3, "softmax")),
    "dense on steps": lambda: chain(STEPS, layers.Dense(5, "relu"), layers.Dense(2)),
    "einsum": lambda: chain(STEPS, layers.EinsumDense("abc,cd->abd", (6, 3), bias_axes="d")),
    "einsum over steps": lambda: chain(STEPS, layers.EinsumDense("abc,bcd->ad", (3,))),
    "low rank": lambda: chain((4,), LowRank(), layers.Dense(2)),
    "subclassed": Subclassed,
    "two inputs": two_inputs,
    "attention": attention,
    "convolution": lambda: chain(IMAGE, layers.Conv2D(3, 3, activation="relu"), layers.Conv2D(2, (2, 3))),
    "same, strides": lambda: chain(IMAGE, layers.Conv2D(3, (3, 4), strides=(2, 3), padding="same"), layers.ELU()),
    "dilated": lambda: chain(IMAGE, layers.Conv2D(3, 3, dilation_rate=(2, 3), padding="same")),
    "dilated, valid": lambda: chain(IMAGE, layers.Conv2D(3, 2, dilation_rate=(2, 3))),
    "1d": lambda: chain(STEPS, layers.Conv1D(3, 3, strides=2), layers.Conv1D(2, 2)),
    "1d, dilated": lambda: chain(STEPS, layers.Conv1D(3, 2, dilation_rate=2, padding="causal")),
    "3d": lambda: chain(VOLUME, layers.Conv3D(3, 2, padding="same"), layers.Conv3D(2, (3, 2, 1))),
    "transposed": lambda: chain(IMAGE, layers.Conv2DTranspose(3, 3, strides=2, padding="same")),
    "depthwise": lambda: chain(IMAGE, layers.DepthwiseConv2D(3, depth_multiplier=2)),
    "depthwise, same, strides": lambda: chain(IMAGE, layers.DepthwiseConv2D((2, 3), strides=2, padding="same")),
    "depthwise, 1d": lambda: chain(STEPS, layers.DepthwiseConv1D(3, depth_multiplier=2)),
    "separable": lambda: chain(IMAGE, layers.SeparableConv2D(5, 3, padding="same")),
    "separable, dilated": lambda: chain(
        IMAGE, layers.SeparableConv2D(5, 3, padding="same", dilation_rate=(2, 3), depth_multiplier=2), layers.ReLU()
    ),
    "batch normalisation": lambda: chain(IMAGE, layers.BatchNormalization(), layers.Conv2D(2, 1)),
    "layer normalisation": lambda: chain(IMAGE, layers.Conv2D(3, 3), layers.LayerNormalization(), layers.Flatten()),
    "group normalisation": lambda: chain(IMAGE, layers.GroupNormalization(2), layers.Conv2D(2, 1)),
    "PReLU": lambda: chain(IMAGE, layers.PReLU(shared_axes=[1, 2]), layers.Conv2D(2, 1), layers.PReLU()),
    "embedding": lambda: chain((5,), layers.Embedding(6, 3), layers.Flatten(), layers.Dense(2)),
    "dropout": lambda: chain((4,), layers.Dense(6), layers.Dropout(0.5), layers.Dense(2)),
}

ONE_BY_ONE = {
    "groups": lambda: chain(IMAGE, layers.Conv2D(6, 3, groups=2, padding="same")),
    "recurrent": lambda: chain(STEPS, layers.LSTM(3), layers.Dense(2)),
    "bidirectional": lambda: chain(STEPS, layers.Bidirectional(layers.GRU(2))),
}


def made(name, n=N):
    """Return a model with random weights, and samples for it."""
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    model = (TOGETHER | ONE_BY_ONE)[name]()
    if name == "subclassed":
        inputs = generator.normal(size=(n, 4)).astype(np.float32)
    elif name == "embedding":
        inputs = generator.integers(0, 6, (n, 5)).astype(np.float32)
    else:
        shapes = [tuple(one.shape[1:]) for one in model.inputs]
        arrays = [generator.normal(size=(n, *shape)).astype(np.float32) for shape in shapes]
        inputs = arrays if len(arrays) > 1 else arrays[0]
    outputs = model(inputs).numpy()
    model.set_weights([one + 0.3 * np.abs(generator.normal(size=one.shape)) for one in model.get_weights()])
    return model, inputs, generator.normal(size=outputs.shape).astype(np.float32)


def plain_loop(model, inputs, targets):
    """Return the gradients as one would write it."""
    weights = [one.value for one in model.trainable_variables]
    rows = []
    for place in range(len(targets)):
        one = [array[place : place + 1] for array in inputs] if isinstance(inputs, list) else inputs[place : place + 1]
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(one, training=False) - targets[place : place + 1]) ** 2)
        gradients = tape.gradient(loss, weights)
        rows.append(np.concatenate([tf.convert_to_tensor(part).numpy().ravel() for part in gradients]))
    return np.stack(rows)


def gradients_of(model, inputs, targets, batch_size=None):
    objective = checked_objective(model, "mse", None, inputs, "loss")
    samples = checked_samples(objective, inputs, targets, ("x", "y"))
    made = sample_gradients(objective, samples, batch_size)
    return made, made.of(samples)


@pytest.mark.parametrize("name", TOGETHER | ONE_BY_ONE)
def test_gradients_are_those_of_a_plain_loop(name):
    model, inputs, targets = made(name)
    found, rows = gradients_of(model, inputs, targets)
    expected = plain_loop(model, inputs, targets)
    # float32 sums in another order; entries that cancel are as wrong as the largest
    np.testing.assert_allclose(rows, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
    assert found.together == (name in TOGETHER)
    assert rows.dtype == np.float32


@pytest.mark.parametrize("batch_size", [1, 2, 5, 7])
@pytest.mark.parametrize("name", ["dense", "separable, dilated", "recurrent"])
def test_gradients_do_not_depend_on_the_block(name, batch_size):
    model, inputs, targets = made(name)
    _, rows = gradients_of(model, inputs, targets, batch_size)
    expected = plain_loop(model, inputs, targets)
    np.testing.assert_allclose(rows, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def test_what_is_taken_apart_wrongly_is_found_out(monkeypatch):
    """The fast way is tried beside the plain one, so a rule that is wrong for a model costs time, not truth."""
    from reproduction.attribution import batch_sums

    rules = dict(batch_sums._RULES)
    wrong = {"MatMul": lambda walk, op, out: 2.0 * rules["MatMul"](walk, op, out)}
    monkeypatch.setattr(batch_sums, "_RULES", rules | wrong)
    model, inputs, targets = made("dense")
    found, rows = gradients_of(model, inputs, targets)
    assert not found.together
    np.testing.assert_allclose(rows, plain_loop(model, inputs, targets), rtol=1e-4, atol=1e-6)


def test_blocks_are_primes_that_no_weight_has():
    model = chain((7,), layers.Dense(26), layers.Dense(5))
    objective = checked_objective(model, "mse", None, np.zeros((1, 7)), "loss")
    found = [block_size(most, objective) for most in (1, 2, 3, 12, 13, 16, 19)]
    assert found == [1, 1, 3, 11, 11, 11, 19]  # 2 and 13 divide 26, 5 and 7 are axes


@pytest.mark.parametrize("hessian", ["cg", "gauss_newton", "arnoldi"])
@pytest.mark.parametrize("name", ["separable, dilated", "batch normalisation", "recurrent", "embedding", "subclassed"])
def test_curvature_of_every_kind_of_network(name, hessian):
    """A symmetric form: I(z, t) = I(t, z), and a sample's on itself is positive."""
    model, inputs, targets = made(name, n=5)
    damping = 0.0 if hessian == "arnoldi" else 10.0  # above what is negative at random weights
    found = Influence(model, "mse", hessian=hessian, damping=damping, iterations=60).fit(inputs, targets)
    scores = found.scores(inputs, targets)
    np.testing.assert_allclose(scores, scores.T, rtol=1e-3, atol=1e-4 * np.abs(scores).max())  # float32 products
    np.testing.assert_allclose(np.diag(scores), found.self_influence(), rtol=1e-3, atol=1e-4 * np.abs(scores).max())
    assert (np.diag(scores) > 0.0).all()


def test_gradients_that_are_not_finite_are_refused():
    model, inputs, targets = made("dense")
    loss = lambda y_true, y_pred: tf.sqrt(tf.nn.relu(y_true - 1e9) * y_pred)  # noqa: E731
    with pytest.raises(ValueError, match=r"model must have a finite gradient at every sample, got NaN .* at sample 0"):
        Influence(model, loss, hessian="identity").fit(inputs, targets).scores(inputs, targets)


def test_a_block_fits_into_its_bytes():
    model, inputs, targets = made("separable, dilated")
    objective = checked_objective(model, "mse", None, inputs, "loss")
    samples = checked_samples(objective, inputs, targets, ("x", "y"))
    rows = objective.rows_in(2**20, samples.layout, module.COPIES)
    assert rows == objective.rows_in(2**21, samples.layout, module.COPIES) // 2
    assert rows * 4 * module.COPIES * objective.parameters < 2**20
