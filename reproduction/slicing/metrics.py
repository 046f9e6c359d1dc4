"""Numbers read off a federation's rounds: rounds to convergence, kilobytes, and what is shown while it runs.

Differs from the paper: "converges" has no criterion there (`settings.Settings.convergence_tolerance`), and its
kilobytes cannot be derived from its text; ours are bytes really serialised.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reproduction.results.words import number

BYTES_PER_KB = 1000


def convergence_round(mse: Sequence[float], tolerance: float) -> float:
    """Return the first round from which the MSE stays near its best for the rest of the run.

    Args:
        mse: of rounds 1..T, in %^2.
        tolerance: share of the drop from the first round to the best that still counts as near.

    Returns:
        The round, from 2 to T; NaN if the last round is not near the best, or if the MSE never falls below that of the
        first round: the run has not converged, or has learnt nothing that it could converge to.
    """
    values = np.asarray(mse, float)
    best = values.min()
    far = values > best + tolerance * (values[0] - best)
    if not far[0] or far[-1]:
        return float("nan")
    return int(np.flatnonzero(far)[-1]) + 2


def kilobytes_per_round(rounds: Sequence[Mapping[str, float]]) -> float:
    """Return KB (1,000 bytes) serialised per round, up and down; the same in every round."""
    return float(np.mean([entry["bytes_down"] + entry["bytes_up"] for entry in rounds])) / BYTES_PER_KB


def round_in_words(entry: Mapping[str, Any]) -> str:
    """Write one round's numbers beside a progress bar; a method of others has no multiplier."""
    words = f"MSE {entry['mse']:.4f}  C {number(entry['confidence'], '.3f')}"
    return f"{words}  lambda_1 {entry['multiplier']:.2f}" if "multiplier" in entry else words


def round_scalars(entry: Mapping[str, Any]) -> dict[str, float]:
    """Return a round's numbers by tag: mse [%^2], confidence, inside, multiplier, seconds, kb; the defined ones."""
    values = {tag: entry[tag] for tag in ("mse", "confidence", "inside", "multiplier", "seconds")}
    values["kb"] = kilobytes_per_round([entry])
    return {tag: value for tag, value in values.items() if value is not None and math.isfinite(value)}
