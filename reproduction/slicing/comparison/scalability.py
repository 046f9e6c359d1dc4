"""Runs of several numbers of CLs, as in Fig. 8: what each number gives.

Only the reference's own number is compared; the others are shown beside it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reproduction.results.words import mean_and_sd
from reproduction.slicing.comparison.measures import Curves
from reproduction.slicing.comparison.pairs import OURS, methods, our_runs, runs_of
from reproduction.slicing.comparison.reference_curves import Reference

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


def scalings(theirs: pd.DataFrame, reference: Reference) -> list[Scaling]:
    """Return the methods that have runs of several numbers of CLs, and ours, of one number, in their slices."""
    found = [one for label, frame in methods(theirs).items() for one in _of_method(label, frame)]
    slices = dict.fromkeys(one.slice for one in found)
    ours = [
        Scaling(method=label, slice=name, values=_values({reference.clients: our_runs(reference, label, name)}))
        for name in slices
        for label in OURS
    ]
    return ours + found


def _of_method(label: str, frame: pd.DataFrame) -> Iterator[Scaling]:
    for name, rows in frame[frame["clients"] > 0].groupby("slice", sort=False):
        runs = {int(count): runs_of(of_count, str(name)) for count, of_count in rows.groupby("clients")}
        if len(runs) > 1:
            yield Scaling(method=label, slice=str(name), values=_values(runs))


def _values(runs: Mapping[int, Mapping[int, Curves]]) -> dict[str, ByCount]:
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
