"""LRP and DeepLIFT of a convolutional network as the papers write them: messages from unit to unit, in plain NumPy.

A network is a list of tuples, from the input [height, width, channels] to the output [outputs]:

* ("conv", kernel [rows, columns, in, out], bias [out], stride): no padding
* ("average_pool", size), ("max_pool", size): windows side by side
* ("activation", name, parameter): as in `attribution_network`
* ("flatten",)
* ("dense", kernel [inputs, outputs], bias [outputs])

Bach et al. 2015, Eqs. (56) and (58): a unit j with z_j = sum_i z_ij + b_j, z_ij = x_i w_ij, sends
R_j z_ij / (z_j + epsilon sign(z_j)) to each unit i below it. DeepExplain's conventions: sign(0) = 1, and what has no
activation behind it is not stabilised. Shrikumar et al. 2017, Secs. 3.2, 3.5.1 and 3.5.2: the multiplier of i is
sum_j w_ij m_j (linear rule), that of a unit with an activation is delta_out / delta_in (rescale rule).
"""

import itertools

import numpy as np

from tests.oracles.attribution_network import value_and_slope


def connections(layer, shape):
    """Yield each unit of a linear layer: its index, its bias, and the index and weight of every unit that it reads."""
    kind = layer[0]
    if kind == "dense":
        _, kernel, bias = layer
        for j in range(kernel.shape[1]):
            yield (j,), bias[j], [((i,), kernel[i, j]) for i in range(kernel.shape[0])]
    elif kind == "flatten":
        for j, index in enumerate(np.ndindex(shape)):
            yield (j,), 0.0, [(index, 1.0)]
    elif kind == "conv":
        _, kernel, bias, stride = layer
        rows, columns, inputs, outputs = kernel.shape
        places = itertools.product(
            range((shape[0] - rows) // stride + 1), range((shape[1] - columns) // stride + 1), range(outputs)
        )
        for y, x, k in places:
            read = itertools.product(range(rows), range(columns), range(inputs))
            yield (
                (y, x, k),
                bias[k],
                [((y * stride + r, x * stride + c, i), kernel[r, c, i, k]) for r, c, i in read],
            )
    else:
        size = layer[1]
        for y, x, k in itertools.product(range(shape[0] // size), range(shape[1] // size), range(shape[2])):
            window = [(y * size + r, x * size + c, k) for r, c in itertools.product(range(size), repeat=2)]
            yield (y, x, k), 0.0, [(index, 1.0 / size**2) for index in window]


def read_by(layer, x):
    """Return a layer's units as `connections` has them; in max pooling each reads the greatest at this input alone."""
    units = list(connections(layer, x.shape))
    if layer[0] == "max_pool":
        units = [(j, b, [(max((i for i, _ in read), key=lambda i: x[i]), 1.0)]) for j, b, read in units]
    return units


def forward(network, x):
    """Return the input of every layer, and the output."""
    flow = [np.asarray(x, float)]
    for layer in network:
        x = flow[-1]
        if layer[0] == "activation":
            flow.append(np.vectorize(lambda z, layer=layer: value_and_slope(layer[1], layer[2], z)[0])(x))
            continue
        units = read_by(layer, x)
        out = np.zeros(tuple(np.max([j for j, _, _ in units], axis=0) + 1))
        for j, bias, read in units:
            out[j] = bias + sum(x[i] * weight for i, weight in read)
        flow.append(out)
    return flow


def epsilon_lrp(network, x, target, epsilon):
    """Return the relevance of every number of one input."""
    flow = forward(network, x)
    relevance = np.zeros(flow[-1].shape)
    relevance[target] = flow[-1][target]
    for place in reversed(range(len(network))):
        if network[place][0] == "activation":
            continue  # a unit's relevance is that of its activation
        activated = place + 1 < len(network) and network[place + 1][0] == "activation"
        x, z = flow[place], flow[place + 1]
        below = np.zeros(x.shape)
        for j, _, read in read_by(network[place], x):
            share = z[j] + (epsilon if activated else 0.0) * (1.0 if z[j] >= 0.0 else -1.0)
            for i, weight in read:
                if share != 0.0:  # a unit of 0 without a stabiliser has no relevance to hand on
                    below[i] += relevance[j] * x[i] * weight / share
        relevance = below
    return relevance


def deeplift(network, x, baseline, target):
    """Return the contribution of every number of one input."""
    flow, reference = forward(network, x), forward(network, baseline)
    multiplier = np.zeros(flow[-1].shape)
    multiplier[target] = 1.0
    for place in reversed(range(len(network))):
        layer, x, x0 = network[place], flow[place], reference[place]
        if layer[0] == "activation":
            apart = x != x0
            slope = np.vectorize(lambda z, layer=layer: value_and_slope(layer[1], layer[2], z)[1])(x)
            change = flow[place + 1] - reference[place + 1]
            multiplier = multiplier * np.divide(change, x - x0, out=slope, where=apart)
            continue
        below = np.zeros(x.shape)
        for j, _, read in read_by(layer, x):
            for i, weight in read:
                below[i] += multiplier[j] * weight
        multiplier = below
    return multiplier * (flow[0] - reference[0])
