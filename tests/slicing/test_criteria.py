"""Each criterion on both sides of each of its thresholds, and measured where it says: curves made by hand."""

import numpy as np
import pytest

from reproduction.slicing import criteria

FALLING = [0.10, 0.09, 0.08, 0.07, 0.06, 0.05, 0.04, 0.03, 0.02, 0.01]
"""Ten rounds; a rank correlation is then 1 - 6 sum d^2 / 990, with d the differences of the ranks."""


def swapped(*pairs):
    """Return the falling curve with some rounds exchanged: each pair of neighbours adds 2 to sum d^2."""
    curve = list(FALLING)
    for one, other in pairs:
        curve[one], curve[other] = curve[other], curve[one]
    return curve


# d = 2, -2 twice, so 16, and 1 - 96 / 990 = .903; another pair of neighbours gives 18 and .891.
JUST_CORRELATED = swapped((1, 3), (4, 6))
JUST_NOT = swapped((1, 3), (4, 6), (7, 8))


def dropping(to, curve=FALLING):
    """Return a curve that ends at `to`, in the order of another."""
    return [0.1 - (0.1 - value) / 0.09 * (0.1 - to) for value in curve]


def by_slice(in_hoc, post_hoc, **others):
    """Return one slice with a run per scheme; a further slice for each of `others`."""
    return {
        name: {"in-hoc IG": ours, "post-hoc": theirs}
        for name, (ours, theirs) in {"eMBB": (in_hoc, post_hoc), **others}.items()
    }


def mse(*runs):
    return {"mse": list(runs)}


def confidence(*runs):
    return {"confidence": list(runs)}


GOOD = mse(FALLING), mse(FALLING)
C1 = {
    "correlation .903": (by_slice(mse(JUST_CORRELATED), mse(FALLING)), True),
    "correlation .891": (by_slice(mse(JUST_NOT), mse(FALLING)), False),
    "drop ratio .81": (by_slice(mse(dropping(0.1 - 0.81 * 0.09)), mse(FALLING)), True),
    "drop ratio .79": (by_slice(mse(dropping(0.1 - 0.79 * 0.09)), mse(FALLING)), False),
    # To the last round, not to the best: in-hoc comes back up from .01 to .035, a ratio of .72, not 1.
    "in-hoc rises at the end": (by_slice(mse([*FALLING[:8], 0.01, 0.035]), mse(FALLING)), False),
    # ... and post-hoc from 0 to .02: a ratio of .072 / .08 = .9 to the last round, .72 to the best.
    "post-hoc rises at the end": (
        by_slice(mse(dropping(0.028)), mse([*FALLING[:8], 0.0, 0.02])),
        True,
    ),
    # The mean over the seeds decides: ratios .6 and 1.1 are .85, .5 and 1 are .75.
    "seeds of .6 and 1.1": (
        by_slice(mse(dropping(0.046), dropping(0.001)), mse(FALLING, FALLING)),
        True,
    ),
    "seeds of .5 and 1": (by_slice(mse(dropping(0.055), FALLING), mse(FALLING, FALLING)), False),
    "one slice of two": (by_slice(*GOOD, Browsing=(mse(JUST_NOT), mse(FALLING))), False),
}


@pytest.mark.parametrize(("slices", "holds"), C1.values(), ids=C1)
def test_c1(slices, holds):
    assert criteria.c1(slices).holds is holds


def test_c1_counts_the_ranks_as_said():
    numbers = criteria.c1(by_slice(mse(JUST_CORRELATED, JUST_NOT), mse(FALLING, FALLING))).numbers
    np.testing.assert_allclose(numbers["rank correlation"]["eMBB"], [1 - 96 / 990, 1 - 108 / 990], rtol=1e-12)


HIGH = confidence([0.99, 0.99, 0.99])
C2 = {
    ".851 once": (confidence([0.99, 0.851, 0.99]), True),
    ".849 once": (confidence([0.99, 0.849, 0.99]), False),
    ".849 in the first round": (confidence([0.849, 0.99, 0.99]), False),
    "seeds whose lowest are .80 and .91": (confidence([0.99, 0.80, 0.99], [0.91, 0.99, 0.99]), True),
    "seeds whose lowest are .80 and .89": (confidence([0.99, 0.80, 0.99], [0.89, 0.99, 0.99]), False),
    # The mean, not the median.
    "seeds of .84, .84 and .99": (confidence([0.84, 0.99, 0.99], [0.99, 0.84, 0.99], [0.99, 0.99, 0.99]), True),
    "seeds of .86, .86 and .70": (confidence([0.86, 0.99, 0.99], [0.99, 0.86, 0.99], [0.70, 0.99, 0.99]), False),
}


@pytest.mark.parametrize(("in_hoc", "holds"), C2.values(), ids=C2)
def test_c2(in_hoc, holds):
    low = confidence(*[[0.1] * 3] * len(in_hoc["confidence"]))  # post-hoc's, which must not matter
    assert criteria.c2(by_slice(in_hoc, low)).holds is holds
    assert criteria.c2(by_slice(HIGH, HIGH, Browsing=(in_hoc, low))).holds is holds


C3 = {
    "fall .101": (HIGH, confidence([0.801, 0.5, 0.7]), True),
    "fall .099": (HIGH, confidence([0.799, 0.5, 0.7]), False),
    "gap .101": (confidence([0.2, 0.2, 0.801]), confidence([0.9, 0.8, 0.7]), True),
    "gap .099": (confidence([0.99, 0.99, 0.799]), confidence([0.9, 0.8, 0.7]), False),
    # From the first to the last round, not to the lowest, nor from the highest.
    "a dip that recovers": (HIGH, confidence([0.85, 0.4, 0.8]), False),
    "a rise before the fall": (HIGH, confidence([0.85, 0.95, 0.8]), False),
}


