"""Every method against captum's values for the same networks, stored by tests/golden/make_captum_golden.py."""

import json
from pathlib import Path

import numpy as np
import pytest

from reproduction.attribution import explain
from tests.attribution.networks import keras_model

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "captum_attributions.json").read_text())
CASES = [(name, method) for name, case in GOLDEN["networks"].items() for method in case["attributions"]]


def load(name):
    case = GOLDEN["networks"][name]
    layers = [
        (kind, *(np.asarray(x, np.float32) if isinstance(x, list) else x for x in rest))
        for kind, *rest in case["layers"]
    ]
    inputs, baselines = np.asarray(case["inputs"], np.float32), np.asarray(case["baselines"], np.float32)
    return case, keras_model(layers), inputs, baselines


@pytest.mark.parametrize(("name", "key"), CASES)
def test_method_matches_captum(name, key):
    case, model, inputs, baselines = load(name)
    method, _, variant = key.partition(" ")
    expected = np.asarray(case["attributions"][key])
    options = {}
    if method == "integrated_gradients":
        options = {"steps": GOLDEN["steps"], "quadrature": variant}
    if method == "occlusion":
        # captum credits every feature of a window with the whole difference, DeepExplain shares it evenly
        options = {"window": int(variant)}
        expected = expected / int(variant)
    if method == "epsilon_lrp":
        # captum also stabilises the output layer, f / (f + epsilon * sign f), DeepExplain does not
        options = {"epsilon": GOLDEN["epsilon"]}
        output = np.asarray(case["outputs"])[:, None]
        expected = expected * (output + np.copysign(GOLDEN["epsilon"], output)) / output
    if method in ("integrated_gradients", "deeplift", "shapley_exact"):
        options["baseline"] = baselines

    got = explain(model, inputs, method=method, target=case["target"], **options)

    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)  # float32 against float64


def test_the_stored_networks_are_the_ones_explained():
    for name in GOLDEN["networks"]:
        case, model, inputs, _ = load(name)
        np.testing.assert_allclose(model(inputs)[:, case["target"]], case["outputs"], rtol=1e-5, atol=1e-6)
