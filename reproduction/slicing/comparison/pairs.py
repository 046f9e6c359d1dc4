"""Who is compared with whom: a method's runs beside ours, of the seeds, rounds and metrics that both have.

Tables and pictures are made of these pairs and of nothing else, so that both show the same.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reproduction.slicing.comparison.curves import METRICS, CurvesError
from reproduction.slicing.comparison.measures import Curves
from reproduction.slicing.comparison.reference_curves import Reference
from reproduction.slicing.schemes import EXPLAINER_LABELS, MAIN_SCHEMES, SCHEMES

OURS = {label: (SCHEMES[label][0], EXPLAINER_LABELS[SCHEMES[label][1]]) for label in MAIN_SCHEMES}
"""Our curves that others are held against: label -> scheme and explainer, as curves name them."""

CurvesBySeed = dict[int, Curves]


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairs:
    """The runs of one method and of one of our schemes in one slice.

    Attributes:
        method, against, slice: whose they are.
        theirs: by seed, cut to the rounds and the metrics that are compared.
        ours: the same seeds, rounds and metrics.
        lacking: in words, the seeds and the metrics that only one of them has.
    """

    method: str
    against: str
    slice: str
    theirs: CurvesBySeed
    ours: CurvesBySeed
    lacking: tuple[str, ...]

    @property
    def rounds(self) -> int:
        """T of the comparison."""
        return _rounds(self.theirs.values())

    def seeds_with(self, metrics: tuple[str, ...]) -> tuple[int, ...]:
        """Return the seeds of which both have all of these metrics."""
        return tuple(seed for seed, run in self.theirs.items() if all(metric in run for metric in metrics))


def methods(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Split curves by method, under the labels of legends: the scheme, with its explainer where there are several.

    Raises:
        CurvesError: if two methods would read alike.
    """
    explainers = frame.groupby("scheme", sort=False)["explainer"].nunique()
    found: dict[str, pd.DataFrame] = {}
    for (scheme, explainer), rows in frame.groupby(["scheme", "explainer"], sort=False):
        label = f"in-hoc {explainer}" if scheme == "in-hoc" else str(scheme)
        if scheme != "in-hoc" and explainers[scheme] > 1:
            label = f"{scheme} ({explainer})"
        if label in OURS:
            label += ", theirs"
        if label in found:
            raise CurvesError(f"two schemes both read {label!r} with their explainers; rename one")
        found[label] = rows
    return found


def runs_of(frame: pd.DataFrame, slice_name: str) -> CurvesBySeed:
    """Return one method's runs of one number of CLs in one slice."""
    runs: dict[int, dict[str, np.ndarray]] = {}
    for (seed, metric), rows in frame[frame["slice"] == slice_name].groupby(["seed", "metric"]):
        runs.setdefault(int(seed), {})[str(metric)] = rows.sort_values("round")["value"].to_numpy()
    return dict(runs)


def our_runs(reference: Reference, label: str, slice_name: str) -> CurvesBySeed:
    """Return our runs of one scheme in one slice.

    Raises:
        CurvesError: if the reference has none.
    """
    scheme, explainer = OURS[label]
    frame = reference.frame
    runs = runs_of(frame[(frame["scheme"] == scheme) & (frame["explainer"] == explainer)], slice_name)
    if not runs or slice_name not in reference.thresholds:
        there = ", ".join(sorted(frame["slice"].unique()))
        raise CurvesError(
            f"the reference has no {label} curves of slice {slice_name!r}, only of {there}; rename or drop"
        )
    return runs


def pair(theirs: pd.DataFrame, reference: Reference) -> list[Pairs]:
    """Pair every method of theirs with each of `OURS` in every slice of theirs.

    Args:
        theirs: runs of the reference's number of CLs (`conditions.comparable`).
        reference: ours.

    Raises:
        CurvesError: for a slice that the reference does not have, a method without a common seed or with seeds of
            different numbers of rounds.
    """
    return [
        _pair(method, runs_of(frame, slice_name), against, our_runs(reference, against, slice_name), slice_name)
        for method, frame in methods(theirs).items()
        for slice_name in frame["slice"].unique()
        for against in OURS
    ]


def shown(pairs: Sequence[Pairs], slice_name: str) -> dict[str, CurvesBySeed]:
    """Return the runs in one slice by label, ours first; ours are those that any method is compared with."""
    here = [one for one in pairs if one.slice == slice_name]
    runs: dict[str, dict[int, dict[str, np.ndarray]]] = {label: {} for label in (*OURS, *(one.method for one in here))}
    for one in here:
        for label, by_seed in ((one.against, one.ours), (one.method, one.theirs)):
            for seed, curves in by_seed.items():
                known = runs[label].setdefault(seed, {})
                known |= {name: values for name, values in curves.items() if len(values) > len(known.get(name, ()))}
    return {label: dict(by_seed) for label, by_seed in runs.items()}


def _pair(method: str, theirs: CurvesBySeed, against: str, ours: CurvesBySeed, slice_name: str) -> Pairs:
    """Pair one method's runs with one of our schemes'; see `pair`."""
    seeds = sorted(theirs.keys() & ours.keys())
    if not seeds:
        raise CurvesError(
            f"{method} in {slice_name} has no seed in common with the reference: theirs {_listed(theirs)}, "
            f"ours {_listed(ours)}; run it on the data of one of ours"
        )
    lengths = {seed: _rounds([theirs[seed]]) for seed in seeds}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"seed {seed}: {length}" for seed, length in lengths.items())
        raise CurvesError(
            f"{method} in {slice_name} has seeds of different numbers of rounds ({listed}); complete them"
        )
    rounds = _rounds([runs[seed] for runs in (theirs, ours) for seed in seeds])
    common = {seed: [name for name in METRICS if name in theirs[seed] and name in ours[seed]] for seed in seeds}
    lacks = _lacks(method, theirs, ours), _lacks(f"our {against}", ours, theirs)
    return Pairs(
        method=method,
        against=against,
        slice=slice_name,
        theirs=_cut(theirs, common, rounds),
        ours=_cut(ours, common, rounds),
        lacking=tuple(f"{lack} in {slice_name}" for side in lacks for lack in side),
    )


def _cut(runs: CurvesBySeed, metrics: Mapping[int, Sequence[str]], rounds: int) -> CurvesBySeed:
    """Return some seeds' runs with some of their metrics, cut to a number of rounds."""
    return {seed: {name: runs[seed][name][:rounds] for name in names} for seed, names in metrics.items()}


def _lacks(label: str, runs: CurvesBySeed, others: CurvesBySeed) -> Iterator[str]:
    """Say in words which seeds of the others, and which metrics of the common seeds, some runs lack."""
    if gone := others.keys() - runs.keys():
        yield f"{label} lacks seed {_listed(gone)}"
    common = runs.keys() & others.keys()
    for metric in METRICS:
        without = [seed for seed in common if metric not in runs[seed] and metric in others[seed]]
        if without:
            yield f"{label} lacks {metric}{'' if len(without) == len(common) else f' for seed {_listed(without)}'}"


def _rounds(runs: Iterable[Curves]) -> int:
    """Return the rounds that all of some runs have."""
    return min(len(values) for run in runs for values in run.values())


def _listed(seeds: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(seeds)))
