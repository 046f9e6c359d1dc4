"""A network made smaller and exported: what the files compute, of one's own pairs and taps, and what is refused."""

import dataclasses
import json

import keras
import numpy as np
import pytest

from reproduction.xrefine import refine
from reproduction.xrefine.export import as_tflite, folded, run_tflite
from reproduction.xrefine.network import FEATURES, Kept, cut_out, first_weights, forward
from reproduction.xrefine.samples import scaler_of
from reproduction.xrefine.settings import QUICK
from reproduction.xrefine.training import Training

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras's own, while it saves

TINY = dataclasses.replace(
    QUICK,
    hidden=(8, 8),
    ebno_db=(10.0, 30.0),
    training=Training(epochs=10, learning_rate=3e-3),
    training_symbols=1000,
    held_out_symbols=200,
    test_frames=3,
    subcarriers=(52, 26, 8),
    neurons=(4, 8),
)


def pairs(n=1000, seed=0):
    """Noisy looks at channels of few taps, on 52 subcarriers."""
    generator = np.random.default_rng(seed)
    phases = np.exp(-2j * np.pi * np.outer(range(4), range(52)) / 64)
    channel = (generator.normal(size=(n, 4)) + 1j * generator.normal(size=(n, 4))) @ phases / np.sqrt(8)
    noise = 0.5 * (generator.normal(size=(n, 52)) + 1j * generator.normal(size=(n, 52)))
    both = [np.concatenate([one.real, one.imag], 1).astype(np.float32) for one in (channel + noise, channel)]
    return {"inputs": both[0], "targets": both[1]}


@pytest.fixture
def npz(tmp_path):
    np.savez(tmp_path / "my.npz", **pairs())
    return tmp_path / "my.npz"


def test_scalers_fold_into_the_weights_and_tflite_computes_the_same():
    generator = np.random.default_rng(0)
    weights, kept = first_weights((8, 8), generator), Kept((0, 7, 51), ((1, 2, 5), (0, 7)))
    rows = pairs(50)
    inputs, outputs = scaler_of(rows["inputs"]), scaler_of(rows["targets"])
    small = cut_out(weights, kept)
    exported = folded(small, kept, inputs, outputs)
    features = rows["inputs"][:, kept.features]
    expected = outputs.unscaled(forward(small, inputs.scaled(rows["inputs"])[:, kept.features]).numpy())
    np.testing.assert_allclose(forward(exported, features), expected, rtol=1e-4, atol=1e-5)  # float32 sums
    np.testing.assert_allclose(run_tflite(as_tflite(exported), features), expected, rtol=1e-4, atol=1e-5)


def test_ones_own_pairs_are_refined_and_the_files_compute_what_the_report_says(npz, tmp_path):
    out = tmp_path / "out"
    np.savez(npz, **pairs(4000))
    settings = dataclasses.replace(TINY, training=Training(epochs=60, learning_rate=3e-3))
    refine.main(["--pairs", str(npz), "--target-ber", "1.5", "--out", str(out)], settings)
    report = json.loads((out / "report.json").read_text())
    assert sorted(path.name for path in out.iterdir()) == ["refined.keras", "refined.tflite", "report.json"]
    model = keras.saving.load_model(out / "refined.keras")
    assert model.count_params() == report["cost"]["parameters"]["refined"] < report["cost"]["parameters"]["full"]
    assert report["errors_over_the_full_networks"] <= 1.5
    assert {5, 19, 32, 46} <= set(report["subcarriers"])
    fresh = pairs(300, seed=9)
    features = fresh["inputs"][:, report["features"]]
    given = np.asarray(model(features))
    np.testing.assert_allclose(run_tflite((out / "refined.tflite").read_bytes(), features), given, rtol=1e-4, atol=1e-5)
    noisy = np.mean((fresh["inputs"] - fresh["targets"]) ** 2)
    assert np.mean((given - fresh["targets"]) ** 2) < 0.5 * noisy  # it estimates: better than what it is given


def test_a_channel_of_ones_own(tmp_path):
    pytest.importorskip("sionna", reason="the package sionna-no-rt is not installed; pip install '.[phy]' brings it")
    (tmp_path / "taps.csv").write_text("delay_ns,power_db\n0,0\n300,-6\n")
    arguments = ["--taps", str(tmp_path / "taps.csv"), "--target-ber", "3", "--out", str(tmp_path / "out")]
    refine.main(arguments, TINY)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["errors_over_the_full_networks"] <= 3.0
    assert report["cost"]["flops"]["refined"] <= report["cost"]["flops"]["full"]


def refused(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        refine.main(arguments, TINY)
    assert caught.value.code == 2
    return capsys.readouterr().err.strip().splitlines()[-1]


def damaged(**changes):
    return pairs() | changes


WRONG = {
    "columns": (damaged(inputs=np.zeros((1000, 103))), r"inputs must be [n, 104], got [1000, 103]"),
    "NaN": (damaged(targets=np.full((1000, FEATURES), np.nan)), "targets must be finite, got nan at [0, 0]"),
    "one sample": ({name: one[:1] for name, one in pairs().items()}, "pairs must be at least 640, got 1"),
    "unequal": (damaged(targets=np.ones((999, FEATURES))), "inputs and targets must be as many, got 1000 and 999"),
    "names": ({"x": np.zeros((3, 104))}, "must hold inputs and targets, got x; rename its arrays"),
    "text": (damaged(inputs=np.full((1000, FEATURES), "a")), "inputs must be real numbers, got <U1; convert them"),
    "constant": (damaged(inputs=np.zeros((1000, FEATURES))), "samples must vary in every feature, but feature 0 is"),
}


@pytest.mark.parametrize(("arrays", "said"), WRONG.values(), ids=WRONG)
def test_pairs_that_are_refused(arrays, said, tmp_path, capsys):
    np.savez(tmp_path / "my.npz", **arrays)
    line = refused(["--pairs", str(tmp_path / "my.npz"), "--out", str(tmp_path / "out")], capsys)
    assert said in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"text"])
def test_files_that_are_no_pairs(content, tmp_path, capsys):
    (tmp_path / "my.npz").write_bytes(content)
    line = refused(["--pairs", str(tmp_path / "my.npz"), "--out", str(tmp_path / "out")], capsys)
    assert "my.npz: must be an .npz file with numbers in inputs and targets" in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--channel", "MOON"], "--channel must be one of VTV_SDWW, VTV_UC, RTV_UC, TDL_C, got 'MOON'"),
        (["--pairs", "none.npz"], "none.npz: no such file; give an .npz file with inputs and targets"),
        (["--taps", "none.csv"], "none.csv: no such file"),
        (["--target-ber", "0"], "--target-ber must be a number above 0, got 0"),
        (["--target-ber", "nan"], "--target-ber must be a number above 0, got nan"),
        (["--seed", "-1"], "--seed must be at least 0, got -1"),
        (["--taps", "a.csv", "--pairs", "b.npz"], "not allowed with argument"),
    ],
)
def test_switches_that_are_refused(arguments, said, tmp_path, capsys):
    if "--taps" in arguments:
        pytest.importorskip("sionna", reason="the package sionna-no-rt is not installed")
    assert said in refused([*arguments, "--out", str(tmp_path / "out")], capsys)


def test_a_target_that_nothing_meets(npz, tmp_path, capsys):
    line = refused(["--pairs", str(npz), "--target-ber", "0.01", "--out", str(tmp_path / "out")], capsys)
    assert "--target-ber must be met by some size, got 0.01" in line
