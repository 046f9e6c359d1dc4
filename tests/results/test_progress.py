"""What is seen of a run: lines in a log, a bar on a terminal, objects for programs, nothing on standard output."""

import dataclasses
import io
import json
import math
import re
import sys
from dataclasses import replace
from itertools import count

import pytest

from reproduction.results import progress
from reproduction.results.progress import Job, watch
from reproduction.slicing.metrics import round_in_words, round_scalars
from tests.helpers.event_files import as_tensorboard_reads, expected

NAN = float("nan")
LAST = {
    "mse": 0.01234,
    "confidence": 0.9876,
    "confidence_sd": 0.01,
    "inside": 0.95,
    "undefined_clients": 1,
    "training_confidence": 0.97,
    "multiplier": 0.456,
    "empty_epochs": 2,
    "bytes_down": 1000,
    "bytes_up": 500,
    "seconds": 0.25,
}
ABOUT = {"slice": "eMBB", "scheme": "in-hoc", "explainer": "IG", "seed": 3, "clients": 100}
NUMBERS = "MSE 0.0123  C 0.988  lambda_1 0.46"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def terminal(monkeypatch, columns=80, term="xterm"):
    """Put a terminal on standard error; not in a fixture, because pytest puts its own there before each test."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", term)
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    return sys.stderr


def job(rounds, start=0, title="eMBB, in-hoc IG", past=LAST):
    shown = {"in_words": round_in_words, "scalars": round_scalars}
    return Job(title=title, steps=rounds, about=ABOUT, name="run", past=(past,) * start, **shown)


def go_through(watched, last=LAST, **told):
    with watch(watched, **told) as on_round:
        for number in range(len(watched.past) + 1, watched.steps + 1):
            on_round(number, last)


def lines(capsys, watched, last=LAST, **told):
    go_through(watched, last, **told)
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


# ---- plain lines


@pytest.mark.parametrize(
    ("rounds", "shown"),
    [(1, [0, 1]), (2, [0, 1, 2]), (3, [0, 1, 2, 3]), (5, [0, 2, 4, 5]), (10, [0, 5, 10]), (30, [0, 15, 30])],
)
def test_a_log_gets_a_few_lines_always_the_first_and_the_last(capsys, rounds, shown):
    printed = lines(capsys, job(rounds))
    assert [int(re.search(r"round (\d+)/", line)[1]) for line in printed] == shown
    assert all(line.startswith("eMBB, in-hoc IG: round ") for line in printed)
    assert all(re.search(rf"/{rounds} .* \d+ s$", line) for line in printed)


def test_what_takes_minutes_is_told(capsys, monkeypatch):
    """Of ten rounds of 25 s every third, beside the half and the last."""
    clock = count(0.0, 25.0)
    monkeypatch.setattr(progress.time, "perf_counter", lambda: next(clock))
    printed = lines(capsys, job(10))
    assert [int(re.search(r"round (\d+)/", line)[1]) for line in printed] == [0, 3, 5, 8, 10]


def test_a_line_holds_the_rounds_numbers(capsys):
    first, last = lines(capsys, job(1))
    assert "MSE" not in first
    assert NUMBERS in last


def test_undefined_confidence(capsys):
    assert "C –" in lines(capsys, job(1), last=LAST | {"confidence": NAN})[-1]


def cautious(rounds, start=0, past=LAST):
    """A job of which something is to be said where C is not defined."""
    return dataclasses.replace(
        job(rounds, start, past=past), caution=lambda entry: "U is empty" * math.isnan(entry["confidence"])
    )


EMPTY = LAST | {"confidence": NAN}
SAID = "warning: eMBB, in-hoc IG, round {}: U is empty"


def test_a_caution_is_said_at_once_and_when_it_begins_again(capsys):
    with watch(cautious(7), log="plain") as on_round:
        for number, entry in enumerate((LAST, EMPTY, EMPTY, LAST, EMPTY), start=1):
            on_round(number, entry)
            said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
            assert said == ([SAID.format(number)] if number in (2, 5) else [])


def test_a_resumed_run_does_not_repeat_its_caution(capsys):
    assert not [line for line in lines(capsys, cautious(5, 3, past=EMPTY), last=EMPTY) if "warning" in line]
    assert SAID.format(4) in lines(capsys, cautious(5, 3), last=EMPTY)


def test_a_caution_as_an_object(capsys):
    written = [strict(line) for line in lines(capsys, cautious(2), last=EMPTY, log="json")]
    assert [next(iter(line)) for line in written] == ["figure", "warning", "figure"]
    assert written[1] == {"warning": SAID.format(1).removeprefix("warning: ")}


def test_a_bar_makes_room_for_a_caution(monkeypatch):
    seen = terminal(monkeypatch)
    go_through(cautious(3), last=EMPTY)
    assert SAID.format(1) in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.getvalue()).replace("\r", "\n").splitlines()


def test_a_message_of_numbers():
    """Null for what is not defined."""
    assert strict(progress.message("json", "summary", {"mse": NAN, "slice": "eMBB"})) == {
        "summary": {"mse": None, "slice": "eMBB"}
    }


@pytest.mark.parametrize("start", [15, 17, 29])
def test_a_resumed_run_says_where_it_is(capsys, start):
    first, *_, last = lines(capsys, job(30, start))
    assert first.startswith(f"eMBB, in-hoc IG: round {start}/30 ")
    assert last.startswith("eMBB, in-hoc IG: round 30/30 ")


@pytest.mark.parametrize("log", progress.LOGS)
def test_nothing_is_said_of_a_finished_run(capsys, log):
    assert lines(capsys, job(3, start=3), log=log) == []


@pytest.mark.parametrize("log", progress.LOGS)
def test_a_run_opens_with_what_is_said_of_it(capsys, log):
    """Before its first round, or the first that is left; in JSON an object too. Of a finished run it is not asked."""
    for start in (0, 2):
        first, *_ = lines(capsys, replace(job(4, start), opening=lambda: "what the data say"), log=log)
        assert first == ('{"note": "what the data say"}' if log == "json" else "what the data say")
    assert lines(capsys, replace(job(4, 4), opening=lambda: pytest.fail("asked")), log=log) == []


def test_lines_come_at_once(monkeypatch):
    """A log is watched while the run goes on."""
    flushed = []

    class Log(io.StringIO):
        def flush(self):
            flushed.append(self.getvalue())

    monkeypatch.setattr(sys, "stderr", Log())
    with watch(job(30)):
        assert flushed[-1].endswith(" s\n")


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_cannot_move_its_cursor_gets_lines(monkeypatch, term):
    screen = terminal(monkeypatch, term=term)
    go_through(job(2))
    assert [line.split("  ")[0] for line in screen.getvalue().splitlines()] == [
        f"eMBB, in-hoc IG: round {number}/2" for number in (0, 1, 2)
    ]


def test_lines_on_a_terminal_if_asked_for(monkeypatch):
    screen = terminal(monkeypatch)
    go_through(job(2), log="plain")
    assert "\x1b" not in screen.getvalue()
    assert len(screen.getvalue().splitlines()) == 3


# ---- the bar


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    screen = terminal(monkeypatch)
    go_through(job(4, start=1))
    assert capsys.readouterr().out == ""
    for part in ("eMBB, in-hoc IG\n", "1/4", "4/4", f"{NUMBERS}  took 0:0"):
        assert part in screen.getvalue()


def test_time_to_go(monkeypatch):
    """The median round, so far 10 s, times the 12 to go; the first one, in which workers start, does not spoil it."""
    screen, instants = terminal(monkeypatch), iter([0.0, 1000.0, 1010.0, 1020.0])
    monkeypatch.setattr(progress.time, "perf_counter", lambda: next(instants))
    with watch(job(15)) as report:
        for number in (1, 2, 3):
            report(number, LAST)
    assert "ETA 2:00" in screen.getvalue()


@pytest.mark.parametrize("columns", [80, 60, 40])
def test_a_bar_fits_the_terminal(monkeypatch, columns):
    """Nothing is cut off: what does not fit in a line stands in the next."""
    screen = terminal(monkeypatch, columns)
    go_through(job(30, title="Social Media, in-hoc Input x Gradient, seed 0, 100 CLs"))
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    shown = re.split(r"[\r\n]+", plain)
    assert max(map(len, shown)) <= columns
    assert "…" not in plain
    words = " ".join(plain.split())
    for part in ("Social Media, in-hoc Input x Gradient, seed 0, 100 CLs", "30/30 MSE 0.0123", "C 0.988", "took 0:0"):
        assert part in words
    if columns >= 60:
        assert any(re.search(rf" 30/30 {NUMBERS}  took 0:0\d", line) for line in shown)


def test_an_error_passes_and_the_terminal_is_given_back(monkeypatch):
    screen = terminal(monkeypatch)
    with pytest.raises(KeyboardInterrupt), watch(job(4)):
        raise KeyboardInterrupt
    # Rich hides the cursor while a bar runs; \x1b[?25h shows it again.
    assert screen.getvalue().rindex("\x1b[?25h") > screen.getvalue().rfind("\x1b[?25l")


@pytest.mark.parametrize("title", ["slice {x}", "slice [bold]", "slice [/x]", "100 % {", ":smile:"])
def test_a_terminal_shows_any_title_as_it_is(monkeypatch, title):
    """A slice of somebody's table may be called anything."""
    screen = terminal(monkeypatch)
    go_through(job(1, title=title))
    assert screen.getvalue().splitlines()[0] == title


