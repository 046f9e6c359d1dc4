"""How a command ends: its exit status and what is said, also to nobody."""

import argparse
import importlib
import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


ERRORS = {
    "a value": (ValueError("--x must be 3"), "--x must be 3"),
    "a type": (TypeError("not a number"), "not a number"),
    "lines": (ValueError("  first\n\n\tsecond  \r\n"), "first second"),
    "a busy folder": (RuntimeError("another process works here"), "another process works here"),
    "a file": (FileNotFoundError(2, "No such file or directory", "runs/a b.json"), "runs/a b.json: No such file or"),
    "a system's word": (PermissionError(13, "runs: cannot be written"), "runs: cannot be written"),
    "no words": (ValueError(" \n"), "ValueError\n"),
    "words alone": (OSError("the log cannot be written"), "the log cannot be written"),
}


@pytest.mark.parametrize(("error", "text"), ERRORS.values(), ids=ERRORS)
def test_an_expected_error_is_one_line(capsys, error, text):
    """For people, and for programs that read every line as JSON."""
    with pytest.raises(SystemExit) as stop, command_line.one_line_errors():
        raise error
    assert stop.value.code == 2
    out, said = capsys.readouterr()
    assert out == ""
    assert said.startswith(f"error: {text}")
    assert said.count("\n") == 1
    assert "Errno" not in said
    with pytest.raises(SystemExit) as stop, command_line.one_line_errors("json"):
        raise error
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line) == {"error": said.removeprefix("error: ").rstrip("\n")}


@given(st.text())
def test_a_text_keeps_its_words_on_one_line(text):
    line = command_line.one_line(ValueError(text))
    assert line.split() == (text.split() or ["ValueError"])
    assert len(line.splitlines()) <= 1


@pytest.mark.parametrize(
    "error", [KeyError("mse"), IndexError("3"), AttributeError("x"), ZeroDivisionError()], ids=repr
)
def test_an_error_of_programming_goes_through(capsys, error):
    """So that Python shows where it was, and nothing is said of a remedy that there is not."""
    with pytest.raises(type(error)) as caught, command_line.one_line_errors():
        raise error
    assert caught.value is error
    assert capsys.readouterr() == ("", "")


def test_a_traceback_as_the_user_sees_it():
    child = run("{}['mse']", stderr=READ)
    assert child.returncode == 1
    assert child.stderr.startswith("Traceback ")
    assert child.stderr.endswith("KeyError: 'mse'\n")


def test_what_ends_well_ends_well(capsys):
    with command_line.one_line_errors():
        print("result")
    assert capsys.readouterr() == ("result\n", "")
    with pytest.raises(SystemExit) as stop, command_line.one_line_errors():
        sys.exit(7)
    assert stop.value.code == 7


@pytest.mark.parametrize("log", ["auto", "json"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_with_130_and_says_how_to_go_on(capsys, log, number):
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell ignores it
        command_line.stop_like_ctrl_c_on_sigterm()
        with pytest.raises(SystemExit) as stop, command_line.one_line_errors(log, stopped="stopped; how to go on"):
            signal.raise_signal(number)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    assert stop.value.code == 130
    out, said = capsys.readouterr()
    assert (out, said.count("\n")) == ("", 1)
    text = json.loads(said)["stopped"] if log == "json" else said
    assert text.strip() == "stopped; how to go on"


KEEP_NOTHING = {
    "claims": ("claims.read_figures", []),
    "report": ("report.build", []),
    "compare": ("compare.read_reference", [str(ROOT / "data" / "reference" / "quick" / "curves.csv")]),
    "datasets": ("datasets.write_data", []),
    "fig4_convergence": ("figure_script.FigureScript.read", ["--redraw"]),
}
"""Command -> where it is stopped, and its arguments."""


@pytest.mark.parametrize("command", KEEP_NOTHING)
def test_a_command_that_keeps_nothing_promises_nothing(monkeypatch, capsys, tmp_path, command):
    def stop(*arguments, **more):
        raise KeyboardInterrupt

    where, arguments = KEEP_NOTHING[command]
    module = importlib.import_module(f"reproduction.{command}")
    monkeypatch.setattr(f"reproduction.{where}", stop)
    monkeypatch.setattr(command_line, "stop_like_ctrl_c_on_sigterm", lambda: None)
    with pytest.raises(SystemExit) as ended:
        getattr(module, "SCRIPT", module).main([*arguments, "--out", str(tmp_path)])
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "stopped; run the same command again\n")


@pytest.fixture
def parser():
    """A parser with every common switch; how much is logged is put back."""
    level = logging.getLogger("reproduction").level
    parser = argparse.ArgumentParser(prog="any.py")
    command_line.add_preset(parser, ["paper", "quick"])
    command_line.add_seeds(parser, default=3)
    command_line.add_workers(parser)
    command_line.add_out(parser, "where")
    command_line.add_log(parser)
    command_line.add_log_dir(parser)
    yield parser
    logging.getLogger("reproduction").setLevel(level)


def test_what_is_not_said(parser):
    options = command_line.parse(parser, [])
    assert (options.preset, options.seeds, options.workers) == ("paper", (0, 1, 2), None)
    assert (options.out, options.log, options.log_dir) == (Path("figures"), "auto", None)


def test_a_quick_look_does_not_overwrite_the_figures(parser):
    assert command_line.parse(parser, ["--preset", "quick"]).out == Path("figures/quick")
    assert command_line.parse(parser, ["--preset", "quick"], below="runs").out == Path("figures/quick/runs")
    assert command_line.parse(parser, ["--preset", "quick", "--out", "mine"], below="runs").out == Path("mine")


def test_seeds_are_counted_from_0_or_one_is_named(parser):
    for count in (1, 2, 17):
        assert command_line.parse(parser, ["--seeds", str(count)]).seeds == tuple(range(count))
        assert command_line.parse(parser, ["--seed", str(count)]).seeds == (count,)
        assert command_line.parse(parser, ["--workers", str(count)]).workers == count
    assert command_line.parse(parser, ["--seed", "0"]).seeds == (0,)  # 0 is a seed, not the lack of one


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--seeds", "0"], ["--seeds", "-3"], ["--seeds", "1.5"], ["--seeds", ""]),
        *(["--seed", "-1"], ["--seed", "x"], ["--seeds", "2", "--seed", "1"]),
        *(["--workers", "0"], ["--workers", "-2"], ["--workers", "all"]),
        *(["--preset", "fast"], ["--log", "xml"], ["--out"], ["--none-of-ours"], ["a place"]),
    ],
    ids=" ".join,
)
def test_a_wrong_switch_is_said_in_the_last_line(parser, capsys, arguments):
    with pytest.raises(SystemExit) as stop:
        command_line.parse(parser, arguments)
    assert stop.value.code == 2
    out, said = capsys.readouterr()
    usage, error = said[: said.rindex("any.py: error: ")], said[said.rindex("any.py: error: ") :]
    assert out == ""
    assert usage.startswith("usage: any.py ")
    assert error.count("\n") == 1
    assert arguments[0].lstrip("-") in error


@pytest.mark.parametrize(("log", "told"), [("auto", True), ("plain", True), ("json", False)])
def test_a_program_that_reads_json_is_not_told_in_words(parser, log, told):
    command_line.parse(parser, ["--log", log])
    assert logging.getLogger("reproduction.any").isEnabledFor(logging.INFO) is told
    assert logging.getLogger("reproduction.any").isEnabledFor(logging.WARNING)
