"""Anyone's curves against ours: the statistics by hand, every refusal, and the whole command once."""

import hashlib
import itertools
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import html5lib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from scipy import stats

from reproduction import compare
from reproduction.results import records
from reproduction.results.seed_statistics import paired_interval
from reproduction.slicing.comparison import account, curves, differences, picture
from reproduction.slicing.comparison import tables as written
from reproduction.slicing.comparison.curves import COLUMNS, METRICS, CurvesError
from reproduction.slicing.comparison.measures import Limits, area_between
from reproduction.slicing.comparison.quantities import BY_NAME, Differences, PairQuantity, verdict
from reproduction.slicing.comparison.reference_curves import read_reference
from reproduction.slicing.schemes import LOOKS, NEWCOMER_LOOKS

ROOT = Path(__file__).resolve().parents[3]
ROUNDS = 6
SEEDS = (0, 1, 2, 3, 4)
BOTH = (("in-hoc", "IG"), ("post-hoc", "IG"))


def tidy(scheme, explainer, slice_name, seed, values):
    """Return one run's rows; `values` is metric -> one value per round."""
    rows = [
        (scheme, explainer, slice_name, seed, number, metric, float(entry), METRICS[metric])
        for metric, of_rounds in values.items()
        for number, entry in enumerate(of_rounds, start=1)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def run(seed, level=1.0, rounds=ROUNDS):
    """Make a run that converges: MSE falls to near its floor in round 4, confidence falls with it."""
    shape = np.array([1.0, 0.5, 0.2, 0.05, 0.04, 0.04])[:rounds]
    noise = 1 + 0.01 * np.random.default_rng(seed).random(rounds)
    return {
        "mse": level * shape * noise,
        "confidence": 1 - 0.05 * (1 - shape) * level * noise,
        "kb": np.full(rounds, 2.5),
        "seconds": np.full(rounds, 0.5),
    }


def frame(pairs, slices=("eMBB",), seeds=SEEDS, level=1.0, rounds=ROUNDS, metrics=METRICS):
    made = [
        tidy(*pair, name, seed, {m: v for m, v in run(seed, level, rounds).items() if m in metrics})
        for pair in pairs
        for name in slices
        for seed in seeds
    ]
    return pd.concat(made, ignore_index=True)


def write_reference(folder, slices=("eMBB", "Browsing"), **options):
    folder.mkdir(parents=True, exist_ok=True)
    table = frame(BOTH, slices, **options)
    curves.write(folder / "curves.csv", table[table["metric"] != "seconds"])
    curves.write(folder / "seconds.csv", table[table["metric"] == "seconds"])
    settings = {"name": "small", "clients": 10, "convergence_tolerance": 0.05}
    settings["slices"] = {name: {"confidence_threshold": 0.96} for name in slices}
    (folder / "manifest.json").write_text(json.dumps({"preset": "small", "settings": settings}))
    return folder


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return read_reference(write_reference(tmp_path_factory.mktemp("reference")))


@pytest.fixture
def folders(tmp_path):
    """A reference folder and the path of their curves."""
    return write_reference(tmp_path / "reference"), tmp_path / "theirs.csv"


def by_quantity(lines, against="post-hoc"):
    return {line.quantity: line for line in lines if line.against == against}


# --- numbers of a run


LIMITS = Limits(threshold=0.9, tolerance=0.05)


def value(name, curves_of_run):
    return BY_NAME[name].measure(curves_of_run, LIMITS)


def test_values_by_hand():
    made = {
        "mse": np.array([1.0, 0.5, 0.04, 0.0]),
        "confidence": np.array([1.0, np.nan, 0.7, 0.9]),
        "kb": np.array([1.0, 2.0, 3.0, 4.0]),
        "seconds": np.array([0.1, 0.2, 0.3, 0.4]),
    }
    expected = {
        "final MSE": 0.0,
        "mean MSE over the rounds": 1.54 / 4,
        "rounds to convergence": 3,  # 0.04 is within 5 % of the drop of 1
        "final confidence": 0.9,
        "mean confidence over the rounds": 2.6 / 3,
        "margin over nu (lowest C - nu)": 0.7 - 0.9,
        "share of rounds with C >= nu": 2 / 3,
        "KB to convergence": 6.0,
        "seconds to convergence": 0.6,
    }
    areas = {name for name, quantity in BY_NAME.items() if isinstance(quantity, PairQuantity)}
    assert set(expected) | areas == set(BY_NAME)
    for name, number in expected.items():
        np.testing.assert_allclose(value(name, made), number, rtol=1e-12, err_msg=name)


def test_what_is_not_defined_is_nan():
    never = {"mse": np.array([1.0, 0.0, 1.0]), "confidence": np.full(3, np.nan), "kb": np.ones(3)}
    for name in ("rounds to convergence", "KB to convergence", "final confidence", "margin over nu (lowest C - nu)"):
        assert np.isnan(value(name, never)), name
    assert np.isnan(area_between(never["confidence"], np.ones(3)))


def test_area_is_the_trapezoids_where_the_difference_is_straight():
    """The mean of a straight line of one sign over the midpoints of cells is its integral, as by trapezoids."""
    edges = np.linspace(0, 1, 101)
    middle = (edges[:-1] + edges[1:]) / 2
    theirs, ours = 3 * middle**1, 1 * middle - 0.5
    expected = np.trapezoid(np.abs(3 * edges - (edges - 0.5)), edges)
    np.testing.assert_allclose(area_between(theirs, ours), expected, rtol=1e-12)
    signs = np.array([1.0, -1.0, np.nan])  # absolute, so they do not cancel; NaN is left out
    assert area_between(signs, np.zeros(3)) == 1.0


# --- intervals


def test_interval_of_two_pairs_by_hand():
    """Resamples of {a, b} have the means a, (a+b)/2, b with 1/4, 1/2, 1/4: the 2.5 % and 97.5 % points are a and b."""
    np.testing.assert_allclose(paired_interval(np.array([3.0, 5.0]), np.array([1.0, 2.0])), (2.0, 3.0), rtol=1e-12)


def test_interval_against_all_resamples():
    """BCa by Efron's formulas on all 5^5 resamples, none drawn; the tolerance is the error of 9,999 draws."""
    differences = np.array([0.1, 0.4, -0.2, 0.9, 0.3])
    means = np.sort([np.mean(drawn) for drawn in itertools.product(differences, repeat=5)])
    mean = differences.mean()
    bias = stats.norm.ppf(np.mean(means < mean) / 2 + np.mean(means <= mean) / 2)
    jackknife = np.array([np.delete(differences, left_out).mean() for left_out in range(5)])
    centred = jackknife.mean() - jackknife
    acceleration = (centred**3).sum() / (6 * (centred**2).sum() ** 1.5)
    expected = []
    for z in stats.norm.ppf([0.025, 0.975]):
        share = stats.norm.cdf(bias + (bias + z) / (1 - acceleration * (bias + z)))
        expected.append(np.quantile(means, share))
    ours = np.arange(5.0)
    # the density at the 2.5 % point is about 0.2: 3 sqrt(.025 * .975 / 9999) / 0.2 = 0.025; means lie 0.02 apart there
    np.testing.assert_allclose(paired_interval(ours + differences, ours), expected, atol=0.03)


def test_intervals_are_paired_and_repeatable():
    """What differs between seeds but not within pairs leaves no trace."""
    base, differences = np.array([1.0, 50.0, -3.0, 7.0]), np.array([0.1, 0.2, 0.15, 0.3])
    wide = paired_interval(base + differences, base)
    np.testing.assert_allclose(wide, paired_interval(differences, np.zeros(4)), rtol=1e-9)  # 50 + 0.1 loses digits
    assert wide == paired_interval(base + differences, base)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [([1.0], [0.5]), ([], []), ([1.0, 2.0], [1.0, 2.0]), ([0.3, 0.6], [0.2, 0.5]), ([1.0, np.nan], [0.5, 2.0])],
    ids=["one seed", "none", "equal", "one difference", "one defined"],
)
def test_no_interval(theirs, ours):
    """Warnings are errors here, so none may come from SciPy either."""
    assert np.isnan(paired_interval(np.array(theirs), np.array(ours))).all()


