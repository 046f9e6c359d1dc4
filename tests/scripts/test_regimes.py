"""`regimes.py` on a table: a paragraph before any training, a run beside it, and what it refuses."""

import json
import subprocess
import sys
from dataclasses import replace
from functools import partial

import pytest

from reproduction import regimes
from reproduction.slicing.datasets import load
from reproduction.slicing.forecast.paragraph import paragraph
from reproduction.slicing.regimes.catalogue import REGIMES
from reproduction.slicing.settings import SENSITIVITY
from tests.helpers.figure_scripts import TINY
from tests.helpers.running import ROOT, SAMPLE, assert_one_line, exit_of

TABLE = ("--data", str(SAMPLE / "embb.csv"), "--schema", str(SAMPLE / "embb.schema.json"))
SETTINGS = replace(SENSITIVITY, rounds=TINY.rounds, model=TINY.model, local=replace(SENSITIVITY.local, epochs=3))


def expected():
    (data,) = load([SAMPLE / "embb.csv"], SAMPLE / "embb.schema.json", seed=0)
    return paragraph(data, SENSITIVITY.slices["eMBB"], SENSITIVITY.local, seed=0)


def test_a_paragraph_and_nothing_else(no_training, tmp_path, capsys):
    """Nothing is trained or written."""
    regimes.main([*TABLE, "--out", str(tmp_path)])
    assert capsys.readouterr().out == f"{expected()}\n"
    assert not list(tmp_path.iterdir())
    regimes.main([*TABLE, "--log", "json"])
    assert json.loads(capsys.readouterr().out) == {"forecast": expected()}


def test_it_needs_no_tensorflow():
    run = f"import sys; from reproduction import regimes; regimes.main({list(TABLE)!r})"
    code = f"{run}; print('tensorflow' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines() == [expected(), "False"]


def test_a_check_trains_a_post_hoc_federation_beside_it(tiny, tmp_path, capsys):
    regimes.main([*TABLE, "--check", "--out", str(tmp_path)], SETTINGS)
    first, second = capsys.readouterr().out.splitlines()
    assert first == expected()
    assert second.startswith("Check, eMBB: a post-hoc federation of 1 CLs over 3 rounds has confidence ")
    (record,) = (tmp_path / "runs").glob("*.json")
    assert "post-hoc" in record.name
    assert {path.name for path in tmp_path.iterdir()} == {"runs"}


def test_a_check_without_a_forecast_says_so():
    row = {"slice": "s", "clients": 3, "last": [0.95], "lowest": [0.9], "forecast": [0.9], "threshold": 0.85}
    said = regimes.check_in_words(row | {"r_squared": [0.79]}, 30)
    assert said.endswith("confidence 0.95 at the end and 0.90 at its lowest (no prediction; nu 0.85).")
    assert "(forecast 0.90; nu 0.85)" in regimes.check_in_words(row | {"r_squared": [0.8]}, 30)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--check",), "--check goes with --data"),
        ((*TABLE, "--redraw"), "--redraw draws the saved numbers as they are, without --data"),
        ((*TABLE, "--beside", "a.csv", "tractor"), "--beside is the study's"),
        (TABLE[:2], "--data and --schema go together"),
    ],
)
def test_what_does_not_go_together(arguments, words, capsys):
    with pytest.raises(SystemExit) as stopped:
        regimes.main(list(arguments))
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err


def test_a_bad_table_is_one_line(tiny, tmp_path, capsys):
    class Script:
        main = staticmethod(regimes.main)

    missing = tmp_path / "none.csv"
    assert_one_line(exit_of(capsys, "--data", missing, *TABLE[2:], script=Script), str(missing))
    outcome = exit_of(capsys, *TABLE, "--slices", "URLLC", script=Script)
    assert_one_line(outcome, "no slice 'URLLC' in the data; there are eMBB")


def test_the_study_ends_with_its_own_slices_whatever_stands_beside(tiny, tmp_path, capsys, monkeypatch):
    few = {kind: several[:2] for kind, several in REGIMES.items()}
    monkeypatch.setattr(regimes, "study", partial(regimes.study, regimes=few))
    schema = json.loads((SAMPLE / "embb.schema.json").read_text(encoding="utf-8")) | {"slice_name": "factory"}
    (tmp_path / "factory.json").write_text(json.dumps(schema), encoding="utf-8")
    beside = ("--beside", str(SAMPLE / "embb.csv"), str(tmp_path / "factory.json"))
    regimes.main(["--slices", "eMBB", *beside, "--log", "json", "--out", str(tmp_path)], replace(SETTINGS, clients=2))
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["summary"]["slice"] for line in said if "summary" in line} == {"eMBB"}
    rows = json.loads((tmp_path / "regimes.json").read_text(encoding="utf-8"))["payload"]["result"]["rows"]
    assert [row["slice"] for row in rows if row["kind"] == "measured"] == ["factory"]
