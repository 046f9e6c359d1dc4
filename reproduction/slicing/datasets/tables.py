"""Anyone's CSV or Parquet tables as slices of closed loops: the one door through which all data that is read comes in.

Every refusal is one line that names the file, the row and column, the value and the remedy.

The last 20 % in time of each client (or of each of its runs) is the test part; without a time column, a seeded random
20 %.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from reproduction import seeds
from reproduction.slicing.datasets.slice_data import ClientData, Feature, SliceData
from reproduction.slicing.datasets.table_files import Table, read_table
from reproduction.slicing.datasets.table_schema import TableSchema

TEST_SHARE = 0.2
FEWEST_ROWS = 3
"""2 samples to train on and 1 to test on."""


def load_tables(paths: Sequence[Path], schema: TableSchema, *, seed: int) -> tuple[SliceData, ...]:
    """Read tables that share one schema.

    Args:
        paths: CSV (comma, UTF-8) or Parquet files; a client's rows of one slice stand in one file.
        schema: the roles of the columns.
        seed: root seed of the random split, >= 0; unused if the schema has a time column.

    Returns:
        The slices in the order of their first rows, clients likewise.

    Raises:
        FileNotFoundError: a file does not exist.
        ValueError: anything else that is wrong with the tables; see `read_table` and `build_slices`.
    """
    return build_slices([read_table(Path(path)) for path in paths], schema, seed=seed)


def build_slices(tables: Sequence[Table], schema: TableSchema, *, seed: int) -> tuple[SliceData, ...]:
    """Check tables and split them into slices, clients, training and test part.

    Raises:
        ValueError: no table; a missing column; an empty client, slice or run name; a value that is empty, no number,
            NaN, infinite or out of its range; a time that cannot be read; a client in two files; a client with fewer
            than `FEWEST_ROWS` rows; a feature that is 0 in the whole training part and has no declared maximum.
    """
    if not tables:
        raise ValueError("tables must hold at least one table, got none; give a file")
    slices: dict[str, dict[str, ClientData]] = {}
    origin: dict[tuple[str, str], Path] = {}
    for table in tables:
        checked = _checked(table, schema)
        for (slice_name, client), rows in checked.groupby(["slice", "client"], sort=False):
            first = origin.setdefault((slice_name, client), table.path)
            if first is not table.path:
                raise ValueError(
                    f"{table.path}: client {client!r} of slice {slice_name!r} stands in {first} too; "
                    "rename one, or put its rows in one file"
                )
            if len(rows) < FEWEST_ROWS:
                raise ValueError(
                    f"{table.where(int(rows.index[0]))}: client {client!r} of slice {slice_name!r} has {len(rows)} "
                    f"row(s), needs at least {FEWEST_ROWS} (2 to train on, 1 to test on); add rows or leave it out"
                )
            rng = seeds.generator(seed, "split", slice_name, client) if schema.time_column is None else None
            slices.setdefault(slice_name, {})[client] = _split(client, rows, len(schema.features), rng)
    return tuple(_slice(name, tuple(clients.values()), schema) for name, clients in slices.items())


def _checked(table: Table, schema: TableSchema) -> pd.DataFrame:
    """Return columns slice, client, run, time, 0..Q-1 (features) and target, every value checked."""
    for column in schema.columns:
        if column not in table.frame.columns:
            found = ", ".join(map(str, table.frame.columns))
            raise ValueError(f"{table.path}: column {column!r} is missing; the table has {found}")
    checked = pd.DataFrame(index=table.frame.index)
    checked["slice"] = schema.slice_name if schema.slice_column is None else _names(table, schema.slice_column)
    checked["client"] = _names(table, schema.client)
    checked["run"] = "" if schema.run_column is None else _names(table, schema.run_column)
    checked["time"] = 0 if schema.time_column is None else _times(table, schema.time_column)
    for position, feature in enumerate(schema.features):
        checked[position] = _numbers(table, feature.column, highest=feature.highest)
    checked["target"] = _numbers(table, schema.target_percent, highest=100.0)
    return checked


def _names(table: Table, column: str) -> pd.Series:
    """Return a column as text without empty entries."""
    names = table.frame[column]
    empty = names.isna() | (names.astype(str).str.strip() == "")
    if empty.any():
        raise ValueError(f"{table.where(_first(empty))}, column {column!r}: empty; name it or leave the row out")
    return names.astype(str).str.strip()


def _numbers(table: Table, column: str, *, highest: float) -> pd.Series:
    """Return a column as finite float64 in 0..highest."""
    written = table.frame[column]
    # Booleans, dates and the like are no numbers here, although pandas would convert them.
    numeric = pd.api.types.is_numeric_dtype(written) and not pd.api.types.is_bool_dtype(written)
    converted = pd.to_numeric(written if numeric else written.astype(str), errors="coerce")
    numbers = pd.Series(converted.to_numpy(np.float64, na_value=np.nan), index=written.index)
    not_finite = ~(numbers.abs() <= np.finfo(np.float32).max)
    if not_finite.any():
        position = _first(not_finite)
        value = written.loc[position]
        raise ValueError(
            f"{table.where(position)}, column {column!r}: {_quoted(value)}; must be a finite number, "
            "correct the value or leave the row out"
        )
    outside = (numbers < 0) | (numbers > highest)
    if outside.any():
        position = _first(outside)
        allowed = "at least 0" if math.isinf(highest) else f"between 0 and {highest:g}"
        raise ValueError(
            f"{table.where(position)}, column {column!r}: {_quoted(written.loc[position])}; must be {allowed}, "
            "check the unit or the declared maximum"
        )
    return numbers


def _times(table: Table, column: str) -> pd.Series:
    """Return a column of numbers or ISO 8601 times as something that sorts, read in the form that fits more cells."""
    written = table.frame[column]
    if pd.api.types.is_datetime64_any_dtype(written):
        times = written
    else:
        times = pd.to_numeric(written, errors="coerce")
        times = times.mask(times.isin([np.inf, -np.inf]))
        if times.isna().any():
            dates = pd.to_datetime(written.astype(str), errors="coerce", utc=True, format="ISO8601")
            times = min(times, dates, key=lambda read: int(read.isna().sum()))
    bad = times.isna() | written.isna()
    if bad.any():
        position = _first(bad)
        raise ValueError(
            f"{table.where(position)}, column {column!r}: {_quoted(written.loc[position])}; must be a number or an "
            "ISO 8601 time, in one form throughout; correct it"
        )
    return times


def _split(client: str, rows: pd.DataFrame, features: int, rng: np.random.Generator | None) -> ClientData:
    """Split one client's rows, in time within each run or at random."""
    if rng is None:
        rows = rows.sort_values("time", kind="stable")
        order = rows.groupby("run", sort=False).cumcount()
        length = rows.groupby("run", sort=False)["time"].transform("size")
        test = (order >= length - (TEST_SHARE * length).round()).to_numpy(copy=True)
        if not test.any():  # every run is too short to give a row
            test[-1] = True
    else:
        test = np.zeros(len(rows), dtype=bool)
        test[rng.permutation(len(rows))[: max(1, round(TEST_SHARE * len(rows)))]] = True
    inputs = rows[list(range(features))].to_numpy(np.float32)
    target = rows["target"].to_numpy(np.float32)
    return ClientData(
        name=client,
        train_features=inputs[~test],
        train_target=target[~test],
        test_features=inputs[test],
        test_target=target[test],
    )


def _slice(name: str, clients: tuple[ClientData, ...], schema: TableSchema) -> SliceData:
    """Assemble one slice, with the maxima that the schema leaves to the training part."""
    features = []
    for position, declared in enumerate(schema.features):
        maximum = declared.maximum
        if maximum is None:
            maximum = float(max(client.train_features[:, position].max() for client in clients))
        if maximum == 0:
            raise ValueError(
                f"slice {name!r}, column {declared.column!r}: 0 in the whole training part, so it has no maximum; "
                "declare one under `maxima` or leave the column out"
            )
        features.append(Feature(name=declared.column, unit=declared.unit, maximum=maximum, role=declared.role))
    return SliceData(
        name=name,
        features=tuple(features),
        target_name=schema.target_name,
        target_unit="%",
        clients=clients,
        sla_percent=schema.sla_percent,
    )


def _first(marked: pd.Series) -> int:
    """Return the index position of the first true entry."""
    return int(marked.index[int(np.argmax(marked.to_numpy()))])


def _quoted(value: object) -> str:
    """Quote a value as it stands in the file."""
    return "empty" if isinstance(value, str) and not value.strip() else f"value {value!s}"
