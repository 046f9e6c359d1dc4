"""Holding curves to the reference: run by run within measured rounding, and mean by mean within chance.

One difference is one line. Nothing here trains anything.
"""

import json
from itertools import accumulate
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from reproduction.slicing.comparison import curves
from reproduction.slicing.comparison.reference_federations import UNEQUAL
from reproduction.slicing.schemes import SCHEMES

REFERENCE = Path(__file__).resolve().parents[2] / "data" / "reference"
QUICK_REFERENCE = REFERENCE / "quick"

SLICE = "eMBB"
ONE_PER_SCHEME = tuple((SLICE, *scheme) for scheme in SCHEMES.values())
FEDERATIONS = (*ONE_PER_SCHEME, (UNEQUAL, "post-hoc", "integrated_gradients"))
"""Slice, scheme and explainer of what is trained again: each scheme once, and one federation of unequal CLs."""

REMEDY = "if the change is meant, run `make reference` and list the change of the means in the CHANGELOG"

RUN = curves.RUN_KEY

MULTIPLE = 5
"""Of the largest deviation measured up to a round (`golden/measure_portability.py`), for the machines not measured."""

FLOORS = {"mse": 1e-5, "confidence": 1.5e-3, "kb": 0.0}
"""Where nothing was measured to move. MSE, as a share: some units in the last place of float32 (6e-8), over 50 epochs.
Confidence: one draw that falls the other way in the smallest CL moves C by 1 / (10 CLs x 100 samples). KB: counted."""

ONE_DRAW = 1e-4
"""What one draw of 10 CLs x 1,000 samples moves C by."""

CHANCE = 0.01
"""Of the distributional comparison's being red by chance, over all of its comparisons, if seeds were drawn anew."""


def reference():
    return curves.read(QUICK_REFERENCE / "curves.csv")


def tolerances():
    """Return, per metric, the tolerance of rounds 1, 2, ...: of the MSE as a share, of the others absolute.

    Rounding grows by the round, tenfold in the MSE, so each round has its own: tight in the first, where a defect is
    there already, and void in the last ones, where only `compare_means` can tell.
    """
    largest = json.loads((QUICK_REFERENCE / "portability.json").read_text())["largest"]
    return {
        metric: [max(FLOORS[metric], MULTIPLE * worst) for worst in accumulate(values, max)]
        for metric, values in largest.items()
    }


def compare_with_reference(ours, expected, tolerance):
    """Compare runs with the reference's runs of the same seeds; `ours` may have fewer rounds.

    Returns:
        a line per value that is farther from the reference than rounding brings it.
    """
    lines = []
    compared = ours[ours["metric"] != "seconds"]
    both = compared.merge(expected, on=[*RUN, "metric", "round"], how="left", indicator="found", suffixes=("", "_then"))
    for row in both.itertuples():
        where = f"{row.scheme} ({row.explainer}), {row.slice}, seed {row.seed}, round {row.round}, {row.metric}"
        if row.found != "both":
            lines.append(f"{where}: the reference does not have it; {REMEDY}")
            continue
        allowed = tolerance[row.metric][row.round - 1] * (row.value_then if row.metric == "mse" else 1)
        same = np.isnan([row.value, row.value_then]).all() or abs(row.value - row.value_then) <= allowed
        if not same:
            values = f"ours {row.value:.6g}, reference {row.value_then:.6g}, tolerance {allowed:.2g} {row.unit}"
            lines.append(f"{where}: {values}; {REMEDY}")
    return lines


def statistics_of(frame):
    """Return a row per run: MSE and the lack of confidence, 1 - C, mean over the rounds and last.

    In logarithms, because both scatter over the seeds by a share of themselves; the MSE's mean is the geometric one,
    which the first rounds do not rule. 1 - C may be 0: `ONE_DRAW` is added.
    """
    wide = frame.pivot(index=RUN, columns=["metric", "round"], values="value")
    mse, lack = np.log(wide["mse"]), 1 - wide["confidence"]
    return pd.DataFrame(
        {
            "mse: log, mean over rounds": mse.mean(axis=1),
            "mse: log, last round": mse.iloc[:, -1],
            "confidence: log(1 - C), mean over rounds": np.log(lack.mean(axis=1) + ONE_DRAW),
            "confidence: log(1 - C), last round": np.log(lack.iloc[:, -1] + ONE_DRAW),
        }
    )


def compare_means(fresh, expected):
    """Compare the means of runs on fresh seeds with the reference's, over the rounds that the fresh ones have.

    Both sides have the spread s that the seeds show, pooled, so the difference of the means has s sqrt(1/n + 1/m); k is
    Student's quantile at `CHANCE`, two-sided, shared out among all comparisons (Bonferroni).

    Returns:
        a line per mean that is farther away than k s sqrt(1/n + 1/m).
    """
    lines = []
    ours, theirs = statistics_of(fresh), statistics_of(expected[expected["round"] <= fresh["round"].max()])
    assert not set(ours.index) & set(theirs.index), "the fresh seeds must not be the reference's"
    groups = list(ours.groupby(level=RUN[:3]))
    comparisons = len(groups) * ours.shape[1]
    for (scheme, explainer, name), here in groups:
        there = theirs.xs((scheme, explainer, name), level=RUN[:3])
        m, n = len(here), len(there)
        k = stats.t.ppf(1 - CHANCE / (2 * comparisons), m + n - 2)
        pooled = (here.var() * (m - 1) + there.var() * (n - 1)) / (m + n - 2)
        allowed = k * np.sqrt(pooled * (1 / m + 1 / n))
        for statistic in ours.columns:
            means = here[statistic].mean(), there[statistic].mean()
            if not abs(means[0] - means[1]) <= allowed[statistic]:
                lines.append(
                    f"{scheme} ({explainer}), {name}, {m} fresh seeds, {statistic}: ours {means[0]:.6g}, "
                    f"reference {means[1]:.6g} (seeds 0..{n - 1}), tolerance {allowed[statistic]:.2g}; {REMEDY}"
                )
    return lines
