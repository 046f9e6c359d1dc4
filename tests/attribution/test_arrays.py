"""Inputs of any rank, several of them, outputs of any rank: each call is held to the same call on plain rows."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as draw
from keras import layers as kinds

from reproduction.attribution import (
    METHODS,
    completeness_gap,
    explain,
    explain_layers,
    explain_with_errors,
    weighted_attributions,
)
from reproduction.attribution import request as requests
from reproduction.attribution.layout import Layout
from reproduction.attribution.units import units_of
from tests.attribution.networks import keras_model, random_network, samples
from tests.attribution.test_axioms import FEW
from tests.attribution.test_layer_kinds import random_weights

ROUNDING = {"rtol": 1e-4, "atol": 1e-5}  # the same float32 sums in another order
OPTIONS = {"integrated_gradients": {"steps": 5}, "shapley_sampling": {"samples": 6, "seed": 1}}
WITH_BASELINE = {"integrated_gradients", "deeplift", "occlusion", "shapley_sampling", "shapley_exact"}


def pair(outputs=1):
    """The same net over [n, 6] and over a list of [n, 2] and [n, 2, 2]."""
    rows = keras_model(random_network("tanh", widths=(6, 5, outputs)))
    first, second = keras.Input((2,)), keras.Input((2, 2))
    tensor = kinds.Concatenate()([first, kinds.Flatten()(second)])
    for layer in rows.layers:
        tensor = layer(tensor)
    return rows, keras.Model([first, second], tensor)


def apart(rows):
    return [rows[:, :2], rows[:, 2:].reshape(-1, 2, 2)]


def joined(arrays):
    return np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)


@pytest.mark.parametrize("call", [explain, weighted_attributions])
@pytest.mark.parametrize("method", METHODS)
def test_several_inputs_are_their_features_side_by_side(method, call):
    rows, several = pair()
    x, b = samples(7, width=6)
    options = OPTIONS.get(method, {})
    one, two = (
        {"baseline": given} if method in WITH_BASELINE else {} for given in (b, [b[:, :2], b[:, 2:].reshape(-1, 2, 2)])
    )
    got = call(several, apart(x), method=method, **two, **options)
    assert [array.shape for array in got] == [(7, 2), (7, 2, 2)]
    assert {array.dtype for array in got} == {np.dtype("float32")}
    np.testing.assert_allclose(joined(got), call(rows, x, method=method, **one, **options), **ROUNDING)
    gap = completeness_gap(several, apart(x), method=method, **two, **options)
    np.testing.assert_allclose(gap, completeness_gap(rows, x, method=method, **one, **options), **ROUNDING)


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_layers_of_a_model_of_several_inputs(method):
    rows, several = pair()
    x, _ = samples(4, width=6)
    got, expected = explain_layers(several, apart(x), method=method), explain_layers(rows, x, method=method)
    np.testing.assert_allclose(joined(got["input"]), expected["input"], **ROUNDING)
    for layer in rows.layers[:-1]:
        np.testing.assert_allclose(got[layer.name], expected[layer.name], **ROUNDING)


@pytest.mark.parametrize("method", METHODS)
def test_a_list_of_one_array_is_answered_by_a_list(method):
    model, (x, _) = keras_model(random_network("tanh")), samples(3)
    (got,) = explain(model, [x], method=method, **OPTIONS.get(method, {}))
    np.testing.assert_array_equal(got, explain(model, x, method=method, **OPTIONS.get(method, {})))


@pytest.mark.parametrize("method", METHODS)
def test_a_tensor_is_its_numbers_one_by_one(method):
    flat = keras_model(random_network("elu", widths=(12, 4, 1)))
    cube = keras.Sequential([keras.Input((2, 3, 2)), kinds.Flatten(), *flat.layers])
    x, b = samples(5, width=12)
    shaped = {"baseline": b.reshape(-1, 2, 3, 2)} if method in WITH_BASELINE else {}
    plain = {"baseline": b} if method in WITH_BASELINE else {}
    options = OPTIONS.get(method, {})
    got = explain(cube, x.reshape(-1, 2, 3, 2), method=method, **shaped, **options)
    assert got.shape == (5, 2, 3, 2)
    np.testing.assert_allclose(got.reshape(5, -1), explain(flat, x, method=method, **plain, **options), **ROUNDING)


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"epsilon_lrp", "deeplift"}))
def test_a_function_of_a_list(method):
    x, b = samples(4, width=3)
    got = explain(lambda arrays: arrays[0][:, 0] * arrays[1][:, 1], [x, b], method=method, **OPTIONS.get(method, {}))
    one = explain(
        lambda rows: rows[:, 0] * rows[:, 4], np.concatenate([x, b], axis=1), method=method, **OPTIONS.get(method, {})
    )
    np.testing.assert_allclose(np.concatenate(got, axis=1), one, **ROUNDING)


# ---- what is explained


@pytest.mark.parametrize("call", [explain, weighted_attributions])
@pytest.mark.parametrize("method", METHODS)
def test_a_target_per_sample(method, call):
    model, (x, _) = keras_model(random_network("tanh", widths=(5, 4, 3))), samples(6)
    targets, options = [2, 0, 1, 1, 2, 0], OPTIONS.get(method, {})
    each = [call(model, x, method=method, target=unit, **options) for unit in range(3)]
    expected = np.stack([each[unit][row] for row, unit in enumerate(targets)])
    for batch_size in (None, 1, 9):  # one sample at a time, and a few of them
        got = call(model, x, method=method, target=targets, batch_size=batch_size, **options)
        np.testing.assert_allclose(got, expected, **ROUNDING)
    np.testing.assert_allclose(call(model, x, method=method, target=np.array(targets), **options), expected, **ROUNDING)


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"saliency"}))
def test_start_is_a_weighted_sum_of_the_outputs(method):
    """DeepExplain's `ys`; all methods but saliency, which is not linear, hand on the sum."""
    model, (x, _) = keras_model(random_network("tanh", widths=(5, 4, 3))), samples(6)
    options = OPTIONS.get(method, {})
    each = np.stack([explain(model, x, method=method, target=unit, **options) for unit in range(3)])
    weights = np.array([0.5, -2.0, 1.0])
    got = explain(model, x, method=method, start=weights, **options)
    np.testing.assert_allclose(got, np.tensordot(weights, each, 1), rtol=1e-4, atol=1e-5)
    per_sample = np.random.default_rng(0).normal(size=(6, 3))
    got = explain(model, x, method=method, start=per_sample, batch_size=7, **options)
    np.testing.assert_allclose(got, np.einsum("no,onf->nf", per_sample, each), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_an_output_of_several_axes_has_a_target_of_several_indices(method):
    model = random_weights(keras.Sequential([keras.Input((4, 2)), kinds.Conv1D(3, 2, activation="tanh")]))
    x = samples(3, width=8)[0].reshape(-1, 4, 2)
    options = OPTIONS.get(method, {})
    flat = keras.Model(model.inputs, kinds.Flatten()(model.outputs[0]))  # outputs [n, 3, 3]
    got = explain(model, x, method=method, target=(1, 2), **options)
    np.testing.assert_allclose(got, explain(flat, x, method=method, target=5, **options), **ROUNDING)
    start = np.zeros((3, 3))
    start[1, 2] = 1.0
    np.testing.assert_allclose(explain(model, x, method=method, start=start, **options), got, **ROUNDING)
    with pytest.raises(ValueError, match=r"one of the model's \(3, 3\) outputs, got None; pass an index for each"):
        explain(model, x, method=method, **options)


def test_baselines_broadcast_and_are_computed():
    model, (x, b) = keras_model(random_network("tanh")), samples(4)
    call = {"method": "deeplift"}
    for one, same in ((0.5, np.full(5, 0.5)), (b[:1], np.tile(b[:1], (4, 1))), (x[:, :1], np.tile(x[:, :1], 5))):
        np.testing.assert_array_equal(explain(model, x, baseline=one, **call), explain(model, x, baseline=same, **call))
    computed = explain(model, x, baseline=lambda inputs: inputs.mean(axis=0), **call)
    np.testing.assert_array_equal(computed, explain(model, x, baseline=x.mean(axis=0), **call))
    _, several = pair()
    x, _ = samples(3, width=6)
    got = explain(several, apart(x), baseline=[None, np.ones((2, 2))], **call)
    expected = explain(several, apart(x), baseline=[np.zeros(2), np.ones((3, 2, 2))], **call)
    for one, two in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one, two)
    for wrong in (np.zeros(2), [None], [None, None, None]):
        with pytest.raises(ValueError, match="baseline must be a list with an array or None for each of the 2 inputs"):
            explain(several, apart(x), baseline=wrong, **call)
    with pytest.raises(ValueError, match=r"baseline\[1\] must be None .* got the shape \(3,\)"):
        explain(several, apart(x), baseline=[None, np.zeros(3)], **call)
    with pytest.raises(ValueError, match="inputs must have as many samples each, got 3, 2"):
        explain(several, [apart(x)[0], apart(x)[1][:2]], **call)