# --- verdicts


def words(name, values, low=np.nan, high=np.nan):
    none = np.full(len(values), np.nan)
    found = Differences(theirs=none, ours=none, values=np.array(values), low=low, high=high)
    return verdict(BY_NAME[name], found, "post-hoc in eMBB")


def test_verdicts():
    assert words("final MSE", [-0.001, -0.0014] * 2 + [-0.0012], -0.002, -0.0004) == (
        "lower final MSE than post-hoc in eMBB: -0.0012 [-0.002, -0.0004]"
    )
    assert words("final confidence", [0.1, 0.2], 0.1, 0.2).startswith(
        "higher final confidence than post-hoc in eMBB: +0.15"
    )
    assert words("KB to convergence", [1000.0, 2000.0], 1000.0, 2000.0) == (
        "more KB to convergence than post-hoc in eMBB: +1,500 [+1,000, +2,000]"
    )
    assert words("final MSE", [-0.1, 0.2] * 2 + [0.0], -0.1, 0.2) == (
        "no difference in final MSE from post-hoc in eMBB seen with 5 seeds: +0.04 [-0.1, +0.2]"
    )
    assert words("rounds to convergence", [-2.0]) == (
        "fewer rounds to convergence than post-hoc in eMBB: -2 with one seed, so no interval"
    )
    assert words("rounds to convergence", [-2.0, np.nan, -2.0]) == (
        "fewer rounds to convergence than post-hoc in eMBB: -2 with 2 seeds, so no interval "
        "(1 of 3 seeds left out: not defined there)"
    )
    assert words("final MSE", [0.0, 0.0]) == "the same final MSE as post-hoc in eMBB, with 2 seeds"
    assert words("rounds to convergence", [np.nan]) == (
        "rounds to convergence against post-hoc in eMBB: not defined in any common seed"
    )
    assert words("area between the MSE curves", [0.1, 0.2], 0.1, 0.2) == (
        "MSE curve away from post-hoc in eMBB by 0.15 [0.1, 0.2] on average"
    )
    assert words("area between the MSE curves", [0.0]) == "the same MSE curve as post-hoc in eMBB, with one seed"


