"""What is refused, by name: layers that LRP and DeepLIFT cannot read, options, and bad input."""

import inspect
import re

import keras
import numpy as np
import pytest

from reproduction.attribution import (
    METHODS,
    completeness_gap,
    explain,
    explain_layers,
    read_chain,
    weighted_attributions,
)
from reproduction.attribution.shapley import MOST_FEATURES
from tests.attribution.networks import keras_model, random_network, samples

INPUTS = samples(3)[0]
MODEL = keras_model(random_network("leaky_relu"))
TWO_OUTPUTS = keras_model(random_network("leaky_relu", widths=(5, 2)))


class OwnDense(keras.layers.Dense):
    """A subclass may compute something else than its parent, so it is not read as its parent."""

    def call(self, inputs):
        return super().call(inputs) ** 2


class OwnModel(keras.Model):
    def __init__(self):
        super().__init__(name="own_model")
        self.dense = keras.layers.Dense(1)

    def call(self, inputs):
        return self.dense(inputs)


class OwnSequential(keras.Sequential):
    def call(self, inputs, training=None, mask=None):
        return super().call(inputs, training=training, mask=mask) ** 2


def own_activation(x):
    return x * x


def relu(x):
    """Bear a known name, and compute something else: it ends at 1000."""
    return keras.ops.clip(x, 0.0, 1000.0)


def renamed(name, function):
    function.__name__ = name
    return function


def chain(*layers):
    return keras.Sequential([keras.Input((5,)), *layers])


def with_skip():
    start = keras.Input((5,))
    hidden = keras.layers.Dense(5, activation="tanh")(start)
    return keras.Model(start, keras.layers.Dense(1)(keras.layers.Add(name="skip")([start, hidden])))


def with_operation():
    start = keras.Input((5,))
    return keras.Model(start, keras.layers.Dense(1)(keras.ops.exp(start)))


def with_capped_call():
    start = keras.Input((5,))
    return keras.Model(start, keras.activations.relu(keras.layers.Dense(1)(start), max_value=6.0, threshold=0.5))


def with_two_named_ends():
    start = keras.Input((5,))
    ends = {"cpu": keras.layers.Dense(1)(start), "ram": keras.layers.Dense(1)(start)}
    return keras.Model(start, ends, name="two_named_ends")


def with_two_inputs():
    starts = [keras.Input((5,)), keras.Input((5,))]
    joined = keras.layers.Concatenate()(starts)
    return keras.Model(starts, keras.layers.Dense(1)(joined), name="two_inputs")


def with_two_ends():
    start = keras.Input((5,))
    return keras.Model(start, [keras.layers.Dense(1)(start), keras.layers.Dense(1)(start)], name="two_ends")


def own_model():
    model = OwnModel()
    model(INPUTS)
    return model


UNREADABLE = {
    "activation 'softmax' of layer 'shares' (Dense)": lambda: chain(
        keras.layers.Dense(4, activation="softmax", name="shares"), keras.layers.Dense(1)
    ),
    "activation 'gelu' of layer": lambda: chain(keras.layers.Dense(4, activation="gelu"), keras.layers.Dense(1)),
    "activation 'relu6' of layer": lambda: chain(
        keras.layers.Dense(4), keras.layers.Activation("relu6"), keras.layers.Dense(1)
    ),
    "activation 'own_activation' of layer": lambda: chain(keras.layers.Dense(1, activation=own_activation)),
    "activation '<lambda>' of layer": lambda: chain(keras.layers.Dense(1, activation=lambda x: x)),
    "activation 'relu' of layer 'capped' (Dense), which computes something else than the known one of that name": (
        lambda: chain(keras.layers.Dense(1, activation=relu, name="capped"))
    ),
    "activation 'softplus' of layer 'scaled' (Activation), which computes something else": lambda: chain(
        keras.layers.Dense(1), keras.layers.Activation(renamed("softplus", lambda x: 2.0 * x), name="scaled")
    ),
    "of type ReLU, which computes something else than the known one of that name": with_capped_call,
    "activation 'ReLU(max_value=6.0, threshold=0.0)' of layer": lambda: chain(
        keras.layers.Dense(4), keras.layers.ReLU(max_value=6.0), keras.layers.Dense(1)
    ),
    "activation 'ReLU(max_value=None, threshold=0.5)' of layer": lambda: chain(
        keras.layers.ReLU(threshold=0.5), keras.layers.Dense(1)
    ),
    "layer 'slopes' of type PReLU": lambda: chain(
        keras.layers.Dense(4), keras.layers.PReLU(name="slopes"), keras.layers.Dense(1)
    ),
    "layer 'normed' of type LayerNormalization": lambda: chain(
        keras.layers.LayerNormalization(name="normed"), keras.layers.Dense(1)
    ),
    "layer 'own' of type OwnDense": lambda: chain(OwnDense(1, name="own")),
    "layer 'deep' of type UnitNormalization": lambda: chain(
        keras.Sequential([keras.Sequential([keras.layers.UnitNormalization(name="deep")])]), keras.layers.Dense(1)
    ),
    "layer 'skip' of type Add with 2 inputs": with_skip,
    "of type Exp": with_operation,
    "layer 'own_model' of type OwnModel": own_model,
    "layer 'squared' of type OwnSequential": lambda: OwnSequential(
        [keras.Input((5,)), keras.layers.Dense(1)], name="squared"
    ),
}


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_models_are_refused_by_name(name, method):
    model = UNREADABLE[name]()
    with pytest.raises(ValueError, match=f"chain of layers.*{re.escape(name)}.*Take integrated_gradients"):
        explain(model, INPUTS, method=method)


