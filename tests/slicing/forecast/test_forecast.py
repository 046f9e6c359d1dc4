"""A slice's forecast, and its words: closed forms on slices made by hand, and every reason for not giving one."""

import dataclasses

import numpy as np
import pytest

from reproduction.slicing.datasets import ClientData, Feature, SliceData, generate_slice
from reproduction.slicing.forecast import forecast as module
from reproduction.slicing.forecast.forecast import LOWEST_R_SQUARED, Forecast, Loss, forecast
from reproduction.slicing.forecast.paragraph import in_words, paragraph
from reproduction.slicing.settings import LocalSettings, SliceSettings

SLA, LOCAL = SliceSettings(confidence_threshold=0.82), LocalSettings()
FITTED = {"rtol": 2e-5}  # to float32 targets, 1e-7 of 2, over a cloud 0.1 wide


def table(*parts, maxima=(10.0, 4.0)):
    """Build a slice whose CLs have these (scaled features, target), the same for training and test."""
    maxima = np.array(maxima, np.float32)
    features = [
        Feature(name=f"f{number}", unit="", maximum=float(maximum), role=role)
        for number, (maximum, role) in enumerate(zip(maxima, ("traffic", "channel_quality"), strict=True))
    ]
    clients = []
    for number, (scaled, target) in enumerate(parts):
        x, y = np.asarray(scaled, np.float32) * maxima, np.asarray(target, np.float32)
        arrays = {"train_features": x, "train_target": y, "test_features": x, "test_target": y}
        clients.append(ClientData(name=f"CL{number}", **arrays))
    return SliceData(name="s", features=tuple(features), target_name="load", target_unit="%", clients=tuple(clients))


def plane(features):
    """2.5 + x_1 - 2 x_2: of eq. (4)'s bounds, 0 to 3 %, the loss of x_2 alone may leave the upper one."""
    return 2.5 + features[:, 0] - 2 * features[:, 1]


@pytest.fixture
def cloud():
    """Samples near (1, 1), where that loss always leaves."""
    return 0.9 + 0.1 * np.random.default_rng(0).random((50, 2))


def chance():
    """C there: only losing x_2 alone leaves."""
    first, second = np.exp([1.0, 2.0]) / np.exp([1.0, 2.0]).sum()
    return 1 - second * (1 - first)


def test_closed_form_of_a_linear_slice(cloud):
    found = forecast(table((cloud, plane(cloud))), SLA, LOCAL, seed=0)
    first, second = np.exp([1.0, 2.0]) / np.exp([1.0, 2.0]).sum()
    np.testing.assert_allclose(found.confidence, chance(), **FITTED)
    np.testing.assert_allclose([found.r_squared, found.r_squared_test], 1, **FITTED)
    assert (found.inside, found.samples) == (1.0, 50)
    one, other = found.losses
    assert [loss.feature for loss in found.losses] == ["f0", "f1"]
    np.testing.assert_allclose([one.probability, other.probability], [first, second], **FITTED)
    assert (one.harm, other.harm) == (0.0, 1.0)
    np.testing.assert_allclose([one.confidence_without, other.confidence_without], [1 - second, 1], **FITTED)
    assert found.costliest == other


def test_settings_are_honoured(cloud):
    data = table((cloud, plane(cloud)))

    def confidence(**changes):
        return forecast(data, SLA, dataclasses.replace(LOCAL, **changes), seed=0).confidence

    np.testing.assert_allclose(confidence(normalisation="linear"), 1 - 2 / 3 * (1 - 1 / 3), **FITTED)
    assert confidence(confidence="literal") == 1.0
    assert confidence(baseline_cqi=3.0) == 1.0  # of 4: x_2 is lost to 0.75, and 2.5 + 1 - 1.5 is inside
    wide = dataclasses.replace(SLA, upper_percent=4.0)
    assert forecast(data, wide, LOCAL, seed=0).confidence == 1.0
    assert forecast(data, dataclasses.replace(SLA, lower_percent=2.9), LOCAL, seed=0).inside == 0.0


def test_clients_count_alike_and_one_without_u_does_not(cloud):
    """As `federation.server.measure` averages: not by the number of samples."""
    safe = np.column_stack([0.3 + 0.1 * cloud[:10, 0], 0.3 + 0.1 * cloud[:10, 1]])  # loses x_2 and stays below 3
    outside = np.column_stack([cloud[:20, 0] + 1, 0.1 * cloud[:20, 1]])  # predicted above 3
    parts = [(x, plane(x)) for x in (cloud, safe, outside)]
    found = forecast(table(*parts), SLA, LOCAL, seed=0)
    np.testing.assert_allclose(found.confidence, (chance() + 1) / 2, **FITTED)
    np.testing.assert_allclose(found.inside, 60 / 80, **FITTED)
    assert found.losses[1].harm == 0.5


