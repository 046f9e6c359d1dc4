"""A feed-forward network in plain NumPy, float64, one sample at a time: the ground of the attribution oracles.

A network is a list of tuples, from the input to the output:

* ("dense", kernel [inputs, outputs], bias [outputs] or None)
* ("batch_norm", gamma, beta, mean, variance, epsilon), each of the first four [units]
* ("activation", name, parameter): the parameter is the negative slope of "leaky_relu", the alpha of "elu", else None
* ("dropout",)
"""

import math

import numpy as np


def value_and_slope(name, parameter, z):
    """Return g(z) and g'(z) of one unit."""
    if name == "linear":
        return z, 1.0
    if name == "relu":
        return (z, 1.0) if z > 0 else (0.0, 0.0)
    if name == "leaky_relu":
        return (z, 1.0) if z > 0 else (parameter * z, parameter)
    if name == "elu":
        return (z, 1.0) if z > 0 else (parameter * (math.exp(z) - 1.0), parameter * math.exp(z))
    if name == "tanh":
        return math.tanh(z), 1.0 / math.cosh(z) ** 2
    if name == "sigmoid":
        return 1.0 / (1.0 + math.exp(-z)), 1.0 / (2.0 + math.exp(z) + math.exp(-z))
    if name == "softplus":
        return math.log(1.0 + math.exp(z)), 1.0 / (1.0 + math.exp(-z))
    raise KeyError(name)


def affine_parts(layer):
    """Return kernel and bias of an affine layer."""
    if layer[0] == "dense":
        _, kernel, bias = layer
        return np.asarray(kernel, float), np.zeros(np.shape(kernel)[1]) if bias is None else np.asarray(bias, float)
    _, gamma, beta, mean, variance, epsilon = layer
    factor = [g / math.sqrt(v + epsilon) for g, v in zip(gamma, variance, strict=True)]
    shift = [b - m * f for b, m, f in zip(beta, mean, factor, strict=True)]
    return np.diag(factor), np.array(shift)


def states(network, x):
    """Return what flows through the network: the input of every layer, then the output."""
    flow = [np.asarray(x, float)]
    for layer in network:
        if layer[0] == "activation":
            flow.append(np.array([value_and_slope(layer[1], layer[2], z)[0] for z in flow[-1]]))
        elif layer[0] == "dropout":
            flow.append(flow[-1])
        else:
            kernel, bias = affine_parts(layer)
            flow.append(flow[-1] @ kernel + bias)
    return flow


def output(network, x, target):
    return states(network, x)[-1][target]


def gradient(network, x, target):
    """Differentiate by multiplying the Jacobians from the input on."""
    jacobian = np.eye(len(x))
    for layer, state in zip(network, states(network, x), strict=False):
        if layer[0] == "activation":
            jacobian = jacobian @ np.diag([value_and_slope(layer[1], layer[2], z)[1] for z in state])
        elif layer[0] != "dropout":
            jacobian = jacobian @ affine_parts(layer)[0]
    return jacobian[:, target]
