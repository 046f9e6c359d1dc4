"""Bad switches, tables and models: one line on standard error, exit status 2, nothing written."""

import json
import os
import subprocess
import sys

import pytest

from reproduction.slicing import data_source
from tests.helpers.running import ARGUMENTS, ROOT, assert_one_line, exit_of

WRONG_SWITCHES = {
    "no workers": (["--workers", "0"], "--workers must be at least 1"),
    "negative workers": (["--workers", "-2"], "--workers must be at least 1"),
    "no seeds": (["--seeds", "0"], "--seeds must be at least 1"),
    "negative seed": (["--seed", "-1"], "--seed at least 0"),
    "no number": (["--seeds", "five"], "invalid int value: 'five'"),
    "both": (["--seeds", "2", "--seed", "1"], "not allowed with argument"),
    "preset": (["--preset", "fast"], "invalid choice: 'fast'"),
    "data without schema": (["--data", "table.csv"], "--data and --schema go together"),
    "schema without data": (["--schema", "schema.json"], "--data and --schema go together"),
    "unknown": (["--epochs", "3"], "unrecognized arguments: --epochs 3"),
    "no slice": (["--slices"], "expected at least one argument"),
    "redraw of a table": (["--redraw", "--data", "x", "--schema", "y"], "without --data x --schema y"),
    "redraw of seeds": (["--seeds", "5", "--redraw"], "draws the saved numbers as they are, without --seeds 5"),
    "redraw with workers": (["--redraw", "--workers", "1", "--log-dir", "logs"], "without --workers 1 --log-dir logs"),
}


@pytest.mark.parametrize(("switches", "message"), WRONG_SWITCHES.values(), ids=WRONG_SWITCHES)
def test_wrong_switch(no_training, tmp_path, capsys, switches, message):
    code, error = exit_of(capsys, *switches, "--out", tmp_path / "out")
    assert code == 2
    *usage, last = error.splitlines()
    assert usage[0].startswith("usage: fig4_convergence.py ")
    assert all(line.startswith(" ") for line in usage[1:])
    assert last.startswith("fig4_convergence.py: error: ")
    assert message in last
    assert not (tmp_path / "out").exists()


def test_unknown_slice(no_training, tmp_path, capsys):
    outcome = exit_of(capsys, "--preset", "quick", "--slices", "eMBB", "URLLC", "--out", tmp_path / "out")
    assert_one_line(outcome, "--slices: no slice 'URLLC' in the data; there are eMBB, Social Media, Browsing")
    assert not (tmp_path / "out").exists()


HEADER = "client,app,cqi,mimo,cpu"
ROWS = ("a,1.5,9,20,2", "a,2.5,8,30,3", "a,0.5,12,10,1", "a,1.0,11,15,1")
SCHEMA = {
    "client": "client",
    "traffic_mbps": ["app"],
    "cqi": "cqi",
    "mimo_percent": "mimo",
    "target_percent": "cpu",
    "sla_percent": [0, 3],
}

BAD_TABLES = {
    "wrong column": (
        [HEADER.replace("cqi", "sinr"), *ROWS],
        ["column 'cqi' is missing", "client, app, sinr, mimo, cpu"],
    ),
    "NaN": ([HEADER, *ROWS, "a,nan,9,20,2"], ["line 6, column 'app': value nan", "must be a finite number"]),
    "empty cell": ([HEADER, *ROWS, "a,,9,20,2"], ["line 6, column 'app': empty", "must be a finite number"]),
    "negative traffic": ([HEADER, "a,-1,9,20,2", *ROWS], ["line 2, column 'app': value -1", "must be at least 0"]),
    "CQI 16": ([HEADER, *ROWS, "a,1,16,20,2"], ["line 6, column 'cqi': value 16", "between 0 and 15"]),
    "101 % MIMO": ([HEADER, *ROWS, "a,1,9,101,2"], ["line 6, column 'mimo': value 101", "between 0 and 100"]),
    "101 % load": ([HEADER, *ROWS, "a,1,9,20,101"], ["line 6, column 'cpu': value 101", "between 0 and 100"]),
    "nothing": ([], ["the table has no rows"]),
    "header only": ([HEADER], ["the table has no rows"]),
    "one sample": ([HEADER, *ROWS, "b,1,9,20,2"], ["client 'b'", "has 1 row(s), needs at least 3"]),
    "text": ([HEADER, *ROWS, "a,fast,9,20,2"], ["line 6, column 'app': value fast"]),
}


