"""The network: the published number of parameters, and its layers against Keras's own."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from reproduction.ofdm.grid import Grid
from reproduction.receiver.network import Normalization, SeparableConvolution, deeprx, features
from reproduction.receiver.settings import SMALL, Architecture
from reproduction.seeds import generator

TINY = Architecture(first=4, widths=(4, 6), dilations=((1, 1), (2, 3)))


def parameters(model):
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)


def drawn(*shape, seed=0):
    return generator(seed, "values").normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("architecture", "inputs", "expected"),
    [(Architecture(), 10, 1_232_516), (Architecture(), 6, 1_230_212), (SMALL, 6, 37_668)],
    ids=["two antennas", "one antenna", "small"],
)
def test_parameters(architecture, inputs, expected):
    """The first number is DeepRx's, of two receive antennas and 16QAM; the last running means do not count."""
    assert parameters(deeprx(architecture, 4, 0, inputs)) == expected


@pytest.mark.parametrize("dilation", [(1, 1), (2, 3), (3, 6)])
def test_separable_convolution_is_keras(dilation):
    """A depthwise convolution, then a pointwise one; float32 sums in another order."""
    values = drawn(2, 14, 16, 5)
    ours = SeparableConvolution(7, dilation, seed=3)
    found = ours(values)
    for weight in ours.weights:
        weight.assign(drawn(*weight.shape, seed=1))
    depthwise = keras.layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, dilation_rate=dilation)
    pointwise = keras.layers.Conv2D(7, 1)
    pointwise(depthwise(values))
    kernel, kernel_bias, mixing, bias = (weight.numpy() for weight in ours.weights)
    depthwise.set_weights([kernel, kernel_bias.reshape(-1)])
    pointwise.set_weights([mixing.reshape(1, 1, 10, 7), bias])
    found = ours(values)
    np.testing.assert_allclose(found, pointwise(depthwise(values)), rtol=1e-4, atol=1e-4)  # sums of 90, up to 30


def test_normalisation_is_keras():
    """In training, with the running means that it leaves, and at inference."""
    ours, theirs = Normalization(), keras.layers.BatchNormalization()
    values = 3.0 * drawn(4, 14, 8, 5) + 1.0
    ours(values), theirs(values)
    for layer in (ours, theirs):
        layer.gamma.assign(drawn(5, seed=2)), layer.beta.assign(drawn(5, seed=3))
    for _ in range(3):
        np.testing.assert_allclose(ours(values, training=True), theirs(values, training=True), rtol=1e-4, atol=1e-5)
    # the running variance is of n - 1 here and of n there, n = 448
    np.testing.assert_allclose(ours.moving_mean, theirs.moving_mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ours.moving_variance, theirs.moving_variance, rtol=1e-3)
    for mine, other in zip(theirs.non_trainable_weights, ours.non_trainable_weights, strict=True):
        mine.assign(other)
    np.testing.assert_allclose(ours(values), theirs(values), rtol=1e-4, atol=1e-5)


def test_frames_do_not_meet_at_inference():
    model, values = deeprx(TINY, 4, 0), drawn(3, 14, 16, 6)
    together = model(values, training=False)
    assert together.shape == (3, 14, 16, 4)
    alone = model(values[1:2], training=False)
    np.testing.assert_allclose(together[1], alone[0], rtol=1e-4, atol=1e-5)  # float32 in blocks of other sizes


def test_any_grid_and_any_seed():
    model = deeprx(TINY, 6, 0)
    assert model(drawn(1, 7, 20, 6)).shape == (1, 7, 20, 6)
    again, other = deeprx(TINY, 6, 0), deeprx(TINY, 6, 1)
    assert all(np.array_equal(*pair) for pair in zip(model.get_weights(), again.get_weights(), strict=True))
    assert not all(np.array_equal(*pair) for pair in zip(model.get_weights(), other.get_weights(), strict=True))


def test_names_do_not_count_what_a_process_has_built():
    assert [layer.name for layer in deeprx(TINY, 6, 0).layers] == [layer.name for layer in deeprx(TINY, 6, 1).layers]


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras's own, while it saves
def test_saved_and_loaded(tmp_path):
    model, values = deeprx(TINY, 4, 0), drawn(2, 14, 16, 6)
    model.save(tmp_path / "receiver.keras")
    loaded = keras.models.load_model(tmp_path / "receiver.keras")
    np.testing.assert_array_equal(loaded(values), model(values))


def test_features_by_hand():
    grid = Grid()
    received = (drawn(2, 14, 48) + 1j * drawn(2, 14, 48, seed=1)).astype(np.complex64)
    found = features(tf.constant(received), grid.pilots).numpy()
    assert found.shape == (2, 14, 48, 6)
    np.testing.assert_array_equal(found[..., 0] + 1j * found[..., 1], received)
    np.testing.assert_array_equal(found[1, ..., 2] + 1j * found[1, ..., 3], grid.pilots)
    raw = found[..., 4] + 1j * found[..., 5]
    np.testing.assert_allclose(raw[:, 2, ::2], received[:, 2, ::2] / grid.pilots[2, ::2], rtol=1e-5, atol=1e-6)
    assert not raw[:, ~grid.is_pilot].any()


def test_refused_architectures():
    with pytest.raises(ValueError, match="dilations must be one for each width, got 2 widths and 1 dilations"):
        dataclasses.replace(TINY, dilations=((1, 1),))
