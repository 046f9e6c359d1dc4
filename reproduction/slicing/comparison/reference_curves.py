"""Our reference curves on disk: one folder per preset, written and read here and nowhere else.

curves.csv      MSE, confidence and KB of every run and round (columns: `curves`, data/README.md)
seconds.csv     seconds per round, which depend on the machine and are never compared seed by seed
summary.csv     mean, sample standard deviation and number of seeds
manifest.json   settings, seeds, versions, SHA-256 of files and data, and the command
changes.md      only when a reference that was there changes: key means, old and new, for the CHANGELOG
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from reproduction.files import sha256_of, write_atomically
from reproduction.results.words import markdown_table, mean_and_sd
from reproduction.slicing.comparison import curves
from reproduction.slicing.comparison.curves import CONDITIONS, CurvesError
from reproduction.slicing.comparison.measures import Limits
from reproduction.slicing.metrics import convergence_round

COMPARED, SECONDS, SUMMARY = "curves.csv", "seconds.csv", "summary.csv"
MANIFEST, CHANGES = "manifest.json", "changes.md"
KEY_NUMBERS = {"final MSE [%^2]": ".4g", "final C": ".4f", "lowest C": ".4f", "convergence round": ".1f"}
"""Heading -> how a mean is written."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Our curves and what they are judged by.

    Attributes:
        frame: in the form of `curves`, all conditions said, of one number of CLs.
        thresholds: slice -> nu_n of eq. (7b).
        tolerance: of `metrics.convergence_round`.
        preset: of the runs.
    """

    frame: pd.DataFrame
    thresholds: dict[str, float]
    tolerance: float
    preset: str

    @property
    def clients(self) -> int:
        """K of the runs."""
        return int(self.frame["clients"].iloc[0])

    def limits(self, slice_name: str) -> Limits:
        """Return what the runs in one slice are judged by."""
        return Limits(threshold=self.thresholds[slice_name], tolerance=self.tolerance)


def read_reference(folder: Path) -> Reference:
    """Read a reference; its seconds, if they are there.

    Raises:
        CurvesError: if a file is missing, not in its form, or not the one that the manifest was written for.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        settings, digests = manifest["settings"], dict(manifest["files_sha256"])
        thresholds = {name: float(sla["confidence_threshold"]) for name, sla in settings["slices"].items()}
        tolerance, preset = float(settings["convergence_tolerance"]), str(settings["name"])
    except OSError as error:
        raise CurvesError(
            f"{path}: cannot be read ({error.strerror}); give --against a folder of data/reference"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CurvesError(f"{path}: not a manifest of reference curves; write it anew with reference.py") from error
    tables = [folder / name for name in (COMPARED, SECONDS) if name == COMPARED or (folder / name).exists()]
    frame = pd.concat([_read_whole(table, digests) for table in tables], ignore_index=True)
    if not frame[list(CONDITIONS)].all(axis=None) or frame["clients"].nunique() > 1:
        raise CurvesError(
            f"{tables[0]}: does not say under what its runs were made, or is of several numbers of closed loops; write "
            "it anew with reference.py"
        )
    return Reference(frame=frame, thresholds=thresholds, tolerance=tolerance, preset=preset)


def _read_whole(table: Path, digests: Mapping[str, str]) -> pd.DataFrame:
    """Read curves that must be those whose SHA-256 the manifest has."""
    frame = curves.read(table)
    if sha256_of(table) != digests.get(table.name):
        raise CurvesError(f"{table}: not the file that {MANIFEST} was written for; write both with reference.py")
    return frame


def write_reference(folder: Path, frame: pd.DataFrame, about: Mapping[str, Any], tolerance: float) -> list[Path]:
    """Write the reference of one preset, and what moved if another was there.

    Args:
        folder: of the preset.
        frame: all curves, seconds too.
        about: the manifest, but for the files' SHA-256.
        tolerance: of `metrics.convergence_round`.

    Returns:
        the files written.

    Raises:
        CurvesError: if the old reference cannot be read.
    """
    compared = frame[frame["metric"] != "seconds"]
    old = folder / COMPARED
    moved = changes(curves.read(old), compared, tolerance) if old.exists() else ""
    if moved:
        write_atomically(folder / CHANGES, moved.encode())
    curves.write(folder / COMPARED, compared)
    curves.write(folder / SECONDS, frame[frame["metric"] == "seconds"])
    summary = curves.summary(compared).to_csv(index=False, lineterminator="\n")
    write_atomically(folder / SUMMARY, summary.encode())
    tables = [folder / name for name in (COMPARED, SECONDS, SUMMARY)]
    manifest = dict(about) | {"files_sha256": {path.name: sha256_of(path) for path in tables}}
    write_atomically(folder / MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())
    return [*tables, folder / MANIFEST, *([folder / CHANGES] if moved else [])]


def key_numbers(frame: pd.DataFrame, tolerance: float) -> dict[tuple[str, str, str], list[str]]:
    """Return, per (slice, scheme, explainer), the `KEY_NUMBERS` in words: mean ± sd over the seeds."""
    table = {}
    for run, rows in frame.groupby(["slice", "scheme", "explainer"]):
        by_metric = {
            metric: part.pivot(index="seed", columns="round", values="value").to_numpy()
            for metric, part in rows.groupby("metric")
        }
        mse, confidence = by_metric["mse"], pd.DataFrame(by_metric["confidence"])
        converged = [convergence_round(curve, tolerance) for curve in mse]
        columns = (mse[:, -1], confidence.iloc[:, -1], confidence.min(axis=1), converged)
        table[run] = [
            mean_and_sd(list(column), form) for column, form in zip(columns, KEY_NUMBERS.values(), strict=True)
        ]
    return table


def changes(old: pd.DataFrame, new: pd.DataFrame, tolerance: float) -> str:
    """Return a Markdown table of the key means that moved, old -> new; empty if no value of the curves did."""
    order = [*curves.RUN_KEY, "metric", "round"]
    before, after = (frame.sort_values(order).reset_index(drop=True)[[*order, "value"]] for frame in (old, new))
    if before.equals(after):
        return ""
    numbers = [key_numbers(frame, tolerance) for frame in (old, new)]
    none = ["-"] * len(KEY_NUMBERS)
    runs, rows = sorted(set(numbers[0]) | set(numbers[1])), []
    for run in runs:
        pairs = list(zip(numbers[0].get(run, none), numbers[1].get(run, none), strict=True))
        if any(was != now for was, now in pairs):
            rows.append((*run, *(was if was == now else f"{was} -> {now}" for was, now in pairs)))
    table = markdown_table(("slice", "scheme", "explainer", *KEY_NUMBERS), rows)
    same = len(runs) - len(rows)
    return f"{table}\nmean ± sd over the seeds, old -> new; {same} of {len(runs)} rows did not move.\n"
