"""Relevance of hidden units, against the oracles run on the rest of the network, and by what must hold of it."""

import keras
import numpy as np
import pytest

from reproduction.attribution import explain, explain_layers
from tests.attribution.networks import batch_norm, keras_model, random_network, samples
from tests.oracles import attribution_methods
from tests.oracles.attribution_network import states

FLOAT64 = {"rtol": 1e-5, "atol": 1e-6}  # float64 throughout, handed out as float32
WIDTHS = (5, 7, 6, 3)
EPSILON = 1e-3


def network(activation="tanh", bias=True):
    """Return dense and activation by turns, with a normalisation and a dropout between them."""
    layers = random_network(activation, widths=WIDTHS, bias=bias, seed=4)
    return [*layers[:2], batch_norm(7, seed=5), ("dropout",), *layers[2:]] if bias else layers


def plain(layers, x, b, target, method):
    """Explain every state of one sample: a method that hands back layer by layer explains the rest of the network."""
    flow, reference = states(layers, x), states(layers, b)
    found = []
    for i in range(len(layers)):
        if method == "epsilon_lrp":
            found.append(attribution_methods.epsilon_lrp(layers[i:], flow[i], reference[i], target, EPSILON))
        else:
            found.append(attribution_methods.deeplift(layers[i:], flow[i], reference[i], target))
    return found


def does(kind, *rest):
    return kind != "dropout" and (kind != "activation" or rest[0] != "linear")


def options(method, b):
    return {"epsilon": EPSILON} if method == "epsilon_lrp" else {"baseline": b}


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh", "softplus"])
@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_every_layer_equals_the_oracle(method, activation):
    layers, (x, b) = network(activation), samples(6)
    model = keras_model(layers)
    ours = explain_layers(model, x, method=method, target=1, **options(method, b))
    idle = {layer.name for layer, (kind, *rest) in zip(model.layers, layers, strict=True) if not does(kind, *rest)}
    shown = [layer.name for layer in model.layers if layer.name not in idle]
    assert list(ours) == ["input", *shown]
    # What stands behind a layer is what stands before the next one that is shown.
    before = [i for i, layer in enumerate(layers) if does(*layer)]
    for row in range(len(x)):
        expected = plain(layers, x[row], b[row], 1, method)
        for name, i in zip(ours, before, strict=False):
            np.testing.assert_allclose(ours[name][row], expected[i], **FLOAT64)
    assert all(values.dtype == np.float32 for values in ours.values())


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_a_bare_layer_is_a_chain_of_one(method):
    layer = keras.layers.Dense(2, name="alone", bias_initializer="normal")
    layer.build((None, 5))
    x, b = samples(4)
    ours = explain_layers(layer, x, method=method, target=1, **options(method, b))
    assert list(ours) == ["input", "alone"]
    np.testing.assert_array_equal(ours["input"], explain(layer, x, method=method, target=1, **options(method, b)))
    # The layer's own output, less its reference, for the unit that is explained.
    gap = layer(x) - (0 if method == "epsilon_lrp" else layer(b))
    np.testing.assert_allclose(ours["alone"], gap * np.array([0, 1]), rtol=1e-5, atol=1e-6)  # the layer is float32


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_the_input_is_what_explain_gives(method):
    layers, (x, b) = network(), samples(9)
    ours = explain_layers(keras_model(layers), x, method=method, target=2, **options(method, b))
    theirs = explain(keras_model(layers), x, method=method, target=2, **options(method, b))
    np.testing.assert_array_equal(ours["input"], theirs)


def test_lrp_conserves_relevance_layer_by_layer_without_biases():
    """Bach et al. 2015, Eq. (2): up to what the stabiliser absorbs, which shrinks with it."""
    layers, (x, _) = network("relu", bias=False), samples(20)
    model = keras_model(layers)
    ours = explain_layers(model, x, target=0, epsilon=1e-9)
    output = model(x).numpy()[:, 0]
    for values in ours.values():
        np.testing.assert_allclose(values.sum(axis=1), output, rtol=1e-4, atol=1e-5)  # the model's own float32