@pytest.mark.parametrize("name", UNREADABLE)
def test_other_methods_explain_them_all_the_same(name):
    model = UNREADABLE[name]()
    gap = completeness_gap(model, INPUTS, method="shapley_exact")
    np.testing.assert_allclose(gap, 0.0, atol=1e-5)  # float32 predictions
    assert explain(model, INPUTS, method="saliency").shape == INPUTS.shape


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_functions_are_refused_where_layers_are_needed(method):
    with pytest.raises(TypeError, match=r"model must be a Keras model for epsilon_lrp and deeplift.*got function"):
        explain(lambda x: x[:, 0], INPUTS, method=method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("build", "message"),
    [
        (with_two_inputs, "one of its inputs"),
        (with_two_ends, "one of its outputs"),
        (with_two_named_ends, "one of its outputs"),
    ],
)
def test_forked_models_are_refused_by_name(method, build, message):
    with pytest.raises(ValueError, match=f"{message}, got 'two_.*' with 2; wrap it"):
        explain(build(), INPUTS, method=method)


@pytest.mark.parametrize("build", [with_two_inputs, with_two_ends, with_two_named_ends])
def test_the_reader_refuses_forked_models_too(build):
    with pytest.raises(ValueError, match=r"model 'two_.*' with \d inputs and \d outputs"):
        read_chain(build())


def test_a_model_without_weights_is_refused():
    with pytest.raises(ValueError, match="model must be built, but its layer 'empty' has no weights"):
        read_chain(keras.Sequential([keras.layers.Dense(1, name="empty")]))


def test_a_model_of_images_is_refused():
    model = keras.Sequential([keras.Input((4, 4)), keras.layers.Flatten(), keras.layers.Dense(1)], name="images")
    with pytest.raises(ValueError, match=r"model must take \[n, features\], but 'images' takes \(None, 4, 4\)"):
        explain(model, INPUTS, method="saliency")


