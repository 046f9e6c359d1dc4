"""Nets over images and several inputs against captum's values, stored by tests/golden/make_captum_arrays_golden.py."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers as kinds

from reproduction.attribution import explain

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "captum_arrays.json").read_text())
CASES = [(name, method) for name, case in GOLDEN["networks"].items() for method in case["attributions"]]


def convolutional(pooling):
    start = keras.Input((6, 6, 2))
    hidden = pooling(kinds.Conv2D(3, 3, padding="same", activation="relu")(start))
    hidden = kinds.Conv2D(4, 2, activation="tanh")(hidden)
    return keras.Model(start, kinds.Dense(3)(kinds.Flatten()(hidden)))


def residual():
    start = keras.Input((6, 6, 2))
    inner = kinds.BatchNormalization(epsilon=1e-3)(kinds.Conv2D(4, 3, padding="same")(start))
    inner = kinds.Conv2D(2, 1)(kinds.ReLU()(inner))
    outer = kinds.ReLU()(kinds.Add()([start, inner]))
    outer = kinds.DepthwiseConv2D(2, strides=2, activation="softplus")(outer)
    outer = kinds.Conv2DTranspose(3, 2, strides=2, activation="elu")(outer)
    return keras.Model(start, kinds.Dense(2)(kinds.GlobalAveragePooling2D()(outer)))


def two_inputs():
    image, row = keras.Input((4, 4, 2)), keras.Input((3,))
    parts = [kinds.Flatten()(kinds.Conv2D(2, 2, strides=2, activation="relu")(image)), kinds.Dense(4, "tanh")(row)]
    return keras.Model([image, row], kinds.Dense(1)(kinds.Dense(5, "tanh")(kinds.Concatenate()(parts))))


MODELS = {
    "average pooling": lambda: convolutional(kinds.AveragePooling2D(2)),
    "max pooling": lambda: convolutional(kinds.MaxPooling2D(2)),
    "residual": residual,
    "two inputs": two_inputs,
}


def load(name):
    case = GOLDEN["networks"][name]
    model = MODELS[name]()
    model.set_weights([np.asarray(weight, np.float32) for weight in case["weights"]])
    inputs, baselines = ([np.asarray(one, np.float32) for one in case[key]] for key in ("inputs", "baselines"))
    return case, model, inputs, baselines


@pytest.mark.parametrize(("name", "method"), CASES)
def test_method_matches_captum(name, method):
    case, model, inputs, baselines = load(name)
    expected = [np.asarray(one) for one in case["attributions"][method]]
    options = {}
    if method == "integrated_gradients":
        options = {"steps": GOLDEN["steps"]}
    if method == "occlusion":
        # captum credits every feature of a window with the whole difference, DeepExplain shares it evenly
        options = {"feature_axes": (0, 1), "window": 3}
        expected = [one / (3 * 3 * 2) for one in expected]
    if method == "shapley_exact":
        # captum credits every feature of a group with the group's value, which here they share
        players = [np.asarray(one) for one in case["players"]]
        sizes = np.bincount(np.concatenate([one.reshape(-1) for one in players]))
        options = {"groups": players}
        expected = [one / sizes[mine] for one, mine in zip(expected, players, strict=True)]
    if method == "epsilon_lrp":
        # captum also stabilises the output layer, f / (f + epsilon * sign f), DeepExplain does not
        options = {"epsilon": GOLDEN["epsilon"]}
        output = np.asarray(case["outputs"])
        factor = (output + np.copysign(GOLDEN["epsilon"], output)) / output
        expected = [one * factor.reshape(-1, *(1,) * (one.ndim - 1)) for one in expected]
    if method in ("integrated_gradients", "deeplift", "shapley_exact"):
        options["baseline"] = baselines

    got = explain(model, inputs, method=method, target=case["target"], **options)

    for mine, theirs in zip(got, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)  # float32 against float64


def test_the_stored_networks_are_the_ones_explained():
    for name in GOLDEN["networks"]:
        case, model, inputs, _ = load(name)
        got = model(inputs if len(inputs) > 1 else inputs[0])[:, case["target"]]
        np.testing.assert_allclose(got, case["outputs"], rtol=1e-5, atol=1e-6)