@pytest.mark.parametrize(("in_hoc", "post_hoc", "holds"), C3.values(), ids=C3)
def test_c3(in_hoc, post_hoc, holds):
    assert criteria.c3(by_slice(in_hoc, post_hoc)).holds is holds
    falls = confidence([0.9, 0.8, 0.5])
    assert criteria.c3(by_slice(HIGH, falls, Browsing=(in_hoc, post_hoc))).holds is holds


@pytest.mark.parametrize(("spread", "holds"), [(0.049, True), (0.051, False)])
def test_c4(spread, holds):
    """Of the CLs' mean confidences; a CL may be further away, and post-hoc's does not count."""
    tests = {"in-hoc IG": 0.9, "in-hoc Input x Gradient": 0.9 - spread, "in-hoc SHAP": 0.88, "post-hoc": 0.2}
    scores = {label: {"confidence": [[mean - 0.1, mean + 0.1]]} for label, mean in tests.items()}
    assert criteria.c4({"eMBB": scores}).holds is holds


CQI_FIRST = [0.2, 0.3, 0.1, 0.9, 0.01]
C5 = {
    "CQI 1 % above the largest OTT": ([0.2, 0.3, 0.1, 0.303, 0.01], [0.1] * 5, True),
    "CQI 1 % below": ([0.2, 0.3, 0.1, 0.297, 0.01], [0.1] * 5, False),
    # The sum of the others is 1.5: MIMO's share is m / (1.5 + m).
    "MIMO 4.9 %": ([0.2, 0.3, 0.1, 0.9, 1.5 * 0.049 / 0.951], [0.1] * 5, True),
    "MIMO 5.1 %": ([0.2, 0.3, 0.1, 0.9, 1.5 * 0.051 / 0.949], [0.1] * 5, False),
    "least OTT just above 0": (CQI_FIRST, [0.2, 0.001, 0.3, -0.9, -0.1], True),
    "least OTT just below 0": (CQI_FIRST, [0.2, -0.001, 0.3, 0.9, 0.1], False),
}


@pytest.mark.parametrize(("sizes", "means", "holds"), C5.values(), ids=C5)
def test_c5(sizes, means, holds):
    """Of the in-hoc model against the zero baseline; what stands beside must not matter."""
    ours = {"mean_abs_shap": sizes, "mean_shap": means, "mean_abs_shap_background": CQI_FIRST[::-1]}
    theirs = {"mean_abs_shap": CQI_FIRST[::-1], "mean_shap": [-1.0] * 5, "mean_abs_shap_background": CQI_FIRST[::-1]}
    names = ["Netflix", "YouTube", "Facebook Video", "CQI", "MIMO full-rank"]
    result = {"slice": "eMBB", "feature_names": names, "models": {"in-hoc IG": [ours], "post-hoc": [theirs]}}
    assert criteria.c5(result).holds is holds


C6 = {
    "1 % below SHAP": ({"in-hoc SHAP": 10.1}, True),
    "1 % above SHAP": ({"in-hoc SHAP": 9.9}, False),
    "1 % below Input x Gradient": ({"in-hoc Input x Gradient": 10.1}, True),
    "1 % above Input x Gradient": ({"in-hoc Input x Gradient": 9.9}, False),
    # Shares of post-hoc's seconds, not of IG's.
    "24 % above post-hoc": ({"post-hoc": 10 / 1.24}, True),
    "26 % above post-hoc": ({"post-hoc": 10 / 1.26}, False),
    "24 % below post-hoc": ({"post-hoc": 10 / 0.76}, True),
    "26 % below post-hoc": ({"post-hoc": 10 / 0.74}, False),
}


@pytest.mark.parametrize(("changes", "holds"), C6.values(), ids=C6)
def test_c6(changes, holds):
    seconds = {"in-hoc IG": 10.0, "in-hoc Input x Gradient": 20.0, "in-hoc SHAP": 20.0, "post-hoc": 10.0} | changes
    assert criteria.c6({label: [value - 4, value + 4] for label, value in seconds.items()}).holds is holds


@pytest.mark.parametrize(("errors", "holds"), [(1.8, False), (2.2, True), (-2.2, False)])
def test_c7(errors, holds):
    """Rounds saved are `errors` standard errors above 0: of -2, -1, 0, 1, 2 the sample s.d. is sqrt(10 / 4)."""
    deviations = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    standard_error = np.sqrt(10 / 4) / np.sqrt(5)
    in_hoc = np.array([12.0, 14.0, 11.0, 13.0, 15.0])
    rounds = {"in-hoc IG": in_hoc.tolist(), "post-hoc": (in_hoc + deviations + errors * standard_error).tolist()}
    assert criteria.c7(rounds).holds is holds


C8 = {
    "lowest .901": (FALLING, 0.901, True),
    "lowest .899": (FALLING, 0.899, False),
    "trend -.903": (JUST_CORRELATED, 0.99, True),
    "trend -.891": (JUST_NOT, 0.99, False),
}


@pytest.mark.parametrize(("curve", "lowest", "holds"), C8.values(), ids=C8)
def test_c8(curve, lowest, holds):
    """For every K: one of two is enough to break it."""
    steady = mse(FALLING) | confidence([0.99] * 10)
    other = mse(curve) | confidence([0.99] * 4 + [lowest] + [0.99] * 5)
    assert criteria.c8({"10": steady, "200": other}).holds is holds
    assert criteria.c8({"10": other, "200": steady}).holds is holds
