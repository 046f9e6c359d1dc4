"""Which columns of a table mean what: the declaration that comes with anyone's data (roles of the paper's Table II).

The paper has five features and 100 closed loops; a table may have any number of either, and no MIMO column.
"""

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from reproduction.slicing.datasets.slice_data import HIGHEST_MAXIMUM, LOWEST_MAXIMUM, Role

EXAMPLES = {
    "client": "cell",
    "traffic_mbps": ["Netflix", "YouTube"],
    "cqi": "CQI",
    "target_percent": "cpu",
    "sla_percent": [0, 3],
}
"""Key that every schema must have -> what it may hold."""

LONGEST_QUOTE = 60
"""The most characters of a refused value that are shown."""

UNIT_SLIP = 10.0
"""A value this many times its declared maximum is taken for another unit: kbps or bit/s in place of Mbps."""


@dataclass(frozen=True, kw_only=True)
class FeatureColumn:
    """One feature column.

    Attributes:
        column: its name in the table.
        unit: `"Mbps"`, `"%"` or empty.
        role: what it measures.
        highest: greatest value allowed; the least is 0.
        maximum: what the feature is divided by; `None` takes the greatest value of the training part.
    """

    column: str
    unit: str
    role: Role
    highest: float
    maximum: float | None


@dataclass(frozen=True, kw_only=True)
class TableSchema:
    """The roles of a table's columns.

    Attributes:
        client: column that names the closed loop (any text or number).
        traffic_mbps: columns of traffic per application, Mbps, >= 0.
        cqi: column of the channel quality, 0..`cqi_maximum`.
        target_percent: column of the load to predict, 0..100 %.
        sla_percent: the target's interval that fulfils the SLA, lower and upper bound; nobody but the table's owner
            knows it, so it has no default.
        mimo_percent: column of the MIMO full-rank usage, 0..100 %, or `None` if there is none.
        target_name: what the load is a load of.
        slice_column: column that names the slice, or `None` if all rows are one slice.
        slice_name: the slice's name where there is no `slice_column`.
        time_column: column that orders a client's rows (a number, or an ISO 8601 time); `None` if nothing does.
        run_column: column of separate runs of one client, each split in time by itself; needs `time_column`.
        cqi_maximum: greatest channel-quality index: 15 for a CQI, 28 for an MCS index.
        maxima: what a feature column is divided by. Undeclared, it is the greatest value of the training part. A value
            above it is above 1; one more than `UNIT_SLIP` times as great has another unit, and is refused.

    Raises:
        TypeError: a name is not a text, `traffic_mbps` is not a tuple of texts, or `maxima` is not a mapping.
        ValueError: no traffic column, a column with two roles, a maximum that is not positive, not finite as a
            float32 or names no feature, an SLA that is not two bounds, or `run_column` without `time_column`.
    """

    client: str
    traffic_mbps: tuple[str, ...]
    cqi: str
    target_percent: str
    sla_percent: tuple[float, float]
    mimo_percent: str | None = None
    target_name: str = "CPU load"
    slice_column: str | None = None
    slice_name: str = "table"
    time_column: str | None = None
    run_column: str | None = None
    cqi_maximum: float = 15.0
    maxima: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        """Check what the class promises."""
        for key in ("client", "cqi", "target_percent", "target_name", "slice_name"):
            _require_name(getattr(self, key), key)
        for key in ("mimo_percent", "slice_column", "time_column", "run_column"):
            if getattr(self, key) is not None:
                _require_name(getattr(self, key), key)
        if not isinstance(self.traffic_mbps, tuple):
            raise TypeError(f"traffic_mbps must be a list of column names, got {_found(self.traffic_mbps)}")
        if not self.traffic_mbps:
            raise ValueError("traffic_mbps must name at least one column, got none")
        for position, column in enumerate(self.traffic_mbps):
            _require_name(column, f"traffic_mbps[{position}]")
        roles: dict[str, str] = {}
        for role, column in self._roles:
            if roles.setdefault(column, role) is not role:
                raise ValueError(f"a column must have one role, got {column!r} as {roles[column]} and as {role}")
        if self.run_column is not None and self.time_column is None:
            raise ValueError("run_column needs time_column: runs are split in time; declare it or drop run_column")
        _require_positive(self.cqi_maximum, "cqi_maximum")
        bounds = self.sla_percent
        pair = isinstance(bounds, tuple) and len(bounds) == 2 and all(map(_is_number, bounds))
        if not pair or not 0 <= bounds[0] < bounds[1] <= 100:
            raise ValueError(f"sla_percent must be two bounds within 0..100, the lower first, got {_found(bounds)}")
        if self.maxima is not None and not isinstance(self.maxima, Mapping):
            raise TypeError(f"maxima must map feature columns to numbers, got {_found(self.maxima)}")
        for column, maximum in (self.maxima or {}).items():
            if column not in (*self.traffic_mbps, self.cqi, self.mimo_percent):
                raise ValueError(f"maxima must name feature columns, got {column!r}; correct or drop it")
            _require_positive(maximum, f"maxima[{column!r}]")

    @property
    def features(self) -> tuple[FeatureColumn, ...]:
        """The feature columns in their order: traffic, channel quality, MIMO."""
        declared = self.maxima or {}

        def feature(column: str, unit: str, role: Role, bound: float) -> FeatureColumn:
            maximum = declared.get(column)
            highest = bound if maximum is None else min(bound, UNIT_SLIP * maximum)
            return FeatureColumn(column=column, unit=unit, role=role, highest=highest, maximum=maximum)

        traffic = [feature(column, "Mbps", "traffic", math.inf) for column in self.traffic_mbps]
        quality = feature(self.cqi, "", "channel_quality", self.cqi_maximum)
        rank = [feature(self.mimo_percent, "%", "rank", 100.0)] if self.mimo_percent is not None else []
        return (*traffic, quality, *rank)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the table must have."""
        return tuple(column for _, column in self._roles)

    @property
    def _roles(self) -> tuple[tuple[str, str], ...]:
        """The key that names each column, and the column: what tells rows apart, the features, the target."""
        traffic = ((f"traffic_mbps[{position}]", column) for position, column in enumerate(self.traffic_mbps))
        names = ("client", "slice_column", "time_column", "run_column"), ("cqi", "mimo_percent", "target_percent")
        keys, rest = ([(name, getattr(self, name)) for name in part] for part in names)
        return tuple((name, column) for name, column in (*keys, *traffic, *rest) if column is not None)


def read_schema(path: Path) -> TableSchema:
    """Read a schema from a JSON object whose keys are the attributes of `TableSchema`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: not a JSON object, an unknown or missing key, or a value that `TableSchema` refuses.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such schema file; give the path of a JSON file")
    try:
        loaded: Any = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not readable as JSON ({error}); correct the file") from error
    if not isinstance(loaded, dict):
        raise ValueError(f"{path}: must hold a JSON object, got {type(loaded).__name__}")
    fields = dataclasses.fields(TableSchema)
    names = [field.name for field in fields]
    unknown = sorted(set(loaded) - set(names))
    if unknown:
        raise ValueError(f"{path}: unknown key {unknown[0]!r}; known keys are {', '.join(names)}")
    missing = [field.name for field in fields if field.default is dataclasses.MISSING and field.name not in loaded]
    if missing:
        raise ValueError(f"{path}: key {missing[0]!r} is missing; add it, e.g. {_example(missing[0])}")
    for name in ("traffic_mbps", "sla_percent"):
        if isinstance(loaded.get(name), list):
            loaded[name] = tuple(loaded[name])
    try:
        return TableSchema(**loaded)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def _example(key: str) -> str:
    """Write a key with what it may hold, as it stands in a JSON file."""
    return f"{json.dumps(key)}: {json.dumps(EXAMPLES[key])}"


def _require_name(value: object, key: str) -> None:
    """Refuse anything but a text that is not empty."""
    if not isinstance(value, str) or not value:
        raise TypeError(f"{key} must be a name, a text that is not empty, got {_found(value)}")


def _require_positive(value: object, key: str) -> None:
    """Refuse anything but a number that is positive and finite as a float32."""
    if not _is_number(value) or not 0 < value < math.inf:
        raise ValueError(f"{key} must be a positive number, got {_found(value)}")
    if not LOWEST_MAXIMUM <= value <= HIGHEST_MAXIMUM:
        raise ValueError(f"{key} must be positive and finite as a float32, got {_found(value)}; check the unit")


def _is_number(value: object) -> TypeGuard[int | float]:
    """Return whether a value is a number; a truth value is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _found(value: object) -> str:
    """Say what a value is, in JSON's words and on one line."""
    kind = "the text " if isinstance(value, str) else "the list " if isinstance(value, list | tuple) else ""
    written = json.dumps(value, default=repr)
    return kind + (written if len(written) <= LONGEST_QUOTE else written[:LONGEST_QUOTE] + "...")
