"""Cases with an answer on paper."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from reproduction.attribution import METHODS, completeness_gap, explain, weighted_attributions
from reproduction.attribution.secant import secant_slope
from tests.attribution.networks import keras_model, random_network, samples

WEIGHTS = np.array([2.0, -3.0, 0.5, 0.0], np.float32)
INPUTS = np.array([[1.0, 2.0, -4.0, 7.0], [0.0, -1.0, 0.25, 3.0]], np.float32)
BASELINE = np.array([0.5, 1.0, -2.0, 1.0], np.float32)
TAKES_BASELINE = {"integrated_gradients", "deeplift", "occlusion", "shapley_sampling", "shapley_exact"}
FLOAT32 = {"rtol": 1e-5, "atol": 1e-6}  # a few float32 operations


@pytest.fixture(scope="module")
def linear_model():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.set_weights([WEIGHTS[:, None], np.array([10.0], np.float32)])
    return model


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"saliency"}))
def test_linear_model_gives_weight_times_input(linear_model, method):
    np.testing.assert_allclose(explain(linear_model, INPUTS, method=method), WEIGHTS * INPUTS, **FLOAT32)


@pytest.mark.parametrize("method", sorted(TAKES_BASELINE))
def test_linear_model_gives_weight_times_distance_to_the_baseline(linear_model, method):
    got = explain(linear_model, INPUTS, method=method, baseline=BASELINE)
    np.testing.assert_allclose(got, WEIGHTS * (INPUTS - BASELINE), **FLOAT32)
    one_each = np.stack([BASELINE, 2.0 * BASELINE])
    got = explain(linear_model, INPUTS, method=method, baseline=one_each)
    np.testing.assert_allclose(got, WEIGHTS * (INPUTS - one_each), **FLOAT32)


def test_saliency_is_the_absolute_gradient(linear_model):
    np.testing.assert_allclose(explain(linear_model, INPUTS, method="saliency"), np.abs([WEIGHTS, WEIGHTS]), **FLOAT32)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_weighted_attributions_of_a_linear_model(linear_model, method):
    """Eq. (2): a / x is the weight; where x = 0 it is the weight too if no division is needed, else 0."""
    got = weighted_attributions(linear_model, INPUTS, method=method)
    if method == "saliency":
        expected = np.divide(np.abs(WEIGHTS), INPUTS, out=np.zeros_like(INPUTS), where=INPUTS != 0)
    elif method in ("integrated_gradients", "input_x_gradient"):
        expected = np.stack([WEIGHTS, WEIGHTS])
    else:
        expected = np.where(INPUTS == 0, 0.0, WEIGHTS)
    np.testing.assert_allclose(got, expected, **FLOAT32)
    assert got.dtype == np.float32


@pytest.mark.parametrize("method", sorted(METHODS))
def test_attribution_is_weighted_attribution_times_distance(method):
    model = keras_model(random_network("tanh"))
    inputs, baselines = samples(5)
    baseline = baselines if method in TAKES_BASELINE else np.zeros_like(baselines)
    quotient = weighted_attributions(model, inputs, method=method, baseline=baseline)
    attributions = explain(model, inputs, method=method, baseline=baseline)
    np.testing.assert_allclose(quotient * (inputs - baseline), attributions, **FLOAT32)


def test_integrated_gradients_of_a_product():
    """f = x0 x1 from zero: half each, exactly, the gradient being linear along the path."""
    got = explain(lambda x: x[:, 0] * x[:, 1], [[3.0, -5.0]], method="integrated_gradients", steps=1)
    np.testing.assert_allclose(got, [[-7.5, -7.5]], **FLOAT32)


def test_integrated_gradients_of_a_cube():
    """f = x^3 from 1 to 2: the midpoint gradient is 6.75, the integral 7, which Gauss-Legendre gives with 2 nodes."""
    cube = {"inputs": [[2.0]], "method": "integrated_gradients", "baseline": [1.0]}
    np.testing.assert_allclose(explain(lambda x: x**3, steps=1, **cube), [[6.75]], **FLOAT32)
    np.testing.assert_allclose(
        explain(lambda x: x**3, steps=2, quadrature="gauss_legendre", **cube), [[7.0]], **FLOAT32
    )
    np.testing.assert_allclose(explain(lambda x: x**3, steps=1, quadrature="right", **cube), [[12.0]], **FLOAT32)
    np.testing.assert_allclose(completeness_gap(lambda x: x**3, steps=1, **cube), [-0.25], **FLOAT32)


def test_shapley_values_of_the_maximum():
    """max(x0, x1, 0) at (3, 1): x0 brings 3 first or 2 second, x1 brings 1 first or 0 second."""
    got = explain(lambda x: np.max(x, axis=1).clip(0), [[3.0, 1.0]], method="shapley_exact")
    np.testing.assert_allclose(got, [[2.5, 0.5]], **FLOAT32)


def test_one_antithetic_pair_is_exact_for_pairwise_interactions():
    def pairwise(x):
        return x[:, 0] * x[:, 1] - 2.0 * x[:, 1] * x[:, 2] + x[:, 0] ** 2

    inputs = samples(4, width=3)[0]
    exact = explain(pairwise, inputs, method="shapley_exact")
    pair = explain(pairwise, inputs, method="shapley_sampling", samples=2, antithetic=True, seed=5)
    single = explain(pairwise, inputs, method="shapley_sampling", samples=1, seed=5)
    np.testing.assert_allclose(pair, exact, **FLOAT32)
    assert np.abs(single - exact).max() > 0.1


def test_occlusion_shares_a_window_evenly_and_averages_overlaps():
    """f = x0 + 10 x1 + 100 x2 at ones: the windows (0, 1) and (1, 2) drop 11 and 110."""
    got = explain(lambda x: x @ np.array([1.0, 10.0, 100.0]), [[1.0, 1.0, 1.0]], method="occlusion", window=2)
    np.testing.assert_allclose(got, [[5.5, (5.5 + 55.0) / 2, 55.0]], **FLOAT32)


def test_sampling_is_a_function_of_its_seed():
    def interaction(x):
        return x[:, 0] * x[:, 1] * x[:, 2]

    def draw(seed):
        return explain(interaction, [[1.0, 2.0, 3.0]], method="shapley_sampling", samples=3, seed=seed)

    np.testing.assert_array_equal(draw(7), draw(7))
    np.testing.assert_array_equal(draw(7), draw(np.random.SeedSequence(7)))
    assert any((draw(seed) != draw(7)).any() for seed in range(5))


@pytest.mark.parametrize("method", sorted(METHODS))
def test_target_picks_one_output(method):
    layers = random_network("leaky_relu", widths=(5, 4, 3))
    model = keras_model(layers)
    inputs, _ = samples(3)
    for target in range(3):
        kernel, bias = layers[-2][1:]
        single = keras_model([*layers[:-2], ("dense", kernel[:, [target]], bias[[target]])])
        np.testing.assert_allclose(
            explain(model, inputs, method=method, target=target), explain(single, inputs, method=method), **FLOAT32
        )


@pytest.mark.parametrize("method", ["saliency", "occlusion"])
@pytest.mark.parametrize("shape", ["[n]", "[n, 1]", "[n, 2]"])
def test_functions_may_return_any_documented_shape(method, shape):
    def function(x):
        total = 3.0 * x[:, 0] + x[:, 1]
        if shape == "[n]":
            return total
        stack = tf.stack([total] if shape == "[n, 1]" else [-total, total], axis=1)
        return stack

    got = explain(function, [[1.0, 1.0]], method=method, target=1 if shape == "[n, 2]" else None)
    np.testing.assert_allclose(got, [[3.0, 1.0]], **FLOAT32)


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("nested", [False, True])
def test_a_model_whose_only_output_is_a_dict_is_its_entry(linear_model, method, nested):
    output = linear_model.outputs[0]
    model = keras.Model(linear_model.inputs[0], {"load": {"cpu": output} if nested else output})
    got, expected = (explain(each, INPUTS, method=method) for each in (model, linear_model))
    np.testing.assert_array_equal(got, expected)
    gap = completeness_gap(model, INPUTS, method=method)
    np.testing.assert_array_equal(gap, completeness_gap(linear_model, INPUTS, method=method))


@pytest.mark.parametrize("activation", ["leaky_relu", "tanh"])
def test_lrp_at_a_dead_unit(activation):
    """A pre-activation of exactly 0 has sign +1 and the ratio g(0) / epsilon = 0: nothing flows, nothing is NaN."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation=activation, use_bias=False)])
    model.set_weights([np.array([[1.0], [1.0]], np.float32)])
    np.testing.assert_array_equal(explain(model, [[1.0, -1.0]], method="epsilon_lrp"), [[0.0, 0.0]])


