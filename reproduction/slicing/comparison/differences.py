"""Anyone's curves against ours: every difference is theirs minus ours, seed by seed over the seeds that both have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reproduction.slicing.comparison.curves import METRICS, CurvesError
from reproduction.slicing.comparison.measures import Curves
from reproduction.slicing.comparison.quantities import QUANTITIES, verdict
from reproduction.slicing.comparison.reference_curves import Reference
from reproduction.slicing.schemes import EXPLAINER_LABELS, MAIN_SCHEMES, SCHEMES

OURS = {label: (SCHEMES[label][0], EXPLAINER_LABELS[SCHEMES[label][1]]) for label in MAIN_SCHEMES}
"""Our curves that others are held against: label -> scheme and explainer, as curves name them."""

CurvesBySeed = dict[int, Curves]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One quantity of one method against one of our schemes in one slice.

    Attributes:
        method, against, slice, quantity, unit: what is compared.
        rounds: T, those that both have.
        seeds: common to both.
        theirs, ours: per seed; NaN where not defined, and for an area.
        differences: theirs - ours per seed, or the area; NaN where either is not defined.
        difference: their mean over the seeds where it is defined.
        low, high: 95 % interval of that mean; NaN if there is none.
        verdict: in words.
    """

    method: str
    against: str
    slice: str
    quantity: str
    unit: str
    rounds: int
    seeds: tuple[int, ...]
    theirs: tuple[float, ...]
    ours: tuple[float, ...]
    differences: tuple[float, ...]
    difference: float
    low: float
    high: float
    verdict: str


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
    """Return one method's runs in one slice."""
    runs: dict[int, dict[str, np.ndarray]] = {}
    for (seed, metric), rows in frame[frame["slice"] == slice_name].groupby(["seed", "metric"]):
        runs.setdefault(int(seed), {})[str(metric)] = rows.sort_values("round")["value"].to_numpy()
    return dict(runs)


def compare(theirs: pd.DataFrame, reference: Reference) -> list[Line]:
    """Compare every method of theirs with `OURS` in every slice of theirs, over the seeds and rounds that both have.

    Raises:
        CurvesError: for a slice that the reference does not have, a method without a common seed or with seeds of
            different numbers of rounds, or if no quantity can be compared.
    """
    lines = [
        line
        for method, frame in methods(theirs).items()
        for slice_name in frame["slice"].unique()
        for against in OURS
        for line in _against(method, runs_of(frame, slice_name), against, slice_name, reference)
    ]
    if not lines:
        raise CurvesError("nothing can be compared: no method has mse, or confidence, for all of its seeds; add it")
    return lines


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


def partly_there(theirs: pd.DataFrame, reference: Reference) -> list[str]:
    """Name the metrics that some of the compared seeds lack, theirs or ours; what needs them is compared for none."""
    return list(
        dict.fromkeys(
            gap
            for method, frame in methods(theirs).items()
            for slice_name in frame["slice"].unique()
            for against in OURS
            for gap in _gaps(method, runs_of(frame, slice_name), against, slice_name, reference)
        )
    )


def _against(method: str, theirs: CurvesBySeed, against: str, slice_name: str, reference: Reference) -> Iterator[Line]:
    """Compare one method with one of our schemes in one slice."""
    pairs = _common_runs(method, theirs, our_runs(reference, against, slice_name), slice_name)
    left, right = ([pair[side] for pair in pairs.values()] for side in (0, 1))
    limits = reference.limits(slice_name)
    for quantity in QUANTITIES:
        if all(metric in curves for metric in quantity.needs for curves in (*left, *right)):
            found = quantity.compare(left, right, limits)
            yield Line(
                method=method,
                against=against,
                slice=slice_name,
                quantity=quantity.name,
                unit=quantity.unit,
                rounds=_shortest(left + right),
                seeds=tuple(pairs),
                theirs=tuple(found.theirs.tolist()),
                ours=tuple(found.ours.tolist()),
                differences=tuple(found.values.tolist()),
                difference=found.mean,
                low=found.low,
                high=found.high,
                verdict=verdict(quantity, found, f"{against} in {slice_name}"),
            )


def _gaps(method: str, theirs: CurvesBySeed, against: str, slice_name: str, reference: Reference) -> Iterator[str]:
    """Name the metrics that some, and not all, of one side's compared runs lack."""
    pairs = _common_runs(method, theirs, our_runs(reference, against, slice_name), slice_name)
    for side, label in enumerate((method, against)):
        for metric in METRICS:
            without = [str(seed) for seed, pair in pairs.items() if metric not in pair[side]]
            if 0 < len(without) < len(pairs):
                yield f"{metric} of {label} in {slice_name} (missing for seed {', '.join(without)})"


def _common_runs(
    method: str, theirs: CurvesBySeed, ours: CurvesBySeed, slice_name: str
) -> dict[int, tuple[Curves, Curves]]:
    """Return the pairs of runs of one seed, cut to the rounds that all of them have.

    Raises:
        CurvesError: if there is no common seed, or theirs end after different rounds.
    """
    seeds = sorted(theirs.keys() & ours.keys())
    if not seeds:
        raise CurvesError(
            f"{method} in {slice_name} has no seed in common with the reference: theirs {_listed(theirs)}, "
            f"ours {_listed(ours)}; run it on the data of one of ours"
        )
    lengths = {seed: max(map(len, theirs[seed].values())) for seed in seeds}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"seed {seed}: {length}" for seed, length in lengths.items())
        raise CurvesError(
            f"{method} in {slice_name} has seeds of different numbers of rounds ({listed}); complete them"
        )
    rounds = _shortest([curves for seed in seeds for curves in (theirs[seed], ours[seed])])
    return {seed: (_first(theirs[seed], rounds), _first(ours[seed], rounds)) for seed in seeds}


def _shortest(runs: list[Curves]) -> int:
    return min(len(values) for curves in runs for values in curves.values())


def _first(curves: Curves, rounds: int) -> Curves:
    return {metric: values[:rounds] for metric, values in curves.items()}


def _listed(runs: Mapping[int, Curves]) -> str:
    return ", ".join(map(str, sorted(runs)))
