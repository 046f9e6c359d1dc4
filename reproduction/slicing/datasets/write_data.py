"""The generated data of all slices as files, or the committed sample; each table with the schema that reads it back.

Files are written under a temporary name and renamed when complete, the manifest last, so an interrupted run leaves
nothing that looks finished.
"""

import io
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow

from reproduction.files import sha256_of, write_atomically
from reproduction.slicing.datasets.generator import SLICES, generate_slice
from reproduction.slicing.datasets.slice_data import Role, SliceData

SAMPLE_ROWS = 200
SAMPLE_SEED = 0
UNIT_SUFFIX = {"Mbps": "_mbps", "%": "_percent", "": ""}


def write_data(folder: Path, *, seed: int, clients: int, samples: int, test_samples: int) -> None:
    """Write one Parquet table per slice, the schemas that read them back, and `manifest.json`.

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
        _write_json(path.with_suffix(".schema.json"), schema_of(data))
        files[path.name] = {"slice": slice_name, "sha256": sha256_of(path), "arrays_sha256": data.digest()}
        print(f"{path}: {sum(len(c.train_target) + len(c.test_target) for c in data.clients)} rows")
    versions = {"python": platform.python_version(), "numpy": np.__version__, "pandas": pd.__version__}
    versions["pyarrow"] = pyarrow.__version__
    manifest = {"settings": settings, "versions": versions, "files": files}
    _write_json(folder / "manifest.json", manifest)


def write_sample(folder: Path) -> None:
    """Write the first training rows of one closed loop per slice as CSV, and the schemas that read them back.

    Raises:
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for slice_name in SLICES:
        data = generate_slice(slice_name, seed=SAMPLE_SEED, clients=1)
        frame = to_frame(data).drop(columns="split").head(SAMPLE_ROWS)
        path = folder / f"{file_stem(slice_name)}.csv"
        write_atomically(path, frame.to_csv(index=False, lineterminator="\n").encode())
        _write_json(path.with_suffix(".schema.json"), schema_of(data))
        print(f"{path}: {len(frame)} rows")


def to_frame(data: SliceData) -> pd.DataFrame:
    """Return a slice as one table: client, split (`train` or `test`), the features and the target."""
    features = [column_name(feature.name, feature.unit) for feature in data.features]
    parts = []
    for client in data.clients:
        for split, inputs, target in (
            ("train", client.train_features, client.train_target),
            ("test", client.test_features, client.test_target),
        ):
            part = pd.DataFrame(inputs, columns=features)
            part.insert(0, "client", client.name)
            part.insert(1, "split", split)
            part[column_name(data.target_name, data.target_unit)] = target
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def schema_of(data: SliceData) -> dict[str, Any]:
    """Return the keys of `table_schema.TableSchema` that read the table of a generated slice back."""
    columns = {feature: column_name(feature.name, feature.unit) for feature in data.features}

    def with_role(role: Role) -> list[str]:
        return [column for feature, column in columns.items() if feature.role == role]

    (quality,), (rank,) = with_role("channel_quality"), with_role("rank")
    return {
        "client": "client",
        "traffic_mbps": with_role("traffic"),
        "cqi": quality,
        "mimo_percent": rank,
        "target_percent": column_name(data.target_name, data.target_unit),
        "sla_percent": list(data.sla_percent),
        "slice_name": data.name,
        "maxima": {column: feature.maximum for feature, column in columns.items()},
    }


def column_name(name: str, unit: str) -> str:
    """Return a table's name for a quantity, e.g. `Facebook_Video_mbps`."""
    return name.replace(" ", "_") + UNIT_SUFFIX[unit]


def file_stem(slice_name: str) -> str:
    """Return the file name of a slice without extension, e.g. `social_media`."""
    return slice_name.lower().replace(" ", "_")


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON object."""
    write_atomically(path, (json.dumps(content, indent=2) + "\n").encode())
