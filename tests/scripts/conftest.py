"""Runs that several modules look at, made once, and scripts whose workers live in this process."""

import os
import shutil
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from reproduction.slicing import laboratory, settings
from tests.helpers.figure_scripts import TINY, Here
from tests.helpers.running import ARGUMENTS, ROOT, child, group, rounds_on_disk, wait_for


@pytest.fixture
def tiny(monkeypatch):
    """Run scripts in this process, on the tiny preset."""

    monkeypatch.setitem(settings.PRESETS, "quick", TINY)
    monkeypatch.setattr(laboratory, "Workers", Here)
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)  # the scripts set it


@pytest.fixture
def no_training(tiny, monkeypatch):
    def workers(count):
        pytest.fail("workers were started")

    monkeypatch.setattr(laboratory, "Workers", workers)


class Untouched:
    """A pool that must not be asked."""

    def map(self, *arguments):
        pytest.fail("something was trained")


@pytest.fixture
def idle(no_training, monkeypatch):
    """Workers are made, but none starts: a process starts with the first call."""

    class Idle:
        def __init__(self, count):
            pass

        def __enter__(self):
            return Untouched()

        def __exit__(self, *reason):
            pass

    monkeypatch.setattr(laboratory, "Workers", Idle)


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory):
    """Fig. 4 of one slice by the real command, start to end."""
    folder, log_dir = tmp_path_factory.mktemp("uninterrupted"), tmp_path_factory.mktemp("log")
    with child(folder, "--log-dir", str(log_dir)) as process:
        out, error = process.communicate(timeout=300)
        assert process.returncode == 0, error
        assert wait_for(lambda: not group(process.pid), 10)
    return SimpleNamespace(folder=folder, log_dir=log_dir, out=out, error=error)


@pytest.fixture(scope="session")
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


@pytest.fixture
def copied(uninterrupted, tmp_path):
    """A folder in which everything is finished."""
    return shutil.copytree(uninterrupted.folder, tmp_path / "copied")
