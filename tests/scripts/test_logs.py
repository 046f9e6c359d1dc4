"""`--log` and `--log-dir` of real runs, of killed ones too."""

import errno
import json
import os
import shutil
from pathlib import Path

from reproduction.results import records
from reproduction.slicing.federation.record import FEDERATION
from tests.helpers.running import (
    ARGUMENTS,
    FIG4,
    SAMPLE,
    assert_one_line,
    check_curves,
    contents,
    exit_of,
    numbers_of,
    rounds_on_disk,
)


def test_curves_of_a_run(uninterrupted):
    check_curves(uninterrupted.log_dir, uninterrupted.folder, rounds=3, federations=2)


def test_curves_of_a_killed_run_that_goes_on(tiny, killed, tmp_path, capsys):
    """Each round once, before and after."""
    check_curves(killed.log_dir, killed.folder, rounds=2, federations=1)
    folder, log_dir = (
        shutil.copytree(killed.folder, tmp_path / "out"),
        shutil.copytree(killed.log_dir, tmp_path / "log"),
    )
    FIG4.main([*ARGUMENTS, "--out", str(folder), "--log-dir", str(log_dir)])
    check_curves(log_dir, folder, rounds=3, federations=2)


def test_curves_of_a_finished_run(no_training, idle, copied, tmp_path, capsys):
    """Nothing is trained; who opens TensorBoard still finds every curve of the figure."""
    FIG4.main([*ARGUMENTS, "--out", str(copied), "--log-dir", str(tmp_path / "log")])
    check_curves(tmp_path / "log", copied, rounds=3, federations=2)
    assert all(line.startswith("warning: eMBB, ") for line in capsys.readouterr().err.splitlines())


def test_json_of_a_killed_run(killed):
    """Every line was out before the kill, and nothing but lines: no worker's noise either."""
    opening, first, second, *after = killed.said.splitlines()
    assert list(json.loads(opening)) == ["note"]
    (path,) = (killed.folder / "runs").glob("*.json")
    entries = records.read_record(path, FEDERATION)["rounds"]
    objects = [json.loads(first), json.loads(second)]
    assert not after or "multiprocessing/resource_tracker.py" in after[0]  # which outlives the kill and complains
    assert len(objects) == len(entries) == 2
    about = {
        "figure": "fig4_convergence",
        "slice": "eMBB",
        "scheme": "in-hoc",
        "explainer": "IG",
        "seed": 0,
        "clients": 3,
    }
    for number, (seen, entry) in enumerate(zip(objects, entries, strict=True), start=1):
        assert seen.pop("elapsed_s") > 0
        assert seen.pop("eta_s") > 0
        assert seen == {**about, "round": number, "rounds": 3, **entry}


def test_with_json_every_line_is_an_object(tiny, tmp_path, capsys):
    """On both streams, so that `2>&1 | jq` works; of anyone's tables too."""
    table, schema = SAMPLE / "embb.csv", SAMPLE / "embb.schema.json"
    arguments = ("--preset", "quick", "--data", str(table), "--schema", str(schema), "--log", "json")
    FIG4.main([*arguments, "--out", str(tmp_path)])
    captured = capsys.readouterr()
    written = [tmp_path / f"fig4_convergence{suffix}" for suffix in (".png", ".pdf")]
    *files, first, second = [json.loads(line) for line in captured.out.splitlines()]
    assert files == [{"wrote": str(path)} for path in written]
    assert [line["summary"]["scheme"] for line in (first, second)] == ["in-hoc IG", "post-hoc"]
    said = [json.loads(line) for line in captured.err.splitlines()]
    (note,) = [line["note"] for line in said if "note" in line]
    assert note.startswith("Before training, eMBB: ")  # of the in-hoc federation; there is none of post-hoc's
    assert [line["round"] for line in said if "round" in line] == [1, 2, 3, 1, 2, 3]
    warnings = [line for line in said if list(line) == ["warning"]]
    assert said[-1] in warnings  # a run of 3 rounds has learnt little
    assert len(said) == 1 + 6 + len(warnings)
    FIG4.main([*arguments, "--out", str(tmp_path)])
    again = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert again == [line for line in warnings if ", round 1: " not in line["warning"]]  # nothing ran
    (tmp_path / "runs" / "file").write_text("")
    code, error = exit_of(capsys, *arguments, "--out", tmp_path / "runs" / "file")
    assert code == 2
    (message,) = [json.loads(line) for line in error.splitlines()]
    assert list(message) == ["error"]
    assert "runs/file" in message["error"]


def test_a_wrong_sla_is_said_before_training_and_in_the_first_round(tiny, tmp_path, capsys):
    """No load is above 90 %: said before any round, then with the first; the confidence of the table is not defined."""
    table, schema = SAMPLE / "embb.csv", tmp_path / "schema.json"
    declared = json.loads((SAMPLE / "embb.schema.json").read_text())
    schema.write_text(json.dumps(declared | {"sla_percent": [90, 100]}))
    arguments = ("--preset", "quick", "--data", str(table), "--schema", str(schema), "--log", "json")
    FIG4.main([*arguments, "--out", str(tmp_path / "out")])
    captured = capsys.readouterr()
    said = [json.loads(line) for line in captured.err.splitlines()]
    before, first, empty, *others = [line for line in said if "note" not in line]
    assert before["warning"].startswith("eMBB: the SLA, 90 to 100 %, holds for 0 % of the training targets")
    assert (first["round"], first["confidence"]) == (1, None)
    about = "eMBB, in-hoc IG, seed 0, 1 CLs, round 1: no CL has a prediction inside the SLA, 90 to 100 %: U is empty"
    assert empty["warning"].startswith(about)
    assert sum("U is empty" in line.get("warning", "") for line in others) == 1  # post-hoc's first round
    (summary, _) = (json.loads(line)["summary"] for line in captured.out.splitlines()[2:])
    assert (summary["lowest_confidence"], summary["above_threshold"]) == (None, None)


def test_a_log_folder_that_cannot_be(tiny, killed, tmp_path, capsys):
    """One line, and the records stay as they were."""
    folder = shutil.copytree(killed.folder, tmp_path / "out")
    before = contents(folder)
    (tmp_path / "file").write_text("kept")
    for place in (tmp_path / "file", tmp_path / "file" / "deeper"):
        outcome = exit_of(capsys, *ARGUMENTS, "--out", folder, "--log-dir", place)
        assert_one_line(outcome, str(place), "the log cannot be written", "choose another --log-dir, or none")
    assert contents(folder) == before
    assert (tmp_path / "file").read_text() == "kept"


def test_a_full_disk_for_the_log(tiny, uninterrupted, tmp_path, capsys, monkeypatch):
    """The second round is in the record, not in the log; with room again the run goes on, and the log is whole."""
    opened = Path.open

    def full(path, mode="r", **rest):
        if "tfevents" in path.name and rounds_on_disk(tmp_path / "out" / "runs") == [2]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return opened(path, mode, **rest)

    arguments = [*ARGUMENTS, "--out", str(tmp_path / "out"), "--log-dir", str(tmp_path / "log")]
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        code, error = exit_of(capsys, *arguments)
    assert_one_line((code, error.splitlines(keepends=True)[-1]), "the log cannot be written (No space left on device)")
    assert rounds_on_disk(tmp_path / "out" / "runs") == [2]
    FIG4.main(arguments)
    assert numbers_of(tmp_path / "out") == numbers_of(uninterrupted.folder)
    check_curves(tmp_path / "log", tmp_path / "out", rounds=3, federations=2)