def table_of(folder, lines):
    table, schema = folder / "table.csv", folder / "schema.json"
    table.write_text("".join(f"{line}\n" for line in lines))
    schema.write_text(json.dumps(SCHEMA))
    return table, schema


@pytest.mark.parametrize(("lines", "words"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_bad_table(no_training, tmp_path, capsys, lines, words):
    table, schema = table_of(tmp_path, lines)
    outcome = exit_of(capsys, "--preset", "quick", "--data", table, "--schema", schema, "--out", tmp_path / "out")
    assert_one_line(outcome, str(table), *words)
    assert not (tmp_path / "out").exists()


def test_missing_files(no_training, tmp_path, capsys):
    table, schema = table_of(tmp_path, [HEADER, *ROWS])
    absent = tmp_path / "absent"
    for given, words in (((absent, schema), "no such file"), ((table, absent), "no such schema file")):
        outcome = exit_of(capsys, "--data", given[0], "--schema", given[1], "--out", tmp_path / "out")
        assert_one_line(outcome, str(absent), words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"client": "client"}', '{"colour": "red"}'])
def test_bad_schema(no_training, tmp_path, capsys, text):
    table, schema = table_of(tmp_path, [HEADER, *ROWS])
    schema.write_text(text)
    outcome = exit_of(capsys, "--data", table, "--schema", schema, "--out", tmp_path / "out")
    assert_one_line(outcome, str(schema))
    assert not (tmp_path / "out").exists()


def test_a_schema_without_an_sla(no_training, tmp_path, capsys):
    """Nobody but the table's owner knows it, so nothing is assumed."""
    table, schema = table_of(tmp_path, [HEADER, *ROWS])
    schema.write_text(json.dumps({key: value for key, value in SCHEMA.items() if key != "sla_percent"}))
    outcome = exit_of(capsys, "--data", table, "--schema", schema, "--out", tmp_path / "out")
    assert outcome == (2, f"error: {schema}: key 'sla_percent' is missing; add it, e.g. \"sla_percent\": [0, 3]\n")
    assert not (tmp_path / "out").exists()


def test_a_slice_that_the_table_has_not(no_training, tmp_path, capsys):
    table, schema = table_of(tmp_path, [HEADER, *ROWS])
    outcome = exit_of(capsys, "--data", table, "--schema", schema, "--slices", "eMBB", "--out", tmp_path / "out")
    assert_one_line(outcome, "no slice 'eMBB' in the data; there are table")


def test_a_refusal_as_the_user_sees_it(tmp_path):
    """In a process of its own: standard error holds the line and nothing else, and no traceback."""
    table, schema = table_of(tmp_path, BAD_TABLES["CQI 16"][0])
    script = ROOT / "reproduction" / "fig8_scalability.py"
    command = [
        sys.executable,
        str(script),
        "--data",
        str(table),
        "--schema",
        str(schema),
        "--out",
        str(tmp_path / "out"),
    ]
    child = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert_one_line((child.returncode, child.stderr), f"{table}, line 6, column 'cqi': value 16")
    assert child.stdout == ""
    assert not (tmp_path / "out").exists()


def test_a_diverging_client_is_one_line(tiny, tmp_path, capsys, monkeypatch):
    """Huge loads: the squared error overflows; the line names slice, client, round and stage."""
    generate = data_source.generate_slice

    def broken(name, **sizes):
        data = generate(name, **sizes)
        data.clients[1].train_target[:] = 3e38
        return data

    monkeypatch.setattr(data_source, "generate_slice", broken)
    code, error = exit_of(capsys, *ARGUMENTS, "--out", tmp_path)
    last = error.splitlines(keepends=True)[-1]
    assert_one_line((code, last), "slice 'eMBB', client 'CL 001', round 1,")
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} <= {".lock"}
