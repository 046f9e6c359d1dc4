"""Every committed document is of its form; whole but foreign ones are refused in one line, wherever they are read."""

import copy
import importlib
import json
import re
import shutil
from pathlib import Path

import pytest

from reproduction import claims, report
from reproduction.figure_script import FIGURE
from reproduction.results import records
from reproduction.slicing.documents import RESULTS, check_document, read_figure
from reproduction.slicing.reporting.captions import CAPTIONS, describe
from tests.helpers.committed import COMMITTED_FIGURES as FIGURES

COMMITTED = sorted(path for path in FIGURES.rglob("*.json") if path.stem in RESULTS and "quick" not in path.parts)


def test_every_document_has_a_form():
    assert {path.stem for path in COMMITTED} == set(RESULTS)
    assert len(COMMITTED) == 7 + 2 * 3  # the paper's figures and the study; two measured slices


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: str(path.relative_to(FIGURES)))
def test_a_committed_document_is_of_its_form(path):
    assert read_figure(path, path.stem)["seeds"]


def lack(*where):
    """Return a change that deletes a field."""

    def change(document):
        *outer, last = where
        for name in outer:
            document = document[name]
        del document[last]

    return change


def put(*where_and_value):
    """Return a change that gives a field another value."""
    *outer, last, value = where_and_value

    def change(document):
        for name in outer:
            document = document[name]
        document[last] = value

    return change


def shorten(*where):
    """Return a change that takes the last entry of a list away."""

    def change(document):
        for name in where:
            document = document[name]
        document.pop()

    return change


EMBB, FIRST = ("result", "slices", "eMBB"), ("result", "rows", 0)

FOREIGN = {
    # what a document says of its runs
    "no figure": ("fig4_convergence", lack("figure"), "field figure: "),
    "another figure": ("fig4_convergence", put("figure", "fig5_confidence"), "holds the numbers of fig5_confidence"),
    "settings without slices": ("fig5_confidence", lack("settings", "slices"), "field settings.slices: "),
    "settings without a network": ("fig4_convergence", put("settings", "model", {}), "field settings.model.hidden: "),
    "data of nowhere": ("fig8_scalability", lack("data", "source"), "field data.source: "),
    "no slice": ("fig4_convergence", put("data", "slices", {}), "field data.slices: must not be empty"),
    "half a slice": ("fig7_convergence_time", lack("data", "slices", "Browsing", "sha256"), "Browsing.sha256: "),
    "no seed": ("table4_overhead", put("seeds", []), "field seeds: must not be empty"),
    "no versions": ("fig6_attributions", put("drawn_with", "versions", None), "field drawn_with.versions: "),
    # no result at all
    **{f"{name}, no result": (name, put("result", {}), "field result.(slices|slice|rows): ") for name in (*RESULTS,)},
    # the right type under the wrong names, or of another length
    "no scheme": ("fig4_convergence", lack(*EMBB, "post-hoc"), "result.slices.eMBB: lacks 'post-hoc'"),
    "a slice too many": ("fig4_convergence", put("result", "slices", "X", {}), "field result.slices.X: lacks"),
    "a slice too few": ("fig5_confidence", lack("result", "slices", "Browsing"), "result.slices: lacks 'Browsing'"),
    "a seed too few": ("fig4_convergence", shorten(*EMBB, "post-hoc", "mse"), "post-hoc.mse: must have 5 entries"),
    "a round too few": (
        "fig5_confidence",
        shorten(*EMBB, "rounds", "in-hoc IG", "inside", 2),
        "inside.2: must have",
    ),
    "null for curves": ("fig4_convergence", put(*EMBB, "post-hoc", "mse", None), "result.slices.eMBB.post-hoc.mse: "),
    "null for a seed": ("fig4_convergence", put(*EMBB, "post-hoc", "mse", 1, None), "post-hoc.mse.1: "),
    "null for rows": ("sensitivity", put("result", "rows", None), "result.rows: "),
    "text for a number": ("fig4_convergence", put(*EMBB, "post-hoc", "mse", 0, 0, "0.1"), "post-hoc.mse.0.0: "),
    "a time unknown": ("fig8_scalability", put("result", "clients", "10", "seconds", 1, 0, None), "10.seconds.1.0: "),
    "a foreign explainer": ("fig5_confidence", put(*EMBB, "test", "in-hoc X", {}), "test.in-hoc X"),
    "uneven CLs": ("fig5_confidence", shorten(*EMBB, "test", "in-hoc IG", "confidence", 0), "lists of one length"),
    "of an older form": ("fig4_convergence", lack("result", "controls"), "field result.controls: "),
    "a control too few": (
        "fig4_convergence",
        lack("result", "controls", "eMBB", "least squares"),
        "controls.eMBB: lacks 'least squares'",
    ),
    "a test too few": (
        "fig4_convergence",
        shorten("result", "errors", "eMBB", "post-hoc", "test_mse"),
        "test_mse: must",
    ),
    "no control": ("fig5_confidence", lack(*EMBB, "constant predictor"), "eMBB.constant predictor: "),
    "a feature too few": ("fig6_attributions", shorten("result", "feature_names"), "feature_names: "),
    "a foreign feature": (
        "fig6_attributions",
        put("result", "feature_names", 0, "X"),
        "feature_names: lacks 'Netflix'",
    ),
    "half an attribution": (
        "fig6_attributions",
        shorten("result", "models", "post-hoc", 3, "mean_shap"),
        "post-hoc.3.mean_shap: must have 5 entries",
    ),
    "no samples": (
        "fig6_attributions",
        lack("result", "models", "in-hoc IG", 0, "shap"),
        "lacks features, shap",
    ),
    "another slice": ("fig6_attributions", put("result", "slice", "URLLC"), "result.slice: must be one of the slices"),
    "nothing timed": (
        "fig7_convergence_time",
        put("result", "schemes", "post-hoc", "timed_seconds", []),
        "timed_seconds: must not be empty",
    ),
    "no number of CLs": (
        "fig8_scalability",
        lambda document: document["result"]["clients"].update(many=document["result"]["clients"].pop("10")),
        "clients: has 'many', which is no number of CLs",
    ),
    "no convergence": ("table4_overhead", put("result", "schemes", "post-hoc", "convergence_round", []), "5 entries"),
    "no rows": ("sensitivity", put("result", "rows", []), "rows: must have one row of the figures' own choices"),
    "no default": ("sensitivity", put(*FIRST, "is_default", False), "rows: must have one row of the figures' own"),
    "a claim too few": ("sensitivity", lack("result", "rows", 7, "verdicts", "C8"), "rows.7.verdicts: lacks 'C8'"),
    "no statistic": ("sensitivity", lack(*FIRST, "statistics", "C3", "gap"), "rows.0.statistics: must be those of C1"),
    "no number": ("sensitivity", lack(*FIRST, "numbers", "post-hoc: mse"), "rows.0.numbers: lacks 'post-hoc: mse'"),
    "no end": ("sensitivity", lack(*FIRST, "slices", "eMBB", "in-hoc IG", "mse"), "eMBB.in-hoc IG.mse: "),
}


