"""Every method against its second, plain NumPy version, over all activations and layer kinds."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from reproduction.attribution import explain
from reproduction.attribution.reading import read_graph
from reproduction.attribution.secant import secant_slope
from tests.attribution.networks import ACTIVATIONS, batch_norm, keras_model, random_network, samples, weights
from tests.oracles import attribution_methods as oracle
from tests.oracles import attribution_network, secants

FLOAT32 = {"rtol": 1e-5, "atol": 1e-6}  # float32 against float64 of the same discretisation

NETWORKS = {
    **{f"{name}": random_network(name) for name in ACTIVATIONS},
    **{f"{name} without bias": random_network(name, bias=False) for name in ("relu", "leaky_relu", "tanh")},
    "leaky_relu of slope 0.01": random_network("leaky_relu", parameter=0.01),
    "elu of alpha 0.5": random_network("elu", parameter=0.5),
    "sigmoid output": random_network("tanh", last="sigmoid"),
    "softplus output": random_network("leaky_relu", last="softplus"),
    "three outputs": random_network("elu", widths=(5, 6, 3)),
    "one layer": random_network("linear", widths=(5, 1)),
    "two dense layers in a row": [
        *random_network("linear", widths=(5, 4))[:1],
        *random_network("tanh", widths=(4, 3, 1), seed=2),
    ],
    "batch norm and dropout": [
        batch_norm(5, seed=3),
        *random_network("leaky_relu", widths=(5, 6))[:1],
        batch_norm(6, seed=4),
        ("activation", "leaky_relu", 0.3),
        ("dropout",),
        *random_network("linear", widths=(6, 1), seed=5),
    ],
}

METHODS = {
    "saliency": ({}, oracle.saliency, False),
    "input_x_gradient": ({}, oracle.input_x_gradient, False),
    "integrated_gradients": ({"steps": 7}, oracle.integrated_gradients, True),
    "epsilon_lrp": ({"epsilon": 0.05}, oracle.epsilon_lrp, False),
    "deeplift": ({}, oracle.deeplift, True),
    "occlusion": ({"window": 2, "step": 1}, oracle.occlusion, True),
    "shapley_exact": ({}, None, True),
}


@pytest.fixture(scope="module", params=NETWORKS)
def network(request):
    layers = NETWORKS[request.param]
    return layers, keras_model(layers)


@pytest.mark.parametrize("method", METHODS)
def test_method_matches_its_oracle(network, method):
    layers, model = network
    options, plain, takes_baseline = METHODS[method]
    inputs, baselines = samples(2)
    target = 2 if model.output_shape[-1] == 3 else 0

    got = explain(
        model, inputs, method=method, baseline=baselines if takes_baseline else None, target=target, **options
    )

    for i, (x, b) in enumerate(zip(inputs.astype(float), baselines.astype(float), strict=True)):
        if method == "shapley_exact":
            expected = oracle.shapley(lambda z: attribution_network.output(layers, z, target), x, b)
        else:
            expected = plain(layers, x, b, target, **options)
        np.testing.assert_allclose(got[i], expected, **FLOAT32)
    assert got.dtype == np.float32
    assert got.shape == inputs.shape


def test_the_graph_computes_what_the_model_computes(network):
    _, model = network
    inputs = samples(20)[0]
    graph = read_graph(model, [inputs])
    states, _ = graph.run([tf.constant(inputs, tf.float64)])
    np.testing.assert_allclose(states[graph.output], model(inputs, training=False), **FLOAT32)


@pytest.mark.parametrize("method", ["epsilon_lrp", "deeplift"])
@pytest.mark.parametrize(
    ("style", "slope"),
    [
        ("activation string", 0.0),  # a string gives Keras's own slope: 0 for "relu",
        ("activation string", 0.2),  # 0.2 for "leaky_relu"
        *itertools.product(["activation object", "own layer", "nested", "functional"], [0.0, 0.1, 0.7]),
    ],
)
def test_every_way_to_write_a_leaky_relu_is_the_same_network(method, slope, style):
    layers = random_network("leaky_relu", parameter=slope, widths=(5, 4, 1))
    if style == "activation string":
        hidden = [keras.layers.Dense(4, activation="relu" if slope == 0.0 else "leaky_relu")]
    elif style == "activation object":
        hidden = [keras.layers.Dense(4, activation=keras.layers.LeakyReLU(negative_slope=slope))]
    elif style == "own layer":
        hidden = [keras.layers.Dense(4), keras.layers.ReLU(negative_slope=slope)]
    else:
        hidden = [
            keras.Sequential([keras.layers.Dense(4), keras.Sequential([keras.layers.LeakyReLU(negative_slope=slope)])])
        ]
    start = keras.Input((5,))
    stack = [*hidden, keras.layers.Dense(1)]
    if style == "functional":
        end = start
        for layer in stack:
            end = layer(end)
        model = keras.Model(start, end)
    else:
        model = keras.Sequential([keras.layers.InputLayer(shape=(5,)), *stack])
    model.set_weights(weights(layers))
    inputs, baselines = samples(1)
    options = {"epsilon": 0.05} if method == "epsilon_lrp" else {"baseline": baselines}

    got = explain(model, inputs, method=method, **options)

    x, b = inputs[0].astype(float), baselines[0].astype(float)
    expected = oracle.deeplift(layers, x, b, 0) if method == "deeplift" else oracle.epsilon_lrp(layers, x, b, 0, 0.05)
    np.testing.assert_allclose(got[0], expected, **FLOAT32)


def relu(x):
    """Compute what Keras's function of that name does."""
    return tf.maximum(x, 0.0)


