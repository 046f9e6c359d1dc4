"""Numbers of a run, and how far those of two sets of runs are apart, with an interval and in words.

The 95 % interval is a bootstrap over the pairs of runs with the same seed (bias-corrected and accelerated). Few pairs
hold little: with five it covers less than 95 %.

Differs from the paper: it gives no intervals; "converges" is `metrics.convergence_round`.
"""

from dataclasses import dataclass

import numpy as np

from reproduction.results.words import difference
from reproduction.slicing.metrics import convergence_round

ENOUGH = 6
"""Pairs below which a comparison says what chance does: all n differences have one sign once in 2^(n-1) times."""

Run = dict[str, np.ndarray]
"""Metric -> its values over rounds 1..T, float64 [T]."""


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A number of a run; or, of two runs, the area between their curves.

    Attributes:
        name: as in "lower NAME than post-hoc".
        unit: of `value` and of a difference.
        needs: metrics that it is computed from.
        words: for less and for more.
    """

    name: str
    unit: str
    needs: tuple[str, ...]
    words: tuple[str, str] = ("lower", "higher")


AREAS = {
    "area between the MSE curves": Quantity(name="area between the MSE curves", unit="%^2", needs=("mse",)),
    "area between the confidence curves": Quantity(
        name="area between the confidence curves", unit="1", needs=("confidence",)
    ),
}
"""Mean absolute difference over the rounds; it is never negative, and means nothing for one run."""

QUANTITIES = (
    Quantity(name="final MSE", unit="%^2", needs=("mse",)),
    Quantity(name="mean MSE over the rounds", unit="%^2", needs=("mse",)),
    AREAS["area between the MSE curves"],
    Quantity(name="rounds to convergence", unit="rounds", needs=("mse",), words=("fewer", "more")),
    Quantity(name="final confidence", unit="1", needs=("confidence",)),
    Quantity(name="mean confidence over the rounds", unit="1", needs=("confidence",)),
    AREAS["area between the confidence curves"],
    Quantity(name="margin over nu (lowest C - nu)", unit="1", needs=("confidence",)),
    Quantity(name="share of rounds with C >= nu", unit="1", needs=("confidence",)),
    Quantity(name="KB to convergence", unit="KB", needs=("mse", "kb"), words=("fewer", "more")),
    Quantity(name="seconds to convergence", unit="s", needs=("mse", "seconds"), words=("fewer", "more")),
)


QUANTITY_NAMES = tuple(quantity.name for quantity in QUANTITIES)


def value(name: str, run: Run, threshold: float, tolerance: float) -> float:
    """Return a quantity of one run; NaN where it is not defined: not converged, or no confidence in any round."""
    if name == "final MSE":
        return float(run["mse"][-1])
    if name == "mean MSE over the rounds":
        return float(run["mse"].mean())
    if name.endswith("to convergence"):
        never_fell = run["mse"].min() == run["mse"][0]  # nothing was learnt, so there is nothing to converge to
        converged = float("nan") if never_fell else convergence_round(run["mse"].tolist(), tolerance)
        metric = {"rounds": None, "KB": "kb", "seconds": "seconds"}[name.split()[0]]
        spent = run[metric] if metric else np.ones_like(run["mse"])
        return float("nan") if np.isnan(converged) else float(spent[: int(converged)].sum())
    if name == "final confidence":
        return float(run["confidence"][-1])
    defined = run["confidence"][~np.isnan(run["confidence"])]
    if len(defined) == 0:
        return float("nan")
    if name == "mean confidence over the rounds":
        return float(defined.mean())
    if name == "margin over nu (lowest C - nu)":
        return float(defined.min() - threshold)
    return float((defined >= threshold).mean())


def area(theirs: np.ndarray, ours: np.ndarray) -> float:
    """Return the mean absolute difference of two curves over the rounds where both are defined; NaN if none."""
    apart = np.abs(theirs - ours)
    apart = apart[~np.isnan(apart)]
    return float(apart.mean()) if len(apart) else float("nan")


def verdict(quantity: Quantity, differences: np.ndarray, low: float, high: float, against: str, slice_name: str) -> str:
    """Say in words what the pairs show, and how many of them."""
    defined = differences[~np.isnan(differences)]
    where = f"{against} in {slice_name}"
    left_out = len(differences) - len(defined)
    note = f" ({left_out} of {len(differences)} seeds left out: not defined there)" if left_out else ""
    count = f"{len(defined)} seeds" if len(defined) > 1 else "one seed"
    if len(defined) == 0:
        return f"{quantity.name} against {where}: not defined in any common seed"
    mean = defined.mean()
    span = f"{difference(mean)} [{difference(low)}, {difference(high)}]"
    if np.isnan(low):
        span = f"{difference(mean)} with {count}, so no interval"
    if quantity.name in AREAS:
        curve = "MSE curve" if quantity.needs == ("mse",) else "confidence curve"
        if mean == 0:
            return f"the same {curve} as {where}, with {count}{note}"
        return f"{curve} away from {where} by {span.replace('+', '')} on average{note}"
    if not defined.any():
        return f"the same {quantity.name} as {where}, with {count}{note}"
    agree = (defined > 0).all() or (defined < 0).all()
    if low <= 0 <= high or not agree:
        return f"no difference in {quantity.name} from {where} seen with {count}: {span}{note}"
    if quantity.unit == "s":
        return f"{span} s against {where}; means something only on one machine, as idle for both{note}"
    return f"{quantity.words[int(mean > 0)]} {quantity.name} than {where}: {span}{note}"