@pytest.fixture(scope="module")
def saved():
    """The payloads of the committed figures, read once."""
    return {name: records.read_record(FIGURES / f"{name}.json", FIGURE) for name in RESULTS}


@pytest.fixture
def folder(tmp_path):
    """A copy of what the page is made of."""
    names = shutil.ignore_patterns("runs", "quick", "*.pdf", "report.html", "real", "comparison")
    return Path(shutil.copytree(FIGURES, tmp_path / "figures", ignore=names))


def readers(name, folder):
    """Return the commands that read a figure's document, and how their refusals of it end."""
    script = importlib.import_module(f"reproduction.{name}").SCRIPT.main
    make = f"; make it with python reproduction/{name}.py"
    yield lambda: script(["--out", str(folder), "--redraw"]), "; make it with this script, without --redraw"
    if name != "sensitivity":
        yield lambda: claims.main(["--out", str(folder)]), make
    yield lambda: report.main(["--out", str(folder)]), make  # of the claims too, so after them


@pytest.mark.parametrize(("name", "change", "message"), FOREIGN.values(), ids=FOREIGN)
def test_a_whole_but_foreign_document_is_refused_in_one_line(folder, saved, monkeypatch, capsys, name, change, message):
    monkeypatch.setattr("signal.signal", lambda *handler: None)
    document = copy.deepcopy(saved[name])
    change(document)
    path = folder / f"{name}.json"
    records.write_record(path, FIGURE, document)
    for command, remedy in readers(name, folder):
        with pytest.raises(SystemExit) as stop:
            command()
        assert stop.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"error: {path}: ")
        assert re.search(message, line)
        assert line.endswith(remedy)


