"""A verdict's text, lines, table and record are all made of its statistics."""

import json
import math
import re
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reproduction.results import records
from reproduction.results.verdicts import FAILS, HOLDS, UNDECIDABLE, Finding, Statistic, Verdict, as_json, as_markdown

SPEED = Statistic(name="speed", values={"A": [1.0, 3.0], "B": [0.5]}, unit=" s")
SHARE = Statistic(name="share", values={"": [0.25]}, heading="a share")
NOTHING = Statistic(name="nothing", values={"A": [None, None], "B": [None, 2.0]}, heading="nothing")


@pytest.mark.parametrize(
    ("statistic", "lines", "text"),
    [
        (SPEED, [("A", "2 ± 1.4"), ("B", "0.5 s")], "A 2 ± 1.4; B 0.5 s"),
        (SHARE, [("", "0.25")], "a share: 0.25"),
        (
            NOTHING,
            [("A", "not defined"), ("B", "2 (1 of 2 seeds not defined)")],
            "nothing: A not defined; B 2 (1 of 2 seeds not defined)",
        ),
        (
            Statistic(name="gain", values={"A": [-0.1], "B": [0.2]}, forms=("+.1f", ""), between=", "),
            None,
            "A -0.1, B +0.2",
        ),
        (
            Statistic(name="seconds", values={"A": [2.0], "B": [None]}, unit=" s"),
            [("A", "2 s"), ("B", "not defined")],
            "A 2 s; B not defined",
        ),
        (Statistic(name="empty", values={}), [], ""),
    ],
    ids=lambda value: value.name if isinstance(value, Statistic) else "",
)
def test_a_statistic_is_written(statistic, lines, text):
    assert statistic.text() == text
    assert lines is None or statistic.lines() == lines


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        (Finding(holds=True, statistics=(SPEED, SHARE)), "A 2 ± 1.4; B 0.5 s; a share: 0.25"),
        (Finding(holds=True, statistics=(SPEED,), beside=(SHARE,)), "A 2 ± 1.4; B 0.5 s (a share: 0.25)"),
        (Finding(holds=True, statistics=(SPEED,), beside=(SHARE,), note="N"), "N. A 2 ± 1.4; B 0.5 s. a share: 0.25"),
        (Finding(holds=True, statistics=(SHARE,), note="N"), "N. a share: 0.25"),
    ],
)
def test_a_finding_is_written(finding, text):
    assert finding.text() == text


def verdict(holds):
    finding = Finding(holds=holds, statistics=(SPEED,), beside=(NOTHING,))
    return Verdict(claim="X1", where="Fig. 1", statement="fast", paper="|v| > 1", criterion="|v| high", finding=finding)


@pytest.mark.parametrize(("holds", "words"), [(True, HOLDS), (False, FAILS), (None, UNDECIDABLE)])
def test_a_verdict_in_a_table(holds, words):
    head, rule, row = as_markdown([verdict(holds)]).splitlines()
    assert head == "| claim | where | the paper says | criterion | ours, mean ± sd over seeds | verdict |"
    assert rule == "|---|---|---|---|---|---|"
    assert row.startswith(r"| X1 | Fig. 1 | fast (\|v\| > 1) | \|v\| high | A 2 ± 1.4; B 0.5 s (nothing: A not")
    assert row.endswith(f" | **{words}** |")


def test_a_verdict_in_a_record_keeps_every_value():
    saved = json.loads(json.dumps(as_json(verdict(False))))
    assert list(saved) == [
        *("claim", "where", "statement", "paper", "criterion", "verdict", "ours", "statistics", "beside"),
    ]
    assert saved["statistics"] == [{"name": "speed", "unit": "s", "values": {"A": [1.0, 3.0], "B": [0.5]}}]
    assert saved["beside"][0]["values"] == {"A": [None, None], "B": [None, 2.0]}
    assert saved["ours"] == verdict(False).finding.text()


thousandths = st.integers(-(10**6), 10**6).map(lambda count: count / 1000)
per_seed = st.lists(st.none() | st.just(float("nan")) | thousandths, min_size=1, max_size=8)