def test_seconds_get_no_verdict():
    said = words("seconds to convergence", [3.0, 4.0], 3.0, 4.0)
    assert said == "+3.5 [+3, +4] s against post-hoc in eMBB; means something only on one machine, as idle for both"


def test_a_run_that_learns_nothing_does_not_converge():
    """Not in the first round, ahead of all that learn."""
    flat = run(0) | {"mse": np.full(ROUNDS, 0.3)}
    for name in ("rounds to convergence", "KB to convergence", "seconds to convergence"):
        assert np.isnan(value(name, flat))
    assert value("rounds to convergence", run(0)) == 4


def test_cautions(reference):
    """Another explainer, another preset: each is said; nothing is said of what compares."""
    assert written.cautions(frame([("mine", "IG")]), reference) == []
    (explainer,) = written.cautions(frame([("mine", "SHAP")]), reference)
    assert "the confidence of mine is scored with SHAP, ours with IG" in explainer
    (rounds,) = written.cautions(frame([("mine", "IG")], rounds=4), reference)
    assert "theirs end at round 4, ours at 6; only 4 rounds are compared" in rounds
    more = frame([("mine", "IG")])
    more.loc[more["metric"] == "kb", "value"] *= 10
    (traffic,) = written.cautions(more, reference)
    assert "theirs send 25 KB per round, ours 2" in traffic


def test_few_seeds_are_said_to_be_few(reference):
    for seeds, said in (((0, 1, 2), "once in 4 times"), (SEEDS, "once in 16 times")):
        theirs = frame([("mine", "IG")], seeds=seeds)
        told = " ".join(written.notes("x.csv", theirs, reference, differences.compare(theirs, reference)))
        assert ("of one sign once in" in told) == (said is not None)
        assert said is None or said in told


def test_seeds_of_different_lengths_are_refused(reference):
    theirs = pd.concat([frame([("mine", "IG")], seeds=(0,)), frame([("mine", "IG")], seeds=(1,), rounds=5)])
    with pytest.raises(
        curves.CurvesError, match=r"mine in eMBB has seeds of different .*seed 0: 6, seed 1: 5.*complete"
    ):
        differences.compare(theirs, reference)


# --- comparing


def test_a_copy_of_ours_differs_in_nothing(reference):
    lines = differences.compare(frame([("copy", "IG")]), reference)
    assert {line.quantity for line in lines} == set(BY_NAME)
    assert {line.against for line in lines} == set(differences.OURS)
    for line in lines:
        assert line.difference == 0
        assert line.verdict.startswith("the same ")


