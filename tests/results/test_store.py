"""Work that is done once: taken from memory, from disk, or continued, by one process at a time."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reproduction.files import PARTIAL
from reproduction.results.records import Kind, RecordError, provenance, read_record, write_record
from reproduction.results.store import Store, only_one, path_of
from tests.helpers.running import a_dead_process

ROOT = Path(__file__).resolve().parents[2]
KIND = Kind(format="counting")
DECIDING = ("numpy",)
STEPS = 3


class Counting:
    """Work of three steps that counts how often it is asked; it stops before a step if told to."""

    def __init__(self, identity, stop_before=None):
        self.identity, self.stop_before = identity, stop_before
        self.calls, self.steps = 0, 0

    def __call__(self, left, save):
        self.calls += 1
        payload = left or {"identity": self.identity, "provenance": provenance(DECIDING), "steps": 0}
        while payload["steps"] < STEPS:
            if payload["steps"] == self.stop_before:
                raise KeyboardInterrupt
            self.steps += 1
            payload = payload | {"steps": payload["steps"] + 1}
            save(payload)
        return payload


def store(folder):
    return Store(folder, KIND, is_finished=lambda payload: payload["steps"] == STEPS, deciding=DECIDING)


def test_work_is_done_once(tmp_path):
    identity, work = {"a": 1}, Counting({"a": 1})
    one = store(tmp_path)
    payload = one.finished(identity, "work", work)
    assert one.finished(identity, "work", work) is payload
    assert (work.calls, work.steps) == (1, STEPS)
    again = Counting(identity)
    assert store(tmp_path).finished(identity, "work", again) == payload  # another process, from disk
    assert again.steps == 0


@pytest.mark.parametrize("step", [1, 2])
def test_work_goes_on_where_it_stopped(tmp_path, step):
    whole = store(tmp_path / "whole").finished({"a": 1}, "work", Counting({"a": 1}))
    with pytest.raises(KeyboardInterrupt):
        store(tmp_path / "stopped").finished({"a": 1}, "work", Counting({"a": 1}, stop_before=step))
    rest = Counting({"a": 1})
    assert store(tmp_path / "stopped").finished({"a": 1}, "work", rest) == whole
    assert rest.steps == STEPS - step


def test_other_work_has_a_place_of_its_own(tmp_path):
    one = store(tmp_path)
    first, second = (one.finished({"a": a}, "work", Counting({"a": a})) for a in (1, 2))
    assert first["identity"] != second["identity"]
    assert len(list(tmp_path.glob("work-*.json"))) == 2
    assert path_of(tmp_path, {"a": 1}, "work") != path_of(tmp_path, {"a": 2}, "work")


def test_a_place_is_one_file_name(tmp_path):
    assert path_of(tmp_path, {}, "Social Media/in-hoc IG").parent == tmp_path
    assert " " not in path_of(tmp_path, {}, "Social Media").name


def test_a_record_of_other_work_is_refused(tmp_path):
    one = store(tmp_path)
    one.finished({"a": 1}, "work", Counting({"a": 1}))
    path_of(tmp_path, {"a": 1}, "work").rename(path_of(tmp_path, {"a": 2}, "work"))
    with pytest.raises(RecordError, match="a record of other settings or data; delete it"):
        store(tmp_path).finished({"a": 2}, "work", Counting({"a": 2}))


@pytest.mark.parametrize("steps", [2, STEPS])
def test_only_unfinished_work_minds_the_versions(tmp_path, steps):
    """Finished numbers are what they are; a second half under another NumPy would be neither's."""
    identity = {"a": 1}
    made_with = provenance(DECIDING)
    made_with["versions"]["numpy"] = "0.9"
    path = path_of(tmp_path, identity, "work")
    write_record(path, KIND, {"identity": identity, "provenance": made_with, "steps": steps})
    if steps == STEPS:
        assert store(tmp_path).finished(identity, "work", Counting(identity))["provenance"] == made_with
    else:
        with pytest.raises(RecordError, match=r"unfinished, and begun with numpy 0\.9, now .*or delete it"):
            store(tmp_path).finished(identity, "work", Counting(identity))
        assert read_record(path, KIND)["steps"] == steps


def test_it_names_what_made_the_work_each_once(tmp_path):
    one = store(tmp_path)
    assert one.made_with() == []
    for a in (1, 2):
        one.finished({"a": a}, "work", Counting({"a": a}))
    assert one.made_with() == [provenance(DECIDING)]


