"""Reference curves: every slice, scheme and explainer over the seeds, as tidy CSV that anyone's code can be held to.

    python reproduction/reference.py --preset quick

Writes into DIR/PRESET (columns: `results.curves`, data/README.md)

    curves.csv      MSE, confidence and KB of every run and round
    seconds.csv     seconds per round, which depend on the machine and are never compared
    summary.csv     mean, sample standard deviation and number of seeds
    manifest.json   settings, seeds, versions, SHA-256 of files and data, and the command
    changes.md      only when a reference that was there changes: key means, old and new, for the CHANGELOG

The quick preset has a slice more, whose CLs have unequal numbers of samples: only there does eq. (1) differ from a
plain mean. Federations are those of the figures, trained once for both.

Differs from the paper: it publishes no numbers behind its curves.
"""

import argparse
import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from reproduction.command_line import one_line_errors
from reproduction.files import write_atomically
from reproduction.results.progress import watch
from reproduction.results.words import mean_and_sd
from reproduction.slicing.comparison import curves
from reproduction.slicing.data_source import generated
from reproduction.slicing.datasets.slice_data import SliceData
from reproduction.slicing.federation.record import FEDERATION
from reproduction.slicing.laboratory import Laboratory, open_laboratory
from reproduction.slicing.metrics import convergence_round
from reproduction.slicing.schemes import SCHEMES
from reproduction.slicing.settings import PRESETS, Settings

UNEQUAL = "eMBB unequal D"
"""The slice eMBB with the first D (k + 1) / K training rows of CL k, counted from 0."""

COMPARED, SECONDS, SUMMARY = "curves.csv", "seconds.csv", "summary.csv"
MANIFEST, CHANGES = "manifest.json", "changes.md"
KEY_NUMBERS = {"final MSE [%^2]": ".4g", "final C": ".4f", "lowest C": ".4f", "convergence round": ".1f"}
"""Heading -> how a mean is written."""


def reference_settings(preset: Settings) -> Settings:
    """Return a preset with the slice that its reference has beside the paper's."""
    if preset.name != "quick":
        return preset
    return dataclasses.replace(preset, slices=preset.slices | {UNEQUAL: preset.slices["eMBB"]})


def reference_data(settings: Settings, name: str, seed: int, clients: int) -> SliceData:
    """Return a slice's generated data."""
    if name == UNEQUAL:
        return unequal(generated(settings, "eMBB", seed, clients))
    return generated(settings, name, seed, clients)


