"""The client's network: fully connected layers with leaky ReLU (Sec. IV), from Q features to CPU load [%].

Two views of the same weights: a Keras model, for explaining, saving and reading; and a function of a flat
weight vector with FEATURES AS ROWS, for training, because [units, samples] matrices keep the samples
contiguous and one compiled function then serves every CL.

Differs from the paper: hidden sizes, slope and initialiser are not printed (`settings.ModelSettings`).
"""

from itertools import pairwise

import keras
import numpy as np
import tensorflow as tf

from reproduction import seeds
from reproduction.settings import ModelSettings

Layers = list[tuple[tf.Tensor, tf.Tensor]]


def layer_sizes(features: int, settings: ModelSettings) -> tuple[int, ...]:
    """Return the widths from input to output, e.g. (5, 26, 26, 26, 1)."""
    return (features, *settings.hidden, 1)


def parameter_count(sizes: tuple[int, ...]) -> int:
    """Return the number of weights and biases, P."""
    return sum((inputs + 1) * outputs for inputs, outputs in pairwise(sizes))


def initial_weights(sizes: tuple[int, ...], seed: int, slice_name: str) -> np.ndarray:
    """Draw W(0) of one slice: Glorot uniform kernels (TensorFlow 1's default), zero biases.

    Returns:
        float32 [P], layer by layer, each kernel [inputs, outputs] row by row, then its bias.
    """
    random = seeds.generator(seed, "initial weights", slice_name)
    parts = []
    for inputs, outputs in pairwise(sizes):
        limit = np.sqrt(6 / (inputs + outputs))
        parts += [random.uniform(-limit, limit, inputs * outputs), np.zeros(outputs)]
    return np.concatenate(parts).astype(np.float32)


def split(weights, sizes: tuple[int, ...]) -> list:
    """Cut a flat vector [P] into (kernel [inputs, outputs], bias [outputs]) pairs; views, no copies."""
    layers, start = [], 0
    for inputs, outputs in pairwise(sizes):
        stop = start + inputs * outputs
        layers.append((weights[start:stop].reshape(inputs, outputs) if isinstance(weights, np.ndarray)
                       else tf.reshape(weights[start:stop], (inputs, outputs)), weights[stop : stop + outputs]))
        start = stop + outputs
    return layers


def predict(layers: Layers, features: tf.Tensor, leaky_slope: float) -> tf.Tensor:
    """Predict the CPU load, z_hat of eq. (5).

    Args:
        layers: from `split`.
        features: float32 [Q, n], scaled; a sample is a column.
        leaky_slope: slope of the leaky ReLU below 0.

    Returns:
        float32 [n], CPU load in %.
    """
    signal = features
    for kernel, bias in layers[:-1]:
        signal = tf.nn.leaky_relu(tf.matmul(kernel, signal, transpose_a=True) + bias[:, None], leaky_slope)
    kernel, bias = layers[-1]
    return (tf.matmul(kernel, signal, transpose_a=True) + bias[:, None])[0]


def keras_model(weights: np.ndarray, sizes: tuple[int, ...], settings: ModelSettings) -> keras.Sequential:
    """Build the Keras model that computes `predict` on samples as rows, float32 [n, Q] -> [n, 1]."""
    model = keras.Sequential([keras.Input((sizes[0],))])
    for units in settings.hidden:
        model.add(keras.layers.Dense(units))
        model.add(keras.layers.LeakyReLU(negative_slope=settings.leaky_slope))
    model.add(keras.layers.Dense(1))
    model.set_weights([array for layer in split(weights, sizes) for array in layer])
    return model