# ---- windows and players


def product(x):
    """A function of [n, 3, 4, 2] in which everything touches."""
    return np.prod(1.5 + 0.3 * np.tanh(x), axis=(1, 2, 3))


@pytest.mark.parametrize(
    ("options", "height", "width"),
    [
        ({"feature_axes": (0, 1), "window": 2, "step": (1, 2)}, (2, 1), (2, 2)),
        ({"feature_axes": (0, 1), "window": (1, 3), "step": 1}, (1, 1), (3, 1)),
        ({"feature_axes": (0,), "window": 1}, (1, 1), (4, 1)),
        ({"window": (3, 2, 2), "step": (1, 2, 1)}, (3, 1), (2, 2)),
    ],
)
def test_occlusion_by_windows_of_pixels(options, height, width):
    """Every window by a loop; all of them take both channels."""
    x = samples(2, width=24)[0].reshape(2, 3, 4, 2)
    got = explain(product, x, method="occlusion", baseline=0.25, **options)
    total, count = np.zeros(x.shape), np.zeros(x.shape)
    for top in range(0, 3 - height[0] + 1, height[1]):
        for left in range(0, 4 - width[0] + 1, width[1]):
            window = (slice(None), slice(top, top + height[0]), slice(left, left + width[0]))
            occluded = x.copy()
            occluded[window] = 0.25
            drop = product(x) - product(occluded)
            total[window] += drop[:, None, None, None] / (height[0] * width[0] * 2)
            count[window] += 1
    np.testing.assert_allclose(got, total / count, rtol=1e-5, atol=1e-6)


