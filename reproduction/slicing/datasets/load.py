"""Tables as slices: what stands behind the switches `--data` and `--schema`."""

from collections.abc import Sequence
from pathlib import Path

from reproduction.slicing.datasets.slice_data import SliceData


def load(tables: Sequence[Path], schema: str | Path, *, seed: int) -> tuple[SliceData, ...]:
    """Read slices from tables.

    Args:
        tables: one or more CSV or Parquet files.
        schema: a JSON file with the keys of `table_schema.TableSchema`, or the name of a public set: `"ranalyzer"`,
            `"tractor"` (its three slices) or `"tractor:eMBB"`, `"tractor:URLLC"`, `"tractor:mMTC"`.
        seed: root seed of the random test split of tables without a time column.

    Raises:
        FileNotFoundError: a table or the schema does not exist.
        ValueError: the tables or the schema are refused, in one line that says where and why.
    """
    from reproduction.slicing.datasets import measurements
    from reproduction.slicing.datasets.table_schema import read_schema
    from reproduction.slicing.datasets.tables import load_tables

    name, _, slice_name = str(schema).partition(":")
    if name not in ("tractor", "ranalyzer"):
        return load_tables(tables, read_schema(Path(schema)), seed=seed)
    if len(tables) != 1:
        raise ValueError(f"schema {name!r} reads exactly one table, got {len(tables)}; give one file")
    path = Path(tables[0])
    if name == "tractor":
        wanted = (slice_name,) if slice_name else tuple(measurements.TRACTOR_APPLICATIONS)
        return tuple(measurements.load_tractor(path, wanted_slice) for wanted_slice in wanted)
    if slice_name:
        raise ValueError(f"schema 'ranalyzer' has no slices, got {slice_name!r}; drop it")
    return (measurements.load_ranalyzer(path),)
