"""The picture of a comparison: the same numbers as the tables, and every caution."""

import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb

from reproduction.results import plotting
from reproduction.results.words import mean_and_sd
from reproduction.slicing.comparison import account, differences, pairs, picture
from reproduction.slicing.comparison import tables as written
from reproduction.slicing.schemes import LOOKS, NEWCOMER_LOOKS
from tests.helpers.comparisons import SEEDS, bare, by_quantity, cautions, frame, notes_of, run, tidy


def test_newcomers_look_different_from_one_another_and_from_ours():
    looks = [*NEWCOMER_LOOKS, *(LOOKS[label] for label in pairs.OURS)]
    for quality in ("color", "linestyle", "marker"):
        assert len({look[quality] for look in looks}) == len(looks), quality
    for look in looks:  # luma (ITU-R BT.709) well below white's, for print in grey
        assert np.dot(to_rgb(look["color"]), [0.2126, 0.7152, 0.0722]) < 0.75


def panels(theirs, reference):
    figure = picture.draw(differences.compare(theirs, reference))
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


def test_the_picture_shows_the_seeds_and_rounds_of_the_table(reference):
    """Of both sides: a seed that only one has, or a round, is in neither."""
    theirs = frame([("A", "IG")], seeds=(1, 3, 9), rounds=5, level=2.0)
    comparison = differences.compare(theirs, reference)
    figure, named = panels(theirs, reference)
    drawn = {line.get_label(): line.get_ydata() for line in figure.axes[0].get_lines()}
    for label, level in (("A", 2.0), ("post-hoc", 1.0)):
        expected = np.mean([run(seed, level, 5)["mse"] for seed in (1, 3)], axis=0)
        np.testing.assert_allclose(drawn[label], expected, rtol=1e-12)
    points = [line.get_xdata() for line in named["KB to convergence"].get_lines()]
    for side, values in zip(("ours", "ours", "theirs"), points, strict=True):  # in-hoc IG, post-hoc, A
        assert len(values) == 2
        assert values.tolist() == getattr(by_quantity(comparison)["KB to convergence"].found, side).tolist()
    lacking_one = theirs[~((theirs["seed"] == 3) & (theirs["metric"] == "kb"))]
    _, named = panels(lacking_one, reference)
    assert [len(line.get_xdata()) for line in named["KB to convergence"].get_lines()] == [1, 1, 1]


def test_ours_are_those_that_any_method_is_compared_with(reference):
    theirs = pd.concat([frame([("A", "IG")], seeds=(0, 1), rounds=4), frame([("B", "IG")], seeds=(1, 2))])
    runs = pairs.shown(differences.compare(theirs, reference).pairs, "eMBB")
    lengths = {label: {seed: len(run["mse"]) for seed, run in by_seed.items()} for label, by_seed in runs.items()}
    ours = {0: 4, 1: 6, 2: 6}
    assert lengths == {"in-hoc IG": ours, "post-hoc": ours, "A": {0: 4, 1: 4}, "B": {1: 6, 2: 6}}


def test_cautions_stand_in_the_picture(reference):
    quiet, _ = panels(frame([("A", "IG")]), reference)
    assert quiet.get_suptitle() == ""
    theirs = bare(frame([("A", "SHAP")], rounds=4))
    loud, _ = panels(theirs, reference)
    said = " ".join(loud.get_suptitle().split())
    assert said == " ".join(f"CAUTION: {caution}" for caution in cautions(theirs, reference))
    assert said.count("CAUTION") == 3
    assert loud.get_size_inches()[1] > quiet.get_size_inches()[1]
    with plotting.style():  # nothing is cut off at the picture's edge
        drawn, _ = panels(theirs, reference)
        drawn.draw_without_rendering()
        box = drawn.texts[0].get_window_extent() if drawn.texts else drawn._suptitle.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= drawn.bbox.width


def test_a_run_that_never_converges_has_no_bar(reference):
    theirs = tidy("mine", "IG", "eMBB", 0, {"mse": [0.1, 1.0] * 3, "confidence": [np.nan] * 6})
    _, named = panels(theirs, reference)
    assert len(named["FL rounds to convergence"].patches) == 2
    lines = by_quantity(differences.compare(theirs, reference))
    assert lines["rounds to convergence"].verdict.endswith("not defined in any common seed")
    assert written.cells(lines["final confidence"])[4] == "not defined"


# --- several numbers of CLs


def of_several_counts():
    return pd.concat(
        [frame([("A", "IG")], clients=count, level=count / 10) for count in (5, 10, 20)], ignore_index=True
    )


def test_only_the_references_number_of_cls_is_compared(reference):
    several, one = (differences.compare(theirs, reference) for theirs in (of_several_counts(), frame([("A", "IG")])))
    pd.testing.assert_frame_equal(account.flat(several.lines), account.flat(one.lines))
    assert several.cautions == one.cautions == one.scalings == []


def test_what_every_number_of_cls_gives_is_told_and_drawn(reference):
    theirs = of_several_counts()
    comparison = differences.compare(theirs, reference)
    scaling = {one.method: one.values for one in comparison.scalings}
    assert list(scaling) == ["in-hoc IG", "post-hoc", "A"]
    last = np.array([run(seed)["mse"][-1] for seed in SEEDS])
    assert {name: list(by_count) for name, by_count in scaling["A"].items()} == {
        "final MSE [%²]": [5, 10, 20],
        "lowest confidence C": [5, 10, 20],
    }
    for count, values in scaling["A"]["final MSE [%²]"].items():
        np.testing.assert_allclose(values, last * count / 10, rtol=1e-12)
    np.testing.assert_array_equal(scaling["post-hoc"]["final MSE [%²]"][10], last)
    lowest = [run(seed, 2.0)["confidence"].min() for seed in SEEDS]
    np.testing.assert_allclose(scaling["A"]["lowest confidence C"][20], lowest, rtol=1e-12)
    (said,) = [note for note in notes_of(theirs, reference) if note.startswith("A in eMBB, by number")]
    assert f"{mean_and_sd(2 * last)} (K = 20)" in said
    figure, _ = panels(theirs, reference)
    last_two = [axes for axes in figure.axes if axes.get_xlabel() == "Number of CLs, K"]
    assert [axes.get_ylabel() for axes in last_two] == ["Final MSE [%²]", "Lowest confidence C"]
    points = [container.lines[0].get_xydata() for container in last_two[0].containers]
    np.testing.assert_allclose(points[2], [[5, last.mean() / 2], [10, last.mean()], [20, 2 * last.mean()]], rtol=1e-12)
    np.testing.assert_allclose(points[0], [[10, last.mean()]], rtol=1e-12)  # ours


def test_other_numbers_of_cls_are_shown_over_the_compared_seeds_and_rounds(reference):
    theirs = pd.concat(
        [frame([("A", "IG")], seeds=(1, 3), rounds=5, clients=10), frame([("A", "IG")], seeds=(1, 2, 3), clients=20)]
    )
    scaling = {one.method: one.values["final MSE [%²]"] for one in differences.compare(theirs, reference).scalings}
    expected = [run(seed)["mse"][4] for seed in (1, 3)]
    for label, counts in (("in-hoc IG", [10]), ("post-hoc", [10]), ("A", [10, 20])):
        assert list(scaling[label]) == counts
        for values in scaling[label].values():
            np.testing.assert_allclose(values, expected, rtol=1e-12)
