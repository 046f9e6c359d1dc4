"""Anyone's curves against ours: every difference is theirs minus ours, seed by seed over the seeds that both have.

Differs from the paper: it compares one run with one run.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reproduction.results.seed_statistics import paired_interval
from reproduction.slicing.comparison import curves
from reproduction.slicing.comparison.curves import CurvesError
from reproduction.slicing.comparison.quantities import AREAS, QUANTITIES, Run, area, value, verdict

OURS = {"in-hoc IG": ("in-hoc", "IG"), "post-hoc": ("post-hoc", "IG")}
"""Our curves that others are held against: label -> scheme and explainer."""

Runs = dict[int, Run]
"""Seed -> run."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Our curves and what they are judged by.

    Attributes:
        frame: in the form of `curves`.
        thresholds: slice -> nu_n of eq. (7b).
        tolerance: of `convergence_round`.
        preset, clients: of the runs.
    """

    frame: pd.DataFrame
    thresholds: dict[str, float]
    tolerance: float
    preset: str
    clients: int


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


def read_reference(folder: Path) -> Reference:
    """Read curves.csv, seconds.csv if it is there, and manifest.json.

    Raises:
        CurvesError: if one is missing or not in its form.
    """
    path = folder / "manifest.json"
    try:
        settings = json.loads(path.read_bytes())["settings"]
        thresholds = {name: float(sla["confidence_threshold"]) for name, sla in settings["slices"].items()}
        tolerance, clients = float(settings["convergence_tolerance"]), int(settings["clients"])
    except OSError as error:
        raise CurvesError(
            f"{path}: cannot be read ({error.strerror}); give --against a folder of data/reference"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CurvesError(f"{path}: not a manifest of reference curves; write it anew with reference.py") from error
    frames = [curves.read(folder / "curves.csv")]
    if (folder / "seconds.csv").exists():
        frames.append(curves.read(folder / "seconds.csv"))
    frame = pd.concat(frames, ignore_index=True)
    return Reference(
        frame=frame,
        thresholds=thresholds,
        preset=settings.get("name", folder.name),
        tolerance=tolerance,
        clients=clients,
    )


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


def runs_of(frame: pd.DataFrame, slice_name: str) -> Runs:
    """Return one method's runs in one slice."""
    runs: Runs = {}
    for (seed, metric), rows in frame[frame["slice"] == slice_name].groupby(["seed", "metric"]):
        runs.setdefault(int(seed), {})[str(metric)] = rows.sort_values("round")["value"].to_numpy()
    return runs


def compare(theirs: pd.DataFrame, reference: Reference) -> list[Line]:
    """Compare every method of theirs with `OURS` in every slice of theirs, over the seeds and rounds that both have.

    Raises:
        CurvesError: for a slice that the reference does not have, or a method without a common seed.
    """
    return [
        line
        for method, frame in methods(theirs).items()
        for slice_name in frame["slice"].unique()
        for against in OURS
        for line in _against(method, runs_of(frame, slice_name), against, slice_name, reference)
    ]


def our_runs(reference: Reference, label: str, slice_name: str) -> Runs:
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


def _against(method: str, theirs: Runs, against: str, slice_name: str, reference: Reference) -> Iterator[Line]:
    """Compare one method with one of our schemes in one slice."""
    ours = our_runs(reference, against, slice_name)
    seeds = tuple(sorted(theirs.keys() & ours.keys()))
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
    pairs = [(theirs[seed], ours[seed]) for seed in seeds]
    rounds = min(len(values) for pair in pairs for run in pair for values in run.values())
    pairs = [(_first(one, rounds), _first(other, rounds)) for one, other in pairs]
    threshold, tolerance = reference.thresholds[slice_name], reference.tolerance
    for quantity in QUANTITIES:
        if not all(name in run for name in quantity.needs for pair in pairs for run in pair):
            continue
        if quantity.name in AREAS:
            left = right = np.full(len(pairs), np.nan)
            differences = np.array([area(one[quantity.needs[0]], other[quantity.needs[0]]) for one, other in pairs])
            low, high = paired_interval(differences, np.zeros(len(pairs)))
        else:
            left, right = np.array(
                [[value(quantity.name, run, threshold, tolerance) for run in pair] for pair in pairs]
            ).T
            differences = left - right
            low, high = paired_interval(left, right)
        defined = differences[~np.isnan(differences)]
        fixed: dict[str, Any] = {"method": method, "against": against, "slice": slice_name}
        yield Line(
            **fixed,
            quantity=quantity.name,
            unit=quantity.unit,
            rounds=rounds,
            seeds=seeds,
            theirs=tuple(left.tolist()),
            ours=tuple(right.tolist()),
            differences=tuple(differences.tolist()),
            difference=float(defined.mean()) if len(defined) else float("nan"),
            low=low,
            high=high,
            verdict=verdict(quantity, differences, low, high, against, slice_name),
        )


def _first(run: Run, rounds: int) -> Run:
    return {metric: values[:rounds] for metric, values in run.items()}


def _listed(runs: Runs) -> str:
    return ", ".join(map(str, sorted(runs)))
