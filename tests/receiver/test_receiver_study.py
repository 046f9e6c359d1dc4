"""The whole study at a tiny size: training, test, figure; stopped and gone on with, drawn again, refused."""

import dataclasses
import importlib
import json
import shutil
import sys

import numpy as np
import pytest

pytest.importorskip("sionna", reason="the package sionna-no-rt is not installed; pip install '.[phy]' brings it")

from reproduction.figure_script import FIGURE
from reproduction.ofdm.conditions import Mix
from reproduction.ofdm.error_rate import ErrorRate
from reproduction.ofdm.grid import Grid
from reproduction.receiver import case, experiment, fig_error_rate
from reproduction.receiver.bench import Bench
from reproduction.receiver.case import network_of
from reproduction.receiver.network import features
from reproduction.receiver.receivers import BLOCK, DEEPRX, GENIE, LMMSE, LS, OWN, frame_errors
from reproduction.receiver.settings import QUICK, Architecture, Case, Training
from reproduction.receiver.study import TEST, TRAINING, identity, outcome_of, training_of
from reproduction.results.records import RecordError, read_record, write_record
from tests.helpers.running import contents

TINY = dataclasses.replace(
    QUICK,
    modulation="QPSK",
    grid=Grid(symbols=6, subcarriers=12, pilot_symbols=(1, 4)),
    learned=Mix(channels=("TDL-B", "TDL-D")),
    unseen=Mix(channels=("TDL-E",)),
    architecture=Architecture(first=8, widths=(8,), dilations=((1, 1),)),
    training=Training(frames=200, epochs=3),
    statistics_frames=50,
    snr_db=(0.0, 20.0),
    test_frames=BLOCK + 20,
)
KINDS = (LS, LMMSE, OWN, GENIE, DEEPRX)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The figure of two seeds."""
    out = tmp_path_factory.mktemp("receiver")
    fig_error_rate.SCRIPT.main(["--preset", "quick", "--seeds", "2", "--out", str(out), "--workers", "1"], TINY)
    return out


@pytest.fixture(scope="module")
def records(folder):
    return [outcome_of(Case(TINY, seed), folder / "runs") for seed in (0, 1)]


def test_every_receiver_is_tested_frame_by_frame(folder, records):
    assert {path.name.split("-seed")[0] for path in (folder / "runs").glob("*.json")} == {"training", "test"}
    for record in records:
        assert set(record["errors"]) == {"learned", "unseen"}
        for receivers in record["errors"].values():
            assert set(receivers) == set(KINDS)
            assert all(np.shape(errors) == (2, TINY.test_frames) for errors in receivers.values())


def test_knowing_more_errs_less(records):
    for mix in ("learned", "unseen"):
        errors = [sum(np.sum(record["errors"][mix][name]) for record in records) for name in (LS, OWN, GENIE)]
        assert errors == sorted(errors, reverse=True)


def test_errors_of_a_frame_by_hand(folder, records):
    """The genie, and the network of the record, of one frame beyond the first block."""
    bench = Bench(Case(TINY, 0))
    frames = bench.test("unseen", 20.0)
    for name in (LS, LMMSE, OWN, GENIE):
        found = frame_errors(bench.link, bench.conventional[name], frames)
        assert found.tolist() == records[0]["errors"]["unseen"][name][1]
    place = slice(BLOCK + 3, BLOCK + 4)
    network = network_of(training_of(bench.case, folder / "runs"), bench)
    for name, soft_bits in (
        (GENIE, bench.link.soft_bits(frames.received[place], frames.channel[place], frames.noise[place, None, None])),
        (DEEPRX, network(features(frames.received[place], TINY.grid.pilots), training=False)),
    ):
        wrong = (soft_bits.numpy() > 0) != (frames.bits[place].numpy() > 0.5)
        assert wrong[:, ~bench.link.grid.is_pilot].sum() == records[0]["errors"]["unseen"][name][1][place.start]


def test_a_training_stops_anywhere_and_goes_on_to_the_same_bits(tmp_path, folder):
    """Its record is saved after every epoch; one that was left after the first becomes the very same."""
    of, saved = Case(TINY, 0), []
    whole = training_of(of, folder / "runs")
    fixed = identity(of)
    case.trained_network(of, None, lambda record: saved.append(json.loads(json.dumps(record))), fixed)
    assert [one["epochs"] for one in saved] == [1, 2, 3]
    assert [one["finished"] for one in saved] == [False, False, True]
    again = case.trained_network(of, saved[0], lambda record: None, fixed)
    assert json.loads(json.dumps(again)) == saved[-1] == whole
    assert case.trained_network(of, whole, pytest.fail, fixed) is whole


def test_a_test_stands_on_its_training_alone(folder):
    """Another number of test frames trains nothing anew."""
    other = dataclasses.replace(TINY, test_frames=5, name="other")
    assert identity(Case(other, 0)) == identity(Case(TINY, 0))
    assert identity(Case(TINY, 1)) != identity(Case(TINY, 0))
    path = next((folder / "runs").glob("training-seed0*.json"))
    before = path.stat().st_mtime_ns
    assert np.shape(outcome_of(Case(other, 0), folder / "runs")["errors"]["learned"][LS]) == (2, 5)
    assert path.stat().st_mtime_ns == before


def test_a_test_alone_is_watched_too(folder, tmp_path, capsys):
    """Of a network that another figure has trained, the test takes minutes."""
    copied = shutil.copytree(folder, tmp_path / "copied")
    (path,) = (copied / "runs").glob("test-seed1-*.json")
    path.unlink()
    switches = ["--preset", "quick", "--seeds", "2", "--out", str(copied), "--workers", "1", "--log", "json"]
    fig_error_rate.SCRIPT.main(switches, TINY)
    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line[name] for name in ("step", "steps", "seed", "what")] == [8, 8, 1, "test"]
    assert contents(copied) == contents(folder)


def test_rates_and_intervals_by_hand(records):
    found = experiment.error_rates(experiment.Records(TINY, (0, 1), records))
    unseen = found["mixes"][1]
    assert unseen["channels"] == ["TDL-E"]
    errors = np.array([record["errors"]["unseen"][LS] for record in records])
    rates = errors.sum(axis=2) / (TINY.test_frames * found["bits"])
    np.testing.assert_allclose(unseen["receivers"][LS]["rates"], rates, rtol=1e-12)
    low, high = unseen["receivers"][LS]["intervals"][1]
    assert low < rates[:, 1].mean() < high


def test_an_interval_counts_frames_that_differ():
    """Frames all right or all wrong are worth a bit each, as are frames without any error; frames as independent bits
    have them, Wilson's own.
    """
    low, high = experiment.interval(np.array([0, 100] * 50), 100)
    np.testing.assert_allclose((low, high), ErrorRate(50, 100).interval(), atol=1e-2)
    draws = np.random.default_rng(0).binomial(100, 0.1, 4000)
    expected = ErrorRate(int(draws.sum()), 400_000).interval()
    np.testing.assert_allclose(experiment.interval(draws, 100), expected, atol=1e-4)
    assert experiment.interval(np.zeros(10, int), 100) == list(ErrorRate(0, 10).interval())


def test_drawing_again_gives_the_same_picture(folder):
    picture = (folder / "error_rate.png").read_bytes()
    fig_error_rate.SCRIPT.main(["--redraw", "--out", str(folder)])
    assert (folder / "error_rate.png").read_bytes() == picture


@pytest.mark.parametrize(
    "damage",
    [
        lambda result: result.pop("mixes"),
        lambda result: result["mixes"][0]["receivers"]["LS"]["rates"].pop(),
        lambda result: result["mixes"][0]["receivers"]["LS"]["intervals"].pop(),
        lambda result: result.update(snr_db="all"),
    ],
)
def test_numbers_that_are_not_the_figures_are_refused(folder, tmp_path, capsys, damage):
    payload = json.loads(json.dumps(read_record(folder / "error_rate.json", FIGURE)))
    damage(payload["result"])
    write_record(tmp_path / "error_rate.json", FIGURE, payload)
    with pytest.raises(SystemExit) as caught:
        fig_error_rate.SCRIPT.main(["--redraw", "--out", str(tmp_path)])
    assert caught.value.code == 2
    assert "field result." in capsys.readouterr().err


def test_records_of_another_kind_are_refused(folder):
    path = next((folder / "runs").glob("training-seed0*.json"))
    assert read_record(path, TRAINING)["epochs"] == 3
    with pytest.raises(RecordError, match="not a record of this project; delete it to test this network anew"):
        read_record(path, TEST)


def test_without_sionna_it_ends_in_a_line(tmp_path, monkeypatch, capsys):
    for name in list(sys.modules):
        if name.split(".")[0] == "sionna" or name.startswith(("reproduction.ofdm.", "reproduction.receiver.")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sionna", None)
    script = importlib.import_module("reproduction.receiver.fig_error_rate").SCRIPT
    with pytest.raises(SystemExit) as caught:
        script.main(["--out", str(tmp_path)])
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: reproduction.ofdm.link needs Sionna, and the module sionna is not installed; pip")