def test_players_share_their_value_evenly_and_it_is_shapleys():
    """Three groups over [2, 3]: the values by all orders, on paper's definition."""
    x, b = (array.reshape(-1, 2, 3) for array in samples(2, width=6))
    groups = np.array([[7, 7, 2], [2, 5, 7]])

    def worth(coalition, row):
        mixed = np.where(np.isin(groups, list(coalition)), x[row], b[row])
        return np.prod(1.5 + 0.3 * np.tanh(mixed))

    def function(z):
        return np.prod(1.5 + 0.3 * np.tanh(z), axis=(1, 2))

    got = explain(function, x, method="shapley_exact", baseline=b, groups=groups)
    every = explain(function, x, method="shapley_sampling", baseline=b, groups=groups, samples=4000)
    for row in range(2):
        value = dict.fromkeys((7, 2, 5), 0.0)
        for order in itertools.permutations(value):
            for place, player in enumerate(order):
                value[player] += (worth(order[: place + 1], row) - worth(order[:place], row)) / 6
        expected = np.vectorize(lambda label, value=value: value[label] / (groups == label).sum())(groups)
        np.testing.assert_allclose(got[row], expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(every[row], expected, atol=0.01)  # 4,000 orders of a product about 10


@pytest.mark.parametrize("method", ["shapley_exact", "shapley_sampling"])
def test_pixels_play_with_their_channels(method):
    x = samples(2, width=12)[0].reshape(2, 2, 2, 3)
    groups = np.repeat(np.arange(4), 3).reshape(2, 2, 3)

    def function(z):
        return np.prod(1.5 + 0.3 * np.tanh(z), axis=(1, 2, 3))

    got = explain(function, x, method=method, feature_axes=(0, 1))
    np.testing.assert_array_equal(got, explain(function, x, method=method, groups=groups))
    assert (got == got[..., :1]).all()
    np.testing.assert_allclose(completeness_gap(function, x, method=method, feature_axes=(0, 1)), 0.0, atol=1e-5)


@pytest.mark.parametrize("method", ["occlusion", "shapley_exact", "shapley_sampling"])
@pytest.mark.parametrize("axes", [(), (3,), (-1,), (0, 0), (0.5,)])
def test_feature_axes_that_are_none(method, axes):
    with pytest.raises(ValueError, match=r"feature_axes must be axes of a sample, 0 \.\. 2 without the samples' own"):
        explain(product, np.zeros((1, 3, 4, 2)), method=method, feature_axes=axes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groups": np.zeros((2, 3))}, r"groups must be whole numbers of a sample's shape \(3, 4, 2\), got float64"),
        ({"groups": np.zeros((3, 4), int)}, r"groups must be whole numbers .* got int64 \(3, 4\)"),
        ({"groups": np.zeros((3, 4, 2), int), "feature_axes": (0,)}, "feature_axes and groups each say who plays"),
    ],
)
def test_groups_that_are_none(options, message):
    with pytest.raises(ValueError, match=message):
        explain(product, np.zeros((1, 3, 4, 2)), method="shapley_exact", **options)