def test_a_higher_curve(reference):
    """Twice our MSE: every number follows in closed form, and the pairing is by seed."""
    theirs = frame([("twice", "IG")], level=2.0).sample(frac=1, random_state=0)  # rows in any order
    found = by_quantity(differences.compare(theirs, reference))
    ours = np.array([run(seed)["mse"] for seed in SEEDS])
    np.testing.assert_allclose(found["final MSE"].differences, ours[:, -1], rtol=1e-12)
    np.testing.assert_allclose(found["mean MSE over the rounds"].difference, ours.mean(), rtol=1e-12)
    np.testing.assert_allclose(found["area between the MSE curves"].difference, ours.mean(), rtol=1e-12)
    assert found["final MSE"].low < found["final MSE"].difference < found["final MSE"].high
    assert found["final MSE"].verdict.startswith("higher final MSE than post-hoc in eMBB: +0.04")
    assert found["margin over nu (lowest C - nu)"].verdict.startswith("lower margin over nu")
    assert found["rounds to convergence"].theirs == (4.0,) * 5
    assert found["KB to convergence"].theirs == (10.0,) * 5
    assert found["seconds to convergence"].ours == (2.0,) * 5


def test_common_seeds_and_rounds_only(reference):
    found = by_quantity(differences.compare(frame([("short", "IG")], seeds=(3, 9, 1), rounds=5), reference))
    line = found["final MSE"]
    assert (line.seeds, line.rounds) == ((1, 3), 5)
    assert line.ours == tuple(run(seed)["mse"][4] for seed in (1, 3))
    assert line.difference == 0  # the noise of 5 rounds is the first 5 of 6


def test_what_they_do_not_give_is_left_out(reference):
    found = by_quantity(differences.compare(frame([("mse only", "IG")], metrics=("mse",)), reference))
    assert list(found) == [name for name in BY_NAME if "MSE" in name or name == "rounds to convergence"]


def test_labels():
    pairs = [("in-hoc", "IG"), ("in-hoc", "SHAP"), ("post-hoc", "IG"), ("A", "IG"), ("B", "IG"), ("B", "SHAP")]
    found = differences.methods(frame(pairs, seeds=(0,)))
    assert list(found) == ["in-hoc IG, theirs", "in-hoc SHAP", "post-hoc, theirs", "A", "B (IG)", "B (SHAP)"]
    assert set(found["B (SHAP)"]["explainer"]) == {"SHAP"}
    with pytest.raises(CurvesError, match=r"two schemes both read 'in-hoc SHAP' with their explainers; rename one"):
        differences.methods(frame([("in-hoc", "SHAP"), ("in-hoc SHAP", "IG")], seeds=(0,)))


