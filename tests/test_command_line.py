"""The command line: help, refusals in one line, anyone's tables, and runs that are killed, interrupted or shared."""

import errno
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from reproduction import figure_script
from reproduction.results import records
from reproduction.slicing import settings
from reproduction.slicing.settings import QUICK
from tests.helpers.event_files import as_tensorboard_reads, expected
from tests.helpers.figure_scripts import NAMES, TINY, Here

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "data" / "sample"
SLOW = replace(TINY, local=replace(TINY.local, epochs=20_000))
"""A round takes seconds: long enough to be interrupted in the middle of it."""

FIG4 = import_module("reproduction.fig4_convergence").SCRIPT


# ---- help


@pytest.fixture(scope="module")
def helps():
    """The help of every script, the modules it imported, and the seconds of CPU it took."""
    outcome = {}
    for name in NAMES:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        child = subprocess.run(
            [sys.executable, "-X", "importtime", str(ROOT / "reproduction" / f"{name}.py"), "--help"],
            capture_output=True,
            text=True,
            timeout=120,
            env=os.environ | {"COLUMNS": "200", "PYTHONPATH": str(ROOT)},
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert child.returncode == 0, child.stderr
        modules = {line.rsplit("|", 1)[-1].strip() for line in child.stderr.splitlines() if line.startswith("import")}
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        outcome[name] = SimpleNamespace(text=child.stdout, modules=modules, seconds=seconds)
    return outcome


@pytest.mark.parametrize("name", NAMES)
def test_help_is_quick(helps, name):
    assert helps[name].seconds < 3  # of CPU; TensorFlow alone would take longer
    assert "reproduction.figure_script" in helps[name].modules
    packages = {module.split(".")[0] for module in helps[name].modules}
    assert not packages & {"tensorflow", "keras", "tensorflow_constrained_optimization", "shap", "tensorboard"}


def test_every_script_has_the_same_switches_in_the_same_words(helps):
    def switches(name):
        text = helps[name].text.split("options:")[1]
        return re.sub(r"slices to run \(.*\)", "slices to run (...)", text)

    assert len({switches(name) for name in NAMES}) == 1
    listed = re.findall(r"^  (?:-h, )?(--[\w-]+)", switches(NAMES[0]), re.MULTILINE)
    assert listed == [
        "--help",
        *("--preset", "--seeds", "--seed", "--slices", "--data", "--schema", "--workers", "--out"),
        *("--log", "--log-dir", "--redraw"),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_help_says_what_the_script_draws(helps, name):
    script = import_module(f"reproduction.{name}").SCRIPT
    assert helps[name].text.startswith(f"usage: {name}.py ")
    assert script.about in helps[name].text
    assert script.about.startswith("Table IV" if name.startswith("table") else f"Fig. {name[3]}:")
    assert f"slices to run ({', '.join(script.slices)})" in helps[name].text


# ---- refusals


@pytest.fixture
def tiny(monkeypatch):
    """Run scripts in this process, on the tiny preset."""

    monkeypatch.setitem(settings.PRESETS, "quick", TINY)
    monkeypatch.setattr(figure_script, "Workers", Here)
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)  # the scripts set it


@pytest.fixture
def no_training(tiny, monkeypatch):
    def workers(count):
        pytest.fail("workers were started")

    monkeypatch.setattr(figure_script, "Workers", workers)


def exit_of(capsys, *arguments, script=FIG4):
    """Run a script that must stop; return its exit status and its standard error."""
    with pytest.raises(SystemExit) as stop:
        script.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert captured.out == ""
    return stop.value.code, captured.err


def assert_one_line(outcome, *words):
    code, error = outcome
    assert code == 2
    assert re.fullmatch(r"error: \S.*\n", error), error
    assert all(word in error for word in words), error


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
SCHEMA = {"client": "client", "traffic_mbps": ["app"], "cqi": "cqi", "mimo_percent": "mimo", "target_percent": "cpu"}

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


# ---- anyone's tables


@pytest.mark.parametrize("stem", ["embb", "social_media", "browsing"])
def test_the_committed_sample_draws(tiny, tmp_path, capsys, caplog, stem):
    """One client per table: a federation of one closed loop."""
    table, schema = SAMPLE / f"{stem}.csv", SAMPLE / f"{stem}.schema.json"
    name = json.loads(schema.read_text())["slice_name"]
    FIG4.main(["--preset", "quick", "--data", str(table), "--schema", str(schema), "--out", str(tmp_path)])
    written = [tmp_path / f"fig4_convergence{suffix}" for suffix in (".png", ".pdf")]
    assert capsys.readouterr().out.splitlines() == [str(path) for path in written]
    assert f"{name}: 1 clients; nothing left out" in caplog.text
    document = records.read_record(tmp_path / "fig4_convergence.json")
    assert document["data"]["source"] == str(schema)
    assert list(document["data"]["slices"]) == [name]
    described = document["data"]["slices"][name]
    assert (described["clients"], described["training_samples"], described["test_samples"]) == (1, 160, 40)
    assert document["settings"]["clients"] == 1
    assert document["settings"]["slices"][name]["confidence_threshold"] == QUICK.slices[name].confidence_threshold
    for curves in document["result"]["slices"][name].values():
        assert [len(curve) for curve in curves["mse"]] == [TINY.rounds]
        assert curves["kb_per_round"] == 2 * 4 * 43 / 1000  # 43 weights of float32, to one client and back
    assert len(list((tmp_path / "runs").glob("*.json"))) == 2


def test_a_table_brings_its_own_sla(tiny, tmp_path, monkeypatch):
    """Bounds from the schema; the threshold of a slice that the paper has not is the strictest of the paper's."""
    schema = tmp_path / "schema.json"
    declared = json.loads((SAMPLE / "embb.schema.json").read_text())
    schema.write_text(json.dumps(declared | {"slice_name": "URLLC", "sla_percent": [1.0, 2.5]}))
    seen = []
    script = replace(FIG4, compute=lambda lab: seen.append(lab) or {"slices": {}})
    options = SimpleNamespace(
        preset="quick",
        data=[SAMPLE / "embb.csv"],
        schema=str(schema),
        slices=None,
        out=tmp_path,
        workers=1,
        seeds=(0,),
        log="auto",
        log_dir=None,
    )
    document = script.document(options, TINY)
    assert document["settings"]["slices"] == {
        "URLLC": {"lower_percent": 1.0, "upper_percent": 2.5, "confidence_threshold": 0.85}
    }
    assert seen[0].slices == ("URLLC",)
    assert len(seen[0].data("URLLC", 0, 100).clients) == 1


# ---- stopped, continued, shared

CHILD = """
    import sys, time
    from contextlib import contextmanager
    from reproduction import figure_script
    from reproduction.slicing import settings
    from reproduction.slicing.settings import *
    from reproduction.fig4_convergence import SCRIPT

    watch = figure_script.watch

    @contextmanager
    def watch_and_stand_still(job, **told):
        with watch(job, **told) as report:
            def report_and_stand_still(finished, entry):
                report(finished, entry)
                if finished == 2:
                    time.sleep(600)
            yield report_and_stand_still

    if {stand_still}:
        figure_script.watch = watch_and_stand_still
    SCRIPT.main(sys.argv[1:], {preset!r})
"""
ARGUMENTS = ("--preset", "quick", "--slices", "eMBB")
"""In this process "quick" is the tiny preset too; in a child it only chooses among the settings, which are given."""


@contextmanager
def child(folder, *switches, preset=TINY, stand_still=False):
    """Start Fig. 4 in a process group of its own, with one real worker; whatever is left of it is killed."""
    code = textwrap.dedent(CHILD).format(preset=preset, stand_still=stand_still)
    command = [sys.executable, "-c", code, *ARGUMENTS, "--workers", "1", "--out", str(folder), *switches]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, **pipes)
    try:
        yield process
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.communicate()


