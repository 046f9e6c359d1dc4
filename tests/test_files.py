"""Files that are whole or not there: what a kill leaves is cleared away, and nothing that is not ours."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from reproduction.files import PARTIAL, remove_leftovers, write_atomically
from reproduction.results.store import only_one
from tests.helpers.running import a_dead_process

ROOT = Path(__file__).resolve().parents[1]
NO_PROCESS = 10**30


def test_only_what_a_dead_process_left_is_removed(tmp_path):
    dead = a_dead_process()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as living:
        kept = [
            "notes.partial",  # the user's own
            f"table.csv.{dead}.partial",
            f"notes.{dead}.{PARTIAL}",
            f".notes.{dead}.{PARTIAL}.txt",
            f".notes.{PARTIAL}",
            f".notes.draft.{PARTIAL}",
            f".record.json.{living.pid}.{PARTIAL}",
            f".record.json.{os.getpid()}.{PARTIAL}",
            f".record.json.{NO_PROCESS}.{PARTIAL}",
        ]
        for name in [*kept, f".record.json.{dead}.{PARTIAL}"]:
            (tmp_path / name).write_text("content")
        remove_leftovers(tmp_path)
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(kept, "content")
        living.communicate(b"\n")


def test_a_folder_or_a_link_of_such_a_name_stays_and_stops_nothing(tmp_path):
    dead = a_dead_process()
    target = tmp_path / "target"
    target.write_text("kept")
    folders = [tmp_path / "x.partial", tmp_path / f".x.{dead}.{PARTIAL}", tmp_path / "runs" / "y.partial"]
    for folder in folders:
        folder.mkdir(parents=True)
    link = tmp_path / f".link.{dead}.{PARTIAL}"
    link.symlink_to(target)
    with only_one(tmp_path / "runs"):
        pass
    assert all(folder.is_dir() for folder in folders)
    assert link.is_symlink()
    assert target.read_text() == "kept"


def test_a_run_clears_its_folder_and_the_one_above(tmp_path):
    leftovers = [place / f".x.{a_dead_process()}.{PARTIAL}" for place in (tmp_path, tmp_path / "runs")]
    for path in leftovers:
        path.parent.mkdir(exist_ok=True)
        path.write_text("half")
    with only_one(tmp_path / "runs"):
        assert not any(path.exists() for path in leftovers)


def test_a_killed_write_leaves_what_the_next_run_removes(tmp_path):
    """The name that is written is the name that is looked for: a real SIGKILL between writing and renaming."""
    code = """
        import os, signal, sys
        from pathlib import Path
        from reproduction.files import write_atomically
        os.replace = lambda *names: os.kill(os.getpid(), signal.SIGKILL)
        write_atomically(Path(sys.argv[1]), b"new")
    """
    path = tmp_path / "record.json"
    path.write_bytes(b"old")
    subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(path)], cwd=ROOT, check=False)
    assert len(list(tmp_path.iterdir())) == 2
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("name", ["a" * 255, "ü" * 125 + ".json"], ids=["letters", "two bytes each"])
def test_any_name_that_the_file_system_takes(tmp_path, name):
    write_atomically(tmp_path / name, b"content")
    assert [path.name for path in tmp_path.iterdir()] == [name]


READ_ONLY = """
    import os, sys
    from pathlib import Path
    from reproduction.files import remove_leftovers, write_atomically
    if os.geteuid() == 0:  # who may write anywhere
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    folder = Path("folder")  # seen from beside it: nobody else may come down to pytest's folders
    try:
        write_atomically(folder / "record.json", b"new")
    except OSError as error:
        print(error.strerror)
    remove_leftovers(folder)
"""


@pytest.mark.parametrize("mode", [0o555, 0o444, 0o000], ids=["r-x", "r--", "---"])
def test_a_folder_that_cannot_be_written(tmp_path, mode):
    """The message is that of the write, whatever becomes of the clean-up; the clean-up of a start is quiet."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / f".x.{a_dead_process()}.{PARTIAL}").write_text("half")
    tmp_path.chmod(0o755)
    folder.chmod(mode)
    command, where = [sys.executable, "-c", textwrap.dedent(READ_ONLY)], os.environ | {"PYTHONPATH": str(ROOT)}
    try:
        child = subprocess.run(command, cwd=tmp_path, env=where, capture_output=True, text=True, timeout=60)
    finally:
        folder.chmod(0o755)
    said = (
        "folder/record.json: cannot be written (Permission denied); make room, or choose a folder that can be written"
    )
    assert (child.stdout, child.stderr) == (f"{said}\n", "")


def test_a_clean_up_that_fails_hides_nothing(tmp_path, monkeypatch):
    """On a read-only file system even removing what is not there is refused."""

    def refuse(*arguments, **options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OSError, match=r"record\.json: cannot be written \(Read-only file system\); make room"):
        write_atomically(tmp_path / "record.json", b"new")
