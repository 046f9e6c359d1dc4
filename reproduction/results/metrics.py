"""Numbers read off a finished run: rounds to convergence and kilobytes.

Differs from the paper: "converges" has no criterion there (`settings.Settings.convergence_tolerance`), and its
kilobytes cannot be derived from its text; ours are bytes really serialised.
"""

from collections.abc import Mapping, Sequence

import numpy as np

BYTES_PER_KB = 1000


def convergence_round(mse: Sequence[float], tolerance: float) -> int:
    """Return the first round from which the MSE stays near its best.

    Args:
        mse: of rounds 1..T, in %^2.
        tolerance: share of the drop from the first round to the best that still counts as "at the best".

    Returns:
        The round, from 1 to T; T if the MSE only settles there.
    """
    values = np.asarray(mse, float)
    best = values.min()
    outside = np.flatnonzero(values > best + tolerance * (values[0] - best))
    return (
        int(outside[-1]) + 2 if len(outside) and outside[-1] + 1 < len(values) else len(values) if len(outside) else 1
    )


def kilobytes_per_round(rounds: Sequence[Mapping[str, float]]) -> float:
    """Return KB (1,000 bytes) serialised per round, up and down; the same in every round."""
    return float(np.mean([entry["bytes_down"] + entry["bytes_up"] for entry in rounds])) / BYTES_PER_KB


def mean_and_spread(values: Sequence[float]) -> dict[str, float]:
    """Return mean and sample standard deviation over seeds (0 for a single one)."""
    array = np.asarray(values, float)
    return {"mean": float(array.mean()), "sd": float(array.std(ddof=1)) if len(array) > 1 else 0.0}
