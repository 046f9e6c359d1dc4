"""Whether curves may be compared, and whether a reference may be believed."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from reproduction.slicing.comparison import curves, differences
from reproduction.slicing.comparison.curves import CurvesError
from reproduction.slicing.comparison.reference_curves import read_reference
from tests.helpers.comparisons import bare, cautions, exit_of, frame, write_manifest

ROOT = Path(__file__).resolve().parents[3]


def test_cautions(reference):
    """Another explainer, another preset: each is said; nothing is said of what compares."""
    assert cautions(frame([("mine", "IG")]), reference) == []
    (explainer,) = cautions(frame([("mine", "SHAP")]), reference)
    assert "the confidence of mine is scored with SHAP, ours with IG" in explainer
    (fewer,) = cautions(frame([("mine", "IG")], rounds=4), reference)
    assert fewer.startswith("mine: 4 rounds, ours 6; only 4 are compared")
    longer = pd.concat([frame([("mine", "IG")])], ignore_index=True)
    extra = longer[longer["round"] == 6].assign(round=7)
    (more,) = cautions(pd.concat([longer, extra]).assign(rounds=7), reference)
    assert more.startswith("mine: 7 rounds, ours 6; only 6 are compared")
    both = pd.concat([frame([("A", "IG")], epochs=100), frame([("B", "IG")], epochs=100), frame([("C", "IG")])])
    (epochs,) = cautions(both, reference)
    assert epochs.startswith("A and B: 100 local epochs a round, ours 50;")


def test_curves_that_say_nothing_are_one_loud_caution(reference):
    said = "do not say the number of closed loops, training samples, local epochs a round, rounds or data; taken, unche"
    (whole,) = cautions(bare(frame([("A", "IG"), ("B", "IG")])), reference)
    assert whole.startswith(f"their curves {said}")
    assert whole.endswith("to be the reference's (small: 10 closed loops)")
    (part,) = cautions(pd.concat([bare(frame([("A", "IG")])), frame([("B", "IG")])]), reference)
    assert part.startswith(f"the curves of A {said}")
    (one,) = cautions(frame([("A", "IG")]).assign(data=""), reference)
    assert one.startswith("their curves do not say data; taken")


def test_traffic_gives_another_number_of_closed_loops_away(reference):
    """Where it is not said; a method of as many CLs as ours may well send more."""
    more = frame([("mine", "IG")])
    more.loc[more["metric"] == "kb", "value"] *= 10
    assert cautions(more, reference) == []
    _, traffic = cautions(bare(more), reference)
    assert "mine sends 25 KB per round, ours 2; is it the same number of closed loops?" in traffic
    assert len(cautions(bare(more[more["metric"] != "kb"]), reference)) == 1
    assert len(cautions(more.assign(data=""), reference)) == 1  # which says its number of closed loops


NOT_COMPARABLE = {
    "another number of CLs": (
        lambda: frame([("mine", "IG")], clients=3),
        r"mine, IG, eMBB, seed 0, 3 CLs: not of 10 closed loops, as the reference is; give --against",
    ),
    "other data": (
        lambda: frame([("mine", "IG")]).assign(data="f" * 64),
        r"mine, IG, eMBB, seed 0, 10 CLs: other data \(f{64}\) than the reference's \([0-9a-f]{64}\); give",
    ),
    "other data, number of CLs unsaid": (
        lambda: frame([("mine", "IG")]).assign(data="f" * 64, clients=0),
        r"mine, IG, eMBB, seed 0: other data",
    ),
    "other samples": (
        lambda: frame([("mine", "IG")]).assign(samples=77),
        r"other training samples \(77\) than the reference's \(1000\)",
    ),
    "the data of another seed": (
        lambda: frame([("mine", "IG")], seeds=(0,)).assign(seed=1),
        r"mine, IG, eMBB, seed 1, 10 CLs: other data",
    ),
    "a seed twice": (
        lambda: pd.concat([frame([("mine", "IG")]), bare(frame([("mine", "IG")], seeds=(3,)))]),
        r"mine, IG, eMBB, seed 3: there twice, once without its number of closed loops; drop one",
    ),
    "only kb": (
        lambda: frame([("mine", "IG")], metrics=("kb", "seconds")),
        r"nothing can be compared: there is only kb, seconds; add mse or confidence per round",
    ),
}


@pytest.mark.parametrize(("theirs", "message"), NOT_COMPARABLE.values(), ids=NOT_COMPARABLE)
def test_another_problem_is_refused(reference, theirs, message):
    with pytest.raises(CurvesError, match=message):
        differences.compare(theirs(), reference)


def test_quick_curves_against_the_paper_are_refused(tmp_path, capsys):
    """The committed curves themselves, through the command; and the paper's against the quick ones."""
    for theirs, against in (("quick", "paper"), ("paper", "quick")):
        code, line = exit_of([ROOT / f"data/reference/{theirs}/curves.csv", "--against", against], capsys)
        assert code == 2
        assert re.search(r"CLs: not of \d+ closed loops, as the reference is; give --against", line)


# --- the reference


def test_reference_that_cannot_be_read(folders):
    folder, _ = folders
    manifest = folder / "manifest.json"
    whole = json.loads(manifest.read_text())
    without = json.dumps({"settings": whole["settings"]})  # nothing to hold the curves to
    for content in ("{", "[]", '{"settings": {}}', '{"settings": {"slices": {"eMBB": {}}}}', without):
        manifest.write_text(content)
        with pytest.raises(CurvesError, match=r"manifest\.json: not a manifest of reference curves; write it anew"):
            read_reference(folder)
    manifest.unlink()
    with pytest.raises(CurvesError, match=r"manifest\.json: cannot be read \(No such file.*give --against"):
        read_reference(folder)


@pytest.mark.parametrize("name", ["curves.csv", "seconds.csv"])
def test_an_altered_reference_is_not_believed(folders, name):
    """Nor one after a kill between the curves and the manifest: whole files that do not belong together."""
    folder, _ = folders
    read_reference(folder)
    table = curves.read(folder / name)
    curves.write(folder / name, table.assign(value=table["value"] / 2))
    with pytest.raises(CurvesError, match=rf"{name}: not the file that manifest\.json was written for; write both"):
        read_reference(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["files_sha256"][name]  # a table that the manifest does not know is not believed either
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CurvesError, match=rf"{name}: not the file that manifest\.json was written for"):
        read_reference(folder)


@pytest.mark.parametrize("spoil", [bare, lambda table: table.assign(clients=table["seed"] + 1)], ids=["bare", "two K"])
def test_a_reference_that_does_not_say_what_it_is_of_is_refused(folders, spoil):
    folder, _ = folders
    for name in ("curves.csv", "seconds.csv"):
        curves.write(folder / name, spoil(curves.read(folder / name)))
    write_manifest(folder, json.loads((folder / "manifest.json").read_text())["settings"])
    with pytest.raises(CurvesError, match="does not say under what its runs were made, or is of several numbers of cl"):
        read_reference(folder)
