"""The generated data of all slices as files (`make data`), or the committed sample.

Files are written under a temporary name and renamed when complete, the manifest last, so an interrupted run leaves
nothing that looks finished.

Differs from the paper: nothing; the paper published no data.
"""

import argparse
import hashlib
import io
import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow

from reproduction.command_line import one_line
from reproduction.files import write_atomically
from reproduction.slicing.datasets.generator import SLICES, generate_slice
from reproduction.slicing.datasets.slice_data import SliceData

SAMPLE_ROWS = 200
SAMPLE_SEED = 0
FEATURE_SUFFIX = {"Mbps": "_mbps", "%": "_percent", "": ""}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status (2: refused)."""
    parser = argparse.ArgumentParser(prog="python -m reproduction.datasets", description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("data"), help="folder to write to (default: data)")
    parser.add_argument("--seed", type=int, default=0, help="root seed (default: 0)")
    parser.add_argument("--clients", type=int, default=100, help="closed loops per slice (default: 100, the paper's)")
    parser.add_argument(
        "--samples", type=int, default=1000, help="training samples per loop (default: 1000, the paper's)"
    )
    parser.add_argument("--test-samples", type=int, default=250, help="test samples per loop (default: 250)")
    parser.add_argument(
        "--sample",
        action="store_true",
        help=f"write OUT/sample instead: {SAMPLE_ROWS} rows of one loop per slice, as CSV",
    )
    switches = parser.parse_args(arguments)
    try:
        if switches.sample:
            write_sample(switches.out / "sample")
        else:
            settings = {name: getattr(switches, name) for name in ("seed", "clients", "samples", "test_samples")}
            write_data(switches.out, **settings)
    except (ValueError, OSError) as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 2
    return 0


def write_data(folder: Path, *, seed: int, clients: int, samples: int, test_samples: int) -> None:
    """Write one Parquet file per slice, and `manifest.json`.

    Raises:
        ValueError: a setting that `generate_slice` refuses.
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"seed": seed, "clients": clients, "samples": samples, "test_samples": test_samples}
    files: dict[str, Any] = {}
    for slice_name in SLICES:
        data = generate_slice(slice_name, seed=seed, clients=clients, samples=samples, test_samples=test_samples)
        path = folder / f"{file_stem(slice_name)}.parquet"
        buffer = io.BytesIO()
        to_frame(data).to_parquet(buffer)
        write_atomically(path, buffer.getvalue())
        files[path.name] = {"slice": slice_name, "sha256": file_sha256(path), "arrays_sha256": data.digest()}
        print(f"{path}: {sum(len(c.train_target) + len(c.test_target) for c in data.clients)} rows")
    versions = {"python": platform.python_version(), "numpy": np.__version__, "pandas": pd.__version__}
    versions["pyarrow"] = pyarrow.__version__
    manifest = {"settings": settings, "versions": versions, "files": files}
    _write_json(folder / "manifest.json", manifest)


def write_sample(folder: Path) -> None:
    """Write the first training rows of one closed loop per slice as CSV, and the schema that reads them back.

    Raises:
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for slice_name in SLICES:
        data = generate_slice(slice_name, seed=SAMPLE_SEED, clients=1)
        frame = to_frame(data).drop(columns="split").head(SAMPLE_ROWS)
        columns = list(frame.columns)
        schema = {
            "client": columns[0],
            "traffic_mbps": columns[1:4],
            "cqi": columns[4],
            "mimo_percent": columns[5],
            "target_percent": columns[6],
            "slice_name": slice_name,
            "maxima": dict(zip(columns[1:6], data.feature_maxima.tolist(), strict=True)),
        }
        stem = file_stem(slice_name)
        write_atomically(folder / f"{stem}.csv", frame.to_csv(index=False, lineterminator="\n").encode())
        _write_json(folder / f"{stem}.schema.json", schema)
        print(f"{folder / stem}.csv: {len(frame)} rows")


def to_frame(data: SliceData) -> pd.DataFrame:
    """Return a slice as one table: client, split (`train` or `test`), the features and the target."""
    features = [
        name.replace(" ", "_") + FEATURE_SUFFIX[unit]
        for name, unit in zip(data.feature_names, data.feature_units, strict=True)
    ]
    parts = []
    for client in data.clients:
        for split, inputs, target in (
            ("train", client.train_features, client.train_target),
            ("test", client.test_features, client.test_target),
        ):
            part = pd.DataFrame(inputs, columns=features)
            part.insert(0, "client", client.name)
            part.insert(1, "split", split)
            part[data.target_name.replace(" ", "_") + FEATURE_SUFFIX[data.target_unit]] = target
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def file_stem(slice_name: str) -> str:
    """Return the file name of a slice without extension, e.g. `social_media`."""
    return slice_name.lower().replace(" ", "_")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hex digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON object."""
    write_atomically(path, (json.dumps(content, indent=2) + "\n").encode())
