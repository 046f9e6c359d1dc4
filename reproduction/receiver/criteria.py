"""What is claimed of influence for a neural receiver, as the abstract has it, and what each claim is held to.

The criteria were written before the study was run, and amended once, when 3 of its 60 targets had been looked at
(CHANGELOG).

Shares are those of the gap to the genie that is closed on fresh channels under the target's conditions; an interval is
a 95 % bootstrap of the mean over targets and seeds, targets drawn within each seed, and "beyond chance" is an interval
without 0 and a mean of that sign in every seed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reproduction.receiver.names import (
    ALIKE,
    ASCENT,
    COSINE,
    FRESH,
    HARDEST,
    ITSELF,
    KINDS_OF_INFLUENCE,
    NEAREST,
    NEAREST_CHANNEL,
    NEAREST_SNR,
    PAPERS,
    PRODUCT,
    RANDOM,
    SAME_LENGTH,
    SECOND_ORDER,
)
from reproduction.results.seed_statistics import mean_and_interval
from reproduction.results.verdicts import Finding, Statistic, Verdict

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
            criterion="it improves more than half of the targets, and beyond chance more than each of the six other "
            "kinds of influence does",
            finding=_most_consistent(adaptation),
        ),
        Verdict(
            claim="I2",
            where="abstract",
            statement="it outperforms random fine-tuning for single targets",
            paper="no number",
            criterion="its share above that of random frames, the mean over the draws, beyond chance: at equal rates, "
            "and where the weights go equally far",
            finding=_against_all(adaptation, PAPERS, (RANDOM, f"{RANDOM}{SAME_LENGTH}")),
        ),
        Verdict(
            claim="I3",
            where="abstract",
            statement="adaptation to several targets at once is less effective",
            paper="no number",
            criterion="at the greatest number of targets the share at once below that of each for itself, beyond "
            "chance",
            finding=_several(several),
        ),
        Verdict(
            claim="I4",
            where="summary",
            statement="second-order, influence-aligned updates gain little",
            paper="limited gains",
            criterion="the share of a second-order update of the same length below that of first-order steps, beyond "
            "chance",
            finding=_other_update(adaptation, SECOND_ORDER),
        ),
        Verdict(
            claim="I5",
            where="summary",
            statement="gradient ascent on harmful frames is of limited effect",
            paper="limited effectiveness",
            criterion="the share of an ascent of the same length below that of first-order steps on beneficial frames, "
            "beyond chance",
            finding=_other_update(adaptation, ASCENT),
        ),
        Verdict(
            claim="I6",
            where="ours: what knows the target's conditions, or its bits as influence does",
            statement="influence selects better frames than fresh ones under the target's own conditions, and than the "
            "target itself",
            paper="not compared",
            criterion="I2's, against as many fresh frames and against the target, each at equal rates and equally far",
            finding=_against_all(
                adaptation, PAPERS, (FRESH, f"{FRESH}{SAME_LENGTH}", ITSELF, f"{ITSELF}{SAME_LENGTH}")
            ),
        ),
        Verdict(
            claim="I7",
            where="ours: what needs no curvature",
            statement="influence selects better frames than gradients alone, the greatest loss, and the nearest in SNR "
            "and channel",
            paper="not compared",
            criterion="its share above that of each of these six, beyond chance",
            finding=_against_all(adaptation, PAPERS, (PRODUCT, COSINE, HARDEST, NEAREST_SNR, NEAREST_CHANNEL, NEAREST)),
        ),
    ]


def _closed(adaptation: Result, kind: str) -> np.ndarray:
    """Return the shares, float64 [seeds, targets]."""
    return np.asarray(adaptation["selections"][kind]["closed"][ALIKE], float)


def _beyond_chance(differences: np.ndarray) -> bool | None:
    """Return whether differences, [seeds, targets], are above 0; None of one target, whose spread is not known.

    Where all targets of a seed differ alike, there is no interval, and it is whether they do, in every seed.
    """
    if differences.shape[1] < 2:
        return None
    _, low, _ = mean_and_interval(differences)
    return bool((np.isnan(low) or low > 0.0) and (differences.mean(axis=1) > 0.0).all())


def _all_of(found: Sequence[bool | None]) -> bool | None:
    """Return whether all hold; None if none fails and one is not known."""
    return False if False in found else None if None in found else True


def _most_consistent(adaptation: Result) -> Finding:
    improved = {kind: (_closed(adaptation, kind) > 0.0).astype(float) for kind in KINDS_OF_INFLUENCE}
    ours = improved[PAPERS]
    more = [_beyond_chance(ours - theirs) for kind, theirs in improved.items() if kind != PAPERS]
    counts = {kind: values.sum(axis=1).tolist() for kind, values in improved.items()}
    return Finding(
        holds=_all_of([bool(ours.mean() > 0.5), *more]),
        statistics=(Statistic(name="improved", values=counts, heading=f"targets improved, of {ours.shape[1]}"),),
    )


def _difference(differences: np.ndarray, name: str) -> tuple[Statistic, str]:
    statistic = Statistic(
        name=name,
        values={name: differences.mean(axis=1).tolist()},
        heading="difference of shares",
        forms=("+.2g", ".1g"),
    )
    _, low, high = mean_and_interval(differences)
    return statistic, f"{name}: interval {low:+.2g} to {high:+.2g}"


def _against_all(adaptation: Result, one: str, others: Sequence[str]) -> Finding:
    differences = {f"{one} minus {other}": _closed(adaptation, one) - _closed(adaptation, other) for other in others}
    found = [_difference(values, name) for name, values in differences.items()]
    return Finding(
        holds=_all_of([_beyond_chance(values) for values in differences.values()]),
        statistics=tuple(statistic for statistic, _ in found),
        note="; ".join(note for _, note in found),
    )


def _other_update(adaptation: Result, kind: str) -> Finding:
    """Return whether an update closes less than first-order steps, and what it closes by itself."""
    differences = _closed(adaptation, kind) - _closed(adaptation, PAPERS)
    statistic, note = _difference(differences, f"{kind} minus {PAPERS}")
    own, low, high = mean_and_interval(_closed(adaptation, kind))
    note += f"; by itself {own:+.2g}, {low:+.2g} to {high:+.2g}"
    return Finding(holds=_beyond_chance(-differences), statistics=(statistic,), note=note)


def _several(several: Result) -> Finding:
    group = max(several["groups"], key=lambda one: one["targets"])
    differences = np.asarray(group["jointly"], float) - np.asarray(group["singly"], float)
    statistic, note = _difference(differences, "at once minus singly")
    return Finding(holds=_beyond_chance(-differences), statistics=(statistic,), note=note)
