"""Every kind of layer that LRP and DeepLIFT pass, against the oracles on the same network unrolled into dense ones.

A layer is unrolled by what it gives of unit vectors; the oracles know dense layers and activations alone.
"""

import keras
import numpy as np
import pytest
from keras import layers as kinds

from reproduction.attribution import completeness_gap, explain
from tests.oracles import attribution_methods as oracle

FLOAT32 = {"rtol": 1e-4, "atol": 1e-5}  # the unrolled kernel is what the float32 layer gave
EPSILON = 0.05

LINEAR = {
    "Conv1D": ((6, 2), lambda: kinds.Conv1D(3, 3)),
    "Conv1D, causal and dilated": ((6, 2), lambda: kinds.Conv1D(3, 2, padding="causal", dilation_rate=2)),
    "Conv2D": ((5, 4, 2), lambda: kinds.Conv2D(3, (3, 2))),
    "Conv2D, strides and same": ((5, 4, 2), lambda: kinds.Conv2D(3, 3, strides=2, padding="same")),
    "Conv2D, groups": ((4, 4, 4), lambda: kinds.Conv2D(4, 2, groups=2, use_bias=False)),
    "Conv3D": ((3, 3, 3, 2), lambda: kinds.Conv3D(2, 2)),
    "DepthwiseConv1D": ((6, 2), lambda: kinds.DepthwiseConv1D(3, depth_multiplier=2)),
    "DepthwiseConv2D": ((4, 4, 2), lambda: kinds.DepthwiseConv2D(3)),
    "SeparableConv1D": ((6, 2), lambda: kinds.SeparableConv1D(3, 3)),
    "SeparableConv2D": ((4, 4, 2), lambda: kinds.SeparableConv2D(3, 2)),
    "Conv1DTranspose": ((4, 2), lambda: kinds.Conv1DTranspose(3, 3, strides=2)),
    "Conv2DTranspose": ((3, 3, 2), lambda: kinds.Conv2DTranspose(2, 3, strides=2, padding="same")),
    "Conv3DTranspose": ((2, 2, 2, 2), lambda: kinds.Conv3DTranspose(2, 2)),
    "AveragePooling1D": ((6, 2), lambda: kinds.AveragePooling1D(2)),
    "AveragePooling2D": ((4, 4, 2), lambda: kinds.AveragePooling2D(2)),
    "AveragePooling2D, same": ((5, 5, 1), lambda: kinds.AveragePooling2D(2, padding="same")),
    "AveragePooling3D": ((2, 4, 2, 2), lambda: kinds.AveragePooling3D(2)),
    "GlobalAveragePooling1D": ((6, 3), lambda: kinds.GlobalAveragePooling1D()),
    "GlobalAveragePooling2D": ((3, 3, 3), lambda: kinds.GlobalAveragePooling2D()),
    "GlobalAveragePooling3D": ((2, 2, 2, 3), lambda: kinds.GlobalAveragePooling3D()),
    "Flatten": ((3, 2), lambda: kinds.Flatten()),
    "Reshape": ((3, 4), lambda: kinds.Reshape((2, 6))),
    "Permute": ((3, 4), lambda: kinds.Permute((2, 1))),
    "RepeatVector": ((4,), lambda: kinds.RepeatVector(3)),
    "ZeroPadding1D": ((4, 2), lambda: kinds.ZeroPadding1D(1)),
    "ZeroPadding2D": ((3, 3, 1), lambda: kinds.ZeroPadding2D(1)),
    "ZeroPadding3D": ((2, 2, 2, 1), lambda: kinds.ZeroPadding3D(1)),
    "Cropping1D": ((5, 2), lambda: kinds.Cropping1D(1)),
    "Cropping2D": ((4, 4, 2), lambda: kinds.Cropping2D(1)),
    "Cropping3D": ((3, 3, 3, 2), lambda: kinds.Cropping3D(1)),
    "UpSampling1D": ((3, 2), lambda: kinds.UpSampling1D(2)),
    "UpSampling2D": ((2, 3, 2), lambda: kinds.UpSampling2D(2)),
    "UpSampling2D, bilinear": ((2, 3, 2), lambda: kinds.UpSampling2D(2, interpolation="bilinear")),
    "UpSampling3D": ((2, 2, 2, 1), lambda: kinds.UpSampling3D(2)),
    "Resizing": ((3, 3, 1), lambda: kinds.Resizing(4, 5)),
    "BatchNormalization of images": ((3, 3, 2), lambda: kinds.BatchNormalization()),
    "BatchNormalization over the rows": ((3, 3, 2), lambda: kinds.BatchNormalization(axis=1)),
    "Normalization": ((3, 2), lambda: kinds.Normalization(mean=[0.5, -1.0], variance=[2.0, 0.3])),
    "Rescaling": ((3, 2), lambda: kinds.Rescaling(0.5, 1.0)),
    "Dense on the last axis": ((3, 4), lambda: kinds.Dense(2)),
    "EinsumDense": ((3, 4), lambda: kinds.EinsumDense("abc,cd->abd", (3, 2), bias_axes="d")),
    "TimeDistributed": ((3, 2, 2), lambda: kinds.TimeDistributed(kinds.Dense(2))),
    "SpatialDropout2D": ((3, 3, 2), lambda: kinds.SpatialDropout2D(0.5)),
    "an affine layer of one's own": ((3, 2), lambda: OwnMean()),
}

