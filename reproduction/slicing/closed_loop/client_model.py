"""The client's network: fully connected layers with leaky ReLU (Sec. IV), from Q features to CPU load [%].

Two views of the same weights: a Keras model, for explaining, saving and reading; and a function of a flat
weight vector with FEATURES AS ROWS, for training, because [units, samples] matrices keep the samples
contiguous and one compiled function then serves every CL.

Differs from the paper: hidden sizes and slope are not printed (`settings.ModelSettings`).
"""

import math
from collections.abc import Callable
from itertools import pairwise

import keras
import numpy as np
import tensorflow as tf

from reproduction.slicing.settings import ModelSettings

Layers = list[tuple[tf.Tensor, tf.Tensor]]


def split(weights: tf.Tensor, sizes: tuple[int, ...]) -> Layers:
    """Cut a flat vector [P] into (kernel [inputs, outputs], bias [outputs]) pairs."""
    shapes = [shape for inputs, outputs in pairwise(sizes) for shape in ((inputs, outputs), (outputs,))]
    parts = tf.split(weights, [math.prod(shape) for shape in shapes])
    arrays = [tf.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)]
    return list(zip(arrays[::2], arrays[1::2], strict=True))


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
        signal = leaky_relu(_affine(kernel, bias, signal), leaky_slope)
    return _affine(*layers[-1], signal)[0]


def network(weights: tf.Tensor, sizes: tuple[int, ...], settings: ModelSettings) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return the network of flat weights [P] as a function, features float32 [Q, n] -> CPU load float32 [n] in %."""
    layers = split(weights, sizes)
    return lambda features: predict(layers, features, settings.leaky_slope)


def weighted_mse(prediction: tf.Tensor, target: tf.Tensor, sample_weights: tf.Tensor) -> tf.Tensor:
    """(7a): mean squared error over the samples of weight 1, in %^2."""
    return tf.reduce_sum(sample_weights * (prediction - target) ** 2) / tf.reduce_sum(sample_weights)


def _affine(kernel: tf.Tensor, bias: tf.Tensor, signal: tf.Tensor) -> tf.Tensor:
    """Return kernel^T signal + bias, [outputs, n].

    The bias enters as an outer product with ones: its gradient is then a matrix product too, which XLA runs faster
    than a sum along the rows.
    """
    ones = tf.ones((1, signal.shape[1]))
    return tf.matmul(kernel, signal, transpose_a=True) + tf.matmul(bias[:, None], ones)


def leaky_relu(signal: tf.Tensor, slope: float) -> tf.Tensor:
    """Return `signal` where it is positive, else `slope` >= 0 times it.

    The gradient asks for the sign of the output, which is positive where the input is: the input need not be kept, and
    the compiled backward pass reads one array less. TensorFlow's own asks for the input's.
    """

    @tf.custom_gradient
    def activation(signal):
        output = tf.nn.leaky_relu(signal, slope)
        return output, lambda upstream: tf.where(output > 0, upstream, slope * upstream)

    return activation(signal)


def keras_model(weights: np.ndarray, sizes: tuple[int, ...], settings: ModelSettings) -> keras.Sequential:
    """Build the Keras model that computes `predict` on samples as rows, float32 [n, Q] -> [n, 1]."""
    model = keras.Sequential([keras.Input((sizes[0],))])
    for units in settings.hidden:
        model.add(keras.layers.Dense(units))
        model.add(keras.layers.LeakyReLU(negative_slope=settings.leaky_slope))
    model.add(keras.layers.Dense(1))
    model.set_weights([array.numpy() for layer in split(tf.constant(weights), sizes) for array in layer])
    return model
