"""Runs of several numbers of CLs, as in Fig. 8: what each number gives.

Only the reference's own number is compared; the others are shown beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reproduction.results.words import mean_and_sd
from reproduction.slicing.comparison.measures import Curves
from reproduction.slicing.comparison.pairs import OURS, CurvesBySeed, Pairs, methods, runs_of, shown

MEASURES: dict[str, tuple[str, Callable[[np.ndarray], float]]] = {
    "final MSE [%²]": ("mse", lambda mse: mse[-1]),
    "lowest confidence C": ("confidence", np.nanmin),
}
"""What is shown against K: name -> the metric, and how it is read off the rounds, float64 [T]."""

ByCount = Mapping[int, np.ndarray]
"""K -> a number per seed, float64."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scaling:
    """One method in one slice.

    Attributes:
        method, slice: whose runs.
        values: what of `MEASURES` its runs have, by number of CLs.
    """

    method: str
    slice: str
    values: Mapping[str, ByCount]

    @property
    def sentence(self) -> str:
        """The numbers in words."""
        parts = [
            f"{name} {', '.join(f'{mean_and_sd(values)} (K = {count})' for count, values in by_count.items())}"
            for name, by_count in self.values.items()
        ]
        return f"{self.method} in {self.slice}, by number of closed loops: {'; '.join(parts)}."


def scalings(theirs: pd.DataFrame, pairs: Sequence[Pairs], clients: int) -> list[Scaling]:
    """Return the methods that have runs of several numbers of CLs, and ours, of one number, in their slices.

    Args:
        theirs: all runs.
        pairs: those of the reference's number of CLs; of the others, their seeds and rounds are shown.
        clients: that number.
    """
    by_method, found = methods(theirs), []
    for name in dict.fromkeys(one.slice for one in pairs):
        runs = {label: {clients: by_seed} for label, by_seed in shown(pairs, name).items()}
        for label in runs.keys() - OURS.keys():
            runs[label] |= _of_other_counts(by_method[label], name, clients, runs[label][clients])
        several = [label for label, by_count in runs.items() if len(by_count) > 1]
        if several:
            found += [
                Scaling(method=label, slice=name, values=_values(dict(sorted(runs[label].items()))))
                for label in (*OURS, *several)
            ]
    return found


def _of_other_counts(
    frame: pd.DataFrame, slice_name: str, clients: int, compared: CurvesBySeed
) -> dict[int, CurvesBySeed]:
    """Return a method's runs of other numbers of CLs, of the seeds and rounds that are compared."""
    rounds = {seed: max(map(len, run.values())) for seed, run in compared.items() if run}
    found: dict[int, CurvesBySeed] = {}
    for count, rows in frame[~frame["clients"].isin([0, clients])].groupby("clients"):
        runs = runs_of(rows, slice_name)
        common = {seed: runs[seed] for seed in rounds if seed in runs}
        if common:
            found[int(str(count))] = {
                seed: {metric: values[: rounds[seed]] for metric, values in run.items()} for seed, run in common.items()
            }
    return found


def _values(runs: Mapping[int, CurvesBySeed]) -> dict[str, ByCount]:
    """Read `MEASURES` off runs by number of CLs and seed; a run without the metric, or without a value, is left out."""
    found: dict[str, ByCount] = {}
    for name, (metric, read) in MEASURES.items():
        by_count = {
            count: np.array([read(run[metric]) for run in by_seed.values() if _has(run, metric)])
            for count, by_seed in runs.items()
        }
        found[name] = {count: values for count, values in by_count.items() if len(values)}
    return {name: by_count for name, by_count in found.items() if by_count}


def _has(run: Curves, metric: str) -> bool:
    return metric in run and not np.isnan(run[metric]).all()