ACTIVATIONS = {
    "PReLU": lambda: kinds.PReLU(alpha_initializer="random_uniform"),
    "ReLU, capped": lambda: kinds.ReLU(max_value=0.5),
    "ReLU, shifted": lambda: kinds.ReLU(threshold=0.2, negative_slope=0.1),
    "gelu": lambda: kinds.Activation("gelu"),
    "silu": lambda: kinds.Activation("silu"),
    "selu": lambda: kinds.Activation("selu"),
    "relu6": lambda: kinds.Activation("relu6"),
    "hard_sigmoid": lambda: kinds.Activation("hard_sigmoid"),
    "softsign": lambda: kinds.Activation("softsign"),
    "exponential": lambda: kinds.Activation("exponential"),
    "square": lambda: kinds.Activation(keras.ops.square),
}


class OwnMean(keras.layers.Layer):
    """Anyone's layer: each element and the mean of its row."""

    def call(self, inputs):
        return inputs + keras.ops.mean(inputs, axis=-1, keepdims=True)


def random_weights(model, seed=0):
    """Draw weights away from their initial values, which are zeros and ones in places."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        drawn = generator.normal(0.0, 0.5, weight.shape)
        weight.assign(np.abs(drawn) + 0.5 if "variance" in weight.name else drawn)
    return model


def unrolled(layer, shapes):
    """Return an affine layer as ("dense", kernel, bias) over its inputs, flat and one behind the other."""
    sizes = [int(np.prod(shape)) for shape in shapes]
    rows = np.concatenate([np.zeros((1, sum(sizes))), np.eye(sum(sizes))]).astype(np.float32)
    parts = np.split(rows, np.cumsum(sizes)[:-1], axis=1)
    given = [part.reshape(-1, *shape) for part, shape in zip(parts, shapes, strict=True)]
    out = np.asarray(layer(given if len(given) > 1 else given[0])).reshape(len(rows), -1).astype(float)
    return ("dense", out[1:] - out[0], out[0])


def draw(shape, seed=1, n=2):
    x, b = np.random.default_rng(seed).normal(size=(2, n, *shape)).astype(np.float32)
    return x, b


def assert_is_the_oracles(model, network, x, b):
    for method, plain, options in (
        ("epsilon_lrp", lambda *given: oracle.epsilon_lrp(*given, EPSILON), {"epsilon": EPSILON}),
        ("deeplift", oracle.deeplift, {"baseline": b}),
    ):
        got = explain(model, x, method=method, target=1, **options)
        assert got.shape == x.shape
        for row in range(len(x)):
            expected = plain(network, x[row].reshape(-1).astype(float), b[row].reshape(-1).astype(float), 1)
            np.testing.assert_allclose(got[row].reshape(-1), expected, **FLOAT32)


@pytest.mark.parametrize("name", LINEAR)
def test_a_linear_layer_is_its_unrolling(name):
    shape, build = LINEAR[name]
    layer = build()
    stack = [layer, kinds.Activation("tanh"), kinds.Flatten(), kinds.Dense(3)]
    model = random_weights(keras.Sequential([keras.Input(shape), *stack]))
    kernel, bias = (np.asarray(array, float) for array in stack[-1].get_weights())
    network = [unrolled(layer, [shape]), ("activation", "tanh", None), ("dense", kernel, bias)]
    assert_is_the_oracles(model, network, *draw(shape))


class Several(kinds.Layer):
    """Layers in a list, and weights in a list."""

    def __init__(self):
        super().__init__()
        self.many = [kinds.Dense(12), kinds.Dense(16)]

    def build(self, shape):
        self.many[0].build(shape)
        self.many[1].build((None, 12))
        self.scales = [self.add_weight(shape=(16,)) for _ in range(2)]

    def call(self, inputs):
        for layer in self.many:
            inputs = layer(inputs)
        return inputs * self.scales[0] + self.scales[1]


class Inner(kinds.Layer):
    """A chain, and a graph of layers."""

    def __init__(self):
        super().__init__()
        self.chain = keras.Sequential([kinds.Dense(12), kinds.Dense(12)])
        start = keras.Input((12,))
        self.graph = keras.Model(start, kinds.Add()([start, kinds.Dense(12)(start)]))

    def build(self, shape):
        self.chain.build(shape)

    def call(self, inputs):
        return self.graph(self.chain(inputs))


WITHIN = {
    "layers and weights in lists": ((24,), Several),
    "models in a layer": ((24,), Inner),
    "TimeDistributed of a model": (
        (5, 4),
        lambda: kinds.TimeDistributed(keras.Sequential([keras.Input((4,)), kinds.Dense(16), kinds.Dense(3)])),
    ),
    "UpSampling2D, bilinear": ((14, 14, 1), lambda: kinds.UpSampling2D(interpolation="bilinear")),
    "UpSampling2D, bicubic": ((14, 14, 1), lambda: kinds.UpSampling2D(3, interpolation="bicubic")),
    "UpSampling2D, lanczos3": ((8, 8, 1), lambda: kinds.UpSampling2D(interpolation="lanczos3")),
    "Resizing": ((10, 8, 1), lambda: kinds.Resizing(7, 7)),
}


@pytest.mark.parametrize("name", WITHIN)
def test_what_computes_in_float32_within_is_read_in_any_sample(name):
    """All samples' places, none refused, and the attributions add up as the model's own float32 does."""
    shape, build = WITHIN[name]
    model = keras.Sequential([keras.Input(shape), build(), kinds.ReLU(), kinds.Flatten(), kinds.Dense(1)])
    random_weights(model)
    x, b = draw(shape, n=60)
    size = np.abs(np.asarray(model(x))).max()
    for inputs in (x, 1e-3 * x):
        gap = completeness_gap(model, inputs, method="deeplift", baseline=b, batch_size=20)
        np.testing.assert_allclose(gap / size, 0.0, atol=1e-5)
        unstabilised = explain(model, inputs, method="epsilon_lrp", epsilon=1e-12)
        gradient = explain(model, inputs, method="input_x_gradient")  # they agree for ReLU
        np.testing.assert_allclose(unstabilised, gradient, rtol=1e-3, atol=1e-5 * np.abs(gradient).max())


@pytest.mark.parametrize("name", ["Add", "Subtract", "Average", "Concatenate", "operators"])
def test_what_joins_branches_is_its_unrolling(name):
    """tanh of x and tanh of A x, joined: the unrolled net computes both branches side by side."""
    start = keras.Input((4,))
    first, second = kinds.Activation("tanh")(start), kinds.Dense(4, "tanh")(start)
    joined = 2.0 * first - second / 3.0 + 1.0 if name == "operators" else getattr(kinds, name)()([first, second])
    model = random_weights(keras.Model(start, kinds.Dense(3)(joined)))
    dense = [layer for layer in model.layers if isinstance(layer, kinds.Dense)]
    below, above = ([np.asarray(array, float) for array in layer.get_weights()] for layer in dense)
    both = {
        "Add": np.concatenate([np.eye(4), np.eye(4)]),
        "Subtract": np.concatenate([np.eye(4), -np.eye(4)]),
        "Average": np.concatenate([np.eye(4), np.eye(4)]) / 2,
        "Concatenate": np.eye(8),
        "operators": np.concatenate([2.0 * np.eye(4), -np.eye(4) / 3.0]),
    }[name]
    shift = np.full(both.shape[1], float(name == "operators"))
    network = [
        ("dense", np.concatenate([np.eye(4), below[0]], axis=1), np.concatenate([np.zeros(4), below[1]])),
        ("activation", "tanh", None),
        ("dense", both, shift),
        ("dense", *above),
    ]
    assert_is_the_oracles(model, network, *draw((4,)))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_any_element_wise_activation_is_passed(name):
    """By its own values: DeepLIFT adds up, and LRP is the sum over the units of g(z) / (z + epsilon sign z)."""
    first, activation, last = kinds.Dense(4), ACTIVATIONS[name](), kinds.Dense(1)
    model = random_weights(keras.Sequential([keras.Input((3,)), first, activation, last]))
    x, b = draw((3,))
    gap = completeness_gap(model, x, method="deeplift", baseline=b)
    np.testing.assert_allclose(gap, 0.0, atol=1e-5)  # the model's own float32
    z = np.asarray(first(x))
    ratio = np.asarray(activation(z)) / (z + EPSILON * np.where(z >= 0, 1.0, -1.0))
    (kernel, _), (above, _) = first.get_weights(), last.get_weights()
    expected = x * ((ratio * above[:, 0]) @ kernel.T)
    np.testing.assert_allclose(explain(model, x, method="epsilon_lrp", epsilon=EPSILON), expected, **FLOAT32)


@pytest.mark.parametrize(
    ("function", "least"),
    [
        (keras.ops.log, 1.0),
        (keras.ops.log1p, 0.0),
        (keras.ops.sqrt, 0.0),
        (keras.ops.arccosh, 2.0),
        (lambda z: keras.ops.log(z - 5.0), 6.0),
        (lambda z: keras.ops.log(z - 900.0), 1000.0),
    ],
    ids=["log", "log1p", "sqrt", "arccosh", "log from 5", "log from 900"],
)
def test_an_activation_that_has_no_value_for_half_of_its_trials(function, least):
    """Behind a ReLU it is only asked for what it has; the two are the activation of numbers from 0."""
    start = keras.Input((3,))
    behind = kinds.Dense(4, "relu")(start) + least
    model = random_weights(keras.Model(start, kinds.Dense(1)(function(behind))))
    x, b = draw((3,))
    np.testing.assert_allclose(completeness_gap(model, x, method="deeplift", baseline=b), 0.0, atol=1e-5)


@pytest.mark.parametrize(
    ("activation", "value"),
    [
        ("exponential", np.exp),
        (lambda z: 1e9 * keras.ops.sin(z), lambda z: 1e9 * np.sin(z)),
        (lambda z: 1e-9 * keras.ops.sin(z), lambda z: 1e-9 * np.sin(z)),
        (lambda z: keras.ops.exp(4.0 * z), lambda z: np.exp(4.0 * z)),
    ],
    ids=["exponential", "large", "small", "steep"],
)
def test_a_secant_is_one_however_large_or_steep_the_activation_is(activation, value):
    """From one unit: its share is its weight times the secant, of values up to 1e15 and 2 pi apart."""
    first, last = kinds.Dense(2, activation), kinds.Dense(1, use_bias=False)
    model = keras.Sequential([keras.Input((1,)), first, last])
    first.set_weights([np.array([[1.0, 0.5]], np.float32), np.array([0.0, 1.5], np.float32)])
    last.set_weights([np.array([[1.0], [-0.5]], np.float32)])
    b = np.array([[0.5], [2.0], [-1.0], [2.7], [0.0]], np.float32)
    for apart in (2.0 * np.pi, 1.0, 1e-2, 1e-3):
        x = (b + apart).astype(np.float32)
        z, z0 = ((one.astype(float) @ [[1.0, 0.5]]) + [0.0, 1.5] for one in (x, b))
        slopes = (value(z) - value(z0)) / (z - z0)
        expected = (x.astype(float) - b) * (slopes * [1.0, 0.5] @ [[1.0], [-0.5]])
        np.testing.assert_allclose(explain(model, x, method="deeplift", baseline=b), expected, rtol=1e-5)


def test_a_product_with_itself_is_a_square():
    x, b = draw((3,))
    found = []
    for square in (lambda h: h * h, keras.ops.square):
        start = keras.Input((3,))
        model = random_weights(keras.Model(start, kinds.Dense(1)(square(kinds.Dense(4)(start)))))
        found.append([explain(model, x, method="epsilon_lrp"), explain(model, x, method="deeplift", baseline=b)])
    np.testing.assert_array_equal(*found)


class OwnMaximum(kinds.MaxPooling1D):
    pass


class OwnName(keras.Model):
    """A functional model under another name."""


class OwnChain(keras.Sequential):
    pass


class OwnDense(kinds.Dense):
    pass


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_a_subclass_that_changes_nothing_is_what_it_stands_for(method):
    """Its activation acts once, at the end, as in Keras's own."""
    x, _ = draw((3,))
    found = []
    for model_type, chain_type, dense_type in (
        (keras.Model, keras.Sequential, kinds.Dense),
        (OwnName, OwnChain, OwnDense),
    ):
        start = keras.Input((3,))
        hidden = chain_type([dense_type(4, "tanh"), dense_type(4, "elu")])(start)
        model = random_weights(model_type(start, dense_type(1)(hidden)))
        found.append(explain(model, x, method=method))
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("layer", [lambda: kinds.AveragePooling2D(2), lambda: kinds.Conv2D(2, 2)])
def test_what_is_about_the_same_at_input_and_baseline_is_not_taken_for_another_kind(layer):
    """Saturated tanhs give 1 or -1 for both, to a rounding; where they cancel, their sum is a rounding too."""
    stack = [kinds.Conv2D(4, 3, activation="tanh"), layer(), kinds.Flatten(), kinds.Dense(1)]
    model = keras.Sequential([keras.Input((8, 8, 1)), *stack])
    for seed in range(12):
        random_weights(model, seed)
        x, b = 1e3 * np.random.default_rng(seed).normal(size=(2, 6, 8, 8, 1))
        gap = completeness_gap(model, x, method="deeplift", baseline=b)
        np.testing.assert_allclose(gap, 0.0, atol=1e-4)  # the model's own float32, of pre-activations of some 1000


