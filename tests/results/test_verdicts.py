"""A verdict's text, lines, table and record are all made of its statistics."""

import json

import pytest

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
            [("A", "nan (2 of 2 seeds not)"), ("B", "2 (1 of 2 seeds not)")],
            "nothing: A nan (2 of 2 seeds not); B 2 (1 of 2 seeds not)",
        ),
        (
            Statistic(name="gain", values={"A": [-0.1], "B": [0.2]}, forms=("+.1f", ""), between=", "),
            None,
            "A -0.1, B +0.2",
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
    assert row.startswith(r"| X1 | Fig. 1 | fast (\|v\| > 1) | \|v\| high | A 2 ± 1.4; B 0.5 s (nothing: A nan")
    assert row.endswith(f" | **{words}** |")


def test_a_verdict_in_a_record_keeps_every_value():
    saved = json.loads(json.dumps(as_json(verdict(False))))
    assert list(saved) == [
        *("claim", "where", "statement", "paper", "criterion", "verdict", "ours", "statistics", "beside"),
    ]
    assert saved["statistics"] == [{"name": "speed", "unit": "s", "values": {"A": [1.0, 3.0], "B": [0.5]}}]
    assert saved["beside"][0]["values"] == {"A": [None, None], "B": [None, 2.0]}
    assert saved["ours"] == verdict(False).finding.text()
