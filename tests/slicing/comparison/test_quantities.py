"""Numbers of a run, intervals over pairs of runs and what they show, by hand."""

import itertools

import numpy as np
import pytest
from scipy import stats

from reproduction.results.seed_statistics import paired_interval
from reproduction.slicing.comparison.measures import Limits, area_between
from reproduction.slicing.comparison.quantities import BY_NAME, Differences, PairQuantity
from reproduction.slicing.comparison.verdict import short, verdict
from tests.helpers.comparisons import (
    ROUNDS,
    run,
)

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


def found(values, low=np.nan, high=np.nan):
    none = np.full(len(values), np.nan)
    return Differences(theirs=none, ours=none, values=np.array(values), low=low, high=high)


def words(name, *arguments):
    return verdict(BY_NAME[name], found(*arguments), "post-hoc in eMBB")


VERDICTS = {
    "lower": (
        ("final MSE", [-0.001, -0.0014] * 2 + [-0.0012], -0.002, -0.0004),
        "lower final MSE than post-hoc in eMBB: -0.0012 [-0.002, -0.0004]",
    ),
    "more": (
        ("KB to convergence", [1000.0, 2000.0] * 3, 1000.0, 2000.0),
        "more KB to convergence than post-hoc in eMBB: +1,500 [+1,000, +2,000]",
    ),
    "the interval holds 0": (
        ("final MSE", [-0.1, 0.2] * 2 + [0.0], -0.1, 0.2),
        "no difference in final MSE from post-hoc in eMBB seen with 5 seeds: +0.04 [-0.1, +0.2]",
    ),
    "the interval leaves out 0, the signs differ": (
        ("final MSE", [0.3, 0.2, 0.3, 0.2, -0.05], 0.04, 0.27),
        "final MSE against post-hoc in eMBB: not decided with 5 seeds, not all of one sign: +0.19 [+0.04, +0.27]",
    ),
    "one is 0, which is no sign": (
        ("final MSE", [0.3, 0.2, 0.3, 0.2, 0.0], 0.04, 0.27),
        "final MSE against post-hoc in eMBB: not decided with 5 seeds, not all of one sign: +0.2 [+0.04, +0.27]",
    ),
    "four seeds": (
        ("final confidence", [0.1, 0.2] * 2, 0.1, 0.2),
        "final confidence against post-hoc in eMBB: not decided with 4 seeds: +0.15 [+0.1, +0.2]",
    ),
    "one seed": (
        ("rounds to convergence", [-2.0]),
        "rounds to convergence against post-hoc in eMBB: not decided with one seed: -2, no interval",
    ),
    "five seeds, of which four are defined": (
        ("rounds to convergence", [-2.0, np.nan, -2.0, -2.0, -2.0]),
        "rounds to convergence against post-hoc in eMBB: not decided with 4 seeds: -2, no interval "
        "(1 of 5 seeds left out: not defined there)",
    ),
    "one and the same difference": (
        ("rounds to convergence", [-2.0] * 5),
        "fewer rounds to convergence than post-hoc in eMBB: -2, no interval",
    ),
    "equal": (("final MSE", [0.0] * 5), "the same final MSE as post-hoc in eMBB, with 5 seeds"),
    "equal, of two seeds": (
        ("final MSE", [0.0, 0.0]),
        "final MSE against post-hoc in eMBB: not decided with 2 seeds: +0, no interval",
    ),
    "nowhere defined": (
        ("rounds to convergence", [np.nan] * 5),
        "rounds to convergence against post-hoc in eMBB: not defined in any common seed",
    ),
    "an area": (
        ("area between the MSE curves", [0.1, 0.2] * 3, 0.1, 0.2),
        "MSE curve away from post-hoc in eMBB by 0.15 [0.1, 0.2] on average",
    ),
    "no area": (("area between the MSE curves", [0.0] * 5), "the same MSE curve as post-hoc in eMBB, with 5 seeds"),
    "an area of two seeds": (
        ("area between the MSE curves", [0.1, 0.2], 0.1, 0.2),
        "area between the MSE curves against post-hoc in eMBB: not decided with 2 seeds: 0.15 [0.1, 0.2]",
    ),
    "seconds": (
        ("seconds to convergence", [3.0, 4.0] * 3, 3.0, 4.0),
        "+3.5 [+3, +4] s against post-hoc in eMBB; means something only on one machine, as idle for both",
    ),
}


@pytest.mark.parametrize(("given", "said"), VERDICTS.values(), ids=VERDICTS)
def test_verdicts(given, said):
    assert words(*given) == said


def test_a_verdict_in_short():
    def said(name, *arguments):
        return short(BY_NAME[name], found(*arguments))

    assert said("final MSE", [-0.1, -0.2] * 3, -0.2, -0.1) == "lower: -0.15 [-0.2, -0.1]"
    assert said("final MSE", [-0.1, -0.2], -0.2, -0.1) == "not decided: -0.15 [-0.2, -0.1]"
    assert said("final MSE", [-0.1, 0.1] * 3, -0.2, 0.1) == "no difference seen: +0 [-0.2, +0.1]"
    assert said("final MSE", [0.0] * 5) == "the same"
    assert said("final MSE", [np.nan] * 5) == "not defined"
    assert said("seconds to convergence", [1.0, 2.0] * 3, 1.0, 2.0) == "depends on the machine: +1.5 [+1, +2]"


def test_a_run_that_learns_nothing_does_not_converge():
    """Not in the first round, ahead of all that learn."""
    flat = run(0) | {"mse": np.full(ROUNDS, 0.3)}
    for name in ("rounds to convergence", "KB to convergence", "seconds to convergence"):
        assert np.isnan(value(name, flat))
    assert value("rounds to convergence", run(0)) == 4