def other_json(content):
    return json.dumps({"format": "something else", "version": 1, "sha256": "0", "payload": {}}).encode()


NOT_A_DOCUMENT = {
    "empty": (lambda content: b"", "not a complete record"),
    "torn in the middle": (lambda content: content[: len(content) // 2], "not a complete record"),
    "its last byte lost": (lambda content: content[:-1], "not a complete record"),
    "no text": (lambda content: b"\xff\xfe" + content, "not a complete record"),
    "a list": (lambda content: b"[" + content + b"]", "not a record of this project"),
    "null": (lambda content: b"null", "not a record of this project"),
    "another program's": (other_json, "not a record of this project"),
    "its payload alone": (lambda content: json.dumps(json.loads(content)["payload"]).encode(), "not a record of this"),
    "a digit changed": (lambda content: content.replace(b'"seeds": [0', b'"seeds": [7'), "its checksum does not match"),
    "the claims": (lambda content: (FIGURES / "claims.json").read_bytes(), "field figure: "),
}


@pytest.mark.parametrize(("damage", "message"), NOT_A_DOCUMENT.values(), ids=NOT_A_DOCUMENT)
def test_what_is_no_document_is_not_redrawn(tmp_path, monkeypatch, capsys, damage, message):
    """One line that names the file; neither the file nor the old picture is touched."""
    monkeypatch.setattr("signal.signal", lambda *handler: None)
    picture, path = tmp_path / "fig4_convergence.png", tmp_path / "fig4_convergence.json"
    picture.write_bytes(b"old")
    whole = (FIGURES / path.name).read_bytes()
    damaged = damage(whole)
    assert damaged != whole
    path.write_bytes(damaged)
    redraw, judge, _ = readers("fig4_convergence", tmp_path)
    for command, remedy in (redraw, judge):
        with pytest.raises(SystemExit) as stop:
            command()
        assert stop.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"error: {path}: {message}")
        assert line.endswith(remedy)
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {path.name: damaged, picture.name: b"old"}


def test_a_document_that_is_not_there_is_named_with_its_command(tmp_path):
    path = tmp_path / "fig5_confidence.json"
    with pytest.raises(FileNotFoundError) as missing:
        read_figure(path, "fig5_confidence")
    assert str(missing.value) == f"{path}: missing; make it with python reproduction/fig5_confidence.py"


def leaves(value, at=()):
    """Yield where each number and truth value stands: what holds it, its key there, and the keys that lead to it."""
    for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(entry, dict | list):
            yield from leaves(entry, (*at, key))
        elif isinstance(entry, bool | int | float):
            yield value, key, (*at, key)


def undefine(document, only_first):
    """Make null whatever the form lets be null, a field at a time; return how many fields that are.

    Args:
        document: is changed.
        only_first: leave all but the first entry of every list.
    """
    fields = {}
    for holder, key, at in leaves(document["result"]):
        if not only_first or not any(step for step in at if isinstance(step, int)):
            fields.setdefault(tuple("" if isinstance(step, int) else step for step in at), []).append((holder, key))
    undefined = 0
    for entries in fields.values():
        before = [holder[key] for holder, key in entries]
        for holder, key in entries:
            holder[key] = None
        try:
            check_document(document)
            undefined += 1
        except ValueError:
            for (holder, key), value in zip(entries, before, strict=True):
                holder[key] = value
    return undefined


# shap sets its colour maps up by matplotlib calls that are to be deprecated some day; not ours to mend.
@pytest.mark.filterwarnings("ignore:The set_(bad|over|under) function:PendingDeprecationWarning")
@pytest.mark.parametrize("only_first", [True, False], ids=["once", "everywhere"])
@pytest.mark.parametrize("name", RESULTS)
def test_what_the_form_lets_be_undefined_is_drawn_and_judged(folder, saved, monkeypatch, capsys, name, only_first):
    """A form that is wider than its readers is refused by none and broken by one: after hours of training."""
    monkeypatch.setattr("signal.signal", lambda *handler: None)
    document = copy.deepcopy(saved[name])
    assert undefine(document, only_first) > 0
    if name in CAPTIONS:
        assert not re.search(r"\bnan\b", f"{describe(document)}")
    records.write_record(folder / f"{name}.json", FIGURE, document)
    ended = []
    for command, _ in readers(name, folder):
        try:
            command()
        except SystemExit as stop:
            ended.append((stop.code, capsys.readouterr().err))
    assert not ended
