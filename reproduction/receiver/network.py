"""DeepRx: a fully convolutional residual network from a resource grid to the soft bits of each of its cells.

Source: Honkala, Korpi and Huttunen, arXiv 2005.01494: residual blocks with normalisation and ReLU before each of two
separable 3x3 convolutions of depth multiplier 2, a 1x1 convolution beside the blocks that change the width.

What the source leaves open is settled by the published number of parameters, 1,232,516 with ten input channels (two
antennas): every convolution, depthwise ones included, has a bias, each normalisation a scale and an offset, one more
normalisation and ReLU stand before the 1x1 convolution to four bits. With one antenna, six channels, it has 1,230,212.

A depthwise and a pointwise convolution with nothing between them are one convolution, whose kernel is the product of
theirs: it is computed so, with the parameters of the two. On one core that takes half the time of Keras's own layer
(0.13 against 0.26 s for a step of 32 frames of the small network), four times the multiplications notwithstanding. XLA
has no fast depthwise convolution on a CPU: 40 s for that step, and 0.8 s or more for sums of shifted products.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from reproduction.ofdm.grid_estimates import raw_estimate
from reproduction.receiver.settings import Architecture

DEPTH = 2
"""Depth multiplier of the depthwise convolutions."""

INPUTS = 6
"""Real and imaginary part of received grid, pilot grid and raw estimate."""


@keras.saving.register_keras_serializable(package="receiver")
class SeparableConvolution(keras.layers.Layer):
    """A depthwise 3x3 convolution with bias and a pointwise one with bias, of the input's size.

    Its weights are those of `keras.layers.DepthwiseConv2D` and of a 1x1 `Conv2D`, drawn so that variance is kept behind
    a ReLU.

    Args:
        width: channels that it gives.
        dilation: over symbols and over subcarriers.
        seed: of its first weights.
    """

    def __init__(self, width: int, dilation: tuple[int, int], seed: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self.width, self.dilation, self.seed = width, tuple(dilation), seed

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights."""
        channels = int(input_shape[-1] or 0)
        normal = keras.initializers.RandomNormal
        seeds = np.random.SeedSequence(self.seed).generate_state(2).tolist()
        self.depthwise = self.add_weight(
            name="depthwise", shape=(3, 3, channels, DEPTH), initializer=normal(stddev=1.0 / 3.0, seed=seeds[0])
        )
        self.depthwise_bias = self.add_weight(name="depthwise_bias", shape=(channels, DEPTH), initializer="zeros")
        self.pointwise = self.add_weight(
            name="pointwise",
            shape=(channels, DEPTH, self.width),
            initializer=normal(stddev=(2.0 / (DEPTH * channels)) ** 0.5, seed=seeds[1]),
        )
        self.bias = self.add_weight(name="bias", shape=(self.width,), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        """Return float32 [n, symbols, subcarriers, width]."""
        kernel = tf.einsum("ijcm,cmo->ijco", self.depthwise.value, self.pointwise.value)
        bias = tf.einsum("cm,cmo->o", self.depthwise_bias.value, self.pointwise.value) + self.bias.value
        return tf.nn.bias_add(tf.nn.conv2d(inputs, kernel, 1, "SAME", dilations=self.dilation), bias)

    def get_config(self) -> dict[str, Any]:
        """Return what it is made with."""
        return {**super().get_config(), "width": self.width, "dilation": self.dilation, "seed": self.seed}


@keras.saving.register_keras_serializable(package="receiver")
class Normalization(keras.layers.BatchNormalization):
    """Keras's batch normalisation by TensorFlow's one operation for it, four times as fast on a CPU.

    At inference it is one product and one sum, by running means: frames do not meet, and each has a gradient.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return the normalised inputs."""
        del mask
        scale, offset = self.gamma.value, self.beta.value
        if not training:
            scale = scale * tf.math.rsqrt(self.moving_variance.value + self.epsilon)
            return inputs * scale + (offset - self.moving_mean.value * scale)
        found, mean, variance = tf.compat.v1.nn.fused_batch_norm(inputs, scale, offset, epsilon=self.epsilon)
        for running, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            running.assign(self.momentum * running.value + (1.0 - self.momentum) * now)
        return found


def deeprx(architecture: Architecture, bits_per_cell: int, seed: int, inputs: int = INPUTS) -> keras.Model:
    """Build a network.

    Its layers have names of their own. Keras's count the layers of a process, and with them the last bits of a Hessian
    product hung on what the process had built before: presumably TensorFlow orders what it optimises by names.

    Args:
        architecture: widths and dilations.
        bits_per_cell: of the modulation.
        seed: of its first weights.
        inputs: channels of its input; 10 with two receive antennas.

    Returns:
        A model from float32 [n, symbols, subcarriers, inputs], by `features`, to soft bits, float32 [n, symbols,
        subcarriers, bits per cell], for grids of any size.
    """
    seeds = iter(np.random.SeedSequence(seed).generate_state(4 * len(architecture.widths) + 2).tolist())

    def convolution(width: int, size: int, name: str) -> keras.layers.Layer:
        first = keras.initializers.GlorotUniform(seed=next(seeds))
        return keras.layers.Conv2D(width, size, padding="same", kernel_initializer=first, name=name)

    def normalised(values: Any, name: str) -> Any:
        values = Normalization(name=f"{name}_normalization")(values)
        return keras.layers.ReLU(name=f"{name}_relu")(values)

    grid = keras.Input((None, None, inputs), name="grid")
    values = convolution(architecture.first, 3, "first")(grid)
    for block, (width, dilation) in enumerate(zip(architecture.widths, architecture.dilations, strict=True)):
        name = f"block{block}"
        beside = values if values.shape[-1] == width else convolution(width, 1, f"{name}_beside")(values)
        for half in "ab":
            values = normalised(values, f"{name}{half}")
            values = SeparableConvolution(width, dilation, next(seeds), name=f"{name}{half}")(values)
        values = keras.layers.Add(name=f"{name}_sum")([beside, values])
    soft_bits = convolution(bits_per_cell, 1, "soft_bits")(normalised(values, "last"))
    return keras.Model(grid, soft_bits, name="deeprx")


def features(received: Any, pilots: Any) -> Any:
    """Return what the network reads.

    Args:
        received: complex64 [n, symbols, subcarriers].
        pilots: that were sent, 0 elsewhere, complex64 [symbols, subcarriers].

    Returns:
        Float32 [n, symbols, subcarriers, 6]: real and imaginary parts of received, pilots, raw estimate.
    """
    known = tf.broadcast_to(tf.constant(pilots), tf.shape(received))
    grids = (received, known, raw_estimate(received, pilots))
    return tf.stack([part(grid) for grid in grids for part in (tf.math.real, tf.math.imag)], axis=-1)
