"""What a unit is worth: each ranking on networks where the answer is known, and against plain loops."""

import json
from pathlib import Path

import numpy as np
import pytest

from reproduction.attribution import explain_layers
from reproduction.xrefine import rankings
from reproduction.xrefine.chest import tolerance
from reproduction.xrefine.classes import classes_of
from reproduction.xrefine.network import FEATURES, as_keras, first_weights, forward
from reproduction.xrefine.rankings import RANKINGS, Subject
from reproduction.xrefine.relevance import AGGREGATIONS, relevance_of

HIDDEN = (7, 5)
GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "innvestigate_relevance.json").read_text())
READ = (3, 19, 40)


def subject(weights, n=400):
    features = np.random.default_rng(5).normal(size=(n, FEATURES)).astype(np.float32)
    return Subject(weights, features, forward(weights, features).numpy(), 0)


@pytest.fixture(scope="module")
def weights():
    generator = np.random.default_rng(2)
    return [one + 0.1 * generator.normal(size=one.shape).astype(np.float32) for one in first_weights(HIDDEN, generator)]


@pytest.fixture(scope="module")
def blind(weights):
    """A network that reads three subcarriers, and whose neurons 2 and 4 of the first layer lead nowhere."""
    kernel, *rest = (one.copy() for one in weights)
    kept = np.isin(np.arange(FEATURES) % 52, READ)
    rest[1][[2, 4]] = 0.0
    return [kernel * kept[:, None].astype(np.float32), *rest]


@pytest.mark.parametrize("name", sorted(RANKINGS))
def test_what_a_network_does_not_read_is_worth_nothing(blind, name):
    scores = RANKINGS[name](subject(blind))
    assert set(np.argsort(-scores.subcarriers)[:3].tolist()) == set(READ)
    np.testing.assert_allclose(np.delete(scores.subcarriers, READ), 0.0, atol=1e-9)
    if name != "magnitude":  # which looks at what goes into a neuron
        np.testing.assert_allclose(scores.neurons[0][[2, 4]], 0.0, atol=1e-9)
    assert [layer.shape for layer in scores.neurons] == [(7,), (5,)]


def test_what_a_network_does_not_read_tolerates_noise(blind):
    scores = tolerance(subject(blind))
    assert set(np.argsort(-scores.subcarriers)[:3].tolist()) == set(READ)
    assert (scores.subcarriers <= 0.0).all()


def test_relevance_is_conserved_without_biases():
    """Of every sample what the inputs and each hidden layer get is the sum of the outputs: epsilon takes 1e-7."""
    generator = np.random.default_rng(0)
    bare = first_weights((15, 15, 15), generator)
    features = generator.normal(size=(50, FEATURES)).astype(np.float32)
    outputs = np.asarray(as_keras(bare)(features)).astype(float).sum(axis=1)
    found = relevance_of(bare, features)
    for layer in (found.subcarriers, *found.neurons):
        np.testing.assert_allclose(layer.sum(axis=1, dtype=float), outputs, rtol=1e-5, atol=1e-5)


def test_relevance_is_lrps_of_real_and_imaginary_part(weights):
    features = subject(weights, 20).features
    by_layer = explain_layers(as_keras(weights), features, start=np.ones(FEATURES), epsilon=1e-7)
    found = relevance_of(weights, features)
    np.testing.assert_array_equal(found.subcarriers[:, 7], by_layer["input"][:, 7] + by_layer["input"][:, 59])
    np.testing.assert_array_equal(found.neurons[1], by_layer["hidden_2"])


def test_relevance_is_a_plain_lrp(weights):
    """Bach et al. 2015, Eq. (58), message by message."""
    features = subject(weights, 4).features
    found = relevance_of(weights, features, epsilon=0.05)
    for row, x in enumerate(features.astype(float)):
        layers, before = [x], []
        for layer in range(0, len(weights), 2):
            z = layers[-1] @ weights[layer].astype(float) + weights[layer + 1]
            before.append(z)
            layers.append(np.maximum(z, 0.0) if layer < len(weights) - 2 else z)
        received = layers[-1]
        for depth in reversed(range(len(before))):
            last = depth == len(before) - 1  # the outputs have no activation to stabilise
            divisor = before[depth] if last else before[depth] + np.where(before[depth] >= 0, 0.05, -0.05)
            messages = layers[depth][:, None] * weights[2 * depth] * (received / divisor)[None, :]
            received = messages.sum(axis=1)
            expected = received[:52] + received[52:] if depth == 0 else received
            got = found.subcarriers[row] if depth == 0 else found.neurons[depth - 1][row]
            np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)  # float32 of the answer