def test_occlusion_wants_a_number_per_feature_axis():
    with pytest.raises(
        ValueError, match=r"window must be one number, or one for each of the 3 feature axes, got \(2, 2\)"
    ):
        explain(product, np.zeros((1, 3, 4, 2)), method="occlusion", window=(2, 2))


@pytest.mark.parametrize("antithetic", [False, True])
def test_the_standard_error_is_the_spread_of_the_means(antithetic):
    """Of 200 means of 40 orders each: their spread is what one run says, within its own error of 20 %."""
    x = samples(1, width=4)[0]

    def function(z):
        return np.prod(1.0 + z, axis=1)

    call = {"method": "shapley_sampling", "samples": 40, "antithetic": antithetic}
    runs = [explain_with_errors(function, x, seed=seed, **call) for seed in range(200)]
    means, errors = (np.array(part, float) for part in zip(*runs, strict=True))
    np.testing.assert_allclose(np.sqrt((errors**2).mean(axis=0)), means.std(axis=0, ddof=1), rtol=0.2)
    np.testing.assert_array_equal(means[3], explain(function, x, seed=3, **call))


def test_one_order_has_no_standard_error():
    _, errors = explain_with_errors(lambda z: z[:, 0], np.ones((2, 3)), samples=1)
    assert np.isnan(errors).all()


# ---- what must hold of any graph


PARTS = ["residual", "shared", "pooled", "joined", "nested"]


def graphs(*activations):
    """Draw what `built` builds."""
    parts = draw.lists(draw.sampled_from(PARTS), min_size=1, max_size=3)
    return draw.tuples(draw.sampled_from(activations), draw.integers(1, 3), parts, draw.integers(0, 1000))


def built(graph, *, bias=True):
    """Build a functional model over [n, 4, 4, 2]: convolutions, activations, branches, shared and nested layers."""
    activation, width, parts, seed = graph
    start = keras.Input((4, 4, 2))
    tensor = kinds.Conv2D(width, 2, padding="same", use_bias=bias)(start)
    shared = kinds.Conv2D(width, 3, padding="same", use_bias=bias)
    for kind in parts:
        hidden = kinds.Activation(activation)(tensor)
        if kind == "residual":
            tensor = kinds.Add()([tensor, kinds.Conv2D(width, 1, use_bias=bias)(hidden)])
        elif kind == "shared":
            tensor = shared(hidden)
        elif kind == "pooled":
            tensor = kinds.UpSampling2D(2)(kinds.AveragePooling2D(2)(hidden))
        elif kind == "joined":
            tensor = kinds.Conv2D(width, 1, use_bias=bias)(kinds.Concatenate()([hidden, start]))
        else:
            inner = keras.Input((4, 4, width))
            tensor = keras.Model(inner, kinds.DepthwiseConv2D(2, padding="same", use_bias=bias)(inner))(hidden)
    end = kinds.Dense(2, use_bias=bias)(kinds.Flatten()(kinds.Activation(activation)(tensor)))
    return random_weights(keras.Model(start, end), seed=seed)


IMAGES, BASELINES = (array.reshape(3, 4, 4, 2) for array in samples(3, width=32))


@FEW
@given(graphs("relu", "elu", "tanh", "silu"))
def test_deeplift_adds_up_on_any_graph(graph):
    """Within the float32 rounding of the model that it is compared with."""
    model = built(graph)
    change = (model(IMAGES) - model(BASELINES)).numpy()[:, 1]
    got = explain(model, IMAGES, method="deeplift", baseline=BASELINES, target=1)
    size = np.abs(got).sum(axis=(1, 2, 3)) + np.abs(change)
    np.testing.assert_array_less(np.abs(got.sum(axis=(1, 2, 3)) - change), 1e-5 * size + 1e-5)


@FEW
@given(graphs("relu", "leaky_relu"))
def test_without_biases_lrp_conserves_and_scales(graph):
    """Homogeneous nets: all relevance reaches the input, and twice the input has twice the relevance."""
    model = built(graph, bias=False)
    got = explain(model, IMAGES, method="epsilon_lrp", target=0, epsilon=1e-12)
    output = model(IMAGES).numpy()[:, 0]
    size = np.abs(got).sum(axis=(1, 2, 3)) + np.abs(output)
    np.testing.assert_array_less(np.abs(got.sum(axis=(1, 2, 3)) - output), 1e-5 * size + 1e-6)
    for method, options in (("epsilon_lrp", {"relative": True}), ("deeplift", {})):
        small, large = (
            explain(model, scale * IMAGES, method=method, target=0, **options) / scale for scale in (2.0**-20, 2.0**10)
        )
        np.testing.assert_allclose(small, large, rtol=1e-4, atol=1e-6 * np.abs(large).max())


