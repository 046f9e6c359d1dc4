"""Networks as the oracles' lists of tuples, and the same networks in Keras."""

import itertools

import keras
import numpy as np

ACTIVATIONS = {
    "linear": None,
    "relu": None,
    "leaky_relu": 0.2,
    "elu": 1.0,
    "tanh": None,
    "sigmoid": None,
    "softplus": None,
}


def random_network(activation, *, parameter="keras default", widths=(5, 6, 4, 1), bias=True, seed=0, last="linear"):
    """Draw dense layers, each followed by the activation, the last one by `last`."""
    if parameter == "keras default":
        parameter = ACTIVATIONS[activation]
    generator = np.random.default_rng(seed)
    network = []
    for inputs, outputs in itertools.pairwise(widths):
        kernel = generator.normal(0.0, 1.0 / np.sqrt(inputs), (inputs, outputs)).astype(np.float32)
        network.append(("dense", kernel, generator.normal(0.0, 0.3, outputs).astype(np.float32) if bias else None))
        network.append(("activation", activation, parameter))
    network[-1] = ("activation", last, ACTIVATIONS[last])
    return network


def batch_norm(units, seed):
    generator = np.random.default_rng(seed)
    gamma, beta, mean = generator.normal(1.0, 0.3, (3, units)).astype(np.float32)
    return ("batch_norm", gamma, beta, mean, generator.uniform(0.5, 2.0, units).astype(np.float32), 1e-3)


def keras_layer(layer):
    kind, *rest = layer
    if kind == "dense":
        return keras.layers.Dense(rest[0].shape[1], use_bias=rest[1] is not None)
    if kind == "batch_norm":
        return keras.layers.BatchNormalization(epsilon=rest[4])
    if kind == "dropout":
        return keras.layers.Dropout(0.5)
    name, parameter = rest
    if name == "leaky_relu":
        return keras.layers.LeakyReLU(negative_slope=parameter)
    if name == "elu":
        return keras.layers.ELU(alpha=parameter)
    return keras.layers.Activation(name)


def weights(network):
    """Return all weights in the order of Keras."""
    arrays = []
    for kind, *rest in network:
        if kind == "dense":
            arrays += rest if rest[1] is not None else rest[:1]
        elif kind == "batch_norm":
            arrays += rest[:4]
    return arrays


def features(network):
    return network[0][1].shape[0]


def keras_model(network):
    """Build the network with one Keras layer a tuple."""
    model = keras.Sequential([keras.Input((features(network),)), *map(keras_layer, network)])
    model.set_weights(weights(network))
    return model


def samples(n, seed=1, width=5):
    """Draw inputs and baselines, both float32 [n, width]."""
    generator = np.random.default_rng(seed)
    return generator.normal(size=(n, width)).astype(np.float32), generator.normal(size=(n, width)).astype(np.float32)
