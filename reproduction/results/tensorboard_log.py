"""A job's curves for TensorBoard: one folder per job, its scalars by tag against the step.

The log follows the record: a job that starts, or starts again, writes its log anew from the steps in the record, then
adds each step once the record holds it. So every step stands there once, whatever was killed when, and a lost log
costs nothing. Nothing here imports TensorFlow.
"""

import io
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Entry = Mapping[str, Any]
"""A step's numbers as a record holds them; NaN or None is not defined."""

Scalars = Callable[[Entry], Mapping[str, float]]
"""A step's numbers that are drawn, by tag; the defined ones."""

FILE = "events.out.tfevents."
"""How a file's name begins that TensorBoard reads."""


def begin(folder: Path, past: Sequence[Entry], scalars: Scalars) -> Callable[[int, Entry | None], None]:
    """Write a job's finished steps, in place of any earlier log of it.

    Args:
        folder: of this job alone.
        past: its steps 1, 2, ... so far.
        scalars: what to draw of a step.

    Returns:
        a function (step, its numbers) that adds a step; what has no numbers is left out.

    Raises:
        OSError: if the folder cannot be written or the disk is full; so does the function.
    """
    path = folder / f"{FILE}{time.time_ns()}"
    with _named(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for earlier in folder.glob(f"{FILE}*"):
            earlier.unlink()
        path.write_bytes(_encoded([(step, scalars(entry)) for step, entry in enumerate(past, start=1)], header=True))

    def add(step: int, entry: Entry | None) -> None:
        if entry is not None:
            with _named(path), path.open("ab") as file:
                file.write(_encoded([(step, scalars(entry))]))

    return add


def _encoded(steps: Iterable[tuple[int, Mapping[str, float]]], header: bool = False) -> bytes:
    """Return TensorBoard's records of some steps, with what a file begins with if it is the beginning."""
    from tensorboard.compat.proto.event_pb2 import Event, SessionLog
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    now, content = time.time(), io.BytesIO()
    events = []
    if header:
        anew = SessionLog(status=SessionLog.START)  # tells a TensorBoard that is open to forget the earlier log
        events = [Event(wall_time=now, file_version="brain.Event:2"), Event(wall_time=now, step=1, session_log=anew)]
    for step, values in steps:
        drawn = [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        events.append(Event(wall_time=now, step=step, summary=Summary(value=drawn)))
    writer = RecordWriter(content)
    for event in events:
        writer.write(event.SerializeToString())
    return content.getvalue()


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Say in an error what could not be written, and what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"{path}: the log cannot be written ({reason}); make room, or choose another --log-dir, or none"
        raise OSError(error.errno, message) from error
