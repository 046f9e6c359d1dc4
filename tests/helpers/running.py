"""What the tests of the scripts share: one run to its end or to its error, in this process or in one of its own."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from reproduction.figure_script import FIGURE
from reproduction.results import records
from reproduction.slicing.federation.record import FEDERATION
from tests.helpers.event_files import as_tensorboard_reads, expected
from tests.helpers.figure_scripts import TINY

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "sample"
SLOW = replace(TINY, local=replace(TINY.local, epochs=20_000))
"""A round takes seconds: long enough to be interrupted in the middle of it."""

FIG4 = import_module("reproduction.fig4_convergence").SCRIPT


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


CHILD = """
    import signal, sys, time
    from contextlib import contextmanager

    signal.signal(signal.SIGINT, signal.default_int_handler)  # even if the tests run in the background of a script
    from reproduction.slicing import script, settings
    from reproduction.slicing.settings import *
    from reproduction.fig4_convergence import SCRIPT

    watch = script.watch

    @contextmanager
    def watch_and_stand_still(job, **told):
        with watch(job, **told) as on_round:
            def tell_and_stand_still(finished, entry):
                on_round(finished, entry)
                if finished == 2:
                    time.sleep(600)
            yield tell_and_stand_still

    if {stand_still}:
        script.watch = watch_and_stand_still
    SCRIPT.main(sys.argv[1:], {preset!r})
"""
ARGUMENTS = ("--preset", "quick", "--slices", "eMBB")
"""In this process "quick" is the tiny preset too; in a child it only chooses among the settings, which are given."""


@contextmanager
def in_a_group(code, *arguments):
    """Start Python code in a process group of its own; whatever is left of it is killed."""
    command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
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


def child(folder, *switches, preset=TINY, stand_still=False):
    """Start Fig. 4 in a process group of its own, with one real worker."""
    code = CHILD.format(preset=preset, stand_still=stand_still)
    return in_a_group(code, *ARGUMENTS, "--workers", "1", "--out", str(folder), *switches)


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
        ["ps", "-A", "-ww", "-o", "pid=,pgid=,stat=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 3) for line in table.splitlines()]
    return [row[3] for row in rows if row[1] == str(leader) and row[2][0] != "Z" and "resource_tracker" not in row[3]]


def rounds_on_disk(runs):
    return [records.read_record(path, FEDERATION)["round_number"] for path in sorted(runs.glob("*.json"))]


def numbers_of(folder):
    """Read everything a run leaves but for its seconds."""
    document = records.read_record(folder / "fig4_convergence.json", FIGURE)
    for schemes in document["result"]["slices"].values():
        for curves in schemes.values():
            del curves["seconds"]
    federations = {path.name: records.read_record(path, FEDERATION) for path in (folder / "runs").glob("*.json")}
    for payload in federations.values():
        for entry in payload["rounds"]:
            del entry["seconds"]
    return document, federations


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check_curves(log_dir, folder, rounds, federations):
    """Check that a folder of curves holds what the records hold."""
    stored = {path.stem: records.read_record(path, FEDERATION)["rounds"] for path in (folder / "runs").glob("*.json")}
    assert len(stored) == federations
    assert {path.name for path in log_dir.iterdir()} == {f"{name}-3CLs" for name in stored}
    for name, entries in stored.items():
        assert len(entries) == rounds
        assert as_tensorboard_reads(log_dir / f"{name}-3CLs") == expected(entries)


def a_dead_process():
    """Return the id of a process that was and is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid
