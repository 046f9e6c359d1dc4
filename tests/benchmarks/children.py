"""Long-lived child processes that answer "run one repetition", so that variants of one run can be interleaved.

A child reads one JSON object a line and answers with one a line. Its own standard output goes to standard error,
so that a library's chatter cannot end up between the answers. Only the standard library is used here, because the
peers live in interpreters of their own.

Differs from the paper: the paper measures no implementation.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

Answer = dict[str, Any]
Spread = dict[str, float]


class Child:
    """A child process; a context manager.

    Args:
        command: what to start; it must call `serve`.
        environment: variables set on top of this process's.

    Raises:
        RuntimeError: by `ask`, if the process died; with the end of its standard error.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._errors = tempfile.TemporaryFile("w+")
        self._command = [str(part) for part in command]
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=os.environ | (environment or {}),
        )

    def ask(self, **request: Any) -> Answer:
        """Send one request and wait for its answer."""
        try:
            print(json.dumps(request), file=self._process.stdin, flush=True)
            return json.loads(self._process.stdout.readline())
        except (BrokenPipeError, ValueError) as error:
            self._errors.seek(0)
            tail = self._errors.read()[-3000:]
            raise RuntimeError(f"{' '.join(self._command)}: no answer to {request}; it wrote\n{tail}") from error

    def __enter__(self) -> "Child":
        """Return the child; it is already starting."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the child end by itself; kill it after an error."""
        if kind is not None:
            self._process.kill()
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()


def serve(answer: Callable[..., Answer]) -> None:
    """Answer requests until standard input ends; the child's main function calls this."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        print(json.dumps(answer(**json.loads(line))), file=answers, flush=True)


def interleave(
    tasks: Mapping[str, Callable[[], Answer]], repetitions: Mapping[str, int], progress: Callable[[str], None]
) -> dict[str, list[Answer]]:
    """Run the tasks round-robin, so that a slow minute of the machine hits all of them.

    Args:
        tasks: by name, in the order of each round.
        repetitions: how often each is run, >= 1.
        progress: called with the name before each run.

    Returns:
        The answers by task, in the order of the repetitions.
    """
    answers: dict[str, list[Answer]] = {name: [] for name in tasks}
    for repetition in range(max(repetitions.values())):
        for name, task in tasks.items():
            if repetition < repetitions[name]:
                progress(f"{name}, repetition {repetition + 1} of {repetitions[name]}")
                answers[name].append(task())
    return answers


def spread(values: Sequence[float]) -> Spread:
    """Return median, min, max and number of the repetitions."""
    return {
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
        "repetitions": len(values),
    }


def digits(value: float) -> str:
    """Return three digits of a number, without an exponent up to a million."""
    return f"{float(f'{value:.3g}'):,g}"


def ends(part: Spread, unit: float = 1.0) -> str:
    """Return the least and the greatest of some repetitions."""
    return f"{digits(unit * part['min'])} - {digits(unit * part['max'])}"


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Return the ratio within each repetition that both variants ran."""
    return [first / second for first, second in zip(above, below, strict=False)]
