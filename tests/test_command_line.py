"""How a command ends: its exit status and what is said, also to nobody."""

import argparse
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from reproduction import command_line

ROOT = Path(__file__).resolve().parents[1]
CHILD = """
    import os, sys
    from reproduction.command_line import one_line_errors
    with one_line_errors():
        {body}
"""
READ, GONE, CLOSED = "read", "gone", "closed"


def run(body, stdout=READ, stderr=READ):
    """Run code within `one_line_errors`, its streams read, their reader gone, or closed from the start."""
    streams = {}
    for name, state in {"stdout": stdout, "stderr": stderr}.items():
        streams[name] = subprocess.PIPE
        if state == GONE:
            reading, streams[name] = os.pipe()
            os.close(reading)
    closing = "".join(f" {number}>&-" for number, state in ((1, stdout), (2, stderr)) if state == CLOSED)
    command = ["sh", "-c", f'exec "$@"{closing}', "sh", sys.executable, "-c", textwrap.dedent(CHILD).format(body=body)]
    try:
        return subprocess.run(command, cwd=ROOT, text=True, timeout=60, **streams)
    finally:
        for stream in streams.values():
            if stream != subprocess.PIPE:
                os.close(stream)


@pytest.mark.parametrize("body", ["print('line')", "print('line', flush=True)", "print('line' * 100_000)"])
def test_a_reader_that_went_away_ends_a_command_quietly(body):
    """`... | head`: whether it shows at the first line, in the middle, or only as the buffer is emptied."""
    child = run(body, stdout=GONE)
    assert (child.returncode, child.stderr) == (141, "")


def test_a_reader_of_both_streams_that_went_away():
    assert run("print('progress', file=sys.stderr, flush=True)", stdout=GONE, stderr=GONE).returncode == 141


def test_a_reader_of_standard_error_that_went_away():
    child = run("print('result'); print('progress', file=sys.stderr, flush=True)", stderr=GONE)
    assert (child.returncode, child.stdout) == (141, "result\n")


@pytest.mark.parametrize("stdout", [READ, GONE, CLOSED])
@pytest.mark.parametrize("stderr", [READ, GONE, CLOSED])
@pytest.mark.parametrize(("error", "status"), [("ValueError('wrong')", 2), ("KeyboardInterrupt", 130)])
def test_an_error_keeps_its_status_whoever_reads(stdout, stderr, error, status):
    child = run(f"raise {error}", stdout=stdout, stderr=stderr)
    assert child.returncode == status
    if stderr == READ:
        assert len(child.stderr.splitlines()) == 1


def test_without_a_standard_output():
    """`>&-`, and programs that start others without one: what is printed goes nowhere."""
    child = run("print('line')", stdout=CLOSED)
    assert (child.returncode, child.stderr) == (0, "")


def test_another_broken_pipe_is_an_error():
    """Not of the standard streams: a worker's, say. Nothing would tell of it otherwise."""
    child = run("reading, writing = os.pipe(); os.close(reading); os.write(writing, b'x')")
    assert (child.returncode, child.stderr) == (2, "error: Broken pipe\n")


def test_a_full_disk_for_what_is_printed():
    with open("/dev/full", "w") as full:
        code = textwrap.dedent(CHILD).format(body="print('line')")
        command = [sys.executable, "-c", code]
        child = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert (child.returncode, child.stderr) == (2, "error: No space left on device\n")


@pytest.mark.parametrize(
    ("or_one", "message"),
    [
        (True, "error: --seeds must be at least 1 and --seed at least 0\n"),
        (False, "error: --seeds must be at least 1\n"),
    ],
)
def test_a_message_names_only_switches_that_there_are(capsys, or_one, message):
    parser = argparse.ArgumentParser()
    command_line.add_seeds(parser, or_one=or_one)
    with pytest.raises(SystemExit) as stop:
        command_line.parse(parser, ["--seeds", "0"])
    assert stop.value.code == 2
    assert capsys.readouterr().err.endswith(message)
