"""What is refused, by name: layers that LRP and DeepLIFT cannot read, options, and bad input."""

import inspect
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from reproduction.attribution import (
    METHODS,
    completeness_gap,
    explain,
    explain_layers,
    weighted_attributions,
)
from reproduction.attribution.shapley import MOST_PLAYERS
from tests.attribution.networks import keras_model, random_network, samples

INPUTS = samples(3)[0]
MODEL = keras_model(random_network("leaky_relu"))
TWO_OUTPUTS = keras_model(random_network("leaky_relu", widths=(5, 2)))


class OwnDense(keras.layers.Dense):
    """A subclass may compute something else than its parent, so it is not read as its parent."""

    def call(self, inputs):
        return super().call(inputs) ** 2


class MaxPoolingOfSquares(keras.layers.MaxPooling1D):
    """One's own layer that is called like Keras's max pooling."""

    def call(self, inputs):
        return super().call(inputs**2)


class OwnModel(keras.Model):
    def __init__(self):
        super().__init__(name="own_model")
        self.dense = keras.layers.Dense(1)

    def call(self, inputs):
        return self.dense(inputs) * self.dense(inputs)


class OwnSequential(keras.Sequential):
    def call(self, inputs, training=None, mask=None):
        return super().call(inputs, training=training, mask=mask) ** 2


def renamed(name, function):
    function.__name__ = name
    return function


def chain(*layers):
    return keras.Sequential([keras.Input((5,)), *layers])


def with_gate():
    start = keras.Input((5,))
    hidden = keras.layers.Dense(5, activation="tanh")(start)
    return keras.Model(start, keras.layers.Dense(1)(keras.layers.Multiply(name="gate")([start, hidden])))


def with_product():
    start = keras.Input((5,))
    hidden = keras.layers.Dense(5, activation="tanh")(start)
    return keras.Model(start, keras.layers.Dense(1)(start * hidden))


def with_attention():
    start = keras.Input((5,))
    steps = keras.layers.Reshape((5, 1))(start)
    seen = keras.layers.MultiHeadAttention(1, 2, name="attention")(steps, steps)
    return keras.Model(start, keras.layers.Dense(1)(keras.layers.Flatten()(seen)))


