"""Files that are whole or not there: what a kill leaves is cleared away, and nothing that is not ours."""

import errno
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reproduction.files import PARTIAL, data_folder, remove_leftovers, sha256_of, write_atomically
from reproduction.results.store import only_one
from tests.helpers.running import a_dead_process

ROOT = Path(__file__).resolve().parents[1]
NO_PROCESS = 10**30


def test_the_sha_256_of_a_file_is_the_standards(tmp_path):
    """The example of FIPS 180-4 with one block."""
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256_of(tmp_path / "file") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_only_what_a_dead_process_left_is_removed(tmp_path):
    dead = a_dead_process()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as living:
        kept = [
            "notes.partial",  # the user's own
            ".x.partial",
            f"a.{dead}.partial",
            f".x.{dead}.partial",
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


def test_a_folder_a_link_or_a_pipe_of_such_a_name_stays_and_stops_nothing(tmp_path):
    dead = a_dead_process()
    target = tmp_path / "target"
    target.write_text("kept")
    folders = [tmp_path / "x.partial", tmp_path / f".x.{dead}.{PARTIAL}", tmp_path / "runs" / "y.partial"]
    for folder in folders:
        folder.mkdir(parents=True)
    link = tmp_path / f".link.{dead}.{PARTIAL}"
    link.symlink_to(target)
    pipe = tmp_path / f".pipe.{dead}.{PARTIAL}"
    os.mkfifo(pipe)
    with only_one(tmp_path / "runs"):
        pass
    assert all(folder.is_dir() for folder in folders)
    assert link.is_symlink()
    assert pipe.is_fifo()
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
    (folder / "record.json").write_text("old")
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
    assert sorted(path.read_text() for path in folder.iterdir()) == ["half", "old"]


def test_a_clean_up_that_fails_hides_nothing(tmp_path, monkeypatch):
    """On a read-only file system even removing what is not there is refused."""

    def refuse(*arguments, **options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OSError, match=r"record\.json: cannot be written \(Read-only file system\); make room"):
        write_atomically(tmp_path / "record.json", b"new")


names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: name not in (".", "..") and len(name.encode()) <= 255
)


@given(name=names, old=st.binary(), new=st.binary())
def test_what_is_written_is_what_is_there_and_nothing_beside_it(tmp_path_factory, name, old, new):
    folder = tmp_path_factory.mktemp("any")
    for content in (old, new):
        write_atomically(folder / name, content)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == {name: content}


def test_a_name_that_no_file_system_takes_is_refused_by_name(tmp_path):
    path = tmp_path / ("a" * 256)
    with pytest.raises(OSError, match=rf"^\[Errno \d+\] {path}: cannot be written \(File name too long\)") as refused:
        write_atomically(path, b"content")
    assert refused.value.errno == errno.ENAMETOOLONG
    assert not list(tmp_path.iterdir())


def test_a_folder_in_the_file_s_place_is_refused_and_stays(tmp_path):
    place = tmp_path / "record.json"
    place.mkdir()
    (place / "notes").write_text("kept")
    with pytest.raises(IsADirectoryError, match=r"record\.json: cannot be written \(Is a directory\)"):
        write_atomically(place, b"content")
    assert list(tmp_path.rglob("*")) == [place, place / "notes"]


@pytest.mark.parametrize("before", [{"record.json": b"old"}, {}], ids=["an old file", "none"])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_ctrl_c_in_the_middle_of_a_write_leaves_what_was_there(tmp_path, monkeypatch, step, before):
    for name, content in before.items():
        (tmp_path / name).write_bytes(content)

    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, step, interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "record.json", b"new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_reader_never_sees_half_a_file(tmp_path):
    """Read again and again while it is written: the one content or the other, each whole."""
    path = tmp_path / "record.json"
    contents = [letter * 1_000_000 for letter in (b"a", b"b")]
    write_atomically(path, contents[0])
    seen, done = set(), threading.Event()

    def read():
        while not done.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for turn in range(30):
            write_atomically(path, contents[turn % 2])
    finally:
        done.set()
        reader.join()
    assert seen
    assert seen <= set(contents)


def test_where_no_folder_is_there_are_no_leftovers(tmp_path):
    file = tmp_path / "file"
    file.write_text("kept")
    for place in (tmp_path / "nowhere", file):
        remove_leftovers(place)
    assert list(tmp_path.iterdir()) == [file]


def test_the_data_are_the_checkout_s_wherever_one_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert data_folder() == ROOT / "data"
    assert data_folder().is_dir()