# ---- JSON lines


def strict(line):
    def refuse(constant):
        pytest.fail(f"{constant} is not JSON")

    return json.loads(line, parse_constant=refuse)


def test_json_lines(capsys, monkeypatch):
    instants = count(100.0, 2.5)
    monkeypatch.setattr(progress.time, "perf_counter", lambda: next(instants))
    objects = [strict(line) for line in lines(capsys, job(4, start=1), figure="fig4_convergence", log="json")]
    assert objects == [
        {"figure": "fig4_convergence", **ABOUT, "round": number, "rounds": 4, **LAST}
        | {"elapsed_s": 2.5 * (number - 1), "eta_s": 2.5 * (4 - number)}
        for number in (2, 3, 4)
    ]
    assert list(objects[0])[:8] == ["figure", *ABOUT, "round", "rounds"]  # what it is comes first


def test_what_is_not_defined_is_null(capsys):
    undefined = {"confidence": NAN, "confidence_sd": NAN, "training_confidence": NAN}
    (line,) = lines(capsys, job(1), last=LAST | undefined, log="json")
    assert {name: strict(line)[name] for name in undefined} == dict.fromkeys(undefined)
    assert strict(line)["mse"] == LAST["mse"]


def test_what_is_no_federation_has_no_json(capsys):
    assert lines(capsys, Job(title="timing", steps=2), last=None, log="json") == []


