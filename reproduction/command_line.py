"""What every typed command shares: its common switches, its default folder, and one clear line when it ends badly."""

import argparse
import logging
import os
import select
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from reproduction.results.progress import LOGS, message

log = logging.getLogger(__name__)

STOPPED = "stopped; run the same command again"
STOPPED_BETWEEN_ROUNDS = "stopped; finished rounds are saved, run the same command again to resume"
"""What Ctrl-C leaves behind: nothing, or work that goes on."""

CLOSED_PIPE = 128 + signal.SIGPIPE
"""Exit status of a program whose reader went away, `... | head`, as a shell gives it."""


def add_preset(parser: argparse.ArgumentParser, presets: Sequence[str]) -> None:
    """Add --preset; the first is the default."""
    help_text = f"settings: in full, or a quick look ({presets[0]})"
    parser.add_argument("--preset", choices=list(presets), default=presets[0], help=help_text)


def add_seeds(parser: argparse.ArgumentParser, default: int = 1, *, or_one: bool = True) -> None:
    """Add --seeds N, and --seed S in its place if `or_one`; `parse` makes a tuple of them, `options.seeds`."""
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--seeds", type=int, metavar="N", default=default, help=f"run the seeds 0..N-1 ({default})")
    if or_one:
        either.add_argument("--seed", type=int, metavar="S", help="run this one seed")


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Add --workers."""
    help_text = "processes that train (one per core); no effect on the numbers"
    parser.add_argument("--workers", type=int, metavar="N", help=help_text)


def add_out(parser: argparse.ArgumentParser, help_text: str, default: Path | None = None) -> None:
    """Add --out; without a default, `figures_folder` of the preset is one."""
    parser.add_argument("--out", type=Path, metavar="DIR", default=default, help=help_text)


def add_log(parser: argparse.ArgumentParser) -> None:
    """Add --log."""
    help_text = "progress: a bar if on a terminal, lines, or JSON lines (auto)"
    parser.add_argument("--log", choices=LOGS, default=LOGS[0], help=help_text)


def add_log_dir(parser: argparse.ArgumentParser) -> None:
    """Add --log-dir."""
    help_text = "write the curves for TensorBoard too, a folder per federation"
    parser.add_argument("--log-dir", type=Path, metavar="DIR", help=help_text)


def parse(parser: argparse.ArgumentParser, arguments: Sequence[str] | None, *, below: str = "") -> argparse.Namespace:
    """Read a command line whose common switches are those above, and refuse numbers out of their range.

    Args:
        parser: with some of them added.
        arguments: of the command line; the program's own if None.
        below: folder in the preset's `figures_folder` that --out is by default.
    """
    options = parser.parse_args(arguments)
    one = getattr(options, "seed", None)
    if "seeds" in options:
        if options.seeds < 1 or (one is not None and one < 0):
            parser.error("--seeds must be at least 1" + (" and --seed at least 0" if "seed" in options else ""))
        options.seeds = tuple(range(options.seeds)) if one is None else (one,)
    if getattr(options, "workers", None) is not None and options.workers < 1:
        parser.error("--workers must be at least 1")
    if "preset" in options and options.out is None:
        options.out = figures_folder(options.preset) / below
    as_json = getattr(options, "log", None) == "json"
    logging.basicConfig(format="%(message)s")
    logging.getLogger("reproduction").setLevel(logging.WARNING if as_json else logging.INFO)
    return options


def figures_folder(preset: str) -> Path:
    """Return where the figures of a preset go: a quick look does not overwrite the numbers."""
    return Path("figures") / ("quick" if preset == "quick" else "")


def stop_like_ctrl_c_on_sigterm() -> None:
    """Let SIGTERM end this process as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@contextmanager
def one_line_errors(log_as: str = "auto", *, stopped: str = STOPPED) -> Iterator[None]:
    """Exit with 2 (one line on standard error), 130 (Ctrl-C) or quietly (closed pipe) if this does not end well.

    A pipe is closed if the reader of standard output or standard error went away; any other broken pipe is an error.

    Args:
        log_as: one of `progress.LOGS`, how lines are written.
        stopped: the line for Ctrl-C: what is kept, and what to do.
    """
    try:
        yield
        if sys.stdout is not None:  # `>&-`
            sys.stdout.flush()
    except KeyboardInterrupt:
        _end(130, message(log_as, "stopped", stopped))
    except (ValueError, TypeError, OSError, RuntimeError, ModuleNotFoundError) as error:
        if isinstance(error, BrokenPipeError) and _drop_what_nobody_reads():
            sys.exit(CLOSED_PIPE)
        log.debug("what went wrong", exc_info=True)
        _end(2, message(log_as, "error", one_line(error)))


def _end(status: int, line: str) -> NoReturn:
    """Exit with a line on standard error, if anybody reads it."""
    with suppress(BrokenPipeError):
        print(line, file=sys.stderr)
    _drop_what_nobody_reads()
    sys.exit(status)


def _drop_what_nobody_reads() -> bool:
    """Return whether a standard stream's reader went away; what still waits for it would spoil the exit status."""
    gone = False
    for stream in (sys.stdout, sys.stderr):
        poll = select.poll()
        with suppress(OSError, AttributeError):  # a stream that is no file, or none at all
            poll.register(stream.fileno(), 0)  # which reports errors alone
            if poll.poll(0):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
                gone = True
    return gone


def one_line(error: Exception) -> str:
    """Return an error's text on one line, or its kind if it has none; a system's with its file, without its number."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(text.split()) or type(error).__name__