def wait_for(condition, seconds, process=None):
    """Tell whether something came true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        if process is not None and process.poll() is not None:
            pytest.fail(f"ended before its time: {process.communicate()[1]}")
        time.sleep(0.05)
    return True


def group(leader):
    """Return the living members of a process group, zombies and multiprocessing's tracker (it ends last) left out."""
    table = subprocess.run(
        ["ps", "-A", "-o", "pid=,pgid=,stat=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 3) for line in table.splitlines()]
    return [row[3] for row in rows if row[1] == str(leader) and row[2][0] != "Z" and "resource_tracker" not in row[3]]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Fig. 4 of one slice by the real command, start to end."""
    folder, log_dir = tmp_path_factory.mktemp("uninterrupted"), tmp_path_factory.mktemp("log")
    with child(folder, "--log-dir", str(log_dir)) as process:
        out, error = process.communicate(timeout=300)
        assert process.returncode == 0, error
        assert wait_for(lambda: not group(process.pid), 10)
    return SimpleNamespace(folder=folder, log_dir=log_dir, out=out, error=error)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The same, killed after the second round of its first federation; a second process has tried to join it."""
    folder, log_dir = tmp_path_factory.mktemp("killed"), tmp_path_factory.mktemp("log")
    switches = ("--log", "json", "--log-dir", str(log_dir))
    with child(folder, *switches, stand_still=True) as process:
        runs = folder / "runs"
        assert wait_for(lambda: list(runs.glob("*.json")), 240, process)
        assert wait_for(lambda: rounds_on_disk(runs) == [2], 60, process)
        second = [sys.executable, str(ROOT / "reproduction" / "fig5_confidence.py"), *ARGUMENTS, "--out", str(folder)]
        joined = subprocess.run(
            second, capture_output=True, text=True, timeout=240, env=os.environ | {"PYTHONPATH": str(ROOT)}
        )
        workers = len(group(process.pid)) - 1
        os.kill(process.pid, signal.SIGKILL)  # the script alone, as the system does when memory is short
        process.wait()
        orphaned = not wait_for(lambda: not group(process.pid), 5)
        said = process.communicate()[1]
    return SimpleNamespace(folder=folder, log_dir=log_dir, said=said, joined=joined, workers=workers, orphaned=orphaned)


def rounds_on_disk(runs):
    return [records.read_record(path)["round_number"] for path in sorted(runs.glob("*.json"))]


def numbers_of(folder):
    """Read everything a run leaves but for its seconds."""
    document = records.read_record(folder / "fig4_convergence.json")
    for schemes in document["result"]["slices"].values():
        for curves in schemes.values():
            del curves["seconds"]
    federations = {path.name: records.read_record(path) for path in (folder / "runs").glob("*.json")}
    for payload in federations.values():
        for entry in payload["rounds"]:
            del entry["seconds"]
    return document, federations


@pytest.fixture
def copied(uninterrupted, tmp_path):
    """A folder in which everything is finished."""
    return shutil.copytree(uninterrupted.folder, tmp_path / "copied")


def test_a_run_says_what_it_wrote(uninterrupted):
    pictures = [uninterrupted.folder / f"fig4_convergence{suffix}" for suffix in (".png", ".pdf")]
    assert uninterrupted.out.splitlines() == [str(path) for path in pictures]
    assert len(re.findall(r"^eMBB, (?:in-hoc IG|post-hoc), seed 0, 3 CLs: round 3/3 ", uninterrupted.error, re.M)) == 2
    assert "Traceback" not in uninterrupted.error


def test_a_killed_run_leaves_whole_records(killed):
    assert rounds_on_disk(killed.folder / "runs") == [2]
    assert {path.name for path in killed.folder.iterdir()} == {"runs"}


def test_a_killed_run_goes_on_to_the_same_numbers(tiny, uninterrupted, killed, tmp_path, capsys):
    folder = shutil.copytree(killed.folder, tmp_path / "copy")
    (folder / "runs" / "torn.json.1.partial").write_bytes(b"{")  # of a kill in the middle of a write
    FIG4.main([*ARGUMENTS, "--out", str(folder)])
    assert "round 2/3" in capsys.readouterr().err  # it did go on, not start anew
    assert numbers_of(folder) == numbers_of(uninterrupted.folder)
    assert not list(folder.rglob("*.partial"))


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
    assert capsys.readouterr().err == ""


def check_curves(log_dir, folder, rounds, federations):
    """Check that a folder of curves holds what the records hold."""
    stored = {path.stem: records.read_record(path)["rounds"] for path in (folder / "runs").glob("*.json")}
    assert len(stored) == federations
    assert {path.name for path in log_dir.iterdir()} == {f"{name}-3CLs" for name in stored}
    for name, entries in stored.items():
        assert len(entries) == rounds
        assert as_tensorboard_reads(log_dir / f"{name}-3CLs") == expected(entries)


def test_json_of_a_killed_run(killed):
    """Every line was out before the kill, and nothing but lines: no worker's noise either."""
    first, second, *after = killed.said.splitlines()
    (path,) = (killed.folder / "runs").glob("*.json")
    entries = records.read_record(path)["rounds"]
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
    assert [json.loads(line) for line in captured.out.splitlines()] == [{"wrote": str(path)} for path in written]
    assert [json.loads(line)["round"] for line in captured.err.splitlines()] == [1, 2, 3, 1, 2, 3]
    FIG4.main([*arguments, "--out", str(tmp_path)])
    assert capsys.readouterr().err == ""  # nothing ran
    (tmp_path / "runs" / "file").write_text("")
    code, error = exit_of(capsys, *arguments, "--out", tmp_path / "runs" / "file")
    assert code == 2
    (message,) = [json.loads(line) for line in error.splitlines()]
    assert list(message) == ["error"]
    assert "runs/file" in message["error"]


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


def test_a_second_process_on_the_same_folder_is_refused(killed):
    assert_one_line((killed.joined.returncode, killed.joined.stderr), "another process works here", "--out")
    assert killed.joined.stdout == ""
    assert str(killed.folder) in killed.joined.stderr


def test_a_killed_script_leaves_no_workers_behind(killed):
    assert killed.workers == 1
    assert not killed.orphaned


def test_ctrl_c_in_the_middle_of_a_round(tmp_path):
    """The terminal sends SIGINT to the whole group, workers included."""
    with child(tmp_path, preset=SLOW) as process:
        assert wait_for(lambda: list(tmp_path.glob("runs/*.json")), 240, process)
        assert len(group(process.pid)) == 2
        os.killpg(process.pid, signal.SIGINT)
        out, error = process.communicate(timeout=120)
        assert process.returncode == 130, error
        assert wait_for(lambda: not group(process.pid), 10)
    assert out == ""
    assert error.endswith("stopped; finished rounds are saved, run the same command again to resume\n")
    assert "Traceback" not in error
    assert rounds_on_disk(tmp_path / "runs")[0] >= 1
    assert not list(tmp_path.rglob("*.partial"))


@pytest.fixture
def idle(no_training, monkeypatch):
    """Workers are made, but none starts: a process starts with the first call."""

    class Idle:
        def __init__(self, count):
            pass

        def __enter__(self):
            return lambda *arguments: pytest.fail("something was trained")

        def __exit__(self, *reason):
            pass

    monkeypatch.setattr(figure_script, "Workers", Idle)


def test_a_finished_run_starts_no_worker(idle, copied, uninterrupted, capsys):
    FIG4.main([*ARGUMENTS, "--out", str(copied)])
    capsys.readouterr()
    for suffix in (".png", ".pdf"):
        name = f"fig4_convergence{suffix}"
        assert (copied / name).read_bytes() == (uninterrupted.folder / name).read_bytes()


WAITING = """
    import signal, sys, time
    from dataclasses import replace
    from reproduction.fig4_convergence import SCRIPT
    if {ignored}:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell without job control starts `command &`

    def compute(laboratory):
        print("computing", flush=True)
        time.sleep(600)

    replace(SCRIPT, compute=compute).main(sys.argv[1:])
"""


@pytest.mark.parametrize("ignored", [False, True], ids=["in front", "in the background"])
def test_sigterm_stops_like_ctrl_c(tmp_path, ignored):
    code = textwrap.dedent(WAITING).format(ignored=ignored)
    command = [sys.executable, "-c", code, "--out", str(tmp_path)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
        try:
            assert process.stdout.readline() == "computing\n"
            process.terminate()
            assert wait_for(lambda: process.poll() is not None, 10)
            assert process.returncode == 130
            assert process.stderr.read() == "stopped; finished rounds are saved, run the same command again to resume\n"
        finally:
            process.kill()


@pytest.mark.parametrize("length", [0, 1000, -1])
def test_a_torn_record(tiny, copied, capsys, length):
    path = sorted((copied / "runs").glob("*.json"))[0]
    path.write_bytes(path.read_bytes()[:length])
    before = (copied / "fig4_convergence.json").read_bytes()
    code, error = exit_of(capsys, *ARGUMENTS, "--out", copied)
    assert code == 2
    # Before it, the lines of the other federation may stand; the error is the last.
    assert_one_line((code, error.splitlines(keepends=True)[-1]), str(path), "delete it to start this run anew")
    assert "Traceback" not in error
    assert (copied / "fig4_convergence.json").read_bytes() == before
    path.unlink()  # the remedy
    FIG4.main([*ARGUMENTS, "--out", str(copied)])


def test_torn_numbers_are_not_redrawn(no_training, copied, capsys):
    path = copied / "fig4_convergence.json"
    path.write_bytes(path.read_bytes()[:-1])
    assert_one_line(exit_of(capsys, "--redraw", "--out", copied), str(path), "delete it")


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_full_disk_keeps_what_is_there(tiny, copied, capsys, monkeypatch):
    before = contents(copied)

    def full(file):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert_one_line(exit_of(capsys, *ARGUMENTS, "--out", copied), "No space left on device")
    assert contents(copied) == before


def test_a_full_disk_in_the_middle_of_a_run(tiny, tmp_path, capsys, monkeypatch):
    """The second round's record does not fit: the first stays, and the next run goes on from it."""
    fsync, calls = os.fsync, []

    def full(file):
        calls.append(file)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(file)

    monkeypatch.setattr(os, "fsync", full)
    code, error = exit_of(capsys, *ARGUMENTS, "--out", tmp_path)
    assert_one_line((code, error.splitlines(keepends=True)[-1]), "No space left on device")
    assert rounds_on_disk(tmp_path / "runs") == [1]
    assert not list(tmp_path.rglob("*.partial"))


FULL = """
    import resource, signal, sys
    from pathlib import Path
    from reproduction.fig4_convergence import SCRIPT
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    SCRIPT.main(["--redraw", "--out", sys.argv[1]])
"""


def test_a_real_limit_on_files_keeps_the_old_picture(copied):
    """The system itself refuses after 4,096 bytes, as a full disk does."""
    before = contents(copied)
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL), str(copied)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert_one_line((run.returncode, run.stderr), "File too large")
    assert contents(copied) == before


def test_a_folder_that_cannot_be(tiny, tmp_path, capsys):
    (tmp_path / "file").write_text("kept")
    assert_one_line(exit_of(capsys, *ARGUMENTS, "--out", tmp_path / "file" / "out"), str(tmp_path / "file"))
    assert_one_line(exit_of(capsys, *ARGUMENTS, "--out", tmp_path / "file"), str(tmp_path / "file"))
    assert contents(tmp_path) == {Path("file"): b"kept"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(tiny, copied, capsys):
    before = contents(copied)
    for folder in (copied, copied / "runs"):
        folder.chmod(0o555)
    try:
        assert_one_line(exit_of(capsys, *ARGUMENTS, "--out", copied), "Permission denied")
        assert contents(copied) == before
    finally:
        for folder in (copied, copied / "runs"):
            folder.chmod(0o755)


def test_a_diverging_client_is_one_line(tiny, tmp_path, capsys, monkeypatch):
    """Huge loads: the squared error overflows; the line names slice, client, round and stage."""
    generate = figure_script.generate_slice

    def broken(name, **sizes):
        data = generate(name, **sizes)
        data.clients[1].train_target[:] = 3e38
        return data

    monkeypatch.setattr(figure_script, "generate_slice", broken)
    code, error = exit_of(capsys, *ARGUMENTS, "--out", tmp_path)
    last = error.splitlines(keepends=True)[-1]
    assert_one_line((code, last), "slice 'eMBB', client 'CL 001', round 1,")
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} <= {".lock"}


def test_every_seed_splits_a_table_anew(tiny, tmp_path):
    """Where no time column orders the rows."""
    table = tmp_path / "table.csv"
    frame = pd.read_csv(SAMPLE / "embb.csv").head(30)
    frame.to_csv(table, index=False)
    seen = []
    script = replace(FIG4, compute=lambda lab: seen.append(lab) or {"slices": {}})
    options = SimpleNamespace(
        preset="quick",
        data=[table],
        schema=str(SAMPLE / "embb.schema.json"),
        slices=None,
        out=tmp_path,
        workers=1,
        seeds=(0, 1),
        log="auto",
        log_dir=None,
    )
    script.document(options, TINY)
    first, second = (seen[0].data("eMBB", seed, 1).digest() for seed in (0, 1))
    assert first != second
