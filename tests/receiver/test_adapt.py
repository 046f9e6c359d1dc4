"""`adapt.py` for a receiver of one's own: files in, files out; what it cannot take is one line."""

import json

import keras
import numpy as np
import pandas as pd
import pytest

from reproduction.receiver import adapt

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's, as it saves


def frames(count, turn, seed):
    """Frames of four cells; the second half of the inputs is the first one, turned."""
    generator = np.random.default_rng(seed)
    bits = generator.integers(0, 2, (count, 4, 2))
    signs = (2.0 * bits - 1.0).reshape(count, 8)
    angle = turn * np.ones(count)
    mixed = np.cos(angle)[:, None] * signs + np.sin(angle)[:, None] * np.roll(signs, 1, axis=1)
    return (mixed + 0.5 * generator.normal(size=mixed.shape)).astype(np.float32), bits


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model that learned frames of which few are turned, and frames that all are."""
    out = tmp_path_factory.mktemp("own")
    straight, turned = frames(300, 0.0, 0), frames(40, 1.2, 1)
    inputs, bits = (np.concatenate(both) for both in zip(straight, turned, strict=True))
    model = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(16, "tanh", kernel_initializer=keras.initializers.GlorotUniform(seed=0)),
            keras.layers.Dense(8, kernel_initializer=keras.initializers.GlorotUniform(seed=1)),
            keras.layers.Reshape((4, 2)),
        ]
    )
    keras.utils.set_random_seed(0)
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(inputs, bits.astype(np.float32), epochs=10, verbose=0)
    model.save(out / "my.keras")
    np.savez(out / "train.npz", inputs=inputs, bits=bits)
    inputs, bits = frames(40, 1.2, 2)
    np.savez(out / "target.npz", inputs=inputs, bits=bits, counts=np.ones((40, 4)))
    return out


def run(folder, out, *rest):
    files = ("--model", folder / "my.keras", "--train", folder / "train.npz", "--target", folder / "target.npz")
    adapt.main([*map(str, files), "--out", str(out), *rest])


def test_frames_like_the_targets_are_selected_and_help(folder, tmp_path):
    run(folder, tmp_path, "--frames", "20", "--steps", "30")
    selected = pd.read_csv(tmp_path / "selected.csv")
    assert (selected["frame"] >= 300).sum() > 10  # those that are turned, 40 of 340: by chance 2.4, sd 1.4
    assert selected["loss_relative_influence"].is_monotonic_decreasing
    assert len(pd.read_csv(tmp_path / "scores.csv")) == 340
    report = json.loads((tmp_path / "report.json").read_text())
    held_out = report["reception"]["held_out"]
    assert (held_out["frames"], held_out["bits"]) == (20, 160)
    assert held_out["after"]["bit_error_rate"] < held_out["before"]["bit_error_rate"]
    model, places = keras.saving.load_model(tmp_path / "adapted.keras"), report["held_out"]
    with np.load(folder / "target.npz") as file:
        given, bits = model(file["inputs"][places]).numpy(), file["bits"][places]
    assert ((given > 0) != (bits > 0)).mean() == pytest.approx(held_out["after"]["bit_error_rate"])
    entropy = -np.log(np.where(bits > 0, 1 / (1 + np.exp(-given)), 1 / (1 + np.exp(given)))).mean()
    assert entropy == pytest.approx(held_out["after"]["cross_entropy"], rel=1e-5)
    low, high = report["change_of_held_out"]["cross-entropy"]
    assert low < held_out["after"]["cross_entropy"] - held_out["before"]["cross_entropy"] < high


def test_where_frames_count_differently_one_bit_error_rate_is_said(folder, tmp_path, capsys):
    """Of the bits that count, in the report, in the line that is printed and in its interval."""

    def some(counts):
        counts = counts.copy()
        counts[::2, 1:] = 0.0  # every other frame counts one cell of four
        return counts

    target = spoiled(folder, tmp_path, counts=some)
    run(folder, tmp_path, "--target", str(target), "--frames", "20", "--steps", "30")
    said, report = capsys.readouterr().err, json.loads((tmp_path / "report.json").read_text())
    held_out = report["reception"]["held_out"]
    with np.load(target) as file:
        given = keras.saving.load_model(tmp_path / "adapted.keras")(file["inputs"][report["held_out"]]).numpy()
        wrong = (given > 0) != (file["bits"][report["held_out"]] > 0)
        counts = file["counts"][report["held_out"]][..., None] * np.ones_like(wrong)
    rate = (wrong * counts).sum() / counts.sum()
    assert rate != pytest.approx(((wrong * counts).sum((1, 2)) / counts.sum((1, 2))).mean(), rel=1e-3)
    assert held_out["after"]["bit_error_rate"] == pytest.approx(rate)
    assert f"{held_out['before']['bit_error_rate']:.4g} before, {rate:.4g} after" in said
    low, high = report["change_of_held_out"]["bit error rate"]
    assert low < rate - held_out["before"]["bit_error_rate"] < high


def test_what_got_worse_or_does_not_help_is_warned_of(folder, tmp_path, capsys):
    """All training frames are taken, harmful ones too, and far too many steps on the frames of the training."""
    run(folder, tmp_path, "--target", str(folder / "train.npz"), "--frames", "340", "--steps", "2")
    said = capsys.readouterr().err
    assert "of the 340 frames selected do not help, by their influence; take fewer" in said
    np.savez(tmp_path / "noise.npz", inputs=frames(40, 1.2, 2)[0], bits=frames(40, 0.0, 9)[1])
    run(folder, tmp_path, "--target", str(tmp_path / "noise.npz"), "--frames", "5", "--steps", "60")
    assert "warning: the held-out frames are received worse on the mean, in cross-entropy" in capsys.readouterr().err


def spoiled(folder, tmp_path, **changes):
    with np.load(folder / "target.npz") as file:
        arrays = {name: file[name] for name in file.files}
    for name, change in changes.items():
        arrays[name] = change(arrays[name])
    np.savez(tmp_path / "target.npz", **arrays)
    return tmp_path / "target.npz"


def with_value(value):
    def change(array):
        array = array.astype(float)
        array.flat[3] = value
        return array

    return change


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"inputs": with_value(np.nan)}, "inputs must be finite, got nan at [0, 3]; drop it"),
        ({"bits": with_value(2.0)}, "bits must be 0 or 1, got 2.0 at [0, 1, 1]"),
        ({"inputs": lambda x: x[:, :5]}, "inputs must be what the model takes, got [40, 5]"),
        ({"bits": lambda x: x[..., :1]}, "bits must be [n, 4, 2], what the model gives, got [40, 4, 1]"),
        ({"inputs": lambda x: x[:3]}, "inputs and bits must be [n, ...], of as many frames"),
        ({name: lambda x: x[:1] for name in ("inputs", "bits", "counts")}, "must hold 2 frames or more"),
        ({name: lambda x: x[:0] for name in ("inputs", "bits", "counts")}, "inputs and bits must be [n, ...]"),
        ({"counts": lambda x: x * 0}, "counts must be 1 somewhere in every frame"),
        ({"counts": lambda x: x[:, :2]}, "counts must be of the shape of bits"),
        ({"inputs": lambda x: x + 1j}, "inputs must be real numbers, got complex64; convert them (complex: Re, Im)"),
        ({"bits": lambda x: x.astype(str)}, "bits must be real numbers, got <U21"),
    ],
)
def test_frames_that_do_not_fit_are_one_line(folder, tmp_path, capsys, changes, said):
    with pytest.raises(SystemExit) as caught:
        run(folder, tmp_path / "out", "--target", str(spoiled(folder, tmp_path, **changes)))
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert str(tmp_path / "target.npz") in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("x", "y"), "must hold inputs and bits, got x, y; rename its arrays"),
        (("inputs", "bits", "count"), "must hold nothing but inputs, bits, counts, got inputs, bits, count; rename"),
    ],
)
def test_arrays_of_other_names_are_one_line(folder, tmp_path, capsys, names, said):
    np.savez(tmp_path / "named.npz", **dict.fromkeys(names, np.ones((3, 8))))
    with pytest.raises(SystemExit) as caught:
        run(folder, tmp_path / "out", "--train", str(tmp_path / "named.npz"))
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{tmp_path / 'named.npz'}: {said}" in line


OWN_LAYERS = """
import keras