def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path):
    """Killed without a chance to tidy up: the lock goes with the process."""
    holds = textwrap.dedent(f"""
        import time
        from pathlib import Path
        from reproduction.results.store import only_one
        with only_one(Path({str(tmp_path)!r})):
            print("mine", flush=True)
            time.sleep(60)
    """)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", holds], stdout=subprocess.PIPE, text=True, env=environment) as first:
        assert first.stdout.readline() == "mine\n"
        with pytest.raises(RuntimeError, match="another process works here; wait for it, or work in another folder"):
            with only_one(tmp_path):
                pytest.fail("two at once")
        first.send_signal(signal.SIGKILL)
        first.wait()
        with only_one(tmp_path):
            pass


def test_the_folder_is_free_again_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), only_one(tmp_path / "new"):
        raise ZeroDivisionError
    with only_one(tmp_path / "new"):
        pass


identities = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), min_size=1, max_size=4)


@given(name=st.text(max_size=40), identity=identities)
def test_a_place_is_that_of_the_work_whatever_it_is_called(name, identity):
    """One file in the folder, whatever the name holds; the identity's order says nothing, any of its values does."""
    folder = Path("runs")
    place = path_of(folder, identity, name)
    assert place.parent == folder
    assert (place.suffix, place.with_suffix(".pt")) == (".json", path_of(folder, identity, name, ".pt"))
    assert path_of(folder, dict(reversed(identity.items())), name) == place
    for key in identity:
        assert path_of(folder, identity | {key: "another value"}, name) != place


def test_work_that_stopped_before_its_first_step_leaves_nothing(tmp_path):
    one = store(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        one.finished({"a": 1}, "work", Counting({"a": 1}, stop_before=0))
    assert not list(tmp_path.iterdir())
    assert one.made_with() == []
    whole = Counting({"a": 1})
    assert one.finished({"a": 1}, "work", whole)["steps"] == whole.steps == STEPS


def test_a_torn_record_is_refused_before_any_work(tmp_path):
    store(tmp_path).finished({"a": 1}, "work", Counting({"a": 1}))
    path = path_of(tmp_path, {"a": 1}, "work")
    torn = path.read_bytes()[:-1]
    path.write_bytes(torn)
    work = Counting({"a": 1})
    with pytest.raises(RecordError, match="not a complete record"):
        store(tmp_path).finished({"a": 1}, "work", work)
    assert work.calls == 0
    assert path.read_bytes() == torn


def test_it_names_every_machine_that_made_some_of_the_work(tmp_path):
    elsewhere = provenance(DECIDING)
    elsewhere["machine"]["processor"] = "another"
    finished = {"identity": {"a": 1}, "provenance": elsewhere, "steps": STEPS}
    write_record(path_of(tmp_path, {"a": 1}, "work"), KIND, finished)
    one = store(tmp_path)
    for a in (1, 2, 3):
        one.finished({"a": a}, "work", Counting({"a": a}))
    assert one.made_with() == [elsewhere, provenance(DECIDING)]


def test_who_is_refused_a_folder_touches_nothing_in_it(tmp_path):
    """Not even what a dead process left: the one that works there may have it in its hands."""
    folder = tmp_path / "runs"
    with only_one(folder):
        leftovers = [place / f".x.{a_dead_process()}.{PARTIAL}" for place in (folder, tmp_path)]
        for path in leftovers:
            path.write_text("half")
        with pytest.raises(RuntimeError, match=f"^{folder}: another process works here"), only_one(folder):
            pytest.fail("two at once")
        assert [path.read_text() for path in leftovers] == ["half", "half"]


def test_of_many_at_once_one_gets_the_folder(tmp_path):
    many = 8
    start, end = threading.Barrier(many), threading.Barrier(many)
    outcomes = []

    def enter():
        start.wait(10)
        try:
            with only_one(tmp_path):
                outcomes.append("in")
                end.wait(10)
        except RuntimeError:
            outcomes.append("refused")
            end.wait(10)

    threads = [threading.Thread(target=enter) for _ in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in"] + ["refused"] * (many - 1)


def test_a_file_in_the_folder_s_place_is_refused_by_name(tmp_path):
    file = tmp_path / "runs"
    file.write_text("kept")
    with pytest.raises(FileExistsError, match=str(file)), only_one(file):
        pytest.fail("no folder")
    assert file.read_text() == "kept"
