"""Records on disk: one file per federation, rewritten after every round, and the numbers behind each figure.

A record is JSON: `{"format", "version", "sha256", "payload"}`, where sha256 covers the payload. The payload of a
federation holds

    identity     everything that decides the numbers: settings, seed, data digest (see `laboratory.identity`)
    rounds       a list of `federation.server.Round` as objects, NaN as null
    round_number rounds finished
    weights      W_n(t), float32 little-endian, base64
    multipliers  log A per CL, float32 little-endian, base64 [K, 2, 2]
    test         null until the last round, then per CL (in the order of `clients`): mse, confidence, inside
    clients      the CLs' names, sorted
    provenance   machine and versions
"""

import base64
import hashlib
import json
import math
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from reproduction.files import write_atomically

FORMAT, VERSION = "explainable-fl-record", 1
"""Raise VERSION when the numbers of a run change for the same identity; older records are then not reused."""

PACKAGES = ("tensorflow", "keras", "tensorflow-constrained-optimization", "numpy", "shap", "pandas", "matplotlib")


class RecordError(ValueError):
    """A record that is torn, foreign or of another version."""


def write_record(path: Path, payload: dict[str, Any]) -> None:
    """Write `payload` with its checksum, atomically."""
    record = {"format": FORMAT, "version": VERSION, "sha256": digest(payload), "payload": payload}
    write_atomically(path, json.dumps(_plain(record), allow_nan=False).encode())


def read_record(path: Path) -> dict[str, Any]:
    """Read and check a record's payload.

    Raises:
        RecordError: if it is torn, altered, foreign or of another version.
    """
    remedy = "delete it to start this run anew"
    try:
        record = json.loads(path.read_bytes())
    except ValueError as error:
        raise RecordError(f"{path}: not a complete record (torn or not ours); {remedy}") from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise RecordError(f"{path}: not a record of this project; {remedy}")
    if record.get("version") != VERSION:
        raise RecordError(f"{path}: written by record version {record.get('version')}, this is {VERSION}; {remedy}")
    if "payload" not in record or record.get("sha256") != digest(record["payload"]):
        raise RecordError(f"{path}: its checksum does not match its content; {remedy}")
    return record["payload"]


def digest(value: Any) -> str:
    """Return the sha256 of a JSON-like value; equal for a value and for what reads back from its file."""
    return hashlib.sha256(json.dumps(_plain(value), sort_keys=True, allow_nan=False).encode()).hexdigest()


def encode(array: np.ndarray) -> str:
    """Write a float32 array as base64."""
    return base64.b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode()


def decode(text: str, shape: tuple[int, ...] = (-1,)) -> np.ndarray:
    """Read `encode`'s text, float32 [shape]."""
    return np.frombuffer(base64.b64decode(text), "<f4").reshape(shape)


def provenance() -> dict[str, Any]:
    """Return what the numbers were made with: versions and machine, no names of hosts or people."""
    return {
        "versions": {"python": platform.python_version()} | {name: metadata.version(name) for name in PACKAGES},
        "machine": {"system": platform.system(), "processor": _processor(), "cores": os.cpu_count()},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _plain(value: Any) -> Any:
    """Turn a value into what JSON can hold exactly: NaN to null, tuples to lists, NumPy numbers to Python's."""
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