class Doubled(keras.layers.Layer):
    def call(self, inputs):
        return 2.0 * inputs
"""


class Doubled(keras.layers.Layer):
    """As the file has it."""

    def call(self, inputs):
        return 2.0 * inputs


def test_layers_of_ones_own_come_from_a_file(folder, tmp_path, capsys):
    model = keras.saving.load_model(folder / "my.keras")
    keras.Model(model.inputs[0], Doubled()(model.outputs[0])).save(tmp_path / "own.keras")
    with pytest.raises(SystemExit):
        run(folder, tmp_path / "out", "--model", str(tmp_path / "own.keras"))
    assert "of Keras's layers and those of --layers, without Lambda, got" in capsys.readouterr().err
    (tmp_path / "layers.py").write_text(OWN_LAYERS)
    switches = ("--model", str(tmp_path / "own.keras"), "--layers", str(tmp_path / "layers.py"))
    run(folder, tmp_path / "out", *switches, "--frames", "5", "--steps", "1")
    assert (tmp_path / "out" / "adapted.keras").exists()
    (tmp_path / "layers.py").write_text("import nowhere_to_be_found")
    with pytest.raises(SystemExit) as caught:
        run(folder, tmp_path / "out", *switches)
    assert caught.value.code == 2
    assert "layers.py: must run as Python, got ModuleNotFoundError: No module named" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (keras.layers.Activation("sigmoid"), "must give soft bits, log P(1) / P(0), got outputs from"),
        (keras.layers.Rescaling(-1.0), "turn their sign, or check the bits"),
    ],
)
def test_outputs_that_are_no_soft_bits_are_one_line(folder, tmp_path, capsys, last, said):
    model = keras.saving.load_model(folder / "my.keras")
    keras.Model(model.inputs[0], last(model.outputs[0])).save(tmp_path / "other.keras")
    with pytest.raises(SystemExit) as caught:
        run(folder, tmp_path / "out", "--model", str(tmp_path / "other.keras"))
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not (tmp_path / "out").exists()


def test_a_model_with_two_inputs_is_one_line(folder, tmp_path, capsys):
    given = [keras.Input((8,)), keras.Input((8,))]
    bits = keras.layers.Reshape((4, 2))(keras.layers.Dense(8)(keras.layers.Concatenate()(given)))
    keras.Model(given, bits).save(tmp_path / "two.keras")
    with pytest.raises(SystemExit) as caught:
        run(folder, tmp_path / "out", "--model", str(tmp_path / "two.keras"))
    assert caught.value.code == 2
    assert "--model must have one input, got 2; join them in the model" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("switches", "said"),
    [
        (("--frames", "341"), "--frames must be at most the 340"),
        (("--train", "nowhere.npz"), "nowhere.npz: no such file; give an .npz file with inputs and bits"),
        (("--model", "nowhere.keras"), "nowhere.keras: no such file; give a .keras file"),
    ],
)
def test_switches_that_do_not_fit_are_one_line(folder, tmp_path, capsys, switches, said):
    with pytest.raises(SystemExit) as caught:
        run(folder, tmp_path / "out", *switches)
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


@pytest.mark.parametrize("name", ["--model", "--train"])
def test_a_file_of_another_kind_is_one_line(folder, tmp_path, capsys, name):
    path = tmp_path / "other"
    path.write_text("nothing of the kind")
    with pytest.raises(SystemExit) as caught:
        run(folder, tmp_path / "out", name, str(path))
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{path}: must be" in line


def test_a_model_without_gradient_is_one_line(folder, tmp_path, capsys):
    given = keras.Input((8,))
    model = keras.Model(given, keras.layers.Reshape((4, 2))(keras.ops.sign(keras.layers.Dense(8)(given))))
    model.save(tmp_path / "sign.keras")
    with pytest.raises(SystemExit) as caught:
        run(folder, tmp_path / "out", "--model", str(tmp_path / "sign.keras"))
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--model must be differentiable, but no gradient of the cross-entropy reaches weights" in line