def test_json_on_a_terminal_too(monkeypatch):
    screen = terminal(monkeypatch)
    go_through(job(2), log="json")
    assert [strict(line)["round"] for line in screen.getvalue().splitlines()] == [1, 2]


@pytest.mark.parametrize("log", progress.LOGS)
def test_messages(log):
    text = 'a "quoted" ü\\path'
    for kind in ("wrote", "stopped", "warning", "error"):
        line = progress.message(log, kind, text)
        assert "\n" not in line
        if log == "json":
            assert strict(line) == {kind: text}
        else:
            assert line == (f"{kind}: {text}" if kind in ("warning", "error") else text)


# ---- curves for TensorBoard


@pytest.mark.parametrize("log", progress.LOGS)
@pytest.mark.parametrize("start", [0, 2, 3], ids=["new", "resumed", "finished"])
def test_curves_are_written_however_the_run_is_watched(tmp_path, capsys, log, start):
    lines(capsys, job(3, start), log=log, log_dir=tmp_path)
    assert as_tensorboard_reads(tmp_path / "run") == expected([LAST] * 3)


def test_what_is_no_federation_has_no_curves(tmp_path, capsys):
    lines(capsys, Job(title="timing", steps=2), last=None, log_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lines(capsys, job(3))
    assert not list(tmp_path.iterdir())
