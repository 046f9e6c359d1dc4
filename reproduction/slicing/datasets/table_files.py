"""CSV and Parquet files as tables whose rows can be named.

Rows are counted as a person sees them: in a CSV by the file's lines, the header at line 1; in a Parquet table by its
rows, the first at row 1.
"""

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """A table as read, and how to name its rows.

    Attributes:
        path: where it came from.
        frame: its columns; the index is the row's position in the file, whatever was filtered out since. In a CSV
            the header is at 0.
    """

    path: Path
    frame: pd.DataFrame

    def where(self, position: int) -> str:
        """Name the file and the row at an index position."""
        if _is_csv(self.path):
            return f"{self.path}, line {_line(self.path, position)}"
        return f"{self.path}, row {position + 1}"


def read_table(path: Path) -> Table:
    """Read one CSV or Parquet file, values unchecked.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: another extension, a file that cannot be read, repeated column names, or no rows.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; give the path of a CSV or Parquet table")
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise ValueError(f"{path}: extension must be .csv or .parquet, got {path.suffix!r}; convert or rename the file")
    try:
        table = _read_csv(path) if _is_csv(path) else _read_parquet(path)
    except (ValueError, OSError) as error:  # UnicodeDecodeError, pandas' and pyarrow's errors are all among these
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: not readable as {path.suffix[1:]} ({reason}); correct the file") from error
    columns = list(table.frame.columns)
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise ValueError(f"{path}: column {twice[0]!r} stands more than once in the header; rename one")
    if table.frame.empty:
        raise ValueError(f"{path}: the table has no rows; give a table with data")
    return table


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


def _read_csv(path: Path) -> Table:
    try:
        text = _records(path)
    except pd.errors.EmptyDataError:
        text = pd.DataFrame([[""]])
    except pd.errors.ParserError as error:  # it counts records: "in line 3" from 1, "at row 2" from 0
        counted = re.compile(r"\b(line|row) (\d+)")
        reason = counted.sub(lambda found: f"line {_line(path, int(found[2]) - (found[1] == 'line'))}", str(error))
        raise ValueError(reason) from error
    frame = text.iloc[1:].set_axis(text.iloc[0].str.strip().tolist(), axis=1)
    filled = (frame != "").any(axis=1)
    return Table(path=path, frame=frame[filled])


def _records(path: Path, number: int | None = None) -> pd.DataFrame:
    """Return the first records of a CSV, or all, as text, so that a refusal can quote what stands in the file."""
    text = pd.read_csv(
        path, header=None, dtype=str, na_filter=False, skip_blank_lines=False, encoding="utf-8-sig", nrows=number
    )
    return text.fillna("")


def _line(path: Path, record: int) -> int:
    """Return the line of a CSV on which a record begins; the header is record 0, and cells can hold line breaks."""
    above = "\0".join(_records(path, record).to_numpy().ravel()) if record else ""
    return 1 + record + above.count("\n") + above.count("\r") - above.count("\r\n")


def _read_parquet(path: Path) -> Table:
    frame = pd.read_parquet(path)
    return Table(path=path, frame=frame.reset_index(drop=frame.index.names == [None]))


def without_rows(table: Table, rows: pd.Series) -> Table:
    """Return the table without the rows marked true; the others keep their names."""
    return dataclasses.replace(table, frame=table.frame[~rows])
