"""Records on disk: JSON, whole or not there, of a kind and a version, and checked field by field when they are read.

A record is `{"format", "version", "sha256", "payload"}`, where sha256 covers the payload.
"""

import base64
import hashlib
import json
import math
import os
import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import TypedDict

from reproduction.files import write_atomically

FORMAT = "explainable-fl-record"


class RecordError(ValueError):
    """A record that is torn, foreign, of another version, or whose fields are wrong."""


class Machine(TypedDict):
    """Where numbers were made; no names of hosts or people."""

    system: str
    processor: str
    cores: int | None


class Provenance(TypedDict):
    """What numbers were made with: package -> version, and the machine."""

    versions: dict[str, str]
    machine: Machine


def _nothing(payload: Any) -> None:
    """Check nothing."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of record, each with a version of its own.

    Attributes:
        fields: the payload's form, a `typing_extensions.TypedDict`; anything if None.
        check: raises ValueError, in words that name the field, for a payload of that form that contradicts itself.
        format: tells kinds apart that one might take for one another.
        version: raised when the numbers change for the same identity; older records are then not reused.
        remedy: what to do with a record that is refused.
    """

    fields: Any = None
    check: Callable[[Any], None] = _nothing
    format: str = FORMAT
    version: int = 1
    remedy: str = "delete it to start this run anew"


def write_record(path: Path, kind: Kind, payload: dict[str, Any]) -> None:
    """Write `payload` with its checksum, atomically.

    Raises:
        TypeError: if it holds what JSON cannot.
        OSError: if it cannot be written.
    """
    record = {"format": kind.format, "version": kind.version, "sha256": digest(payload), "payload": payload}
    write_atomically(path, json.dumps(_plain(record), allow_nan=False).encode())


def read_record(path: Path, kind: Kind) -> dict[str, Any]:
    """Read and check a record's payload.

    Raises:
        RecordError: if it is torn, altered, foreign, of another version, or a field is wrong.
        OSError: if it cannot be read.
    """
    try:
        record = json.loads(
            path.read_bytes(), parse_constant=_refuse_constant, parse_int=_finite(int), parse_float=_finite(float)
        )
        content = digest(record["payload"]) if isinstance(record, dict) and "payload" in record else None
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path}: not a complete record (torn or not ours); {kind.remedy}") from error
    if not isinstance(record, dict) or record.get("format") != kind.format:
        raise RecordError(f"{path}: not a record of this project; {kind.remedy}")
    if record.get("version") != kind.version:
        raise RecordError(
            f"{path}: written by record version {record.get('version')}, this is {kind.version}; {kind.remedy}"
        )
    if content is None or record.get("sha256") != content:
        raise RecordError(f"{path}: its checksum does not match its content; {kind.remedy}")
    payload = record["payload"]
    try:
        if kind.fields is not None:
            require_form(payload, kind.fields)
        kind.check(payload)
    except ValueError as error:
        raise RecordError(f"{path}: {error}; {kind.remedy}") from error
    return payload


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")  # Python reads NaN and Infinity as numbers; no record has them


def _finite(kind: Callable[[str], float]) -> Callable[[str], float]:
    """Return a reader of numbers that refuses those too large for a float: 1e999 would read as infinity."""

    def read(text: str) -> float:
        value = kind(text)
        if math.isinf(float(text)):
            raise ValueError(f"{text:.9}... is too large")
        return value

    return read


def require_form(
    value: Any, form: Any, *, inside: tuple[str, ...] = (), context: Mapping[str, Any] | None = None
) -> None:
    """Check a value that came from JSON against a type: every field there, and nothing converted.

    Args:
        value: what JSON gave.
        form: a `typing_extensions.TypedDict`, `list[...]`, or any type that pydantic knows.
        inside: the fields that lead to it.
        context: what the rules of `forms` within it speak of.

    Raises:
        ValueError: naming the first field that is wrong, what it must be and what was found.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        TypeAdapter(form).validate_python(value, strict=True, context=context)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, (*inside, *first["loc"]))) or "the whole"
        found = "" if first["type"] == "missing" else f", found {first['input']!r:.60}"
        raise ValueError(f"field {field}: {first['msg'][:1].lower()}{first['msg'][1:]}{found}") from error


def digest(value: Any) -> str:
    """Return the sha256 of a JSON-like value; equal for a value and for what reads back from its file."""
    return hashlib.sha256(json.dumps(_plain(value), sort_keys=True, allow_nan=False).encode()).hexdigest()


def encode(array: np.ndarray) -> str:
    """Write a float32 array as base64, little-endian."""
    return base64.b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode()


def decode(text: str, shape: tuple[int, ...] = (-1,)) -> np.ndarray:
    """Read `encode`'s text, float32 [shape].

    Raises:
        ValueError: if it is not such a text, or of another size.
    """
    return np.frombuffer(base64.b64decode(text, validate=True), "<f4").reshape(shape)


def provenance(packages: Iterable[str]) -> dict[str, Any]:
    """Return what numbers are made with: versions of Python and packages, the machine; no names of hosts or people."""
    return {
        "versions": {"python": platform.python_version()} | {name: metadata.version(name) for name in packages},
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
