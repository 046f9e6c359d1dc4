"""Watching a run: a progress bar on a terminal, plain lines in a log."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LINES_PER_RUN = 2


class Watched(Protocol):
    """What is shown of a round (`federation.server.Round`)."""

    mse: float
    confidence: float
    multiplier: float


@contextmanager
def watch(title: str, rounds: int) -> Iterator[Callable[[int, Any], None]]:
    """Show one federation's progress on standard error.

    Args:
        title: what is running.
        rounds: T.

    Yields:
        a function (rounds finished, last round or None) to call after each round.
    """
    with _bar(title, rounds) if sys.stderr.isatty() else _lines(title, rounds) as report:
        yield report


@contextmanager
def _bar(title: str, rounds: int) -> Iterator[Callable[[int, Watched | None], None]]:
    from rich.console import Console

    numbers = TextColumn("{task.fields[numbers]}")
    name = TextColumn("{task.description}", markup=False)
    shown = (name, BarColumn(bar_width=10), MofNCompleteColumn(), numbers, TimeRemainingColumn(compact=True))
    with Progress(*shown, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=rounds, numbers="")
        yield lambda done, last: progress.update(task, completed=done, numbers=_numbers(last))


@contextmanager
def _lines(title: str, rounds: int) -> Iterator[Callable[[int, Watched | None], None]]:
    started = time.perf_counter()

    def report(done: int, last: Watched | None) -> None:
        if done == 0 or done == rounds or done % max(1, rounds // LINES_PER_RUN) == 0:
            elapsed = time.perf_counter() - started
            print(f"{title}: round {done}/{rounds}  {_numbers(last)}  {elapsed:.0f} s", file=sys.stderr, flush=True)

    yield report


def _numbers(last: Watched | None) -> str:
    if last is None:
        return ""
    return f"MSE {last.mse:.4f}  C {last.confidence:.3f}  lambda_1 {last.multiplier:.2f}"
