"""What makes a number mean less than it seems: one function per caution, each a plain line, or "" if all is well.

Every line says what, where, and what to do.

Differs from the paper: it has none of these; the bounds are ours.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from reproduction.slicing.datasets import SliceData
from reproduction.slicing.settings import SliceSettings

FEWEST_INSIDE, MOST_INSIDE = 0.05, 0.999
"""Shares of samples inside the SLA between which it has something to decide."""
SCALES_APART = 1000.0
"""Greatest values of one feature so far apart are of two units, Mbps and kbps for one."""
HIGHEST_FRACTION = 1.0
LEAST_R_SQUARED = 0.5
LAST_QUARTER = 0.75


def before_training(data: SliceData, sla: SliceSettings) -> Iterator[str]:
    """Yield what a slice's training part gives reason to say."""
    for line in (sla_share(data, sla), *feature_scales(data), *fractions(data)):
        if line:
            yield line


def sla_share(data: SliceData, sla: SliceSettings) -> str:
    """Say that hardly any training target lies inside the SLA, or every one."""
    _, target = data.pooled("train")
    share = float(np.mean((target >= sla.lower_percent) & (target <= sla.upper_percent)))
    if FEWEST_INSIDE <= share <= MOST_INSIDE:
        return ""
    what = "U is empty or small" if share < FEWEST_INSIDE else "there is nothing to constrain"
    return (
        f"{data.name}: the SLA, {sla.interval}, holds for {100 * share:.4g} % of the training targets, so {what}; "
        "give the interval that matters (sla_percent)"
    )


def feature_scales(data: SliceData) -> Iterator[str]:
    """Yield a line per feature whose greatest training values lie far apart between clients; 0 is no scale."""
    for number, name in enumerate(data.feature_names):
        greatest = {client.name: float(client.train_features[:, number].max()) for client in data.clients}
        seen = {client: value for client, value in greatest.items() if value > 0}
        if not seen:
            continue
        low, high = min(seen, key=seen.__getitem__), max(seen, key=seen.__getitem__)
        if seen[high] >= SCALES_APART * seen[low]:
            yield (
                f"{data.name}, feature {name!r}: at most {seen[low]:,.4g} in client {low!r} and {seen[high]:,.4g} in "
                f"client {high!r}; give both in one unit"
            )


def fractions(data: SliceData) -> Iterator[str]:
    """Yield a line per column in percent that never exceeds 1 in the training part, but is not 0 throughout."""
    columns = {
        feature.name: max(float(client.train_features[:, number].max()) for client in data.clients)
        for number, feature in enumerate(data.features)
        if feature.unit == "%"
    }
    columns[data.target_name] = max(float(client.train_target.max()) for client in data.clients)
    for name, greatest in columns.items():
        if 0 < greatest <= HIGHEST_FRACTION:
            yield (
                f"{data.name}, {name}: never above {greatest:.3g} although in percent; "
                "if it is a fraction, multiply it by 100"
            )


def empty_members(sla: SliceSettings, clients: int, epochs: int) -> Callable[[Mapping[str, Any]], str]:
    """Return what says of a round's entry that U was empty in every CL.

    Args:
        sla: whose bounds no prediction met.
        clients: K.
        epochs: L. A round's `empty_epochs` E is summed over the CLs; at least E - (K - 1) L epochs are empty in all.
    """

    def caution(entry: Mapping[str, Any]) -> str:
        of_every = entry["empty_epochs"] - (clients - 1) * epochs
        if entry["undefined_clients"] == clients:
            return (
                f"no CL has a prediction inside the SLA, {sla.interval}: U is empty, C is not defined and nothing is "
                "constrained; check the SLA (sla_percent) and the target's unit"
            )
        if of_every > 0:
            return (
                f"U was empty in every CL in {of_every} or more of {epochs} local epochs, which nothing constrained; "
                "if it goes on, check the SLA (sla_percent) and the target's unit"
            )
        return ""

    return caution


def poor_fit(where: str, r_squared: float) -> str:
    """Say that a final model explains little of the test data."""
    if not r_squared < LEAST_R_SQUARED:
        return ""
    return (
        f"{where}: R^2 on test data is {r_squared:.2f}, below {LEAST_R_SQUARED}: the model has learnt little, and its "
        "confidence says as little; hold it against Fig. 4's least squares, train longer, or look at the features"
    )


def untested_confidence(
    where: str, confidence: Sequence[Sequence[float | None]], inside: Sequence[Sequence[float]]
) -> str:
    """Say that nothing ever came near the bound.

    Args:
        where: which runs.
        confidence: C, [seeds, rounds].
        inside: share of the predictions inside the SLA, likewise.
    """
    if not (np.min(np.asarray(confidence, float)) >= 1 and np.min(inside) > MOST_INSIDE):
        return ""
    return (
        f"{where}: C is 1 in every round, and no prediction comes near the bound, so C is not put to the test; "
        "hold the MSE against Fig. 4's controls, or give the SLA that matters (sla_percent)"
    )


def late_convergence(where: str, converged: Sequence[float], rounds: int) -> str:
    """Say that most seeds converged in the last quarter of their rounds, or not at all (NaN)."""
    late = [one for one in converged if not one <= LAST_QUARTER * rounds]
    if 2 * len(late) <= len(converged):
        return ""
    when = ", ".join("none" if math.isnan(one) else f"{one:.0f}" for one in late)
    return (
        f"{where}: converged in the last quarter of {rounds} rounds, or not at all, in {len(late)} of {len(converged)} "
        f"seed(s) (round {when}), so the MSE may still fall; run more rounds before you compare"
    )