@pytest.mark.parametrize("call", [explain, weighted_attributions, completeness_gap])
@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"model": 3}, TypeError, "model must be a Keras model or a function of arrays, got int"),
        ({"method": "lime"}, ValueError, r"method must be one of saliency, .*shapley_exact, got 'lime'"),
        ({"inputs": INPUTS[0]}, ValueError, r"inputs must be \[n, features\].*got the shape \(5,\); reshape"),
        ({"inputs": INPUTS[None]}, ValueError, r"inputs must be \[n, features\].*got the shape \(1, 3, 5\)"),
        ({"inputs": INPUTS[:0]}, ValueError, r"inputs must be \[n, features\] with n >= 1.*got the shape \(0, 5\)"),
        ({"inputs": INPUTS[:, :0]}, ValueError, r"features >= 1, got the shape \(3, 0\)"),
        ({"inputs": INPUTS[:, :4]}, ValueError, "inputs must have the 5 features that the model takes, got 4"),
        ({"inputs": [[0, 0, np.nan, 0, 0]]}, ValueError, r"inputs must be finite in float32, got .*nan.* at \[0, 2\]"),
        (
            {"inputs": [[0, 0, 0, 0, 1e300]]},
            ValueError,
            r"inputs must be finite in float32, got .*1e\+300.* at \[0, 4\]",
        ),
        ({"inputs": [["a"] * 5]}, ValueError, "inputs must be real numbers, got dtype <U1"),
        ({"inputs": [[object()] * 5]}, ValueError, "inputs must be real numbers, got float"),
        ({"inputs": INPUTS + 1j}, ValueError, "inputs must be real numbers, got dtype complex"),
        ({"inputs": [[1.0], [1.0, 2.0]]}, ValueError, "inputs must be real numbers, got .*inhomogeneous"),
        ({"baseline": [0.0, 0.0]}, ValueError, r"baseline must be None \(zeros\).*got the shape \(2,\)"),
        ({"baseline": np.zeros((2, 5))}, ValueError, r"baseline must be None \(zeros\).*got the shape \(2, 5\)"),
        ({"baseline": 0.0}, ValueError, r"baseline must be None \(zeros\).*got the shape \(\)"),
        ({"baseline": [np.inf] * 5}, ValueError, r"baseline must be finite in float32, got .*inf.* at \[0\]"),
        ({"target": 1}, ValueError, r"target must lie in 0 .. 0 for a model with 1 output\(s\), got 1"),
        ({"target": -1}, ValueError, r"target must lie in 0 .. 0 .*got -1"),
        ({"target": 0.0}, TypeError, r"target must be None or the index of one output unit, got 0.0"),
        ({"target": True}, TypeError, "target must be None or the index of one output unit, got True"),
        ({"batch_size": 0}, ValueError, "batch_size must be a whole number >= 1, got 0"),
        ({"steps": 0}, ValueError, "steps must be a whole number >= 1, got 0"),
        ({"steps": 2.5}, ValueError, "steps must be a whole number >= 1, got 2.5"),
        ({"steps": True}, ValueError, "steps must be a whole number >= 1, got True"),
        (
            {"quadrature": "simpson"},
            ValueError,
            "quadrature must be one of midpoint, gauss_legendre, right, got 'simpson'",
        ),
        ({"window": 2}, TypeError, "option 'window' is unknown to integrated_gradients; .* steps, quadrature"),
    ],
)
def test_bad_arguments(call, changes, error, message):
    arguments = {"model": MODEL, "inputs": INPUTS, "method": "integrated_gradients", "steps": 2, **changes}
    if arguments["method"] not in METHODS:
        del arguments["steps"]
    model, inputs = arguments.pop("model"), arguments.pop("inputs")
    with pytest.raises(error, match=message):
        call(model, inputs, **arguments)


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("epsilon_lrp", {"epsilon": 0.0}, "epsilon must be a finite number > 0, got 0.0"),
        ("epsilon_lrp", {"epsilon": -1.0}, "epsilon must be a finite number > 0, got -1.0"),
        ("epsilon_lrp", {"epsilon": np.nan}, "epsilon must be a finite number > 0, got nan"),
        ("epsilon_lrp", {"epsilon": "small"}, "epsilon must be a finite number > 0, got 'small'"),
        ("epsilon_lrp", {"epsilon": True}, "epsilon must be a finite number > 0, got True"),
        ("epsilon_lrp", {"relative": 1}, "relative must be True or False, got 1"),
        ("epsilon_lrp", {"relative": "rms"}, "relative must be True or False, got 'rms'"),
        ("occlusion", {"window": 0}, "window must be a whole number >= 1, got 0"),
        ("occlusion", {"window": 6}, "window must be at most the 5 features, got 6"),
        ("occlusion", {"step": 0}, "step must be a whole number >= 1, got 0"),
        ("occlusion", {"window": 2, "step": 2}, "window and step must cover all 5 features, got window=2, step=2"),
        ("occlusion", {"window": 1, "step": 2}, "window and step must cover all 5 features, got window=1, step=2"),
        ("shapley_sampling", {"samples": 0}, "samples must be a whole number >= 1, got 0"),
        ("shapley_sampling", {"samples": 3, "antithetic": True}, "samples must be even if antithetic, got 3"),
        ("shapley_sampling", {"seed": -1}, "seed must be a whole number >= 0, got -1"),
        ("shapley_sampling", {"antithetic": "yes"}, "antithetic must be True or False, got 'yes'"),
    ],
)
def test_options_outside_their_range(method, options, message):
    with pytest.raises(ValueError, match=message):
        explain(MODEL, INPUTS, method=method, **options)


@pytest.mark.parametrize("method", METHODS)
def test_unknown_options_name_what_is_allowed(method):
    with pytest.raises(TypeError, match=rf"option 'colour' is unknown to {method}; it must be one of: (\(none\)|\w+)"):
        explain(MODEL, INPUTS, method=method, colour="red")


@pytest.mark.parametrize("method", METHODS)
def test_several_outputs_need_a_target(method):
    with pytest.raises(
        ValueError, match=r"target must name one of the model's 2 outputs, got None; pass target=0 .. 1"
    ):
        explain(TWO_OUTPUTS, INPUTS, method=method)
    with pytest.raises(ValueError, match=r"target must lie in 0 .. 1 for a model with 2 output\(s\), got 2"):
        explain(TWO_OUTPUTS, INPUTS, method=method, target=2)


@pytest.mark.parametrize("method", ["saliency", "input_x_gradient", "epsilon_lrp"])
def test_methods_without_a_baseline_say_so(method):
    with pytest.raises(ValueError, match=f"baseline must be None or zeros for {method}, whose reference is zero"):
        explain(MODEL, INPUTS, method=method, baseline=np.ones(5))
    np.testing.assert_array_equal(
        explain(MODEL, INPUTS, method=method, baseline=np.zeros(5)), explain(MODEL, INPUTS, method=method)
    )


