"""Anyone's curves against ours: seed by seed, over what both have."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from reproduction.slicing.comparison import account, curves, differences, pairs
from reproduction.slicing.comparison.curves import CurvesError
from reproduction.slicing.comparison.quantities import BY_NAME
from reproduction.slicing.comparison.reference_curves import read_reference
from tests.helpers.comparisons import SEEDS, by_quantity, frame, notes_of, run


def test_a_copy_of_ours_differs_in_nothing(reference):
    lines = differences.compare(frame([("copy", "IG")]), reference).lines
    assert {line.quantity.name for line in lines} == set(BY_NAME)
    assert {line.pairs.against for line in lines} == set(pairs.OURS)
    for line in lines:
        assert line.found.mean == 0
        assert line.verdict.startswith("the same ")


def test_a_higher_curve(reference):
    """Twice our MSE: every number follows in closed form, and the pairing is by seed."""
    theirs = frame([("twice", "IG")], level=2.0).sample(frac=1, random_state=0)  # rows in any order
    lines = by_quantity(differences.compare(theirs, reference))
    results = {name: line.found for name, line in lines.items()}
    ours = np.array([run(seed)["mse"] for seed in SEEDS])
    np.testing.assert_allclose(results["final MSE"].values, ours[:, -1], rtol=1e-12)
    np.testing.assert_allclose(results["mean MSE over the rounds"].mean, ours.mean(), rtol=1e-12)
    np.testing.assert_allclose(results["area between the MSE curves"].mean, ours.mean(), rtol=1e-12)
    assert results["final MSE"].low < results["final MSE"].mean < results["final MSE"].high
    assert lines["final MSE"].verdict.startswith("higher final MSE than post-hoc in eMBB: +0.04")
    assert lines["margin over nu (lowest C - nu)"].verdict.startswith("lower margin over nu")
    assert results["rounds to convergence"].theirs.tolist() == [4.0] * 5
    assert results["KB to convergence"].theirs.tolist() == [10.0] * 5
    assert results["seconds to convergence"].ours.tolist() == [2.0] * 5


def test_common_seeds_and_rounds_only(reference):
    lines = by_quantity(differences.compare(frame([("short", "IG")], seeds=(3, 9, 1), rounds=5), reference))
    line = lines["final MSE"]
    assert (line.seeds, line.pairs.rounds) == ((1, 3), 5)
    assert line.found.ours.tolist() == [run(seed)["mse"][4] for seed in (1, 3)]
    assert line.found.mean == 0  # the noise of 5 rounds is the first 5 of 6
    assert "short lacks seed 0, 2, 4 in eMBB" in line.pairs.lacking
    assert "our post-hoc lacks seed 9 in eMBB" in line.pairs.lacking


def test_what_they_do_not_give_is_left_out_and_said(reference):
    theirs = frame([("mse only", "IG")], metrics=("mse",))
    lines = by_quantity(differences.compare(theirs, reference))
    assert list(lines) == [name for name in BY_NAME if "MSE" in name or name == "rounds to convergence"]
    (said,) = [note for note in notes_of(theirs, reference) if note.startswith("Not compared")]
    assert (
        said
        == "Not compared: "
        + "; ".join(f"mse only lacks {metric} in eMBB" for metric in ("confidence", "kb", "seconds"))
        + "."
    )


def test_labels():
    schemes = [("in-hoc", "IG"), ("in-hoc", "SHAP"), ("post-hoc", "IG"), ("A", "IG"), ("B", "IG"), ("B", "SHAP")]
    found = pairs.methods(frame(schemes, seeds=(0,)))
    assert list(found) == ["in-hoc IG, theirs", "in-hoc SHAP", "post-hoc, theirs", "A", "B (IG)", "B (SHAP)"]
    assert set(found["B (SHAP)"]["explainer"]) == {"SHAP"}
    with pytest.raises(CurvesError, match=r"two schemes both read 'in-hoc SHAP' with their explainers; rename one"):
        pairs.methods(frame([("in-hoc", "SHAP"), ("in-hoc SHAP", "IG")], seeds=(0,)))


REFUSED = {
    "only kb": (
        lambda: frame([("mine", "IG")], metrics=("kb",)),
        r"theirs\.csv: nothing can be compared: there is only kb; add mse or confidence per round",
    ),
    "no common seed": (
        lambda: frame([("mine", "IG")], seeds=(7, 8)),
        r"mine in eMBB has no seed in common with the reference: theirs 7, 8, ours 0, 1, 2, 3, 4; run it on",
    ),
    "unknown slice": (
        lambda: frame([("mine", "IG")], slices=("mMTC",)),
        r"the reference has no in-hoc IG curves of slice 'mMTC', only of Browsing, eMBB; rename or drop",
    ),
    "too many": (
        lambda: frame([(f"method {number}", "IG") for number in range(7)], seeds=(0,)),
        r"at most 6 methods in one picture, got 7; split the file",
    ),
}


@pytest.mark.parametrize(("theirs", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(reference, tmp_path, theirs, message):
    path = tmp_path / "theirs.csv"
    curves.write(path, theirs())
    with pytest.raises(ValueError, match=message) as caught:
        account.write(path, reference, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "out").glob("*"))


def lacking(theirs, reference):
    return list(dict.fromkeys(lack for one in differences.compare(theirs, reference).pairs for lack in one.lacking))


def test_a_metric_that_one_seed_lacks_is_compared_over_the_others_and_said(reference):
    whole = frame([("mine", "IG")])
    assert not any(note.startswith("Not compared") for note in notes_of(whole, reference))
    partly = whole[~((whole["metric"] == "kb") & (whole["seed"] == 1))]
    line = by_quantity(differences.compare(partly, reference))["KB to convergence"]
    assert line.seeds == (0, 2, 3, 4)
    assert "not decided with 4 seeds" in line.verdict
    (said,) = [note for note in notes_of(partly, reference) if note.startswith("Not compared")]
    assert said == "Not compared: mine lacks kb for seed 1 in eMBB."


def test_a_seed_that_is_not_compared_takes_nothing_away(reference):
    """Seed 9 is not the reference's: that it lacks the confidence leaves the others' compared."""
    whole = frame([("mine", "IG")], seeds=(*SEEDS, 9))
    theirs = whole[~((whole["seed"] == 9) & (whole["metric"] == "confidence"))]
    assert by_quantity(differences.compare(theirs, reference))["final confidence"].seeds == SEEDS
    assert lacking(theirs, reference) == ["our in-hoc IG lacks seed 9 in eMBB", "our post-hoc lacks seed 9 in eMBB"]


def test_what_only_some_seeds_of_ours_have_is_said_too(reference):
    ours = reference.frame
    gone = (ours["seed"] <= 1) & (ours["metric"] == "kb") & (ours["slice"] == "eMBB") & (ours["scheme"] == "post-hoc")
    partly, theirs = replace(reference, frame=ours[~gone]), frame([("mine", "IG")])
    assert by_quantity(differences.compare(theirs, partly))["KB to convergence"].seeds == (2, 3, 4)
    assert lacking(theirs, partly) == ["our post-hoc lacks kb for seed 0, 1 in eMBB"]


def test_a_reference_without_seconds_gives_no_seconds(folders):
    folder, _ = folders
    (folder / "seconds.csv").unlink()
    lines = by_quantity(differences.compare(frame([("mine", "IG")]), read_reference(folder)))
    assert "seconds to convergence" not in lines
    assert "KB to convergence" in lines


def test_few_seeds_are_said_to_be_few(reference):
    three, five = (" ".join(notes_of(frame([("mine", "IG")], seeds=seeds), reference)) for seeds in ((0, 1, 2), SEEDS))
    assert "With fewer than 5 nothing is decided." in three
    assert "once in" not in three  # what is not decided needs no odds
    assert "Even 5 seeds show little: equals have all differences of one sign once in 16 times" in five
    lines = differences.compare(frame([("mine", "IG")], seeds=(0, 1), level=2.0), reference).lines
    assert all("not decided with 2 seeds" in line.verdict for line in lines)


def test_seeds_of_different_lengths_are_refused(reference):
    theirs = pd.concat([frame([("mine", "IG")], seeds=(0,)), frame([("mine", "IG")], seeds=(1,), rounds=5)])
    with pytest.raises(CurvesError, match=r"mine in eMBB has seeds of different .*seed 0: 6, seed 1: 5.*complete"):
        differences.compare(theirs, reference)
