"""What a constant and a line score on pooled samples, and R^2, against SciPy and sums over every sample."""

import numpy as np
import pytest
from scipy.stats import linregress

from reproduction.slicing import controls
from reproduction.slicing.datasets import ClientData, Feature, SliceData
from reproduction.slicing.settings import SliceSettings

FLOAT32 = 1e-5  # the data are float32, the algebra float64


def slice_of(*clients, maxima):
    """Build a slice of (training features, training target, test features, test target) per client."""
    names = ("train_features", "train_target", "test_features", "test_target")
    parts = [
        ClientData(name=name, **dict(zip(names, (np.asarray(array, np.float32) for array in arrays), strict=True)))
        for name, arrays in zip("badc", clients, strict=False)  # not in the order in which a record has them
    ]
    features = [
        Feature(name=f"f{number}", unit="", maximum=maximum, role="other") for number, maximum in enumerate(maxima)
    ]
    return SliceData(name="eMBB", features=tuple(features), target_name="load", target_unit="%", clients=tuple(parts))


@pytest.fixture
def data():
    """Three clients of unequal size, a curved target, features on scales that differ by a million."""
    rng = np.random.default_rng(2)
    maxima = np.array([1e-3, 1.0, 1e3])

    def part(count):
        features = rng.uniform(0, 1, (count, 3))
        return features * maxima, 3 * features[:, 0] - 2 * features[:, 1] + features[:, 2] ** 2 + rng.normal(0, 0.1)

    return slice_of(*((*part(train), *part(test)) for train, test in ((40, 5), (7, 30), (90, 11))), maxima=maxima)


def together(data, part):
    features, target = (
        np.concatenate([getattr(client, f"{part}_{what}") for client in data.clients]).astype(float)
        for what in ("features", "target")
    )
    return features, target


def test_least_squares_is_a_regression_line():
    rng = np.random.default_rng(0)
    x, u = rng.uniform(0, 5, 60), rng.uniform(0, 5, 20)
    y, v = np.sin(x) + 4, np.sin(u) + 4
    data = slice_of((x[:, None], y, u[:, None], v), maxima=[5.0])
    line = linregress(*(np.asarray(array, np.float32).astype(float) for array in (x, y)))
    found = controls.errors(controls.least_squares, [data])
    expected = [np.mean((line.slope * a + line.intercept - b) ** 2) for a, b in ((x, y), (u, v))]
    np.testing.assert_allclose([found["mse"][0], found["test_mse"][0]], expected, rtol=FLOAT32)


def test_least_squares_of_several_features(data):
    """What is left over is orthogonal to every feature and to a constant: the normal equations."""
    features, target = controls.pooled(data, "train")
    predicted = controls.least_squares(features, target)(features)
    columns = np.column_stack([np.ones(len(features)), features])
    np.testing.assert_allclose(columns.T @ (predicted - target), 0, atol=1e-10 * np.abs(target).sum())
    assert controls.errors(controls.least_squares, [data])["mse"][0] == np.mean((predicted - target) ** 2)


def test_least_squares_of_features_that_say_the_same():
    """Singular: any of the lines that fit alike predicts the same."""
    x = np.linspace(0, 1, 20)
    data = slice_of((np.column_stack([x, x]), 2 * x + 1, np.column_stack([x, x])[:5], 2 * x[:5] + 1), maxima=[1.0, 1.0])
    found = controls.errors(controls.least_squares, [data])
    np.testing.assert_allclose([found["mse"], found["test_mse"]], 0, atol=1e-12)  # float32's rounding, squared


def test_the_constant_is_the_mean_of_all_training_samples(data):
    found = controls.errors(controls.constant, [data, data])
    (_, training), (_, test) = together(data, "train"), together(data, "test")
    np.testing.assert_allclose(found["mse"], [training.var()] * 2, rtol=1e-12)
    expected = np.mean((test - training.mean()) ** 2)
    np.testing.assert_allclose(found["test_mse"], [expected] * 2, rtol=1e-12)
    np.testing.assert_allclose(found["test_r_squared"], [1 - expected / test.var()] * 2, rtol=1e-9)


def test_a_federation_is_scored_on_every_sample(data):
    """Clients weigh by their test samples, whatever their order in data and record."""
    rng = np.random.default_rng(3)
    residuals = {client.name: rng.normal(0, 1, len(client.test_target)) for client in data.clients}
    names = sorted(residuals)
    record = {
        "clients": names,
        "rounds": [{"mse": 9.0}, {"mse": 0.25}],
        "test": {"mse": [float(np.mean(residuals[name] ** 2)) for name in names]},
    }
    found = controls.errors_of([record], [data])
    everything = np.concatenate(list(residuals.values()))
    target = together(data, "test")[1]
    r_squared = 1 - np.sum(everything**2) / np.sum((target - target.mean()) ** 2)
    assert found["mse"] == [0.25]
    np.testing.assert_allclose(found["test_mse"], [np.mean(everything**2)], rtol=1e-12)
    np.testing.assert_allclose(found["test_r_squared"], [r_squared], rtol=1e-12)


def test_r_squared_of_a_constant_target_is_not_defined():
    data = slice_of(([[1], [2]], [1, 2], [[1], [2]], [3, 3]), maxima=[2.0])
    assert np.isnan(controls.errors(controls.constant, [data])["test_r_squared"]).all()


@pytest.mark.parametrize(("upper", "confidence"), [(1.5, 1.0), (1.4, float("nan"))])
def test_confidence_of_the_constant(upper, confidence):
    """Eq. (6) with one prediction for all: 1 if it is inside the closed interval, 0/0 if it is not."""
    data = slice_of(([[1], [2]], [1, 2], [[1]], [9]), maxima=[2.0])
    sla = SliceSettings(confidence_threshold=0.8, lower_percent=0.5, upper_percent=upper)
    np.testing.assert_array_equal(controls.constant_confidence([data], sla), [confidence])
