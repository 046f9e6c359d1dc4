"""The attribution methods written a second time from their papers: plain, slow, one sample, one neuron at a time."""

import itertools
import math

import numpy as np

from tests.oracles.attribution_network import affine_parts, gradient, output, states


def saliency(network, x, b, target):
    return np.abs(gradient(network, x, target))


def input_x_gradient(network, x, b, target):
    return x * gradient(network, x, target)


def integrated_gradients(network, x, b, target, steps):
    """Sundararajan et al. 2017, by the midpoint rule."""
    total = np.zeros(len(x))
    for k in range(steps):
        total += gradient(network, b + (k + 0.5) / steps * (x - b), target) / steps
    return (x - b) * total


def epsilon_lrp(network, x, b, target, epsilon):
    """Bach et al. 2015: relevance handed from neuron to neuron, the stabiliser in front of each activation only."""
    flow = states(network, x)
    relevance = np.zeros(len(flow[-1]))
    relevance[target] = flow[-1][target]
    for layer, below, above in reversed(list(zip(network, flow[:-1], flow[1:], strict=True))):
        if layer[0] == "activation":
            if layer[1] != "linear":
                relevance = np.array(
                    [r * z / (z + math.copysign(epsilon, z)) for r, z in zip(relevance, below, strict=True)]
                )
        elif layer[0] != "dropout":
            kernel, _ = affine_parts(layer)
            received = np.zeros(len(below))
            for i in range(len(below)):
                for j in np.flatnonzero(kernel[i]):
                    received[i] += below[i] * kernel[i, j] / above[j] * relevance[j]
            relevance = received
    return relevance


def deeplift(network, x, b, target):
    """Shrikumar et al. 2017: the chain rule for multipliers (Sec. 3.2), linear and Rescale rules (Sec. 3.5)."""
    flow, reference = states(network, x), states(network, b)
    multipliers = np.eye(len(x))
    for i, layer in enumerate(network):
        if layer[0] == "activation":
            slopes = [
                (out - out0) / (z - z0) if z != z0 else 0.0  # only what never moves, such as padding, stands still
                for z, z0, out, out0 in zip(flow[i], reference[i], flow[i + 1], reference[i + 1], strict=True)
            ]
            multipliers = multipliers @ np.diag(slopes)
        elif layer[0] != "dropout":
            multipliers = multipliers @ affine_parts(layer)[0]
    return (x - b) * multipliers[:, target]


def occlusion(network, x, b, target, window, step):
    """For every feature, the mean over the windows that cover it of the output's drop per feature of the window."""
    attributions = []
    for j in range(len(x)):
        drops = []
        for start in range(0, len(x) - window + 1, step):
            if start <= j < start + window:
                occluded = [b[k] if start <= k < start + window else x[k] for k in range(len(x))]
                drops.append((output(network, x, target) - output(network, occluded, target)) / window)
        attributions.append(sum(drops) / len(drops))
    return np.array(attributions)


def shapley(function, x, b):
    """Shapley 1953: the marginal contribution averaged over all orders, `function` mapping a list to a number."""
    values = np.zeros(len(x))
    orders = list(itertools.permutations(range(len(x))))
    for order in orders:
        mixed = list(b)
        before = function(mixed)
        for j in order:
            mixed[j] = x[j]
            after = function(mixed)
            values[j] += (after - before) / len(orders)
            before = after
    return values
