"""A network that is cut is the full one with zeros; its cost is what TensorFlow's profiler counts."""

import numpy as np
import pytest
import tensorflow as tf

from reproduction.xrefine.cost import flops, multiplications, parameters
from reproduction.xrefine.network import (
    FEATURES,
    Kept,
    all_of,
    as_keras,
    cut_out,
    first_weights,
    forward,
    masked,
    masks_of,
)

HIDDEN = (15, 12, 9)
KEPT = Kept((0, 3, 5, 19, 51), ((0, 2, 14), (1, 11), (0, 4, 5, 8)))


@pytest.fixture
def weights():
    generator = np.random.default_rng(0)
    drawn = first_weights(HIDDEN, generator)
    return [one if one.ndim == 2 else generator.normal(size=one.shape).astype(np.float32) for one in drawn]


@pytest.fixture
def features():
    return np.random.default_rng(1).normal(size=(7, FEATURES)).astype(np.float32)


def plain(weights, rows):
    """Layer by layer, in float64."""
    values = rows.astype(float)
    for layer in range(0, len(weights), 2):
        values = values @ weights[layer].astype(float) + weights[layer + 1]
        values = values if layer == len(weights) - 2 else np.where(values > 0, values, 0.0)
    return values


def test_a_network_is_its_layers(weights, features):
    np.testing.assert_allclose(forward(weights, features), plain(weights, features), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(as_keras(weights)(features), plain(weights, features), rtol=1e-5, atol=1e-5)


def test_what_is_cut_out_is_the_full_network_with_zeros(weights, features):
    small = cut_out(weights, KEPT)
    assert [len(one) for one in small[::2]] == [10, 3, 2, 4]
    found = plain(small, features[:, KEPT.features])
    np.testing.assert_allclose(found, plain(masked(weights, KEPT), features), rtol=1e-12)
    assert KEPT.features.tolist() == [0, 3, 5, 19, 51, 52, 55, 57, 71, 103]


def test_masks_are_one_where_both_ends_are_left():
    masks = masks_of(KEPT, HIDDEN)
    assert [mask.shape for mask in masks] == [one.shape for one in first_weights(HIDDEN, np.random.default_rng(0))]
    assert [int(mask.sum()) for mask in masks] == [30, 3, 6, 2, 8, 4, 4 * FEATURES, FEATURES]
    assert masks[0][3, 2] == masks[0][55, 14] == 1
    assert masks[0][4, 2] == masks[0][3, 3] == 0
    assert all((mask == 1).all() for mask in masks_of(all_of(HIDDEN), HIDDEN))


def test_first_weights_are_glorots():
    kernel, bias, *_ = first_weights((15,), np.random.default_rng(0))
    most = np.sqrt(6.0 / (FEATURES + 15))
    assert most > np.abs(kernel).max() > 0.98 * most  # of 1,560 draws
    assert not bias.any()


def test_the_papers_network_by_hand():
    widths = all_of((15, 15, 15)).widths
    assert widths == (104, 15, 15, 15, 104)
    assert multiplications(widths) == 104 * 15 + 15 * 15 + 15 * 15 + 15 * 104 == 3570
    assert parameters(widths) == 3570 + 15 + 15 + 15 + 104
    assert flops(widths) == 2 * 3570 + (15 + 15 + 15 + 104) + 45


@pytest.mark.parametrize("kept", [all_of(HIDDEN), KEPT])
def test_flops_are_those_of_tensorflows_profiler(weights, kept):
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
    from tensorflow.python.profiler.model_analyzer import profile
    from tensorflow.python.profiler.option_builder import ProfileOptionBuilder

    model = as_keras(cut_out(weights, kept))
    spec = tf.TensorSpec((1, model.input_shape[1]), tf.float32)
    frozen = convert_variables_to_constants_v2(
        tf.function(lambda row: model(row, training=False)).get_concrete_function(spec)
    )
    options = ProfileOptionBuilder(ProfileOptionBuilder.float_operation()).with_empty_output().build()
    counted = profile(frozen.graph, options=options).total_float_ops
    relus = sum(kept.widths[1:-1])  # which it does not count
    assert counted + relus == flops(kept.widths)


def test_parameters_are_keras_own(weights):
    assert as_keras(weights).count_params() == parameters(all_of(HIDDEN).widths)
