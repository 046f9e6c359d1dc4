"""What is claimed of influence for a neural receiver, as the abstract has it, and what each claim is held to.

The criteria were written before the study was run. Shares are those of the gap to the genie that is closed on fresh
channels under the target's conditions; intervals are 95 % paired bootstraps over all targets of all seeds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reproduction.receiver.names import (
    ALIKE,
    ASCENT,
    CORRECTED,
    COSINE,
    FRESH,
    NEAREST_CHANNEL,
    NEAREST_SNR,
    PAPERS,
    PLAIN,
    PRODUCT,
    RANDOM,
    SECOND_ORDER,
)
from reproduction.results.seed_statistics import mean, paired_interval
from reproduction.results.verdicts import Finding, Statistic, Verdict

INFLUENCES = (
    PLAIN,
    "influence, capacity",
    "theta-relative, BCE",
    "theta-relative, capacity",
    "loss-relative, BCE",
    PAPERS,
    CORRECTED,
)

Result = Mapping[str, Any]


def verdicts(adaptation: Result, several: Result) -> list[Verdict]:
    """Return the claims table.

    Args:
        adaptation: result of the figure of that name.
        several: likewise.
    """
    return [
        Verdict(
            claim="I1",
            where="abstract",
            statement="loss-relative influence with a capacity-like cross-entropy and first-order updates improves bit "
            "error rates most consistently",
            paper="no number",
            criterion="of the seven kinds of influence it improves the most targets, or as many as the best",
            finding=_most_consistent(adaptation),
        ),
        Verdict(
            claim="I2",
            where="abstract",
            statement="it outperforms random fine-tuning for single targets",
            paper="no number",
            criterion="its share minus that of random frames, the mean over the draws: above 0, the interval without 0",
            finding=_against(adaptation, PAPERS, RANDOM, better=True),
        ),
        Verdict(
            claim="I3",
            where="abstract",
            statement="adaptation to several targets at once is less effective",
            paper="no number",
            criterion="at the greatest number of targets the share at once minus that of each for itself: below 0, the "
            "interval without 0",
            finding=_several(several),
        ),
        Verdict(
            claim="I4",
            where="summary",
            statement="second-order, influence-aligned updates gain little",
            paper="limited gains",
            criterion="the share of a second-order update of the same length minus that of first-order steps: below "
            "0, the interval without 0",
            finding=_against(adaptation, SECOND_ORDER, PAPERS, better=False),
        ),
        Verdict(
            claim="I5",
            where="summary",
            statement="gradient ascent on harmful frames is of limited effect",
            paper="limited effectiveness",
            criterion="its share minus that of first-order steps on beneficial frames: below 0, the interval without 0",
            finding=_against(adaptation, ASCENT, PAPERS, better=False),
        ),
        Verdict(
            claim="I6",
            where="ours: what costs the same and uses no influence",
            statement="influence selects better frames than fresh ones under the target's own conditions",
            paper="not compared",
            criterion="its share minus that of as many fresh frames: above 0, the interval without 0",
            finding=_against(adaptation, PAPERS, FRESH, better=True),
        ),
        Verdict(
            claim="I7",
            where="ours: what needs no curvature",
            statement="influence selects better frames than gradients alone, and than the nearest in SNR or channel",
            paper="not compared",
            criterion="I2's, against each of these four",
            finding=_against_all(adaptation, PAPERS, (PRODUCT, COSINE, NEAREST_SNR, NEAREST_CHANNEL)),
        ),
    ]


def _closed(adaptation: Result, kind: str) -> np.ndarray:
    """Return the shares, float64 [seeds, targets]."""
    return np.asarray(adaptation["selections"][kind]["closed"][ALIKE], float)


def _most_consistent(adaptation: Result) -> Finding:
    improved = {kind: (_closed(adaptation, kind) > 0.0).mean(axis=1).tolist() for kind in INFLUENCES}
    best = max(mean(values) for values in improved.values())
    return Finding(
        holds=mean(improved[PAPERS]) >= best,
        statistics=(Statistic(name="improved", values=improved, heading="share of targets improved"),),
    )


def _against(adaptation: Result, one: str, other: str, *, better: bool) -> Finding:
    """Return whether one's shares are above (or below) another's beyond chance."""
    return _difference(_closed(adaptation, one), _closed(adaptation, other), f"{one} minus {other}", better)


def _difference(one: np.ndarray, other: np.ndarray, name: str, better: bool) -> Finding:
    low, high = paired_interval(one.ravel(), other.ravel())
    if np.isnan(low):
        holds = None
    else:
        holds = bool(low > 0.0 if better else high < 0.0)
    statistic = Statistic(
        name=name,
        values={"all targets": (one - other).mean(axis=1).tolist()},
        heading="difference of shares",
        forms=("+.2g", ".1g"),
    )
    return Finding(holds=holds, statistics=(statistic,), note=f"{name}: interval {low:+.2g} to {high:+.2g}")


def _against_all(adaptation: Result, one: str, others: Sequence[str]) -> Finding:
    found = [_against(adaptation, one, other, better=True) for other in others]
    return Finding(
        holds=all(finding.holds for finding in found),
        statistics=tuple(statistic for finding in found for statistic in finding.statistics),
        note="; ".join(finding.note for finding in found),
    )


def _several(several: Result) -> Finding:
    group = max(several["groups"], key=lambda one: one["targets"])
    return _difference(np.asarray(group["jointly"]), np.asarray(group["singly"]), "at once minus singly", better=False)