@given(per_seed)
def test_a_text_says_mean_and_sample_sd_of_the_defined_seeds(values):
    """Against Python's own statistics; to half a unit of the last digit written, three of the mean and two of the sd.

    Thousandths, so that the only cancellation is the mean's, to rounding.
    """
    ((label, text),) = Statistic(name="any", values={"A": values}).lines()
    found = re.fullmatch(r"(not defined|\S+)(?: ± (\S+))?(?: \((\d+) of (\d+) seeds not defined\))?", text)
    mean, sd, missing, seeds = found.groups()
    defined = [value for value in values if value is not None and not math.isnan(value)]
    assert label == "A"
    rounding = 1e-12 * max(map(abs, defined), default=0.0)
    if defined:
        assert float(mean) == pytest.approx(statistics.fmean(defined), rel=5e-3, abs=rounding)
    else:
        assert text == mean == "not defined"
    if len(defined) > 1:
        assert float(sd) == pytest.approx(statistics.stdev(defined), rel=5e-2, abs=rounding)
    else:
        assert sd is None
    left_out = len(values) - len(defined)
    assert (missing, seeds) == ((str(left_out), str(len(values))) if defined and left_out else (None, None))


@given(per_seed)
def test_none_and_nan_read_the_same(values):
    as_nan = [math.nan if value is None else value for value in values]
    as_none = [None if value is None or math.isnan(value) else value for value in values]
    texts = {Statistic(name="any", values={"": kind}).text() for kind in (values, as_nan, as_none, np.array(as_nan))}
    assert len(texts) == 1


@given(st.lists(st.text("ABC", min_size=1, max_size=3), min_size=1, max_size=5, unique=True))
def test_a_unit_stands_once_behind_the_last(labels):
    lines = Statistic(name="any", values={label: [1.0] for label in labels}, unit=" KB").lines()
    assert [label for label, _ in lines] == labels
    assert [text.endswith(" KB") for _, text in lines] == [False] * (len(labels) - 1) + [True]


def cells(row):
    """Split a line of a Markdown table as its reader does: at the bars that are not escaped."""
    inner = re.fullmatch(r"\| (.*) \|", row)[1]
    return [cell.replace(r"\|", "|") for cell in re.split(r" (?<!\\)\| ", inner)]


# On one line and without backslashes: none of our sentences has any.
words = st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="\\"), min_size=1, max_size=8)


@given(st.lists(st.tuples(words, words, words, words, words, words), max_size=4))
def test_a_table_keeps_its_cells_whatever_they_hold(lines):
    """Bars in a text (|error|, say) do not make a column of their own."""
    verdicts = [
        Verdict(
            claim=claim,
            where=where,
            statement=statement,
            paper=paper,
            criterion=criterion,
            finding=Finding(holds=True, statistics=(Statistic(name="any", values={label: [1.0]}),)),
        )
        for claim, where, statement, paper, criterion, label in lines
    ]
    head, rule, *rows = as_markdown(verdicts).split("\n")[:-1]
    assert rule.count("---") == len(cells(head))
    assert [cells(row) for row in rows] == [
        [claim, where, f"{statement} ({paper})", criterion, f"{label} 1", f"**{HOLDS}**"]
        for claim, where, statement, paper, criterion, label in lines
    ]


@given(st.dictionaries(words, per_seed, min_size=1, max_size=3))
def test_a_saved_statistic_is_the_one_that_was_judged(tmp_path_factory, values):
    """Through the file: every number as it was, null for what is not defined, and the same text from what is read."""
    path = tmp_path_factory.mktemp("saved") / "claims.json"
    judged = Statistic(name="any", values={label: np.array(entry, float) for label, entry in values.items()}, unit=" s")
    finding = Finding(holds=None, statistics=(judged,), beside=(judged,), note="N")
    made = Verdict(claim="X1", where="", statement="", paper="", criterion="", finding=finding)
    records.write_record(path, records.Kind(), {"verdict": as_json(made)})
    saved = records.read_record(path, records.Kind())["verdict"]
    assert (saved["verdict"], saved["ours"]) == (UNDECIDABLE, finding.text())
    for (entry,) in (saved["statistics"], saved["beside"]):
        assert entry["unit"] == "s"
        assert entry["values"] == {
            label: [None if one is None or math.isnan(one) else one for one in seeds] for label, seeds in values.items()
        }
        again = Statistic(name=entry["name"], values=entry["values"], unit=f" {entry['unit']}")
        assert again.text() == judged.text()