REFUSED = {
    "nothing to compare": (
        lambda: frame([("mine", "IG")], metrics=("kb", "seconds")),
        r"nothing can be compared: no method has mse, or confidence, for all of its seeds; add it",
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
        account.write(path, curves.read(path), reference, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "out").glob("*"))


def test_reference_that_cannot_be_read(folders):
    folder, _ = folders
    manifest = folder / "manifest.json"
    for content in ("{", "[]", '{"settings": {}}', '{"settings": {"slices": {"eMBB": {}}}}'):
        manifest.write_text(content)
        with pytest.raises(CurvesError, match=r"manifest\.json: not a manifest of reference curves; write it anew"):
            read_reference(folder)
    manifest.unlink()
    with pytest.raises(CurvesError, match=r"manifest\.json: cannot be read \(No such file.*give --against"):
        read_reference(folder)


@pytest.mark.parametrize("name", ["curves.csv", "seconds.csv"])
def test_a_reference_whose_files_are_of_two_writings(folders, name):
    """As after a kill between the curves and the manifest: whole files that do not belong together."""
    folder, _ = folders
    manifest = json.loads((folder / "manifest.json").read_text())
    digests = {file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in ("curves.csv", "seconds.csv")}
    (folder / "manifest.json").write_text(json.dumps(manifest | {"files_sha256": digests}))
    read_reference(folder)
    table = curves.read(folder / name)
    curves.write(folder / name, table.assign(value=table["value"] / 2))
    with pytest.raises(CurvesError, match=rf"{name}: not the file that manifest\.json was written for; write both"):
        read_reference(folder)


def notes_of(theirs, reference):
    return written.notes("x.csv", theirs, reference, differences.compare(theirs, reference))


def test_what_only_some_seeds_have_is_said(reference):
    whole = frame([("mine", "IG")])
    assert not any(
        "Compared for no seed" in note
        for note in written.notes("x.csv", whole, reference, differences.compare(whole, reference))
    )
    partly = whole[~((whole["metric"] == "kb") & (whole["seed"] == 1))]
    lines = differences.compare(partly, reference)
    assert "KB to convergence" not in by_quantity(lines)
    (said,) = [note for note in notes_of(partly, reference) if "Compared for no seed" in note]
    assert "kb of mine in eMBB (missing for seed 1)" in said


def test_a_seed_that_is_not_compared_takes_nothing_away(reference):
    """Seed 9 is not the reference's: that it lacks the confidence leaves the others' compared."""
    whole = frame([("mine", "IG")], seeds=(*SEEDS, 9))
    theirs = whole[~((whole["seed"] == 9) & (whole["metric"] == "confidence"))]
    assert "final confidence" in by_quantity(differences.compare(theirs, reference))
    assert differences.partly_there(theirs, reference) == []
    nowhere = whole[whole["metric"] == "mse"]  # what no seed has was not taken from any
    assert differences.partly_there(nowhere, reference) == []


def test_what_only_some_seeds_of_ours_have_is_said_too(reference):
    ours = reference.frame
    gone = (ours["seed"] <= 1) & (ours["metric"] == "kb") & (ours["slice"] == "eMBB") & (ours["scheme"] == "post-hoc")
    partly, theirs = replace(reference, frame=ours[~gone]), frame([("mine", "IG")])
    assert "KB to convergence" not in by_quantity(differences.compare(theirs, partly))
    assert differences.partly_there(theirs, partly) == ["kb of post-hoc in eMBB (missing for seed 0, 1)"]


def test_a_reference_without_seconds_gives_no_seconds(folders):
    folder, _ = folders
    (folder / "seconds.csv").unlink()
    found = by_quantity(differences.compare(frame([("mine", "IG")]), read_reference(folder)))
    assert "seconds to convergence" not in found
    assert "KB to convergence" in found


# --- pictures


def test_newcomers_look_different_from_one_another_and_from_ours():
    looks = [*NEWCOMER_LOOKS, *(LOOKS[label] for label in differences.OURS)]
    for quality in ("color", "linestyle", "marker"):
        assert len({look[quality] for look in looks}) == len(looks), quality
    for look in looks:  # luma (ITU-R BT.709) well below white's, for print in grey
        assert np.dot(to_rgb(look["color"]), [0.2126, 0.7152, 0.0722]) < 0.75


def panels(theirs, reference):
    figure = picture.draw(theirs, reference, differences.compare(theirs, reference))
    return figure, {axes.get_xlabel() + axes.get_title(): axes for axes in figure.axes}


def test_the_picture_shows_both(reference):
    theirs = pd.concat([frame([("A", "IG")], ("eMBB", "Browsing"), level=2.0), frame([("B", "IG")], rounds=4)])
    figure, _ = panels(theirs, reference)
    assert len(figure.axes) == 5 * 2  # MSE, C, rounds, KB, seconds; two slices
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["in-hoc IG", "post-hoc", "A", "B", "threshold ν"]
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[0].get_lines()}
    expected = np.mean([run(seed, 2.0)["mse"] for seed in SEEDS], axis=0)
    np.testing.assert_allclose(lines["A"], expected, rtol=1e-12)
    assert len(lines["B"]) == 4  # ends where it ends
    assert "B" not in {line.get_label() for line in figure.axes[1].get_lines()}  # not run on Browsing
    assert figure.axes[0].get_yscale() == "log"
    widths = [bar.get_width() for bar in figure.axes[4].patches]
    assert widths == [4.0, 4.0, 4.0, 4.0]  # rounds to convergence of four methods


def test_a_run_that_never_converges_has_no_bar(reference):
    theirs = tidy("mine", "IG", "eMBB", 0, {"mse": [0.1, 1.0] * 3, "confidence": [np.nan] * 6})
    _, named = panels(theirs, reference)
    assert len(named["FL rounds to convergence"].patches) == 2
    lines = differences.compare(theirs, reference)
    assert by_quantity(lines)["rounds to convergence"].verdict.endswith("not defined in any common seed")
    assert written.cells(by_quantity(lines)["final confidence"])[4] == "not defined"


# --- the command


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """The command as typed, once."""
    folder = tmp_path_factory.mktemp("compare")
    write_reference(folder / "reference")
    theirs = frame([("Fed<Prox>|2", "IG"), ("other", "SHAP")], level=1.5)
    theirs.loc[theirs["scheme"] == "other", "value"] *= 0.99
    curves.write(folder / "theirs.csv", theirs)
    options = ["--against", folder / "reference", "--out", folder / "out"]
    command = [sys.executable, "reproduction/compare.py", folder / "theirs.csv", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done, folder / "out"


def test_command(outcome):
    done, folder = outcome
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"comparison{suffix}" for suffix in (".csv", ".html", ".json", ".md", ".pdf", ".png")
    )
    assert "Fed<Prox>|2 in eMBB" in done.stdout
    assert "higher final MSE than post-hoc in eMBB" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("comparison.csv")
    assert "tensorflow" not in done.stderr.lower()


