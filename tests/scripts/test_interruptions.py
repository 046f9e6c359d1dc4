"""Runs that are killed, interrupted or shared: whole records, the same numbers, no process left behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap

import pytest

from reproduction.files import PARTIAL
from tests.helpers.running import (
    ARGUMENTS,
    FIG4,
    ROOT,
    SLOW,
    a_dead_process,
    assert_one_line,
    child,
    group,
    numbers_of,
    rounds_on_disk,
    wait_for,
)


def test_a_run_says_what_it_wrote(uninterrupted):
    pictures = [uninterrupted.folder / f"fig4_convergence{suffix}" for suffix in (".png", ".pdf")]
    first, second, head, *rows = uninterrupted.out.splitlines()
    assert [first, second] == [str(path) for path in pictures]
    assert head.split()[:3] == ["slice", "scheme", "CLs"]
    assert [row.split()[0] for row in rows] == ["eMBB", "eMBB"]
    assert len(re.findall(r"^eMBB, (?:in-hoc IG|post-hoc), seed 0, 3 CLs: round 3/3 ", uninterrupted.error, re.M)) == 2
    assert "Traceback" not in uninterrupted.error


def test_a_killed_run_leaves_whole_records(killed):
    assert rounds_on_disk(killed.folder / "runs") == [2]
    assert {path.name for path in killed.folder.iterdir()} == {"runs"}


def test_a_killed_run_goes_on_to_the_same_numbers(tiny, uninterrupted, killed, tmp_path, capsys):
    folder = shutil.copytree(killed.folder, tmp_path / "copy")
    leftover = folder / "runs" / f".torn.json.{a_dead_process()}.{PARTIAL}"  # of a kill in the middle of a write
    leftover.write_bytes(b"{")
    FIG4.main([*ARGUMENTS, "--out", str(folder)])
    assert "round 2/3" in capsys.readouterr().err  # it did go on, not start anew
    assert numbers_of(folder) == numbers_of(uninterrupted.folder)
    assert not list(folder.rglob(f"*{PARTIAL}"))


def test_a_second_process_on_the_same_folder_is_refused(killed):
    assert_one_line(
        (killed.joined.returncode, killed.joined.stderr), "another process works here", "work in another folder"
    )
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
    assert not list(tmp_path.rglob(f"*{PARTIAL}"))


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