def test_deeplift_is_complete_at_every_layer():
    layers, (x, b) = network("elu"), samples(20)
    model = keras_model(layers)
    ours = explain_layers(model, x, method="deeplift", baseline=b, target=0)
    change = (model(x) - model(b)).numpy()[:, 0]
    for values in ours.values():
        np.testing.assert_allclose(values.sum(axis=1), change, rtol=1e-4, atol=1e-5)  # the model's own float32


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_start_is_linear_and_a_unit_vector_is_a_target(method):
    model, (x, b) = keras_model(network()), samples(11)
    each = [explain_layers(model, x, method=method, target=unit, **options(method, b)) for unit in range(3)]
    start = np.array([2.0, -0.5, 1.0])
    together = explain_layers(model, x, method=method, start=start, **options(method, b))
    unit = explain_layers(model, x, method=method, start=[0, 1, 0], **options(method, b))
    for name, values in together.items():
        expected = sum(weight * part[name] for weight, part in zip(start, each, strict=True))
        np.testing.assert_allclose(values, expected, **FLOAT64)
        np.testing.assert_array_equal(unit[name], each[1][name])


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_the_start_of_a_sum_is_the_sum_of_the_starts(method):
    model, (x, b) = keras_model(network()), samples(11)
    starts = np.random.default_rng(1).normal(size=(2, 11, 3))
    first, second, both = (
        explain_layers(model, x, method=method, start=start, **options(method, b))
        for start in (*starts, starts.sum(axis=0))
    )
    for name, values in both.items():
        np.testing.assert_allclose(values, first[name] + second[name], **FLOAT64)


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_a_start_per_sample(method):
    model, (x, b) = keras_model(network()), samples(4)
    start = np.random.default_rng(0).normal(size=(4, 3))
    together = explain_layers(model, x, method=method, start=start, **options(method, b))
    for row in range(4):
        one = slice(row, row + 1)
        alone = explain_layers(model, x[one], method=method, start=start[row], **options(method, b[one]))
        for name, values in together.items():
            np.testing.assert_allclose(values[row], alone[name][0], **FLOAT64)


@pytest.mark.parametrize("batch_size", [1, 4, 12, 13, 500])
@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_batches_change_nothing(method, batch_size):
    model, (x, b) = keras_model(network()), samples(13)
    call = {"method": method, "start": np.random.default_rng(0).normal(size=(13, 3)), **options(method, b)}
    whole, parts = explain_layers(model, x, **call), explain_layers(model, x, batch_size=batch_size, **call)
    assert list(parts) == list(whole)
    for name, values in whole.items():
        np.testing.assert_allclose(parts[name], values, **FLOAT64)


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_a_layer_is_read_behind_its_activation(method):
    """The same network with its activation in the layer, and in a layer of its own.

    The stabiliser of LRP parts the two sides of an activation, and a large one parts them far.
    """
    layers, (x, b) = random_network("tanh", widths=(5, 4, 1)), samples(6)
    apart = keras_model(layers)
    within = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)])
    within.set_weights(apart.get_weights())
    call = {"method": method, **({"epsilon": 0.5} if method == "epsilon_lrp" else {"baseline": b})}
    one, two = explain_layers(within, x, **call), explain_layers(apart, x, **call)
    _, before, behind, *_ = two
    np.testing.assert_array_equal(one[within.layers[0].name], two[behind])
    if method == "epsilon_lrp":
        assert np.abs(two[before] - two[behind]).max() > 0.01


def test_a_channel_estimator_in_one_call():
    """Every subcarrier and every hidden neuron, from all outputs at once."""
    model = keras.Sequential(
        [
            keras.Input((104,)),
            *(keras.layers.Dense(15, activation="relu", name=f"hidden_{number}") for number in range(3)),
            keras.layers.Dense(104, name="estimate"),
        ]
    )
    x, _ = samples(50, width=104)
    ours = explain_layers(model, x, start=np.ones(104), epsilon=1e-9)
    assert {name: values.shape for name, values in ours.items()} == {
        "input": (50, 104),
        "hidden_0": (50, 15),
        "hidden_1": (50, 15),
        "hidden_2": (50, 15),
        "estimate": (50, 104),
    }
    np.testing.assert_allclose(ours["estimate"], model(x), rtol=1e-4, atol=1e-5)  # the model's own float32
    for values in ours.values():  # Keras starts biases at 0: every layer hands on all it gets, up to float32 sums
        np.testing.assert_allclose(values.sum(axis=1), ours["estimate"].sum(axis=1), rtol=1e-4, atol=1e-4)


def test_nested_models_name_their_layers():
    encoder = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4, "relu", name="dense")], name="encoder")
    model = keras.Sequential([keras.Input((5,)), encoder, keras.layers.Dense(1, name="dense")])
    assert list(explain_layers(model, samples(2)[0])) == ["input", "encoder/dense", "dense"]


class Halves(keras.layers.Layer):
    def call(self, inputs):
        return inputs[:, :2], inputs[:, 2:]


def test_each_output_of_a_layer_that_has_several_is_an_entry():
    start = keras.Input((5,))
    one, two, three = keras.ops.split(keras.layers.Dense(6, name="dense")(start), 3, axis=1)
    first, second = Halves(name="halves")(keras.layers.Concatenate(name="join")([one, two]))
    model = keras.Model(start, keras.layers.Add(name="sum")([first, second, three]))
    x, b = samples(3)
    found = explain_layers(model, x, method="deeplift", baseline=b, target=1)
    split = [name for name in found if name.startswith("split")]
    assert list(found) == ["input", "dense", *split, "join", "halves:0", "halves:1", "sum"]
    assert [name.partition(":")[2] for name in split] == ["0", "1", "2"]
    np.testing.assert_allclose(np.concatenate([found[name] for name in split], axis=1), found["dense"], atol=1e-6)
    halves = np.concatenate([found["halves:0"], found["halves:1"]], axis=1)
    np.testing.assert_allclose(halves, found["join"], atol=1e-6)


def twice():
    shared = keras.layers.Dense(5, "relu", name="shared")
    entry = keras.Input((5,))
    return keras.Model(entry, keras.layers.Dense(1)(shared(shared(entry))))


def called_input():
    return keras.Sequential([keras.Input((5,)), keras.layers.Dense(1, name="input")])


REFUSED = {
    "both": ({"target": 0, "start": [1.0]}, "target and start each choose what is explained; pass one of them"),
    "too long": (
        {"start": [1.0, 2.0]},
        r"start must be \[outputs\] = \(1,\) or \[n, outputs\] = \(3, 1\), got .*\(2,\)",
    ),
    "too few": ({"start": [[1.0], [2.0]]}, r"start must be .* got the shape \(2, 1\)"),
    "NaN": ({"start": [np.nan]}, r"start must be finite in float64, got .*nan.* at \[0\]"),
    "text": ({"start": ["all"]}, "start must be real numbers"),
    "method": ({"method": "integrated_gradients"}, "method must be one of epsilon_lrp, deeplift, got"),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_refuses(arguments, message):
    model = keras_model(random_network("relu"))
    with pytest.raises(ValueError, match=message):
        explain_layers(model, samples(3)[0], **arguments)


@pytest.mark.parametrize("build", [twice, called_input])
def test_refuses_names_that_would_stand_twice(build):
    expected = "a name of its own for every layer, got 'shared' twice; rename|must have no layer called 'input'"
    with pytest.raises(ValueError, match=expected):
        explain_layers(build(), samples(3)[0])


def test_refuses_a_function():
    with pytest.raises(TypeError, match="model must be a Keras model"):
        explain_layers(lambda x: x[:, 0], samples(3)[0])
