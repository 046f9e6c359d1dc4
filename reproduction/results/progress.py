"""Watching work: a bar on a terminal, plain lines in a log, JSON lines for programs, curves for TensorBoard."""

import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from reproduction.results import tensorboard_log
from reproduction.results.tensorboard_log import Entry, Scalars

LOGS = ("auto", "plain", "json")
"""How progress is told: a bar on a terminal and lines elsewhere; lines; JSON lines."""

LINES_PER_JOB = 2
SILENT_SECONDS = 60.0
"""A step that ends so long after the last line is told, too."""

OnRound = Callable[[int, Entry | None], None]
"""Called with (rounds finished, the last one's numbers if there are any) while a job runs."""

Show = Callable[[int, Entry | None, float, float], None]
"""Called with the same, and with the seconds since the start and those still to go."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is being watched, and what to show of it.

    Attributes:
        title: for people.
        steps: how many it has.
        unit: what a step is called.
        about: what tells it from other jobs, for programs; first in each of its JSON lines.
        name: fit for a folder and never another job's; a job without one has no curves for TensorBoard.
        past: the steps finished before, which its record holds.
        opening: gives a line that is said before the first step that is left; "" says nothing.
        in_words: a step's numbers for people.
        caution: what is to be said of a step, or ""; said at once when it begins to hold, not at every step.
        scalars: a step's numbers by tag for TensorBoard.
    """

    title: str
    steps: int
    unit: str = "round"
    about: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    past: tuple[Entry, ...] = ()
    opening: Callable[[], str] = lambda: ""
    in_words: Callable[[Entry], str] = lambda entry: ""
    caution: Callable[[Entry], str] = lambda entry: ""
    scalars: Scalars = lambda entry: {}


@contextmanager
def watch(job: Job, *, figure: str = "", log: str = "auto", log_dir: Path | None = None) -> Iterator[OnRound]:
    """Show one job's progress on standard error; of a finished job nothing but its curves in `log_dir`.

    Args:
        job: what is running.
        figure: what it is run for.
        log: one of `LOGS`.
        log_dir: where to write the curves of jobs for TensorBoard, if anywhere; a folder each.

    Yields:
        the `OnRound` to call after each step.

    Raises:
        OSError: if `log_dir` cannot be written; so does the `OnRound`.
    """
    write = tensorboard_log.begin(log_dir / job.name, job.past, job.scalars) if log_dir and job.name else None
    if len(job.past) == job.steps:
        yield lambda done, entry: None
        return
    if opening := job.opening():
        print(message(log, "note", opening), file=sys.stderr, flush=True)
    with _display(job, figure, log) as show:
        clock = [time.perf_counter()]
        warned = bool(job.past and job.caution(job.past[-1]))

        def on_round(done: int, entry: Entry | None) -> None:
            nonlocal warned
            if write:
                write(done, entry)
            clock.append(time.perf_counter())
            usual = statistics.median(after - before for before, after in pairwise(clock))
            show(done, entry, clock[-1] - clock[0], usual * (job.steps - done))
            caution = job.caution(entry) if entry else ""
            if caution and not warned:
                warn(log, f"{job.title}, {job.unit} {done}: {caution}")
            warned = bool(caution)

        yield on_round


def message(log: str, kind: str, content: str | Mapping[str, Any]) -> str:
    """Return a line about something that is no step: with `json` an object too, so that all lines are."""
    if log == "json":
        plain = content if isinstance(content, str) else _defined(content)
        return json.dumps({kind: plain}, allow_nan=False)
    return f"{kind}: {content}" if kind in ("error", "warning") else str(content)


def warn(log: str, text: str) -> None:
    """Print what a number does not say by itself, on standard error; a bar that runs there makes room for it."""
    print(message(log, "warning", text), file=sys.stderr, flush=True)


def _display(job: Job, figure: str, log: str) -> AbstractContextManager[Show]:
    from rich.console import Console

    if log == "json":
        return _json_lines(job, figure)
    console = Console(stderr=True)
    return _bar(job, console) if log == "auto" and sys.stderr.isatty() and console.is_interactive else _lines(job)


@contextmanager
def _bar(job: Job, console: Any) -> Iterator[Show]:
    """Show the title, and below it a bar and numbers, which fold where the terminal is narrow."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.table import Column

    numbers = TextColumn("{task.fields[numbers]}", table_column=Column(no_wrap=False))
    console.print(job.title, markup=False, emoji=False, highlight=False)
    with Progress(BarColumn(bar_width=8), MofNCompleteColumn(), numbers, console=console) as progress:
        task = progress.add_task("", total=job.steps, completed=len(job.past), numbers="")

        def show(done: int, entry: Entry | None, elapsed: float, left: float) -> None:
            minutes, seconds = divmod(round(left if done < job.steps else elapsed), 60)
            clock = f"{'ETA' if done < job.steps else 'took'} {minutes}:{seconds:02}"
            progress.update(task, completed=done, numbers=f"{_in_words(job, entry)}  {clock}".strip())

        yield show


@contextmanager
def _lines(job: Job) -> Iterator[Show]:
    """Print a line at the start, `LINES_PER_JOB` more, and one for what ends a minute or more after the last line."""
    last = 0.0

    def show(done: int, entry: Entry | None, elapsed: float, left: float) -> None:
        nonlocal last
        is_due = done % max(1, job.steps // LINES_PER_JOB) == 0 or elapsed - last >= SILENT_SECONDS
        if done == len(job.past) or done == job.steps or is_due:
            last = elapsed
            print(
                f"{job.title}: {job.unit} {done}/{job.steps}  {_in_words(job, entry)}  {elapsed:.0f} s",
                file=sys.stderr,
                flush=True,
            )

    show(len(job.past), None, 0.0, 0.0)
    yield show


@contextmanager
def _json_lines(job: Job, figure: str) -> Iterator[Show]:
    """Print an object per step that has numbers; what is not defined is null."""

    def show(done: int, entry: Entry | None, elapsed: float, left: float) -> None:
        if entry is None:
            return
        line = {"figure": figure, **job.about, job.unit: done, f"{job.unit}s": job.steps, **_defined(entry)}
        line |= {"elapsed_s": round(elapsed, 3), "eta_s": round(left, 3)}
        print(json.dumps(line, allow_nan=False), file=sys.stderr, flush=True)

    yield show


def _defined(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as JSON has them: a number that is not defined is null."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in values.items()
    }


def _in_words(job: Job, entry: Entry | None) -> str:
    return "" if entry is None else job.in_words(entry)