@pytest.mark.parametrize("activation", ["elu", "selu", "celu", "tanh_shrink"])
@pytest.mark.parametrize("scale", [1e-3, 1e-6, 1e-9])
def test_what_float32_rounds_away_is_not_taken_for_another_model(activation, scale):
    """Keras's own ELU of 1e-9 is 0 in float32, and 1e-9 here."""
    stack = [kinds.Dense(4, activation, use_bias=False), kinds.Dense(1, use_bias=False)]
    model = random_weights(keras.Sequential([keras.Input((3,)), *stack]))
    x, _ = draw((3,))
    for method in ("epsilon_lrp", "deeplift"):
        assert explain(model, scale * x, method=method).shape == x.shape


@pytest.mark.parametrize(
    ("shape", "build"),
    [
        ((6, 2), lambda: kinds.MaxPooling1D(2)),
        ((6, 2), lambda: OwnMaximum(2)),
        ((4, 4, 2), lambda: kinds.MaxPooling2D(2)),
        ((4, 4, 2), lambda: kinds.MaxPooling2D(3, strides=1, padding="same")),
        ((2, 4, 2, 2), lambda: kinds.MaxPooling3D(2)),
        ((6, 3), lambda: kinds.GlobalMaxPooling1D()),
        ((3, 3, 3), lambda: kinds.GlobalMaxPooling2D()),
        ((2, 2, 2, 3), lambda: kinds.GlobalMaxPooling3D()),
    ],
)
def test_in_max_pooling_the_winner_takes_it(shape, build):
    """As the layer that picks, in this sample, the greatest: LRP of the net is LRP of that dense one."""
    layer = build()
    stack = [layer, kinds.Activation("tanh"), kinds.Flatten(), kinds.Dense(2)]
    model = random_weights(keras.Sequential([keras.Input(shape), *stack]))
    kernel, bias = (np.asarray(array, float) for array in stack[-1].get_weights())
    x, _ = draw(shape)
    got = explain(model, x, method="epsilon_lrp", epsilon=EPSILON, target=1)
    for row in range(2):
        pooled = np.asarray(layer(x[row : row + 1])).reshape(-1)
        winners = (x[row].reshape(-1)[:, None] == pooled[None, :]).astype(float)  # no two numbers are equal
        network = [("dense", winners, None), ("activation", "tanh", None), ("dense", kernel, bias)]
        flat = x[row].reshape(-1).astype(float)
        expected = oracle.epsilon_lrp(network, flat, None, 1, EPSILON)
        np.testing.assert_allclose(got[row].reshape(-1), expected, **FLOAT32)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_models_of_another_precision_are_read(policy):
    """To their own precision, also where a sample's output cancels."""
    stack = [kinds.Dense(8, "relu", dtype=policy), kinds.Dense(2, dtype=policy)]
    model = random_weights(keras.Sequential([keras.Input((5,)), *stack]))
    plain = keras.Sequential([keras.Input((5,)), kinds.Dense(8, "relu"), kinds.Dense(2)])
    plain.set_weights(model.get_weights())
    x, _ = draw((5,))
    weights = [np.asarray(array, np.float64) for array in stack[-1].get_weights()]
    hidden = np.maximum(x[:1] @ stack[0].get_weights()[0] + stack[0].get_weights()[1], 0.0)
    stack[-1].set_weights([weights[0], -(hidden @ weights[0])[0]])  # the first sample's outputs are about 0
    plain.set_weights(model.get_weights())
    for method in ("epsilon_lrp", "deeplift"):
        np.testing.assert_allclose(
            explain(model, x, method=method, target=1), explain(plain, x, method=method, target=1), **FLOAT32
        )