def with_greatest():
    start = keras.Input((5,))
    hidden = keras.layers.Dense(5)(start)
    return keras.Model(start, keras.layers.Dense(1)(keras.layers.Maximum(name="greatest")([start, hidden])))


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
    "layer 'shares' of type Softmax": lambda: chain(
        keras.layers.Dense(4), keras.layers.Softmax(name="shares"), keras.layers.Dense(1)
    ),
    "layer 'normed' of type LayerNormalization": lambda: chain(
        keras.layers.LayerNormalization(name="normed"), keras.layers.Dense(1)
    ),
    "layer 'own' of type OwnDense": lambda: chain(OwnDense(1, name="own")),
    "layer 'deep' of type UnitNormalization": lambda: chain(
        keras.Sequential([keras.Sequential([keras.layers.UnitNormalization(name="deep")])]), keras.layers.Dense(1)
    ),
    "layer 'memory' of type LSTM": lambda: chain(
        keras.layers.Reshape((5, 1)), keras.layers.LSTM(3, name="memory"), keras.layers.Dense(1)
    ),
    "layer 'memory' of type GRU": lambda: chain(
        keras.layers.Reshape((5, 1)), keras.layers.GRU(3, name="memory"), keras.layers.Dense(1)
    ),
    "layer 'own' of type MaxPoolingOfSquares": lambda: chain(
        keras.layers.Reshape((5, 1)), MaxPoolingOfSquares(2, name="own"), keras.layers.Flatten(), keras.layers.Dense(1)
    ),
    "layer 'gate' of type Multiply": with_gate,
    "of type Multiply": with_product,
    "layer 'attention' of type MultiHeadAttention": with_attention,
    "layer 'greatest' of type Maximum": with_greatest,
    "layer 'own_model' of type OwnModel": own_model,
    "layer 'squared' of type OwnSequential": lambda: OwnSequential(
        [keras.Input((5,)), keras.layers.Dense(1)], name="squared"
    ),
}


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_models_are_refused_by_name(name, method):
    model = UNREADABLE[name]()
    with pytest.raises(ValueError, match=f"made of linear layers.*{re.escape(name)}.*Take integrated_gradients"):
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
@pytest.mark.parametrize("build", [with_two_ends, with_two_named_ends])
def test_models_with_two_ends_are_refused_by_name(method, build):
    with pytest.raises(ValueError, match=r"model must have one output, got 'two_.*' with 2; make a keras.Model"):
        explain(build(), INPUTS, method=method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("inputs", "said"), [(INPUTS, "one array"), ([INPUTS] * 3, "3 arrays"), ({"a": INPUTS, "b": INPUTS}, "a dict")]
)
def test_a_model_of_two_inputs_takes_a_list_of_two(method, inputs, said):
    with pytest.raises(ValueError, match=rf"each of the 2 inputs of 'two_inputs', got {said}; their order is"):
        explain(with_two_inputs(), inputs, method=method)


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_a_softmax_at_the_end_gets_a_hint(method):
    for end in (
        keras.layers.Dense(2, activation="softmax"),
        keras.layers.Softmax(),
        keras.layers.Activation("softmax", name="shares"),
    ):
        with pytest.raises(ValueError, match=r"ends with softmax, explain the scores before it\. Take integ"):
            explain(chain(end), INPUTS, method=method, target=0)


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (lambda: keras.layers.Embedding(3, 2, name="words"), "'words' of type Embedding, which looks them up; explain"),
        (
            lambda: keras.layers.TimeDistributed(keras.layers.Dense(2, "relu"), name="each"),
            "'each' of type TimeDistributed (give an activation within it a layer of its own)",
        ),
        (
            lambda: keras.layers.Lambda(lambda t: keras.ops.reshape(t, (3, 5, 1)), name="three"),
            "'three' of type Lambda",
        ),
        (
            lambda: keras.layers.Lambda(lambda t: keras.ops.reshape(t, (-1, 1, 1)), name="folds"),
            "'folds' of type Lambda, which makes",
        ),
        (
            lambda: keras.layers.Lambda(lambda t: t - keras.ops.mean(t, 0, keepdims=True), name="mixes"),
            "'mixes' of type Lambda, which mixes samples",
        ),
    ],
)
def test_a_layer_that_cannot_be_passed_says_why(layer, said, method):
    model = keras.Sequential(
        [keras.Input((5, 1)), layer(), keras.layers.Flatten(), keras.layers.Lambda(lambda t: t[:, :1])]
    )
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        explain(model, np.arange(15.0).reshape(3, 5, 1) % 3, method=method)
    assert "{{" not in str(caught.value)
    assert "[Op:" not in str(caught.value)


def test_an_activation_without_weights_is_refused():
    hidden = keras.layers.Dense(4, activation=keras.layers.PReLU(), name="hidden")
    model = chain(hidden, keras.layers.Dense(1))
    with pytest.raises(ValueError, match=r"its activation 'PReLU' of layer 'hidden' \(Dense\) has no weights yet"):
        explain(model, INPUTS, method="deeplift")
    model(INPUTS)
    assert explain(model, INPUTS, method="deeplift").shape == INPUTS.shape


def test_a_model_without_weights_is_refused():
    with pytest.raises(ValueError, match="model must be built, but its layer 'empty' has no weights"):
        explain(keras.Sequential([keras.layers.Dense(1, name="empty")]), INPUTS, method="deeplift")


def test_inputs_of_another_shape_than_the_model_takes():
    model = keras.Sequential([keras.Input((None, 4)), keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1)])
    for shape in ((3, 5), (3, 5, 1)):
        with pytest.raises(ValueError, match=r"inputs must be \[n, any, 4\] as the model takes it, got \[n, 5"):
            explain(model, np.zeros(shape), method="saliency")