def unequal(data: SliceData) -> SliceData:
    """Return `UNEQUAL` made of a slice whose CLs have equally many samples; the test rows stay."""
    count, clients = len(data.clients), []
    for number, client in enumerate(data.clients):
        kept = max(2, len(client.train_target) * (number + 1) // count)
        features, target = client.train_features[:kept], client.train_target[:kept]
        clients.append(dataclasses.replace(client, train_features=features, train_target=target))
    return dataclasses.replace(data, name=UNEQUAL, clients=tuple(clients))


def tidy_curves(lab: Laboratory) -> tuple[pd.DataFrame, dict[str, dict[str, str]]]:
    """Return the curves of all federations, and the SHA-256 of the data by slice and seed."""
    frames: list[pd.DataFrame] = []
    data: dict[str, dict[str, str]] = {name: {} for name in lab.slices}
    for name in lab.slices:
        for seed in lab.seeds:
            for scheme, explainer in SCHEMES.values():
                payload = lab.federation(name, scheme, explainer, seed)
                frames.append(curves.from_federation(payload))
                data[name][str(seed)] = payload["identity"]["data"]
    return pd.concat(frames, ignore_index=True), data


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
    order = [*curves.RUN, "metric", "round"]
    before, after = (frame.sort_values(order).reset_index(drop=True) for frame in (old, new))
    if before.equals(after):
        return ""
    numbers = [key_numbers(frame, tolerance) for frame in (old, new)]
    none = ["-"] * len(KEY_NUMBERS)
    lines = [f"| slice | scheme | explainer | {' | '.join(KEY_NUMBERS)} |", "|---" * (3 + len(KEY_NUMBERS)) + "|"]
    runs = sorted(set(numbers[0]) | set(numbers[1]))
    for run in runs:
        pairs = list(zip(numbers[0].get(run, none), numbers[1].get(run, none), strict=True))
        if any(was != now for was, now in pairs):
            cells = [was if was == now else f"{was} -> {now}" for was, now in pairs]
            lines.append("| " + " | ".join([*run, *cells]) + " |")
    same = len(runs) - (len(lines) - 2)
    note = f"mean ± sd over the seeds, old -> new; {same} of {len(runs)} rows did not move."
    return "\n".join([*lines, "", note, ""])


def write_reference(folder: Path, frame: pd.DataFrame, about: Mapping[str, Any], tolerance: float) -> list[Path]:
    """Write the reference of one preset, and what moved if another was there.

    Returns:
        the files written.

    Raises:
        CurvesError: if the old reference cannot be read.
    """
    compared = frame[frame["metric"] != "seconds"]
    contents = {COMPARED: compared, SECONDS: frame[frame["metric"] == "seconds"]}
    old = folder / COMPARED
    moved = changes(curves.read(old), compared, tolerance) if old.exists() else ""
    if moved:
        write_atomically(folder / CHANGES, moved.encode())
    for name, table in contents.items():
        curves.write(folder / name, table)
    summary = curves.summary(compared).to_csv(index=False, lineterminator="\n")
    write_atomically(folder / SUMMARY, summary.encode())
    tables = [folder / name for name in (COMPARED, SECONDS, SUMMARY)]
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tables}
    manifest = dict(about) | {"files_sha256": digests}
    write_atomically(folder / MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())
    return [*tables, folder / MANIFEST, *([folder / CHANGES] if moved else [])]


def run(options: argparse.Namespace) -> None:
    """Train what is not trained yet, write, and print what moved."""
    settings = reference_settings(PRESETS[options.preset])
    runs = Path("figures") / ("quick" if options.preset == "quick" else "") / "runs"
    with open_laboratory(
        runs,
        options.workers,
        settings=settings,
        slices=tuple(settings.slices),
        seeds=tuple(range(options.seeds)),
        data=functools.cache(functools.partial(reference_data, settings)),
        watch=functools.partial(watch, figure="reference"),
    ) as lab:
        frame, data = tidy_curves(lab)
    about = {
        "preset": settings.name,
        "settings": dataclasses.asdict(settings),
        "seeds": list(lab.seeds),
        "command": f"python reproduction/reference.py --preset {settings.name} --seeds {options.seeds}",
        "record_version": FEDERATION.version,
        "trained_with": lab.store.made_with(),
        "data_sha256": data,
        "notes": [f"{UNEQUAL}: eMBB with the first D (k + 1) / K training rows of CL k = 0..K-1"] * (UNEQUAL in data),
    }
    folder = options.out / settings.name
    for path in write_reference(folder, frame, about, settings.convergence_tolerance):
        print(path)
        if path.name == CHANGES:
            print(path.read_text(), end="")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="reference.py", description="Write the reference curves of a preset.")
    add = parser.add_argument
    add("--preset", choices=list(PRESETS), default="paper", help="settings: in full, or a quick look (paper)")
    add("--seeds", type=int, metavar="N", default=5, help="run the seeds 0..N-1 (5)")
    add("--workers", type=int, metavar="N", help="processes that train (one per core); no effect on the numbers")
    add("--out", type=Path, metavar="DIR", default=Path("data/reference"), help="folder of the references")
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    if options.workers is not None and options.workers < 1:
        parser.error("--workers must be at least 1")
    return options


def main(arguments: list[str] | None = None) -> None:
    """Run with command-line arguments; exits with 2 (one line on standard error) or 130 if it does not end well."""
    options = parse(arguments)
    with one_line_errors():
        run(options)


if __name__ == "__main__":
    main()
