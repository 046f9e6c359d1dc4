"""Torn records, full disks, folders that cannot be written: one line, and what was there stays."""

import errno
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from reproduction.files import PARTIAL
from tests.helpers.running import ARGUMENTS, FIG4, ROOT, assert_one_line, contents, exit_of, rounds_on_disk


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
    assert_one_line(
        exit_of(capsys, "--redraw", "--out", copied), str(path), "make it with this script, without --redraw"
    )


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
    assert not list(tmp_path.rglob(f"*{PARTIAL}"))


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
