"""Who drives a model out of its SLA: a slice in which that is known, and trainings without its samples."""

import dataclasses

import keras
import numpy as np
import pytest

from reproduction.figure_script import FIGURE
from reproduction.results.records import read_record, write_record
from reproduction.slicing import fig_influence, influences
from reproduction.slicing.datasets.slice_data import ClientData, Feature, SliceData
from reproduction.slicing.settings import QUICK, ModelSettings, SliceSettings

MODEL = ModelSettings(hidden=(4,))
SETTINGS = dataclasses.replace(QUICK, model=MODEL)
SLA = SliceSettings(lower_percent=0.0, upper_percent=3.0, confidence_threshold=0.9)


def client(name, slope, samples=40):
    """A CL whose load is so much times its traffic."""
    generator = np.random.default_rng(len(name))
    features = generator.uniform(0.0, 10.0, (samples + 20, 2)).astype(np.float32)
    load = (slope * features.mean(axis=1)).astype(np.float32)
    return ClientData(
        name=name,
        train_features=features[:samples],
        train_target=load[:samples],
        test_features=features[samples:],
        test_target=load[samples:],
    )


@pytest.fixture(scope="module")
def data():
    """Two CLs of the usual load, and one of more: it draws the model over the SLA's upper bound."""
    features = tuple(Feature(name=name, unit="Mbps", maximum=10.0, role="traffic") for name in ("A", "B"))
    clients = (client("a", 0.4), client("bb", 0.4), client("ccc", 0.8))
    return SliceData(name="eMBB", features=features, target_name="load", target_unit="%", clients=clients)


def trained(data, left_out=None):
    """Fit the network to all samples but a CL's; return its weights as one vector."""
    kept = [one for place, one in enumerate(data.clients) if place != left_out]
    x = np.concatenate([one.train_features for one in kept]) / data.feature_maxima
    y = np.concatenate([one.train_target for one in kept])
    keras.utils.set_random_seed(0)
    hidden = [keras.layers.Dense(4), keras.layers.LeakyReLU(negative_slope=MODEL.leaky_slope)]
    model = keras.Sequential([keras.Input((2,)), *hidden, keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.05), "mse")
    model.fit(x, y, batch_size=len(x), epochs=150, verbose=0)
    return model, np.concatenate([one.ravel() for one in model.get_weights()])


def violation(model, data):
    tested = np.concatenate([one.test_features for one in data.clients]) / data.feature_maxima
    given = model.predict(tested, verbose=0)[:, 0]
    return np.maximum(given - 3.0, 0.0).mean()


@pytest.fixture(scope="module")
def found(data):
    return influences.drivers_of(trained(data)[1], data, SETTINGS, SLA)


def test_the_cl_of_more_load_drives_the_most(data, found):
    assert found["violations"] > 10
    assert int(np.argmax(found["falls"])) == 2
    assert found["falls"][2] > 0.0
    drivers, every = (np.array(found[name]) for name in ("drivers", "all"))
    assert every.sum() == 120
    assert drivers.sum() == 6  # a twentieth
    middles = np.array(found["edges"])[:-1]
    assert (drivers * middles).sum() / drivers.sum() > (every * middles).sum() / every.sum()


def test_without_its_samples_there_is_less_violation(data):
    """The sign of the influence, held to trainings: without the third CL less, without another more."""
    whole, without_third, without_first = (violation(trained(data, place)[0], data) for place in (None, 2, 0))
    assert without_third < whole < without_first


def test_nothing_outside_the_sla_is_nothing_driven(data):
    wide = SliceSettings(lower_percent=-50.0, upper_percent=50.0, confidence_threshold=0.9)
    found = influences.drivers_of(trained(data)[1], data, SETTINGS, wide)
    assert (found["violations"], found["falls"], found["own"]) == (0, [0.0] * 3, None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The figure of a federation of three CLs and two rounds."""
    out = tmp_path_factory.mktemp("influence")
    tiny = dataclasses.replace(QUICK, clients=3, samples=60, test_samples=40, rounds=2)
    fig_influence.SCRIPT.main(["--preset", "quick", "--slices", "eMBB", "--out", str(out), "--workers", "1"], tiny)
    return out


def test_the_figure_is_drawn_from_its_numbers(folder):
    result = read_record(folder / "influence.json", FIGURE)["result"]
    (one,) = result["slices"]["eMBB"]
    assert len(one["falls"]) == 3
    picture = (folder / "influence.png").read_bytes()
    fig_influence.SCRIPT.main(["--redraw", "--out", str(folder)])
    assert (folder / "influence.png").read_bytes() == picture


def test_numbers_that_are_not_the_figures_are_refused(folder, tmp_path, capsys):
    payload = read_record(folder / "influence.json", FIGURE)
    payload["result"]["slices"]["eMBB"][0].pop("falls")
    write_record(tmp_path / "influence.json", FIGURE, payload)
    with pytest.raises(SystemExit) as caught:
        fig_influence.SCRIPT.main(["--redraw", "--out", str(tmp_path)])
    assert caught.value.code == 2
    assert "falls" in capsys.readouterr().err