@pytest.mark.parametrize("of", GOLDEN["relevance"], ids=lambda of: f"{of['epsilon']:g}")
def test_relevance_is_innvestigates(of):
    """innvestigate stabilises the outputs, too, f / (f + epsilon s(f)): ours is started with that."""
    weights = [np.asarray(one, np.float32) for one in GOLDEN["weights"]]
    samples, outputs = np.asarray(GOLDEN["samples"], np.float32), np.asarray(GOLDEN["outputs"])
    starts = outputs / (outputs + np.where(outputs >= 0.0, of["epsilon"], -of["epsilon"]))
    for row, start in enumerate(starts):
        given = explain_layers(as_keras(weights), samples[row : row + 1], start=start, epsilon=of["epsilon"])
        for got, expected in zip(list(given.values())[:-1], of["of"], strict=True):
            np.testing.assert_allclose(got[0], expected[row], rtol=1e-5, atol=1e-5)  # float32 against float64


def test_aggregations_by_hand():
    relevance = np.array([[1.0, -2.0], [-3.0, -2.0]], np.float32)
    assert AGGREGATIONS["mean absolute"](relevance).tolist() == [2.0, 2.0]
    assert AGGREGATIONS["absolute mean"](relevance).tolist() == [1.0, 2.0]


def test_ablation_and_permutation_are_plain_loops(weights):
    of = subject(weights, 30)
    layers = rankings.activations(of.weights, of.features)

    def error(features, hidden=None, depth=0):
        values = features
        for layer in range(0, len(weights), 2):
            if hidden is not None and layer == 2 * depth:
                values = hidden
            values = values @ weights[layer] + weights[layer + 1]
            values = np.maximum(values, 0) if layer < len(weights) - 2 else values
        return np.mean((values - of.targets) ** 2)

    without = of.features.copy()
    without[:, [7, 59]] = 0.0
    scores = rankings.ablation(of)
    np.testing.assert_allclose(scores.subcarriers[7], error(without) - error(of.features), rtol=1e-4)
    silenced = layers[2].copy()
    silenced[:, 3] = 0.0
    np.testing.assert_allclose(scores.neurons[1][3], error(of.features, silenced, 2) - error(of.features), rtol=1e-4)
    permuted = rankings.permutation(of)
    assert not np.allclose(permuted.subcarriers, scores.subcarriers)
    assert (permuted.subcarriers > 0).all()  # the targets are the network's own: any change is a loss


def test_gradient_times_input_is_its_definition(weights):
    of = subject(weights, 3)
    step = 1e-3
    for unit in (0, 51):
        products = []
        for row in of.features:
            total = 0.0
            for place in (unit, unit + 52):
                up, down = row.copy(), row.copy()
                up[place] += step
                down[place] -= step
                difference = forward(weights, up[None]).numpy().sum() - forward(weights, down[None]).numpy().sum()
                total += row[place] * difference / (up[place] - down[place])
            products.append(abs(total))
        scores = rankings.gradient_times_input(of)
        np.testing.assert_allclose(scores.subcarriers[unit], np.mean(products), rtol=2e-2)  # float32 differences


def test_draws_hang_on_the_seed(weights):
    one = subject(weights)
    other = Subject(one.weights, one.features, one.targets, 1)
    assert np.array_equal(rankings.drawn(one).subcarriers, rankings.drawn(one).subcarriers)
    assert not np.array_equal(rankings.drawn(one).subcarriers, rankings.drawn(other).subcarriers)


def test_classes_by_hand():
    high, low = np.array([4.0, 3.0, 2.0, 1.0]), np.array([4.0, 1.0, 3.0, 0.0])
    rises = np.array([0.1, 0.2, 0.3, 0.0])
    assert classes_of([high, low], rises) == ["reliable", "contributing", "contributing", "neutral"]
    assert classes_of([high, low], -rises)[0] == "harmful"
