"""The loop's compiled explainers against the attribution package, which is written for any model."""

import numpy as np
import pytest
import tensorflow as tf

from reproduction.attribution import sensitivity
from reproduction.slicing.closed_loop.client_model import keras_model, predict, split
from reproduction.slicing.closed_loop.explainers import weighted_attributions
from reproduction.slicing.closed_loop.weights import initial_weights
from reproduction.slicing.settings import EXPLAINERS

STEPS = 6


@pytest.mark.parametrize("baseline", [np.zeros(5), [0.1, 0.05, 0.0, 0.5, 0.2]], ids=["zero", "not zero"])
@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_loop_equals_the_attribution_package(build, explainer, baseline):
    assignment, features = build.assignment(), build.samples(6, 80)[0]
    baseline = np.asarray(baseline, np.float32)
    features[:5] = baseline  # a / (x - b) at x = b: the gradients are still there, Shapley gives 0
    weights = initial_weights(assignment.sizes, 1, "eMBB") + np.float32(0.1)
    layers = split(tf.constant(weights), assignment.sizes)
    explain = weighted_attributions(explainer, STEPS)
    ours = explain(lambda x: predict(layers, x, 0.2), tf.constant(features.T), baseline[:, None]).numpy().T

    model = keras_model(weights, assignment.sizes, assignment.model)
    options = {"steps": STEPS} if explainer == "integrated_gradients" else {}
    if explainer != "input_x_gradient":
        options["baseline"] = baseline
    theirs = sensitivity(model, features, method=explainer, **options)
    assert np.abs(theirs).max() > 0.1
    if explainer == "shapley_exact":  # the quotient magnifies float32 near a baseline: compare the values
        ours, theirs = ours * (features - baseline), theirs * (features - baseline)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=2e-6)  # float32 twice, in different orders of summation
