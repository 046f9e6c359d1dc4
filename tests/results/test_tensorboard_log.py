"""Curves for TensorBoard, read back by two readers: every round once, with the record's numbers, whatever happened."""

import errno
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from reproduction.results import tensorboard_log
from reproduction.slicing.metrics import round_scalars
from tests.helpers.event_files import TAGS, as_tensorboard_reads, as_tensorflow_reads, expected

ROOT = Path(__file__).resolve().parents[2]


def entry(number, confidence=0.9876543210123):
    return {
        "mse": 1 / 3**number,
        "confidence": confidence,
        "confidence_sd": 0.01,
        "inside": 1 - 0.1 / number,
        "undefined_clients": 0,
        "training_confidence": float("nan"),
        "multiplier": 0.456 + number,
        "empty_epochs": 0,
        "bytes_down": 634_800,
        "bytes_up": 634_801 + number,
        "seconds": 0.1 * number,
    }


ROUNDS = [entry(number) for number in range(1, 6)]


def check(folder, rounds):
    assert as_tensorboard_reads(folder) == expected(rounds)
    assert as_tensorflow_reads(folder) == expected(rounds)
    (file,) = folder.iterdir()
    assert file.name.startswith("events.out.tfevents.")  # by which TensorBoard knows its files


def test_rounds_as_they_come(tmp_path):
    folder = tmp_path / "new" / "run"
    add = tensorboard_log.begin(folder, [], round_scalars)
    assert as_tensorboard_reads(folder) == {}
    for number, numbers in enumerate(ROUNDS, start=1):
        add(number, numbers)
        check(folder, ROUNDS[:number])  # to be seen at once
    assert sorted(as_tensorboard_reads(folder)) == list(TAGS)


def test_the_past_is_written_first(tmp_path):
    add = tensorboard_log.begin(tmp_path, ROUNDS[:3], round_scalars)
    check(tmp_path, ROUNDS[:3])
    add(4, ROUNDS[3])
    check(tmp_path, ROUNDS[:4])


def test_a_finished_run_is_its_past(tmp_path):
    tensorboard_log.begin(tmp_path, ROUNDS, round_scalars)
    check(tmp_path, ROUNDS)


@pytest.mark.parametrize("undefined", [None, float("nan")], ids=["from a record", "just computed"])
def test_undefined_confidence_is_left_out(tmp_path, undefined):
    """A step without a point, not a point at 0."""
    rounds = [*ROUNDS[:1], entry(2, confidence=undefined), *ROUNDS[2:]]
    add = tensorboard_log.begin(tmp_path, rounds[:1], round_scalars)
    for number, numbers in enumerate(rounds[1:], start=2):
        add(number, numbers)
    check(tmp_path, rounds)
    curves = as_tensorboard_reads(tmp_path)
    assert [step for step, _ in curves["confidence"]] == [1, 3, 4, 5]
    assert [step for step, _ in curves["mse"]] == [1, 2, 3, 4, 5]


def test_a_turn_without_numbers_is_left_out(tmp_path):
    tensorboard_log.begin(tmp_path, [], round_scalars)(1, None)
    assert as_tensorboard_reads(tmp_path) == {}


@pytest.mark.parametrize("held", [0, 1, 2, 3], ids=lambda held: f"the record holds {held}")
def test_a_run_that_starts_again_follows_its_record(tmp_path, held):
    """The log was ahead of the record, level with it or behind: afterwards each step stands there once."""
    add = tensorboard_log.begin(tmp_path, [], round_scalars)
    for number in (1, 2):
        add(number, entry(number, confidence=0.5))  # other numbers: the record's must win
    add = tensorboard_log.begin(tmp_path, ROUNDS[:held], round_scalars)
    for number in range(held + 1, 6):
        add(number, ROUNDS[number - 1])
    check(tmp_path, ROUNDS)


def test_a_tensorboard_that_is_open_forgets_the_earlier_log(tmp_path):
    """It read three rounds of the run before the kill; the record held two."""
    add = tensorboard_log.begin(tmp_path, [], round_scalars)
    reader = EventAccumulator(str(tmp_path))
    for number in (1, 2, 3):
        add(number, entry(number, confidence=0.5))
    assert [event.step for event in reader.Reload().Scalars("confidence")] == [1, 2, 3]
    tensorboard_log.begin(tmp_path, ROUNDS[:2], round_scalars)(3, ROUNDS[2])
    points = [(event.step, event.value) for event in reader.Reload().Scalars("confidence")]
    assert points == expected(ROUNDS[:3])["confidence"]


@pytest.mark.parametrize("lost", [1, 10, 100])
def test_a_log_cut_short_is_written_again(tmp_path, lost):
    """A kill in the middle of a write leaves half a round."""
    tensorboard_log.begin(tmp_path, ROUNDS[:2], round_scalars)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-lost])
    tensorboard_log.begin(tmp_path, ROUNDS[:2], round_scalars)(3, ROUNDS[2])
    check(tmp_path, ROUNDS[:3])


def test_what_is_not_a_log_stays(tmp_path):
    (tmp_path / "notes.txt").write_text("kept")
    tensorboard_log.begin(tmp_path, ROUNDS[:1], round_scalars)
    tensorboard_log.begin(tmp_path, ROUNDS[:2], round_scalars)
    assert (tmp_path / "notes.txt").read_text() == "kept"
    assert len(list(tmp_path.iterdir())) == 2


def in_a_process_of_its_own(code, folder):
    imports = "from pathlib import Path\nimport sys\nfrom reproduction.results import tensorboard_log\n"
    imports += "from reproduction.slicing.metrics import round_scalars\n"
    code = imports + textwrap.dedent(code)
    command = [sys.executable, "-c", code, str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_writing_needs_no_tensorflow(tmp_path):
    child = in_a_process_of_its_own(
        f"""
        tensorboard_log.begin(Path(sys.argv[1]), {ROUNDS[:1]!r}, round_scalars)(2, {ROUNDS[1]!r})
        print("tensorboard" in sys.modules, "tensorflow" in sys.modules)
        """.replace("nan", "float('nan')"),
        tmp_path,
    )
    assert (child.stdout, child.stderr) == ("True False\n", "")
    check(tmp_path, ROUNDS[:2])


def test_a_full_disk(tmp_path):
    """The system itself refuses after 1,000 bytes; what could not be written is named, with the remedy."""
    child = in_a_process_of_its_own(
        f"""
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        add = tensorboard_log.begin(Path(sys.argv[1]), [], round_scalars)
        try:
            for number in range(1, 100):
                add(number, {ROUNDS[0]!r})
        except OSError as error:
            print(number, error.strerror)
        """.replace("nan", "float('nan')"),
        tmp_path,
    )
    assert child.stderr == ""
    number, message = child.stdout.split(" ", 1)
    (file,) = tmp_path.iterdir()
    assert message == (
        f"{file}: the log cannot be written (File too large); make room, or choose another --log-dir, or none\n"
    )
    assert 1 < int(number) < 99
    tensorboard_log.begin(tmp_path, ROUNDS, round_scalars)  # there is room again
    check(tmp_path, ROUNDS)


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_in_the_folders_place(tmp_path, below):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(OSError, match=r"file.*: the log cannot be written \(.*\); make room, or choose") as refused:
        tensorboard_log.begin(tmp_path / "file" / below, ROUNDS, round_scalars)
    assert refused.value.errno in (errno.EEXIST, errno.ENOTDIR)
    assert (tmp_path / "file").read_text() == "kept"