@FEW
@given(graphs("relu"))
def test_with_relu_alone_lrp_is_input_times_gradient(graph):
    """Ancona et al. 2018, Prop. 3."""
    model = built(graph)
    lrp = explain(model, IMAGES, method="epsilon_lrp", target=1, epsilon=1e-12)
    gradient = explain(model, IMAGES, method="input_x_gradient", target=1)
    np.testing.assert_allclose(lrp, gradient, rtol=1e-3, atol=1e-5 * np.abs(gradient).max())  # float32 gradients


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_a_shared_layer_is_its_copies(method):
    def twice(layers):
        first, second = keras.Input((3,)), keras.Input((3,))
        return keras.Model([first, second], kinds.Dense(1)(kinds.Add()([layers[0](first), layers[1](second)])))

    shared = kinds.Dense(4, "tanh")
    one = random_weights(twice([shared, shared]))
    copies = [kinds.Dense(4, "tanh"), kinds.Dense(4, "tanh")]
    two = twice(copies)
    for copy in copies:
        copy.set_weights(shared.get_weights())
    two.layers[-1].set_weights(one.layers[-1].get_weights())
    inputs = list(samples(5, width=3))
    for got, expected in zip(explain(one, inputs, method=method), explain(two, inputs, method=method), strict=True):
        np.testing.assert_array_equal(got, expected)


# ---- batches


def test_without_a_batch_size_batches_fit_a_byte_budget(monkeypatch):
    seen = []

    def function(x):
        seen.append(len(x))
        return tf.reduce_sum(x, axis=(1, 2))

    monkeypatch.setattr(requests, "MOST_BYTES", 8 * 20 * 30)  # 30 rows of 20 float64
    explain(function, np.ones((100, 4, 5)), method="saliency")
    assert seen == [30, 30, 30, 10]
    model = keras.Sequential([keras.Input((4, 5)), kinds.Dense(15), kinds.Flatten(), kinds.Dense(1)])
    monkeypatch.setattr(requests, "MOST_BYTES", 8 * (20 + 60 + 60 + 1) * 7)  # the input and three layers
    request = requests.checked(METHODS, model, np.ones((9, 4, 5)), "saliency", None, None, None, None, False, {})
    assert request.batch_size == 7


def block():
    return keras.Sequential([keras.Input((4, 5)), kinds.Dense(15), kinds.Flatten()])


class Subclass(keras.Model):
    def __init__(self):
        super().__init__()
        self.block, self.last = block(), kinds.Dense(1)

    def call(self, inputs):
        return self.last(keras.ops.relu(self.block(inputs)))


class Untraceable(Subclass):
    def call(self, inputs):
        return super().call(inputs) * float(inputs.numpy().shape[0] > 0)


def any_length():
    start = keras.Input((None, 5))
    return keras.Model(start, kinds.Dense(1)(kinds.GlobalAveragePooling1D()(kinds.Dense(15)(start))))


def in_a_graph(*operations):
    start = keras.Input((4, 5))
    hidden = block()(start)
    for operation in operations:
        hidden = operation(hidden)
    return keras.Model(start, kinds.Dense(1)(hidden))


@pytest.mark.parametrize(
    ("build", "least", "most"),
    [
        (lambda: keras.Sequential([keras.Input((4, 5)), block(), kinds.Dense(1)]), 141, 141),
        (lambda: in_a_graph(), 141, 141),
        (lambda: in_a_graph(keras.ops.relu, lambda h: h * 2.0), 261, 261),
        (lambda: keras.Sequential([keras.Input((4, 5)), in_a_graph(), kinds.Dense(2)]), 143, 143),
        (Subclass, 201, 700),  # a dense layer is a few of TensorFlow's steps
        (lambda: keras.Sequential([keras.Input((4, 5)), Subclass()]), 201, 700),
        (Untraceable, 60, 700),
        (any_length, 141, 700),
    ],
)
def test_what_a_model_holds_for_a_sample(build, least, most):
    model = build()
    model(np.zeros((1, 4, 5), np.float32))
    assert least <= units_of(model, Layout(((4, 5),), is_list=False)) <= most


def test_a_bar_shows_how_far_it_is(capsys):
    model, (x, _) = keras_model(random_network("tanh")), samples(4)
    quiet = explain(model, x, method="deeplift")
    assert capsys.readouterr().out == ""
    np.testing.assert_array_equal(explain(model, x, method="deeplift", batch_size=1, progress=True), quiet)
    assert "attributions" in capsys.readouterr().out