def test_many_samples_are_thinned_alike_in_every_client(monkeypatch):
    data = generate_slice("eMBB", seed=0, clients=3, samples=2000, test_samples=50)
    whole = forecast(data, SLA, LOCAL, seed=0)
    monkeypatch.setattr(module, "MOST_SAMPLES", 1500)
    part, again, other = (forecast(data, SLA, LOCAL, seed=seed) for seed in (0, 0, 1))
    assert (whole.samples, part.samples) == (6000, 1500)
    assert part == again != other
    np.testing.assert_allclose(part.confidence, whole.confidence, atol=5 * 0.5 / np.sqrt(1500))
    owners = module._training(data.scaled(), np.random.default_rng(0))[2]
    np.testing.assert_array_equal(np.bincount(owners), [500, 500, 500])


def test_it_is_the_networks_own_answer_in_size():
    """On the figures' data: CQI is what costs confidence, and without its loss there is nothing to guard."""
    found = forecast(generate_slice("eMBB", seed=0, clients=8), SLA, LOCAL, seed=0)
    assert found.is_trusted
    assert found.costliest.feature == "CQI"
    assert found.confidence < SLA.confidence_threshold < found.costliest.confidence_without


def test_a_feature_that_never_changes_is_never_the_costliest(cloud):
    cloud[:, 0] = 0.5
    found = forecast(table((cloud, plane(cloud))), SLA, LOCAL, seed=0)
    assert np.isfinite(found.confidence)
    assert found.losses[0].harm == 0.0
    assert found.costliest.feature == "f1"


# ---- in words


def words(**changes):
    losses = (
        Loss(feature="Netflix", probability=0.2, harm=0.0, confidence_without=0.7),
        Loss(feature="CQI", probability=0.28, harm=0.97, confidence_without=0.994),
    )
    fixed = {"confidence": 0.7, "inside": 0.92, "losses": losses, "r_squared": 0.98, "r_squared_test": 0.97}
    return in_words(Forecast(**(fixed | {"samples": 8000} | changes)), SLA)


def test_a_forecast_in_words():
    assert words() == (
        "an unconstrained model is expected to have confidence 0.70; the constraint has something to do (nu 0.82, SLA "
        "0 to 3 %). What costs confidence is the loss of CQI: a mutation takes it with probability 0.28, 97 % leave "
        "the SLA without it, and were it never lost the confidence would be 0.99. This is a second-order polynomial's "
        "confidence: R^2 0.98 on training and 0.97 on test data, 92 % of the training samples predicted inside the SLA."
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"confidence": 0.765}, "the constraint has something to do (nu"),
        ({"confidence": 0.775}, "too near to nu to say"),
        ({"confidence": 0.865}, "too near to nu to say"),
        ({"confidence": 0.875}, "the constraint has nothing to do (nu"),
        ({"confidence": 0.993}, "No single feature's loss costs confidence."),
        ({"r_squared_test": LOWEST_R_SQUARED}, "is expected to have confidence"),
        (
            {"r_squared_test": 0.799},
            "no prediction: a second-order polynomial has R^2 0.98 on training and 0.80 on",
        ),
        ({"r_squared_test": float("nan")}, "no prediction: a second-order polynomial has R^2 0.98 on training and nan"),
        ({"r_squared": float("nan"), "r_squared_test": float("nan")}, "no prediction: the target never changes"),
        ({"losses": (), "confidence": float("nan")}, "no prediction: no sample is predicted inside the SLA, 0 to 3 %"),
    ],
)
def test_what_is_said(changes, said):
    assert said in words(**changes)


@pytest.mark.parametrize(
    ("rows", "target", "said"),
    [
        (50, plane, "an unconstrained model is expected to have confidence 0.47"),
        (50, lambda x: np.full(len(x), 2.0), "no prediction: the target never changes"),
        (50, lambda x: plane(x) + 40, "no prediction: no sample is predicted inside the SLA, 0 to 3 %"),
        (5, plane, "no prediction: 5 samples are too few for the 6 coefficients of a second-order polynomial"),
        (50, lambda x: np.random.default_rng(1).random(len(x)), "no prediction: a second-order polynomial has R^2 0."),
    ],
    ids=["forecast", "constant target", "U empty", "few samples", "noise"],
)
def test_the_paragraph_of_a_slice(cloud, rows, target, said):
    line = paragraph(table((cloud[:rows], target(cloud[:rows]))), SLA, LOCAL, seed=0)
    assert line.startswith(f"Before training, s: {said}")
    assert "\n" not in line