SAME_FUNCTIONS = [
    *((name, getattr(tf.nn, name)) for name in ACTIVATIONS if name != "linear"),
    *((name, getattr(keras.ops, name)) for name in ACTIVATIONS if name != "linear"),
    ("relu", relu),
]
CALLED = [
    *((name, None, getattr(keras.ops, name)) for name in ACTIVATIONS if name != "linear"),
    *((name, None, getattr(keras.activations, name)) for name in ACTIVATIONS if name != "linear"),
    ("leaky_relu", 0.05, lambda x: keras.ops.leaky_relu(x, 0.05)),
    ("leaky_relu", 0.4, lambda x: keras.activations.relu(x, negative_slope=0.4)),
    ("elu", 0.3, lambda x: keras.ops.elu(x, 0.3)),
]


def assert_deeplift_is_the_oracles(layers, model):
    model.set_weights(weights(layers))
    inputs, baselines = samples(1)
    got = explain(model, inputs, method="deeplift", baseline=baselines)
    expected = oracle.deeplift(layers, inputs[0].astype(float), baselines[0].astype(float), 0)
    np.testing.assert_allclose(got[0], expected, **FLOAT32)


@pytest.mark.parametrize("written", ["in the layer", "as a layer"])
@pytest.mark.parametrize(("name", "function"), SAME_FUNCTIONS)
def test_functions_that_compute_what_keras_computes_are_read(name, function, written):
    hidden = [keras.layers.Dense(4), keras.layers.Activation(function)]
    if written == "in the layer":
        hidden = [keras.layers.Dense(4, activation=function)]
    model = keras.Sequential([keras.Input((5,)), *hidden, keras.layers.Dense(1)])
    assert_deeplift_is_the_oracles(random_network(name, widths=(5, 4, 1)), model)


@pytest.mark.parametrize(("name", "parameter", "function"), CALLED)
def test_activations_called_on_a_tensor_of_the_model_are_read(name, parameter, function):
    start = keras.Input((5,))
    model = keras.Model(start, keras.layers.Dense(1)(function(keras.layers.Dense(4)(start))))
    layers = random_network(name, parameter="keras default" if parameter is None else parameter, widths=(5, 4, 1))
    assert_deeplift_is_the_oracles(layers, model)


@pytest.mark.parametrize(("window", "step"), [(1, 1), (2, 1), (3, 1), (3, 2), (5, 1), (1, None)])
def test_occlusion_windows(window, step):
    layers = random_network("tanh")
    inputs, baselines = samples(3)
    options = {"window": window} if step is None else {"window": window, "step": step}
    got = explain(keras_model(layers), inputs, method="occlusion", baseline=baselines, **options)
    expected = [
        oracle.occlusion(layers, x, b, 0, window, step or 1)
        for x, b in zip(inputs.astype(float), baselines.astype(float), strict=True)
    ]
    np.testing.assert_allclose(got, expected, **FLOAT32)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_secant_slope_is_right_at_every_scale_and_distance(activation):
    """Pre-activations of 1e-12 to 100, apart by 1e-16 to 10 of their size: no bound may show, nor rounding."""
    generator = np.random.default_rng(0)
    size, apart = (10.0 ** grid.ravel() for grid in np.mgrid[-12:3, -16:2])
    reference = size * generator.uniform(0.5, 1.0, (4, len(size))) * np.array([[1.0], [-1.0], [1.0], [-1.0]])
    z = reference + size * apart * np.array([[1.0], [1.0], [-1.0], [-1.0]])
    z, reference = z[z != reference], reference[z != reference]
    function = getattr(keras.activations, activation)
    parameter = ACTIVATIONS[activation] and float(np.float32(ACTIVATIONS[activation]))  # an attribute of TensorFlow's
    given = [value for place in (tf.constant(z), tf.constant(reference)) for value in (place, function(place))]
    got = secant_slope(function, *given)
    expected = [secants.secant_slope(activation, parameter, *pair) for pair in zip(z, reference, strict=True)]
    # the slopes are at most 1; a few of float64's roundings, 2e-16, of values that are 1e-6 apart at least
    np.testing.assert_allclose(got, expected, rtol=0.0, atol=1e-9)
