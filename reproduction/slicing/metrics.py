"""Numbers read off finished runs: rounds to convergence, kilobytes, and how they are written.

Differs from the paper: "converges" has no criterion there (`settings.Settings.convergence_tolerance`), and its
kilobytes cannot be derived from its text; ours are bytes really serialised.
"""

from collections.abc import Mapping, Sequence

import numpy as np

BYTES_PER_KB = 1000


def convergence_round(mse: Sequence[float], tolerance: float) -> float:
    """Return the first round from which the MSE stays near its best for the rest of the run.

    Args:
        mse: of rounds 1..T, in %^2.
        tolerance: share of the drop from the first round to the best that still counts as near.

    Returns:
        The round, from 1 to T; NaN if the last round is not near the best: the run has not converged.
    """
    values = np.asarray(mse, float)
    best = values.min()
    far = np.flatnonzero(values > best + tolerance * (values[0] - best))
    if len(far) == 0:
        return 1
    return int(far[-1]) + 2 if far[-1] + 1 < len(values) else float("nan")


def kilobytes_per_round(rounds: Sequence[Mapping[str, float]]) -> float:
    """Return KB (1,000 bytes) serialised per round, up and down; the same in every round."""
    return float(np.mean([entry["bytes_down"] + entry["bytes_up"] for entry in rounds])) / BYTES_PER_KB


def least(runs: Sequence[Sequence[float]]) -> list[float]:
    """Return each seed's lowest defined value over the rounds; NaN where there is none."""
    return np.ma.masked_invalid(np.asarray(runs, float)).min(axis=1).filled(np.nan).tolist()


def mean_and_spread(values: Sequence[float] | np.ndarray) -> dict[str, float]:
    """Return mean and sample standard deviation over seeds of the values that are defined; NaN where there is none.

    The standard deviation of a single value is not defined.
    """
    array = np.asarray(values, float)
    array = array[~np.isnan(array)]
    mean = array.mean() if len(array) else float("nan")
    return {"mean": float(mean), "sd": float(array.std(ddof=1)) if len(array) > 1 else float("nan")}


def in_words(values: Sequence[float] | np.ndarray, form: str = ".3g", spread_form: str = ".2g") -> str:
    """Write "mean ± sd" over the seeds; the mean alone for one seed; and how many are not defined."""
    spread = mean_and_spread(values)
    text = f"{spread['mean']:{form}}"
    if not np.isnan(spread["sd"]):
        text += f" ± {spread['sd']:{spread_form}}"
    missing = int(np.isnan(np.asarray(values, float)).sum())
    return text + (f" ({missing} of {len(values)} seeds not)" if missing else "")


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table of text in Markdown, a line per row, each ended."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n" for cells in lines)
