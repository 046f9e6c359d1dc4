"""Watching a run: a progress bar on a terminal, plain lines in a log, JSON lines for programs, curves for TensorBoard.

Differs from the paper: nothing.
"""

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

from reproduction.results import tensorboard_log as run_log
from reproduction.results.tensorboard_log import Entry

LOGS = ("auto", "plain", "json")
"""How progress is told: a bar on a terminal and lines elsewhere; lines; JSON lines."""

LINES_PER_RUN = 2

Report = Callable[[int, Entry | None], None]
"""Called with (rounds finished, the last round's numbers if there are any) while a job runs."""

Show = Callable[[int, Entry | None, float, float], None]
"""Called with the same, and with the seconds since the start and those still to go."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is being watched: a federation, or something else that goes on turn by turn.

    Attributes:
        title: for people.
        rounds: T.
        about: a federation's slice, scheme, explainer, seed and clients, for programs.
        name: a federation's, fit for a folder and never another's.
        past: the rounds finished before, which a federation's record holds.
    """

    title: str
    rounds: int
    about: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    past: tuple[Entry, ...] = ()


@contextmanager
def watch(job: Job, *, figure: str = "", log: str = "auto", log_dir: Path | None = None) -> Iterator[Report]:
    """Show one job's progress on standard error; of a finished federation nothing but its curves in `log_dir`.

    Args:
        job: what is running.
        figure: what it is run for.
        log: one of `LOGS`.
        log_dir: where to write the curves of federations for TensorBoard, if anywhere; a folder each.

    Yields:
        the `Report` to call after each round.

    Raises:
        OSError: if `log_dir` cannot be written; so does the `Report`.
    """
    write = run_log.begin(log_dir / job.name, job.past) if log_dir and job.name else None
    if len(job.past) == job.rounds:
        yield lambda done, entry: None
        return
    with _display(job, figure, log) as show:
        clock = [time.perf_counter()]

        def report(done: int, entry: Entry | None) -> None:
            if write:
                write(done, entry)
            clock.append(time.perf_counter())
            usual = statistics.median(after - before for before, after in pairwise(clock))
            show(done, entry, clock[-1] - clock[0], usual * (job.rounds - done))

        yield report


def message(log: str, kind: str, text: str) -> str:
    """Return a line about something that is no round: with `json` an object too, so that all lines are."""
    if log == "json":
        return json.dumps({kind: text})
    return f"{kind}: {text}" if kind == "error" else text


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
        task = progress.add_task("", total=job.rounds, completed=len(job.past), numbers="")

        def show(done: int, entry: Entry | None, elapsed: float, left: float) -> None:
            minutes, seconds = divmod(round(left if done < job.rounds else elapsed), 60)
            clock = f"{'ETA' if done < job.rounds else 'took'} {minutes}:{seconds:02}"
            progress.update(task, completed=done, numbers=f"{_numbers(entry)}  {clock}".strip())

        yield show


@contextmanager
def _lines(job: Job) -> Iterator[Show]:
    """Print a line at the start and `LINES_PER_RUN` more."""

    def show(done: int, entry: Entry | None, elapsed: float, left: float) -> None:
        if done == len(job.past) or done == job.rounds or done % max(1, job.rounds // LINES_PER_RUN) == 0:
            print(
                f"{job.title}: round {done}/{job.rounds}  {_numbers(entry)}  {elapsed:.0f} s",
                file=sys.stderr,
                flush=True,
            )

    show(len(job.past), None, 0.0, 0.0)
    yield show


@contextmanager
def _json_lines(job: Job, figure: str) -> Iterator[Show]:
    """Print an object per round of a federation; what is not defined is null."""

    def show(done: int, entry: Entry | None, elapsed: float, left: float) -> None:
        if entry is None:
            return
        numbers = {name: value if math.isfinite(value) else None for name, value in entry.items()}
        line = {"figure": figure, **job.about, "round": done, "rounds": job.rounds, **numbers}
        line |= {"elapsed_s": round(elapsed, 3), "eta_s": round(left, 3)}
        print(json.dumps(line, allow_nan=False), file=sys.stderr, flush=True)

    yield show


def _numbers(entry: Entry | None) -> str:
    if entry is None:
        return ""
    numbers = f"MSE {entry['mse']:.4f}  C {entry['confidence']:.3f}"
    return f"{numbers}  lambda_1 {entry['multiplier']:.2f}" if "multiplier" in entry else numbers