@pytest.mark.parametrize("method", ["saliency", "input_x_gradient", "integrated_gradients"])
def test_a_numpy_function_has_no_gradient(method):
    with pytest.raises(ValueError, match="model must be differentiable by TensorFlow for this method"):
        explain(lambda x: np.tanh(np.asarray(x))[:, 0], INPUTS, method=method)


def test_exact_shapley_refuses_what_would_not_end():
    inputs = np.ones((1, MOST_FEATURES + 1))
    with pytest.raises(ValueError, match=r"at most 16 features for shapley_exact, got 17.*take shapley_sampling"):
        explain(lambda x: x[:, 0], inputs, method="shapley_exact")
    got = explain(lambda x: 2.0 * x[:, 0], inputs[:, 1:], method="shapley_exact")
    np.testing.assert_allclose(got, [[2.0, *[0.0] * 15]], atol=1e-6)


@pytest.mark.parametrize("method", ["saliency", "occlusion"])
@pytest.mark.parametrize("shape", ["scalar", "cube", "transposed"])
def test_functions_of_the_wrong_shape(method, shape):
    def function(x):
        import tensorflow as tf

        column = tf.convert_to_tensor(x)[:, :1]
        return {"scalar": tf.reduce_sum(column), "cube": column[:, :, None], "transposed": tf.transpose(column)}[shape]

    with pytest.raises(ValueError, match=r"model must return \[n\], \[n, 1\] or \[n, outputs\] for n = 3 rows, got"):
        explain(function, INPUTS, method=method)


@pytest.mark.parametrize("method", ["saliency", "occlusion"])
@pytest.mark.parametrize(("names", "said"), [(("cpu", "ram"), r"\['cpu', 'ram'\]"), ((), r"\[\]")])
def test_functions_that_return_several_entries(method, names, said):
    with pytest.raises(ValueError, match=f"model must return one output, got a dict with the entries {said}; wrap it"):
        explain(lambda x: dict.fromkeys(names, x[:, 0]), INPUTS, method=method)


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_an_activation_that_cannot_be_tried_is_refused_by_name(method):
    """One of a known name that takes four units only: the model runs, a comparison with Keras's does not."""

    def four_units(x):
        return keras.ops.reshape(x, (-1, 4)) + keras.ops.ones((1, 4))

    model = chain(keras.layers.Dense(4, activation=renamed("elu", four_units)), keras.layers.Dense(1))
    with pytest.raises(ValueError, match=r"activation 'elu' of layer .* \(Dense\), which computes something else"):
        explain(model, INPUTS, method=method)


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_an_activation_over_all_units_is_refused_whatever_its_name(method):
    """Sigmoid of the first unit, for all of them."""

    def first_unit(x):
        return keras.ops.sigmoid(x[:, :1]) + 0.0 * x

    model = chain(keras.layers.Dense(4, activation=renamed("sigmoid", first_unit)), keras.layers.Dense(1))
    with pytest.raises(ValueError, match=r"activation 'sigmoid' of layer .* which computes something else"):
        explain(model, INPUTS, method=method)


def test_outputs_that_are_not_finite():
    with pytest.raises(ValueError, match="model must have a finite output"):
        explain(lambda x: np.full(len(x), np.inf), INPUTS, method="occlusion")


@pytest.mark.parametrize("call", [explain, weighted_attributions, completeness_gap, explain_layers])
@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_weights_that_are_not_finite_are_refused_where_layers_are_read(call, method):
    model = keras_model(random_network("leaky_relu"))
    model.layers[0].set_weights([np.full_like(weights, np.nan) for weights in model.layers[0].get_weights()])
    with pytest.raises(ValueError, match="model must have a finite output"):
        call(model, INPUTS, method=method)


def test_gradients_that_are_not_finite():
    import tensorflow as tf

    with pytest.raises(ValueError, match="model must have a finite gradient"):
        explain(lambda x: tf.sqrt(tf.abs(x[:, 0])), np.zeros((1, 2)), method="saliency")


def test_the_documented_table_of_options_is_the_real_one():
    import reproduction.attribution as package

    table = dict(re.findall(r'^\| "(\w+)" +\| (.*?) +\|', package.__doc__, re.MULTILINE))
    assert list(table) == list(METHODS)
    for name, kind in METHODS.items():
        real = [
            f"{p.name}={p.default!r}".replace("'", '"').replace("0.0001", "1e-4")
            for p in inspect.signature(kind).parameters.values()
        ]
        assert re.findall(r"`(.*?)`", table[name]) == real
