"""The command that writes the reference curves."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reproduction import reference
from reproduction.figure_script import FIGURE
from reproduction.results import records
from reproduction.results.store import only_one
from reproduction.slicing import laboratory, settings
from reproduction.slicing.comparison import curves, reference_curves, reference_federations
from reproduction.slicing.datasets import generate_slice
from reproduction.slicing.federation.record import FEDERATION, PACKAGES
from reproduction.slicing.schemes import EXPLAINER_LABELS
from reproduction.slicing.settings import PAPER, QUICK
from tests.helpers import figure_scripts
from tests.helpers.committed import COMMITTED_FIGURES as FIGURES
from tests.helpers.figure_scripts import Here

ROOT = Path(__file__).resolve().parents[3]
TINY = replace(figure_scripts.TINY, slices={"eMBB": QUICK.slices["eMBB"]})
FILES = ["curves.csv", "manifest.json", "seconds.csv", "summary.csv"]


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """Run the command in this process, in an empty folder, on a tiny preset of one slice and the unequal one."""
    monkeypatch.setitem(settings.PRESETS, "quick", TINY)
    monkeypatch.setattr(laboratory, "Workers", Here)
    monkeypatch.chdir(tmp_path)
    handler = signal.getsignal(signal.SIGTERM)
    yield tmp_path
    signal.signal(signal.SIGTERM, handler)  # the command sets it


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A reference of two seeds, written once: its folder, and what the command printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(settings.PRESETS, "quick", TINY)
        patch.setattr(laboratory, "Workers", Here)
        folder = tmp_path_factory.mktemp("written")
        patch.chdir(folder)
        handler = signal.getsignal(signal.SIGTERM)
        reference.main(["--preset", "quick", "--seeds", "2"])
        signal.signal(signal.SIGTERM, handler)
    return folder


@pytest.fixture
def again(tiny, written):
    """The folder of the finished reference, as a copy to work in."""
    return shutil.copytree(written, tiny, dirs_exist_ok=True)


def quick(*switches):
    reference.main(["--preset", "quick", "--seeds", "2", *switches])


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "data" / "reference" / "quick").iterdir())}


# ---- what is written


def test_a_reference_is_four_files(written):
    assert sorted(contents(written)) == FILES


def test_the_curves_are_the_federations_own(written):
    """Read from the records by hand, not by `curves.from_federation`."""
    folder = written / "data" / "reference" / "quick"
    frame = pd.concat([curves.read(folder / "curves.csv"), curves.read(folder / "seconds.csv")])
    assert set(frame["clients"]) == {3}
    rows = frame.set_index([*curves.RUN_KEY[:4], "round", "metric"])["value"]
    payloads = [
        records.read_record(path, FEDERATION) for path in (written / "figures" / "quick" / "runs").glob("*.json")
    ]
    assert len(payloads) == 2 * 4 * 2  # slices, schemes, seeds
    assert len(rows) == len(payloads) * TINY.rounds * 4
    for payload in payloads:
        known = payload["identity"]
        for number, entry in enumerate(payload["rounds"], start=1):
            run = (known["scheme"], EXPLAINER_LABELS[known["explainer"]], known["slice"], known["seed"], number)
            assert rows[(*run, "mse")] == entry["mse"]
            np.testing.assert_equal(rows[(*run, "confidence")], entry["confidence"] or np.nan)
            assert rows[(*run, "kb")] == (entry["bytes_down"] + entry["bytes_up"]) / 1000
            assert rows[(*run, "seconds")] == entry["seconds"]


def test_seconds_stand_apart(written):
    folder = written / "data" / "reference" / "quick"
    assert set(curves.read(folder / "curves.csv")["metric"]) == {"mse", "confidence", "kb"}
    assert set(curves.read(folder / "seconds.csv")["metric"]) == {"seconds"}


def test_the_summary_is_of_the_curves(written):
    folder = written / "data" / "reference" / "quick"
    frame, summary = curves.read(folder / "curves.csv"), pd.read_csv(folder / "summary.csv")
    assert len(summary) == len(frame) / 2
    for row in summary[summary["metric"] == "mse"].itertuples():
        same = (frame[["scheme", "explainer", "slice", "round", "metric"]] == list(row[1:6])).all(axis=1)
        first, second = frame[same]["value"]
        # float64; the CSV holds every digit
        np.testing.assert_allclose([row.mean, row.sd], [(first + second) / 2, abs(first - second) / 2**0.5], rtol=1e-12)
        assert (row.n, row.unit) == (2, "%^2")


def test_the_manifest_says_what_made_it(written):
    folder = written / "data" / "reference" / "quick"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["preset"], manifest["seeds"]) == ("quick", [0, 1])
    assert manifest["command"] == "python reproduction/reference.py --preset quick --seeds 2"
    assert manifest["settings"]["rounds"] == TINY.rounds
    assert manifest["settings"]["slices"]["eMBB"]["confidence_threshold"] == 0.82
    assert sorted(manifest["files_sha256"]) == [name for name in FILES if name != "manifest.json"]
    for name, digest in manifest["files_sha256"].items():
        assert digest == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    for name, by_seed in manifest["data_sha256"].items():
        for seed, digest in by_seed.items():
            equal = generate_slice("eMBB", seed=int(seed), clients=3, samples=40, test_samples=20)
            trained_on = reference_federations.unequal(equal) if name == reference_federations.UNEQUAL else equal
            assert digest == trained_on.digest()
    assert sorted(manifest["data_sha256"]) == ["eMBB", reference_federations.UNEQUAL]
    assert manifest["trained_with"] == [records.provenance(PACKAGES)]
    assert str(written) not in json.dumps(manifest)


def test_again_trains_nothing_and_gives_the_same_bytes(again, monkeypatch, capsys):
    class Idle(Here):
        def __enter__(self):
            return lambda *arguments: pytest.fail("something was trained")

    monkeypatch.setattr(laboratory, "Workers", Idle)
    before = contents(again)
    quick()
    assert contents(again) == before
    said = capsys.readouterr().out.splitlines()
    assert sorted(said[: len(FILES)]) == [f"data/reference/quick/{name}" for name in FILES]
    assert said[len(FILES)].split()[:3] == ["slice", "scheme", "CLs"]


@pytest.mark.parametrize(("preset", "folder", "slices"), [("quick", "figures/quick", 2), ("paper", "figures", 1)])
def test_it_uses_the_figures_federations(tiny, monkeypatch, preset, folder, slices):
    """Each is trained once, whoever asks first; `--out` moves the references and not the federations."""
    from reproduction.fig4_convergence import SCRIPT

    monkeypatch.setitem(settings.PRESETS, preset, replace(TINY, name=preset))
    SCRIPT.main(["--preset", preset, "--slices", "eMBB"])
    runs = Path(folder) / "runs"
    trained = {path: path.stat().st_mtime_ns for path in runs.glob("*.json")}
    assert len(trained) == 2
    reference.main(["--preset", preset, "--seeds", "1", "--out", "elsewhere"])
    assert all(path.stat().st_mtime_ns == time for path, time in trained.items())
    assert len(list(runs.glob("*.json"))) == 4 * slices
    assert sorted(path.name for path in Path("elsewhere", preset).iterdir()) == FILES
    SCRIPT.main(["--preset", preset, "--slices", "eMBB"])  # and the other way round
    assert len(list(runs.glob("*.json"))) == 4 * slices


def test_a_change_of_how_runs_were_made_alone_moves_no_number():
    frame = run_of(OLD)
    assert reference_curves.changes(frame, frame.assign(data="0a" * 32), 0.05) == ""


# ---- the slice of unequal CLs


def test_the_unequal_slice_is_a_slice_with_less(written):
    equal = generate_slice("Browsing", seed=3, clients=4, samples=10, test_samples=5)
    less = reference_federations.unequal(equal)
    assert less.name == "eMBB unequal D"
    assert [len(client.train_target) for client in less.clients] == [2, 5, 7, 10]
    for ours, whole in zip(less.clients, equal.clients, strict=True):
        kept = len(ours.train_target)
        np.testing.assert_array_equal(ours.train_features, whole.train_features[:kept])
        np.testing.assert_array_equal(ours.train_target, whole.train_target[:kept])
        np.testing.assert_array_equal(ours.test_features, whole.test_features)


def test_a_tiny_client_keeps_two_rows():
    equal = generate_slice("eMBB", seed=0, clients=5, samples=4, test_samples=5)
    assert [len(client.train_target) for client in reference_federations.unequal(equal).clients] == [2, 2, 2, 3, 4]


def test_only_the_quick_reference_has_it():
    assert reference_federations.reference_settings(PAPER) == PAPER
    ours = reference_federations.reference_settings(QUICK)
    assert replace(ours, slices=QUICK.slices) == QUICK
    assert ours.slices == QUICK.slices | {reference_federations.UNEQUAL: QUICK.slices["eMBB"]}


# ---- what moved


def test_a_changed_number_is_told(again, monkeypatch, capsys):
    monkeypatch.setitem(settings.PRESETS, "quick", replace(TINY, clients=2))
    old = curves.read(Path("data/reference/quick/curves.csv"))
    quick()
    text = Path("data/reference/quick/changes.md").read_text()
    assert f"data/reference/quick/changes.md\n{text}" in capsys.readouterr().out
    new = curves.read(Path("data/reference/quick/curves.csv"))
    means = [
        frame.query("slice == 'eMBB' and scheme == 'in-hoc' and explainer == 'IG' and metric == 'mse' and round == 3")[
            "value"
        ].mean()
        for frame in (old, new)
    ]
    (line,) = [line for line in text.splitlines() if line.startswith("| eMBB | in-hoc | IG |")]
    was, now = line.split("|")[4].split("->")
    assert [was.split("±")[0].strip(), now.split("±")[0].strip()] == [f"{mean:.4g}" for mean in means]
    assert means[0] != means[1]
    quick()  # nothing moves: what moved last stays told
    assert Path("data/reference/quick/changes.md").read_text() == text
    assert "changes.md" not in capsys.readouterr().out


def run_of(values, scheme="post-hoc", seed=0):
    rows = [
        (scheme, "IG", "eMBB", seed, number, metric, value, curves.METRICS[metric])
        for metric, series in values.items()
        for number, value in enumerate(series, start=1)
    ]
    return pd.DataFrame(rows, columns=list(curves.COLUMNS)).assign(clients=3, data="")


OLD = {"mse": [1.0, 0.5, 0.1], "confidence": [1.0, 0.8, 0.9], "kb": [2.0, 2.0, 2.0]}


def test_changes_by_hand():
    new = OLD | {"mse": [1.0, 0.1, 0.2], "confidence": [1.0, 0.7, 0.9]}
    old = pd.concat([run_of(OLD), run_of(OLD, "in-hoc")])
    text = reference_curves.changes(old, pd.concat([run_of(new), run_of(OLD, "in-hoc")]), tolerance=0.15)
    lines = text.splitlines()
    assert lines[0] == "| slice | scheme | explainer | final MSE [%^2] | final C | lowest C | convergence round |"
    assert lines[2] == "| eMBB | post-hoc | IG | 0.1 -> 0.2 | 0.9000 | 0.8000 -> 0.7000 | 3.0 -> 2.0 |"
    assert lines[3:] == ["", "mean ± sd over the seeds, old -> new; 1 of 2 rows did not move."]


def test_the_order_of_rows_is_no_change():
    frame = run_of(OLD)
    assert reference_curves.changes(frame, frame.iloc[::-1], 0.05) == ""


def test_a_run_that_is_new_or_gone_is_a_change():
    text = reference_curves.changes(run_of(OLD), run_of(OLD, "in-hoc"), 0.05)
    assert "| eMBB | in-hoc | IG | - -> 0.1 | - -> 0.9000 |" in text
    assert "| eMBB | post-hoc | IG | 0.1 -> - |" in text


def test_an_undefined_confidence_is_not_the_lowest():
    new = OLD | {"confidence": [np.nan, 0.7, 0.9]}
    assert "| 0.9000 | 0.8000 -> 0.7000 |" in reference_curves.changes(run_of(OLD), run_of(new), 0.05)


# ---- the command line


def refusal(capsys, *switches):
    with pytest.raises(SystemExit) as stop:
        reference.main(list(switches))
    captured = capsys.readouterr()
    assert (stop.value.code, captured.out) == (2, "")
    return captured.err


@pytest.mark.parametrize(
    ("switches", "message"),
    [
        (["--seeds", "0"], "--seeds must be at least 1"),
        (["--workers", "0"], "--workers must be at least 1"),
        (["--preset", "fast"], "invalid choice: 'fast'"),
    ],
)
def test_a_wrong_switch_is_refused(tiny, capsys, switches, message):
    assert message in refusal(capsys, *switches)


def test_a_torn_reference_is_not_overwritten(again, capsys):
    path = Path("data/reference/quick/curves.csv")
    torn = path.read_bytes()[:200]
    path.write_bytes(torn)
    error = refusal(capsys, "--preset", "quick", "--seeds", "2")
    assert re.fullmatch(r"error: data/reference/quick/curves.csv\S* .*\n", error)
    assert path.read_bytes() == torn


def test_a_folder_in_use_is_refused(again, capsys):
    with only_one(Path("figures/quick/runs")):
        error = refusal(capsys, "--preset", "quick", "--seeds", "2")
    assert re.fullmatch(r"error: .*another process works here; wait for it, or work in another folder\n", error)


def test_a_folder_that_cannot_be_written_is_named(again, capsys):
    Path("data/reference/other").write_text("a file")
    assert "error: data/reference/other" in refusal(
        capsys, "--preset", "quick", "--seeds", "2", "--out", "data/reference/other"
    )


def test_a_stopped_command_says_how_to_go_on(tiny, monkeypatch, capsys):
    class Interrupted(Here):
        def __enter__(self):
            raise KeyboardInterrupt

    monkeypatch.setattr(laboratory, "Workers", Interrupted)
    with pytest.raises(SystemExit) as stop:
        quick()
    assert stop.value.code == 130
    assert capsys.readouterr().err.endswith("run the same command again to resume\n")


def test_help_needs_no_tensorflow():
    child = subprocess.run(
        [sys.executable, "-X", "importtime", str(ROOT / "reproduction" / "reference.py"), "--help"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert all(switch in child.stdout for switch in ("--preset", "--seeds", "--workers", "--out"))
    said = " ".join(child.stdout.split())
    assert "federations of the figure scripts, figures/runs or figures/quick/runs: each is trained once" in said
    assert "--out DIR folder of the references; federations stay where they are (data/reference)" in said
    modules = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in child.stderr.splitlines()}
    assert "pandas" in modules
    assert not modules & {"tensorflow", "keras", "tensorflow_constrained_optimization", "shap"}


def test_the_committed_figures_are_of_the_committed_reference():
    """Fig. 5's curves of every slice and seed, which another machine drew; a new figure needs a new reference."""
    frame = curves.read(ROOT / "data" / "reference" / "paper" / "curves.csv")
    held = frame.set_index(["slice", "scheme", "explainer", "metric"]).sort_index()
    slices = records.read_record(FIGURES / "fig5_confidence.json", FIGURE)["result"]["slices"]
    assert set(slices) == set(frame["slice"])
    for name, numbers in slices.items():
        for label, scheme in (("in-hoc IG", "in-hoc"), ("post-hoc", "post-hoc")):
            for metric in ("mse", "confidence"):
                runs = held.loc[(name, scheme, "IG", metric)].pivot(index="seed", columns="round", values="value")
                np.testing.assert_array_equal(runs, np.asarray(numbers["rounds"][label][metric], float))
