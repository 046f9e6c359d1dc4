"""Batches bound what the model sees at once and change nothing else; importing the package is cheap."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from reproduction.attribution import METHODS, completeness_gap, explain, scalar_function, weighted_attributions
from reproduction.attribution import request as requests
from tests.attribution.networks import keras_model, random_network, samples

ROOT = Path(__file__).parents[2]
OPTIONS = {"integrated_gradients": {"steps": 6}, "shapley_sampling": {"samples": 4, "antithetic": True, "seed": 3}}


@pytest.fixture(scope="module")
def model():
    return keras_model(random_network("elu"))


@pytest.mark.parametrize("call", [explain, weighted_attributions, completeness_gap])
@pytest.mark.parametrize("method", METHODS)
def test_the_batch_size_does_not_change_the_result(model, method, call):
    inputs, _ = samples(23)
    options = OPTIONS.get(method, {})
    whole = call(model, inputs, method=method, **options)
    for batch_size in (1, 7, 40, 500):
        parts = call(model, inputs, method=method, batch_size=batch_size, **options)
        # matrix products round differently at different sizes; a/x multiplies that rounding by 1/x
        np.testing.assert_allclose(parts, whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_a_sample_does_not_depend_on_its_company(model, method):
    inputs, _ = samples(9)
    options = OPTIONS.get(method, {})
    together = explain(model, inputs, method=method, **options)
    alone = np.concatenate([explain(model, row[None], method=method, **options) for row in inputs])
    np.testing.assert_allclose(alone, together, rtol=1e-5, atol=1e-6)  # as above


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"epsilon_lrp", "deeplift"}))
def test_the_model_never_sees_more_than_a_batch(method):
    seen = []

    def function(x):
        seen.append(len(x))
        return x[:, 0] * x[:, 1]

    explain(function, np.ones((101, 5)), method=method, batch_size=64, **OPTIONS.get(method, {}))
    assert max(seen) <= 64
    assert sum(seen) >= 101


@pytest.mark.parametrize("choice", [{"target": 1}, {"target": [0, 1] * 11 + [0]}, {"start": [0.5, -2.0]}])
@pytest.mark.parametrize("method", ["saliency", "input_x_gradient", "integrated_gradients"])
def test_what_is_compiled_for_much_work_is_what_is_run_for_little(method, choice, monkeypatch):
    """Batches of two sizes, and a start that changes from batch to batch."""
    model = keras_model(random_network("elu", widths=(5, 4, 2)))
    inputs, _ = samples(23)
    options = {"method": method, "batch_size": 40, **choice, **OPTIONS.get(method, {})}
    as_written = explain(model, inputs, **options)
    monkeypatch.setattr(requests, "COMPILED_FROM", 0)
    monkeypatch.setattr(scalar_function.ScalarFunction, "_differentiated", differentiated_in_a_graph)
    np.testing.assert_allclose(explain(model, inputs, **options), as_written, rtol=1e-5, atol=1e-6)  # as above


PLAIN = scalar_function.ScalarFunction._differentiated


def differentiated_in_a_graph(function, tensors, start):
    assert not tf.executing_eagerly()
    return PLAIN(function, tensors, start)


class OnlyAsWritten(keras.Model):
    """Looks at its numbers, which a graph cannot."""

    def call(self, inputs):
        return inputs * float(inputs.numpy().shape[1])


def test_a_model_that_cannot_be_compiled_is_run_as_it_is_written(monkeypatch):
    monkeypatch.setattr(requests, "COMPILED_FROM", 0)
    inputs, _ = samples(4)
    np.testing.assert_array_equal(explain(OnlyAsWritten(), inputs, method="saliency", target=0), [[5, 0, 0, 0, 0]] * 4)
    with pytest.raises(ValueError, match=r"target must lie in 0 \.\. 4"):
        explain(OnlyAsWritten(), inputs, method="saliency", target=5)


class Branches(keras.Model):
    """Makes its weights at its first call, and branches on its numbers."""

    def __init__(self):
        super().__init__()
        self.hidden, self.last = keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)
        self.traced = 0

    def call(self, inputs):
        self.traced += not tf.executing_eagerly()
        hidden = self.hidden(inputs)
        return self.last(2.0 * hidden if tf.reduce_mean(hidden) > 0.5 else hidden)


def test_a_model_that_cannot_be_compiled_is_tried_once(monkeypatch):
    monkeypatch.setattr(requests, "COMPILED_FROM", 0)
    model, (inputs, _) = Branches(), samples(12)
    got = explain(model, inputs, method="input_x_gradient", batch_size=3)  # makes the weights
    tries = []
    for batch_size in (6, 2):
        before = model.traced
        explain(model, inputs, method="input_x_gradient", batch_size=batch_size)
        tries.append(model.traced - before)
    assert tries[0] == tries[1]
    monkeypatch.undo()
    np.testing.assert_array_equal(explain(model, inputs, method="input_x_gradient", batch_size=3), got)


def test_inputs_and_baseline_are_left_alone(model):
    inputs, baselines = samples(4)
    copies = inputs.copy(), baselines.copy()
    for method in ("integrated_gradients", "deeplift", "occlusion", "shapley_sampling", "shapley_exact"):
        explain(model, inputs, method=method, baseline=baselines)
    np.testing.assert_array_equal(inputs, copies[0])
    np.testing.assert_array_equal(baselines, copies[1])


def test_whole_numbers_and_lists_are_inputs_too(model):
    got = explain(model, [[1, 2, 3, 4, 5]], method="deeplift", baseline=[0, 0, 0, 0, 1])
    expected = explain(model, np.arange(1.0, 6.0)[None], method="deeplift", baseline=np.eye(5)[4])
    np.testing.assert_array_equal(got, expected)


def test_importing_and_perturbing_need_no_tensorflow():
    """Importing TensorFlow costs seconds; a NumPy function can be explained without it."""
    program = (
        "import sys, numpy as np\n"
        "from reproduction.attribution import explain\n"
        "print(explain(lambda x: x[:, 0] * x[:, 1], np.array([[2.0, 3.0]]), method='shapley_exact').tolist())\n"
        "print(sorted({'tensorflow', 'keras', 'shap'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines() == ["[[3.0, 3.0]]", "[]"]