@pytest.mark.parametrize("call", [explain, weighted_attributions, completeness_gap])
@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"model": 3}, TypeError, "model must be a Keras model or a function of arrays, got int"),
        ({"method": "lime"}, ValueError, r"method must be one of saliency, .*shapley_exact, got 'lime'"),
        ({"inputs": INPUTS[0]}, ValueError, r"inputs must be \[n, features\].*got the shape \(5,\); reshape"),
        ({"inputs": INPUTS[None]}, ValueError, r"inputs must be \[n, 5\] as the model takes it, got \[n, 3, 5\]"),
        ({"inputs": []}, ValueError, r"inputs must be \[n, features\] .* got the shape \(0,\)"),
        ({"inputs": [INPUTS, INPUTS]}, ValueError, r"each of the 1 inputs of .*, got 2 arrays"),
        ({"inputs": INPUTS[:0]}, ValueError, r"inputs must be \[n, features\].* with n >= 1.*got the shape \(0, 5\)"),
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
        ({"baseline": lambda x: x[:2]}, ValueError, r"baseline must be None \(zeros\).*got the shape \(2, 5\)"),
        ({"baseline": [np.inf] * 5}, ValueError, r"baseline must be finite in float32, got .*inf.* at \[0\]"),
        ({"target": 1}, ValueError, r"target must lie in 0 .. 0 for a model with 1 output\(s\), got 1"),
        ({"target": -1}, ValueError, r"target must lie in 0 .. 0 .*got -1"),
        ({"target": 0.0}, TypeError, r"target must be None or the index of one output unit .*, got 0.0"),
        ({"target": True}, TypeError, "target must be None or the index of one output unit .*, got True"),
        ({"target": [0.0] * 3}, TypeError, r"target must be None or the index of one output unit .*, got \[0.0"),
        (
            {"target": (0, 0)},
            ValueError,
            r"target must have an index for each axis of the model's outputs \(1,\), got 2",
        ),
        ({"target": [0, 0]}, ValueError, r"target must have an index for each of the 3 samples, got 2"),
        ({"target": [0, 0, 1]}, ValueError, r"target must lie in 0 .. 0 for a model with 1 output\(s\), got 0 .. 1"),
        ({"target": 0, "start": [1.0]}, ValueError, "target and start each choose what is explained; pass one of them"),
        ({"start": [1.0, 2.0]}, ValueError, r"start must be \[outputs\] = \(1,\) or .*, got the shape \(2,\)"),
        ({"progress": 1}, ValueError, "progress must be True or False, got 1"),
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
        (
            "shapley_exact",
            {"groups": [[0, 1], [2, 3, 4]]},
            r"sample's shape \(5,\), got \[\[0, 1\], \[2, 3, 4\]\]; features",
        ),
        ("shapley_sampling", {"samples": 0}, "samples must be a whole number >= 1, got 0"),
        ("shapley_sampling", {"samples": 3, "antithetic": True}, "samples must be even if antithetic, got 3"),
        ("shapley_sampling", {"seed": -1}, "seed must be a whole number >= 0, got -1"),
        ("shapley_sampling", {"antithetic": "yes"}, "antithetic must be True or False, got 'yes'"),
    ],
)
def test_options_outside_their_range(method, options, message):
    with pytest.raises(ValueError, match=message):
        explain(MODEL, INPUTS, method=method, **options)


@pytest.mark.parametrize("method", [["saliency"], None, {}])
def test_a_method_that_is_no_name(method):
    with pytest.raises(ValueError, match=f"method must be one of saliency, .*got {re.escape(repr(method))}"):
        explain(MODEL, INPUTS, method=method)


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
    inputs = np.ones((1, MOST_PLAYERS + 1))
    with pytest.raises(ValueError, match=r"at most 16 features for shapley_exact, got 17.*take shapley_sampling"):
        explain(lambda x: x[:, 0], inputs, method="shapley_exact")
    got = explain(lambda x: 2.0 * x[:, 0], inputs[:, 1:], method="shapley_exact")
    np.testing.assert_allclose(got, [[2.0, *[0.0] * 15]], atol=1e-6)


@pytest.mark.parametrize("method", ["saliency", "occlusion"])
@pytest.mark.parametrize("shape", ["scalar", "transposed"])
def test_functions_of_the_wrong_shape(method, shape):
    def function(x):
        column = tf.convert_to_tensor(x)[:, :1]
        return {"scalar": tf.reduce_sum(column), "transposed": tf.transpose(column)}[shape]

    with pytest.raises(ValueError, match=r"model must return \[n\] or \[n, ...outputs\] for n = 3 rows, got"):
        explain(function, INPUTS, method=method)