def test_html_is_valid_and_readable_without_the_picture(outcome):
    page = (outcome[1] / "comparison.html").read_bytes()
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)  # strict: an error raises
    assert tree.get("lang") == "en"
    assert tree.find("head/title").text == "Fed<Prox>|2, other against ours"
    assert [heading.text for heading in tree.iter("h1")] == ["Fed<Prox>|2, other against ours"]
    assert [heading.text for heading in tree.iter("h2")] == ["Fed<Prox>|2", "other"]
    (image,) = tree.iter("img")
    assert image.get("src").startswith("data:image/png;base64,")
    assert "in-hoc IG, post-hoc, Fed<Prox>|2, other" in image.get("alt")
    tables = list(tree.iter("table"))
    assert [table.find("caption").text for table in tables] == ["Fed<Prox>|2 in eMBB", "other in eMBB"]
    assert all(cell.get("scope") in ("col", "row") for cell in tree.iter("th"))
    assert b"http" not in page  # self-contained
    assert len(list(tables[0].iter("tr"))) == 1 + 2 * len(BY_NAME)


def test_files_hold_the_same_numbers(outcome):
    folder = outcome[1]
    document = records.read_record(folder / "comparison.json", account.COMPARISON)
    lines = document["result"]["lines"]
    table = pd.read_csv(folder / "comparison.csv")
    assert len(lines) == len(table) == 2 * 2 * len(BY_NAME)
    np.testing.assert_array_equal(table["difference"], [line["difference"] for line in lines])
    assert table["verdict"].tolist() == [line["verdict"] for line in lines]
    written = (folder / "comparison.md").read_text()
    assert all(line["verdict"].replace("|", r"\|") in written for line in lines)
    assert written.startswith("# Fed<Prox>|2, other against ours\n")
    assert document["theirs"]["file"] == "theirs.csv"
    assert document["against"] == {"preset": "small", "clients": 10, "tolerance": 0.05}
    assert "10 closed loops" in written


def exit_of(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        compare.main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    return exit_.value.code, line


def test_bad_files_are_one_line_and_exit_2(folders, capsys):
    folder, theirs = folders
    arguments = [theirs, "--against", folder, "--out", theirs.parent]
    assert exit_of(arguments, capsys) == (2, f"error: {theirs}: no such file; give the path of a CSV of curves")
    theirs.write_text("a,b\n1,2\n")
    code, line = exit_of(arguments, capsys)
    assert code == 2
    assert line.startswith(f"error: {theirs}, row 1: column 'scheme' is missing")
    curves.write(theirs, frame([("mine", "IG")], seeds=(7,)))
    assert "no seed in common" in exit_of(arguments, capsys)[1]
    code, line = exit_of([theirs, "--against", theirs.parent / "none"], capsys)
    assert code == 2
    assert "give --against" in line
    own = theirs.with_name("comparison.csv")
    own.write_bytes(theirs.read_bytes())
    assert "would be overwritten" in exit_of([own, "--against", folder, "--out", theirs.parent], capsys)[1]
    (theirs.parent / "file").touch()
    curves.write(theirs, frame([("mine", "IG")]))
    code, line = exit_of([theirs, "--against", folder, "--out", theirs.parent / "file"], capsys)
    assert code == 2
    assert "cannot be written" in line


def test_the_default_reference_is_the_projects(folders, monkeypatch, capsys, tmp_path):
    """In the current folder, else beside the package."""
    folder, theirs = folders
    curves.write(theirs, frame([("mine", "IG")]))
    monkeypatch.chdir(tmp_path)
    folder.rename(tmp_path / "away")
    monkeypatch.setattr(compare, "data_folder", lambda: ROOT / "nowhere")
    assert f"{ROOT / 'nowhere/reference/paper/manifest.json'}" in exit_of([theirs], capsys)[1]
    (tmp_path / "data/reference").mkdir(parents=True)
    (tmp_path / "away").rename(tmp_path / "data/reference/paper")
    compare.main([str(theirs)])
    assert (tmp_path / "figures/comparison/comparison.html").exists()
    assert "mine in eMBB" in capsys.readouterr().out
