"""LRP and DeepLIFT of convolutional nets against the papers' messages from unit to unit, in plain NumPy."""

import keras
import numpy as np
import pytest
from keras import layers as kinds

from reproduction.attribution import explain
from tests.oracles import convolutional_network as oracle

SHAPE, OUTPUTS, EPSILON = (7, 8, 2), 3, 0.05
ACTIVATIONS = {"relu": None, "tanh": None, "sigmoid": None, "softplus": None, "elu": 1.0, "leaky_relu": 0.2}
POOLINGS = {"average_pool": kinds.AveragePooling2D, "max_pool": kinds.MaxPooling2D}


def network_of(activation, pooling, generator):
    """[7, 8, 2] -> convolution [5, 6, 3] -> pooling [2, 3, 3] -> strided convolution [1, 2, 2] -> dense [3]."""

    def drawn(*shape):
        return generator.normal(0.0, 0.5, shape).astype(np.float32).astype(float)

    return [
        ("conv", drawn(3, 3, 2, 3), drawn(3), 1),
        ("activation", activation, ACTIVATIONS[activation]),
        (pooling, 2),
        ("conv", drawn(2, 2, 3, 2), drawn(2), 2 if pooling == "average_pool" else 1),
        ("activation", activation, ACTIVATIONS[activation]),
        ("flatten",),
    ]


def built(network):
    """Return the network with a dense layer on top, and its Keras model."""
    layers = []
    for kind, *rest in network:
        if kind == "conv":
            kernel, _, stride = rest
            layers.append(kinds.Conv2D(kernel.shape[-1], kernel.shape[:2], strides=stride))
        elif kind == "activation":
            layers.append(kinds.LeakyReLU(0.2) if rest[0] == "leaky_relu" else kinds.Activation(rest[0]))
        elif kind == "flatten":
            layers.append(kinds.Flatten())
        else:
            layers.append(POOLINGS[kind](rest[0]))
    model = keras.Sequential([keras.Input(SHAPE), *layers, kinds.Dense(OUTPUTS)])
    kernel, bias = (np.random.default_rng(5).normal(size=weight.shape) for weight in model.layers[-1].weights)
    kernel, bias = (array.astype(np.float32).astype(float) for array in (kernel, bias))
    network = [*network, ("dense", kernel, bias)]
    model.set_weights([array for layer in network for array in layer[1:3] if isinstance(array, np.ndarray)])
    return network, model


@pytest.fixture(scope="module", params=[(a, p) for a in ACTIVATIONS for p in POOLINGS], ids=" ".join)
def case(request):
    generator = np.random.default_rng(11)
    network, model = built(network_of(*request.param, generator))
    x, baseline = generator.normal(size=(2, 2, *SHAPE)).astype(np.float32)
    return network, model, x, baseline


def test_the_oracle_computes_what_the_model_computes(case):
    network, model, x, _ = case
    expected = [oracle.forward(network, sample)[-1] for sample in x]
    np.testing.assert_allclose(model(x), expected, rtol=1e-5, atol=1e-5)  # the model's float32


@pytest.mark.parametrize("target", range(OUTPUTS))
def test_epsilon_lrp(case, target):
    network, model, x, _ = case
    expected = [oracle.epsilon_lrp(network, sample, target, EPSILON) for sample in x]
    got = explain(model, x, method="epsilon_lrp", epsilon=EPSILON, target=target)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)  # float64 returned as float32


@pytest.mark.parametrize("target", range(OUTPUTS))
def test_deeplift(case, target):
    network, model, x, baseline = case
    expected = [oracle.deeplift(network, sample, b, target) for sample, b in zip(x, baseline, strict=True)]
    got = explain(model, x, method="deeplift", baseline=baseline, target=target)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)  # as above