def test_lrp_of_a_sigmoid_at_zero_shows_the_sign_convention():
    """sigmoid(0) = 1/2 and sign(0) = +1: the ratio is 1 / (2 epsilon), positive."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="sigmoid", use_bias=False)])
    model.set_weights([np.array([[1.0], [1.0]], np.float32)])
    got = explain(model, [[1.0, -1.0]], method="epsilon_lrp", epsilon=0.25)
    np.testing.assert_allclose(got, [[2.0, -2.0]], **FLOAT32)


@pytest.mark.parametrize("activation", ["elu", "tanh", "sigmoid", "softplus"])
def test_deeplift_passes_smoothly_through_a_zero_difference(activation):
    """z = z0 takes the derivative; just beside it the secant agrees with it."""
    model = keras_model(random_network(activation))
    baseline = samples(1)[0][0]
    direction = np.array([1.0, -1.0, 0.5, 2.0, -0.5], np.float32)
    slopes = []
    for distance in (1e-6, 1e-4, 1e-3):
        inputs = (baseline + distance * direction)[None]
        slopes.append(explain(model, inputs, method="deeplift", baseline=baseline)[0] / (inputs - baseline)[0])
    gradient = weighted_attributions(model, baseline[None], method="input_x_gradient")[0]
    # slopes of a smooth net: the secant is off by distance * curvature, about 1e-3 at the largest distance
    np.testing.assert_allclose(slopes, np.tile(gradient, (3, 1)), rtol=1e-2, atol=3e-3)
    np.testing.assert_allclose(slopes[0], gradient, rtol=1e-4, atol=1e-5)


def test_deeplift_at_the_baseline_is_zero():
    model = keras_model(random_network("softplus"))
    inputs = samples(2)[0]
    np.testing.assert_array_equal(explain(model, inputs, method="deeplift", baseline=inputs), np.zeros_like(inputs))


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_deeplift_across_a_kink_near_zero(slope):
    """relu(x) times 1e6 from -3e-6 to 6e-6: the output rises by 6, and by 0.6 more if the slope below 0 is 0.2."""
    kernels = [np.array([[1.0]], np.float32), np.array([[1e6]], np.float32)]
    model = keras_model([("dense", kernels[0], None), ("activation", "leaky_relu", slope), ("dense", kernels[1], None)])
    got = explain(model, [[6e-6]], method="deeplift", baseline=[-3e-6])
    np.testing.assert_allclose(got, [[6.0 + 3.0 * slope]], rtol=1e-6)  # the inputs are float32


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("size", [1e-3, 1e-5, 1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize(
    ("power", "function"),
    [
        (3.0, lambda z, size: z**3),
        (0.5, lambda z, size: tf.sqrt(tf.abs(z))),
        (1.0, lambda z, size: tf.where(z > size, z, 0.0)),
        (1.0, lambda z, size: tf.nn.relu(z) - 0.2 * tf.nn.relu(-z)),
    ],
)
def test_a_secant_is_right_however_small_what_it_spans_is(power, function, size, sign):
    """In units of g's size: both ends on one side of 0, at 0, on both sides, and beside a threshold."""
    z = sign * size * tf.constant([2.0, 2.0, 2.0, 2.0, 0.5, 1e-3], tf.float64)
    z0 = sign * size * tf.constant([1.0, 0.0, -1.0, -2.0, -0.1, 3.0], tf.float64)
    a, a0 = function(z, size), function(z0, size)
    expected = (a - a0) / (z - z0)  # these functions' own rounding is relative
    got = secant_slope(lambda at: function(at, size), z, a, z0, a0)
    np.testing.assert_allclose(got * size ** (1 - power), expected * size ** (1 - power), rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("size", [1e-6, 1e-9, 1e-12, 1e-14])
def test_a_secant_across_a_kink_at_0_beside_a_constant(size):
    """1 + relu from -size to 3 size rises by 3 in 4: what float64 leaves of 1 + size does not show."""
    z, z0 = tf.constant([3.0 * size], tf.float64), tf.constant([-size], tf.float64)
    got = secant_slope(lambda at: 1.0 + tf.nn.relu(at), z, 1.0 + z, z0, tf.ones_like(z0))
    np.testing.assert_allclose(got, [0.75], atol=2e-9 if size > 1e-12 else np.finfo(float).eps / size)


def test_a_secant_of_what_computes_in_float32():
    """A relative rounding of 1e-7 at distances of 1e-3 to 1e-9 does not show either."""

    def narrow(z):
        return tf.cast(tf.tanh(tf.cast(z, tf.float32)), tf.float64)

    z0 = tf.constant([0.5, 0.5, 0.5, -1.0], tf.float64)
    z = z0 + tf.constant([1e-3, -1e-6, 1e-9, 0.0], tf.float64)
    middle = 0.5 * (z + z0)
    got = secant_slope(narrow, z, narrow(z), z0, narrow(z0), rounding=2.0**-20)
    np.testing.assert_allclose(got, 1.0 - np.tanh(middle) ** 2, rtol=1e-6)


def test_a_relative_epsilon_counts_in_root_mean_squares_of_the_layer():
    """Pre-activations (3x, -4x) have the root mean square sqrt(12.5) x: written out for one input."""
    first, last = np.array([[3.0, -4.0]], np.float32), np.array([[1.0], [2.0]], np.float32)
    model = keras_model([("dense", first, None), ("activation", "leaky_relu", 0.5), ("dense", last, None)])
    for x in (1e-6, 1.0, -1.0, 1e6):
        got = explain(model, [[x]], method="epsilon_lrp", epsilon=0.1, relative=True)
        root = np.sqrt(12.5)
        kept = [3.0 / (3.0 + 0.1 * root), 4.0 / (4.0 + 0.1 * root)]
        slopes = [1.0, 0.5] if x > 0 else [0.5, 1.0]
        expected = x * (3.0 * slopes[0] * kept[0] - 4.0 * slopes[1] * kept[1] * 2.0)
        np.testing.assert_allclose(got, [[expected]], rtol=1e-6)  # float32 inputs
    got = explain(model, [[0.0]], method="epsilon_lrp", relative=True)
    np.testing.assert_array_equal(got, [[0.0]])
