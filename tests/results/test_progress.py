"""What a user sees of a run: plain lines in a log, a bar on a terminal, nothing on standard output."""

import io
import re
import sys
from types import SimpleNamespace

import pytest

from reproduction.results import progress

LAST = SimpleNamespace(mse=0.01234, confidence=0.9876, multiplier=0.456)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def lines(capsys, rounds, start=0, last=LAST):
    with progress.watch("eMBB, in-hoc", rounds) as report:
        report(start, None)
        for number in range(start + 1, rounds + 1):
            report(number, last)
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


@pytest.mark.parametrize(
    ("rounds", "shown"),
    [(1, [0, 1]), (2, [0, 1, 2]), (3, [0, 1, 2, 3]), (5, [0, 2, 4, 5]), (10, [0, 5, 10]), (30, [0, 15, 30])],
)
def test_a_log_gets_a_few_lines_always_the_first_and_the_last(capsys, rounds, shown):
    printed = lines(capsys, rounds)
    assert [int(re.search(r"round (\d+)/", line)[1]) for line in printed] == shown
    assert all(line.startswith("eMBB, in-hoc: round ") for line in printed)
    assert all(re.search(rf"/{rounds} .* \d+ s$", line) for line in printed)


def test_a_line_holds_the_rounds_numbers(capsys):
    first, last = lines(capsys, 1)
    assert "MSE" not in first
    assert "MSE 0.0123  C 0.988  lambda_1 0.46" in last


def test_undefined_confidence(capsys):
    nothing = SimpleNamespace(mse=0.5, confidence=float("nan"), multiplier=0.0)
    assert "C nan" in lines(capsys, 1, last=nothing)[-1]


def test_a_resumed_run_says_where_it_is(capsys):
    assert lines(capsys, 30, start=15)[0].startswith("eMBB, in-hoc: round 15/30 ")
    assert len(lines(capsys, 30, start=17)) == 1  # the last; 17 is no round that is shown


def test_lines_come_at_once(monkeypatch):
    """A log is watched while the run goes on."""
    flushed = []

    class Log(io.StringIO):
        def flush(self):
            flushed.append(self.getvalue())

    monkeypatch.setattr(sys, "stderr", Log())
    with progress.watch("title", 30) as report:
        report(0, None)
        assert flushed[-1].endswith(" s\n")


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("TERM", "xterm")
    with progress.watch("eMBB, in-hoc", 4) as report:
        report(0, None)
        for number in range(1, 5):
            report(number, LAST)
    assert capsys.readouterr().out == ""
    for part in ("eMBB, in-hoc", "4/4", "MSE 0.0123  C 0.988  lambda_1 0.46"):
        assert part in terminal.getvalue()


def test_an_error_passes_and_the_terminal_is_given_back(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with pytest.raises(KeyboardInterrupt), progress.watch("title", 4):
        raise KeyboardInterrupt
    # Rich hides the cursor while a bar runs; \x1b[?25h shows it again.
    assert terminal.getvalue().rindex("\x1b[?25h") > terminal.getvalue().rfind("\x1b[?25l")


@pytest.mark.parametrize("title", ["slice {x}", "slice [bold]", "slice [/x]", "100 % {"])
def test_a_terminal_shows_any_title_as_it_is(monkeypatch, title):
    """A slice of somebody's table may be called anything."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("TERM", "xterm")
    with progress.watch(title, 1) as report:
        report(1, LAST)
    assert title in terminal.getvalue()
