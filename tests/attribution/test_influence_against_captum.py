"""Influences against those of captum (PyTorch), written by tests/golden/make_captum_influence_golden.py."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from reproduction.attribution.influence import Influence

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "captum_influence.json").read_text())


@pytest.mark.parametrize("hessian", ["exact", "cg"])
@pytest.mark.parametrize("name", GOLDEN["networks"])
def test_influences_are_captums(name, hessian):
    case, n = GOLDEN["networks"][name], GOLDEN["samples"]
    widths = case["widths"]
    hidden = [keras.layers.Dense(width, "tanh") for width in widths[1:-1]]
    model = keras.Sequential([keras.Input((widths[0],)), *hidden, keras.layers.Dense(widths[-1])])
    model.set_weights([np.asarray(one, np.float32) for one in case["weights"]])
    x, y = np.asarray(case["inputs"], np.float32), np.asarray(case["targets"])
    loss = "mse" if y.dtype.kind == "f" else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    found = Influence(model, loss, hessian=hessian, damping=case["damping"]).fit(x[:n], y[:n])
    expected = n * np.asarray(case["influences"])
    # float32 against float64; influences that cancel are as wrong as the largest
    np.testing.assert_allclose(found.scores(x[n:], y[n:]), expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
