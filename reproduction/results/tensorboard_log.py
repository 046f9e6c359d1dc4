"""A run's curves for TensorBoard: one folder per federation, the tags of `scalars` against the FL round.

The log follows the record: a run that starts, or starts again, writes its log anew from the rounds in the record, then
adds each round once the record holds it. So every round stands there once, whatever was killed when, and a lost log
costs nothing. Nothing here imports TensorFlow.

Differs from the paper: nothing.
"""

import io
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reproduction.slicing.metrics import kilobytes_per_round

Entry = Mapping[str, Any]
"""A `federation.server.Round` as an object; NaN or None is not defined."""

FILE = "events.out.tfevents."
"""How a file's name begins that TensorBoard reads."""


def begin(folder: Path, past: Sequence[Entry]) -> Callable[[int, Entry | None], None]:
    """Write a run's finished rounds, in place of any earlier log of it.

    Args:
        folder: of this run alone.
        past: its rounds 1, 2, ... so far.

    Returns:
        a function (round, its numbers) that adds a round; what has no numbers is left out.

    Raises:
        OSError: if the folder cannot be written or the disk is full; so does the function.
    """
    path = folder / f"{FILE}{time.time_ns()}"
    with _named(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for earlier in folder.glob(f"{FILE}*"):
            earlier.unlink()
        path.write_bytes(_encoded(enumerate(past, start=1), header=True))

    def add(number: int, entry: Entry | None) -> None:
        if entry is not None:
            with _named(path), path.open("ab") as file:
                file.write(_encoded([(number, entry)]))

    return add


def scalars(entry: Entry) -> dict[str, float]:
    """Return a round's numbers by tag: mse [%^2], confidence, inside, multiplier, seconds, kb; the defined ones."""
    values = {tag: entry[tag] for tag in ("mse", "confidence", "inside", "multiplier", "seconds")}
    values["kb"] = kilobytes_per_round([entry])
    return {tag: value for tag, value in values.items() if value is not None and math.isfinite(value)}


def _encoded(rounds: Iterable[tuple[int, Entry]], header: bool = False) -> bytes:
    """Return TensorBoard's records of some rounds, with what a file begins with if it is the beginning."""
    from tensorboard.compat.proto.event_pb2 import Event, SessionLog
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    now, content = time.time(), io.BytesIO()
    events = []
    if header:
        anew = SessionLog(status=SessionLog.START)  # tells a TensorBoard that is open to forget the earlier log
        events = [Event(wall_time=now, file_version="brain.Event:2"), Event(wall_time=now, step=1, session_log=anew)]
    for number, entry in rounds:
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars(entry).items()]
        events.append(Event(wall_time=now, step=number, summary=Summary(value=values)))
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
