"""FedAvg without a framework: the network's gradient and Adam by hand, step by step our post-hoc scheme.

What a method in PyTorch, JAX or C++ has to agree on with ours stands here in plain sight: the layout of the flat
weights, the leaky ReLU, the loss, and Adam as Keras has it. One round agrees to float32 rounding; Adam makes rounding
grow, so after some rounds the two curves are as far apart as two runs of one method.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from reproduction.slicing.closed_loop.weights import layer_sizes
from reproduction.slicing.settings import PAPER, LocalSettings, ModelSettings

DECAY, DECAY_SQUARED, EPSILON = 0.9, 0.999, 1e-7


@dataclass(frozen=True, kw_only=True)
class NumpyOnly:
    """A method for `comparison.run_method`, with the attributes of `FedAvg`; of `local` it reads L and the rate."""

    local: LocalSettings = PAPER.local
    model: ModelSettings = PAPER.model
    name: str = "NumPy only"

    def local_update(self, weights, client_data, round_number, rng) -> np.ndarray:
        """Return the mean of the CL's L iterates, float32 [P]."""
        sizes = layer_sizes(client_data.features.shape[1], self.model)
        features = np.ascontiguousarray(client_data.features.T)  # a sample is a column: rows are long, products fast
        mean, square, total = np.zeros((3, len(weights)), np.float32)
        for epoch in range(1, self.local.epochs + 1):
            slope = mse_gradient(weights, sizes, features, client_data.target, self.model.leaky_slope)
            mean += (slope - mean) * np.float32(1 - DECAY)
            square += (slope**2 - square) * np.float32(1 - DECAY_SQUARED)
            rate = self.local.learning_rate * np.sqrt(1 - DECAY_SQUARED**epoch) / (1 - DECAY**epoch)
            weights = weights - np.float32(rate) * mean / (np.sqrt(square) + np.float32(EPSILON))
            total += weights
        return total / np.float32(self.local.epochs)


def mse_gradient(weights: np.ndarray, sizes: tuple[int, ...], features: np.ndarray, target, leak: float) -> np.ndarray:
    """Return the gradient of the mean squared error, float32 [P].

    Args:
        weights: per layer a kernel [inputs, outputs] row by row, then its bias; float32 [P].
        sizes: the network's widths.
        features: float32 [Q, n].
        target: float32 [n], %.
        leak: slope of the leaky ReLU below 0.
    """
    layers, inputs, start, signal = [], [], 0, features
    for fan_in, fan_out in pairwise(sizes):  # forward
        kernel = weights[start : start + fan_in * fan_out].reshape(fan_in, fan_out)
        start += (fan_in + 1) * fan_out
        layers.append(kernel)
        inputs.append(signal)
        signal = kernel.T @ signal + weights[start - fan_out : start, None]
        if start < len(weights):
            signal = np.maximum(signal, np.float32(leak) * signal)
    error = (signal - target) * np.float32(2 / len(target))
    parts: list[np.ndarray] = []
    for kernel, signal in zip(layers[::-1], inputs[::-1], strict=True):  # backward
        parts = [(signal @ error.T).ravel(), error.sum(1), *parts]
        error = (kernel @ error) * np.where(signal > 0, np.float32(1), np.float32(leak))
    return np.concatenate(parts)