@pytest.mark.parametrize("method", ["saliency", "occlusion"])
@pytest.mark.parametrize(("names", "said"), [(("cpu", "ram"), r"\['cpu', 'ram'\]"), ((), r"\[\]")])
def test_functions_that_return_several_entries(method, names, said):
    with pytest.raises(ValueError, match=f"model must return one output, got a dict with the entries {said}; wrap it"):
        explain(lambda x: dict.fromkeys(names, x[:, 0]), INPUTS, method=method)


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_an_activation_that_cannot_be_tried_is_refused_by_name(method):
    """One that takes three samples only: the model runs, a trial does not."""

    def three_samples(x):
        return keras.ops.exp(x) + keras.ops.ones((3, 4))

    model = chain(keras.layers.Dense(4, activation=renamed("elu", three_samples)), keras.layers.Dense(1))
    with pytest.raises(ValueError, match=r"activation 'elu' of layer .* \(Dense\)"):
        explain(model, INPUTS, method=method)


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_an_activation_over_all_units_is_refused_whatever_its_name(method):
    """Sigmoid of the first unit, for all of them."""

    def first_unit(x):
        return keras.ops.sigmoid(x[:, :1]) + 0.0 * x

    model = chain(keras.layers.Dense(4, activation=renamed("sigmoid", first_unit)), keras.layers.Dense(1))
    with pytest.raises(ValueError, match=r"activation 'sigmoid' of layer .* \(Dense\)"):
        explain(model, INPUTS, method=method)


class Undecided(keras.layers.Layer):
    """Computes something else in float64 than it does in float32."""

    def call(self, inputs):
        return inputs if inputs.dtype == "float32" else 2.0 * inputs


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_a_model_that_is_not_what_was_read_is_refused(scale, method):
    with pytest.raises(ValueError, match=r"got layer 'undecided.*' of type Undecided, which computes something"):
        explain(chain(Undecided(), keras.layers.Dense(1)), scale * INPUTS, method=method)


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_an_output_that_is_finite_in_float64_alone_is_refused(method):
    """The model's own float32 has no exp(200)."""
    model = chain(keras.layers.Activation("exponential"), keras.layers.Lambda(lambda t: t[:, :1]))
    with pytest.raises(ValueError, match="model must have a finite output"):
        explain(model, np.full((3, 5), 200.0), method=method)


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_what_has_no_value_for_any_trial_is_refused_by_name(method):
    window = keras.layers.Lambda(lambda t: keras.ops.sqrt(100.0 - (t - 1e3) ** 2), name="far")
    with pytest.raises(ValueError, match="got layer 'far' of type Lambda, which gives NaN or infinity for nearly all"):
        explain(chain(window, keras.layers.Dense(1)), 1000.0 + INPUTS, method=method)


@pytest.mark.parametrize("model", [lambda rows: rows.sum(axis=1), keras_model(random_network("relu"))])
def test_a_dict_of_inputs_is_refused(model):
    with pytest.raises(ValueError, match=r"inputs must be an array \[n, ...\] or a list of them, got a dict"):
        explain(model, {"x": INPUTS}, method="occlusion")


@tf.custom_gradient
def without_a_gradient(x):
    def gradient(upstream):
        raise NotImplementedError("nobody wrote it")

    return 2.0 * x, gradient


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
def test_a_layer_whose_gradient_fails_is_refused(method):
    model = chain(keras.layers.Lambda(without_a_gradient, name="own"), keras.layers.Dense(1))
    with pytest.raises(ValueError, match=r"got layer 'own' of type Lambda, which .*nobody wrote it"):
        explain(model, INPUTS, method=method)


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
@pytest.mark.parametrize("mode", ["int8", "int4"])
@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras's own, while it quantizes
def test_quantized_weights_are_refused(method, mode):
    model = chain(keras.layers.Dense(8), keras.layers.Dense(1))
    for layer in model.layers:
        layer.quantize(mode)
    with pytest.raises(ValueError, match=rf"'dense.*' of type Dense, whose weights are quantized \({mode}\)"):
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
