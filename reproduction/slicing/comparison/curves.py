"""Curves of any framework as one tidy table: a row per observation of one run, metric and round.

    scheme,explainer,slice,seed,round,metric,value,unit,clients,samples,epochs,rounds,data
    post-hoc,IG,eMBB,0,1,mse,0.1234,%^2,100,100000,100,30,68a4...

A run is (scheme, explainer, slice, seed, clients). `scheme` is "in-hoc", "post-hoc" or a method's own name; rounds are
1..T, and every metric of a run has all of them. Rows may stand in any order.

    mse          of the global model after the round, on all training samples
    confidence   C of the same model, mean over the CLs; the text `undefined` where U is empty
    kb           KB (1,000 bytes) serialised in that round, up and down, all CLs
    seconds      wall time of the round

The last five columns say under what a run was made, the same in all of its rows. They may be left out, or be empty;
whoever compares such a run can but take them for its own, and says so.

    clients      K, CLs
    samples      training samples of all CLs together
    epochs       L, local epochs of a CL in a round
    rounds       T
    data         SHA-256 of the data, `SliceData.digest`, 64 hex digits
"""

import io
import itertools
import math
import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from reproduction.files import write_atomically
from reproduction.slicing.metrics import BYTES_PER_KB
from reproduction.slicing.schemes import EXPLAINER_LABELS

COLUMNS = ("scheme", "explainer", "slice", "seed", "round", "metric", "value", "unit")
METRICS = {"mse": "%^2", "confidence": "1", "kb": "KB", "seconds": "s"}
"""Metric -> its only unit."""

COUNTS = ("clients", "samples", "epochs", "rounds")
CONDITIONS = (*COUNTS, "data")
"""The columns that may be left out; read, they are all there: 0, or an empty text, where nothing is said."""

RUN_KEY = ["scheme", "explainer", "slice", "seed", "clients"]
"""The columns that name a run."""

UNDEFINED = "undefined"
LARGEST_INTEGER = 2**53
"""Beyond it a number that went through floating point is no longer exact."""


class CurvesError(ValueError):
    """A table of curves that is not in this form."""


def read(path: Path) -> pd.DataFrame:
    """Read a table of curves.

    Returns:
        the columns `COLUMNS` and `CONDITIONS`; counts, seed and round int64, value float64 with NaN for `undefined`.

    Raises:
        CurvesError: in one line: file, row (the header is row 1) or run, what is wrong, what to do.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise CurvesError(f"{path}: no such file; give the path of a CSV of curves") from error
    except UnicodeDecodeError as error:
        raise CurvesError(f"{path}: not text in UTF-8; save the table as a UTF-8 CSV") from error
    except OSError as error:
        raise CurvesError(f"{path}: cannot be read ({error.strerror}); give the path of a CSV of curves") from error
    return _parse(text, path)


def write(path: Path, frame: pd.DataFrame) -> None:
    """Write a table of curves, checked like one that is read; the same rows in any order give the same bytes.

    Raises:
        CurvesError: if the frame is not in this form; its rows are then counted after a header in row 1.
        OSError: if the file cannot be written.
    """
    checked = _parse(_to_text(frame), path).sort_values([*RUN_KEY, "metric", "round"])
    write_atomically(Path(path), _to_text(checked).encode())


def from_federation(payload: Mapping[str, Any], samples: int) -> pd.DataFrame:
    """Turn the record of a federation (`laboratory.Laboratory.federation`) into tidy rows of all four metrics.

    Args:
        payload: the record; of its identity are read: scheme, explainer, slice, seed, clients, local epochs, rounds and
            the data's digest.
        samples: training samples of all CLs together.
    """
    identity = payload["identity"]
    made = (identity["clients"], samples, identity["local"]["epochs"], identity["rounds"], identity["data"])
    run = (identity["scheme"], EXPLAINER_LABELS[identity["explainer"]], identity["slice"], identity["seed"])
    rows = []
    for round_number, entry in enumerate(payload["rounds"], start=1):
        traffic = (entry["bytes_down"] + entry["bytes_up"]) / BYTES_PER_KB
        values = {"mse": entry["mse"], "confidence": entry["confidence"], "kb": traffic, "seconds": entry["seconds"]}
        for metric, value in values.items():
            number = math.nan if value is None else float(value)
            rows.append((*run, round_number, metric, number, METRICS[metric], *made))
    return pd.DataFrame(rows, columns=[*COLUMNS, *CONDITIONS])


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    """Return mean, sample standard deviation (NaN for one) and number of the seeds with a defined value, per round."""
    groups = frame.groupby(["scheme", "explainer", "slice", "metric", "round"], as_index=False)
    table = groups.agg(mean=("value", "mean"), sd=("value", "std"), n=("value", "count"), unit=("unit", "first"))
    return table[["scheme", "explainer", "slice", "round", "metric", "mean", "sd", "n", "unit"]]


def _to_text(frame: pd.DataFrame) -> str:
    """Write all columns; what is not said, 0 or nothing, is an empty cell."""
    said = frame.reindex(columns=list(dict.fromkeys([*COLUMNS, *CONDITIONS, *frame.columns])))
    for name in CONDITIONS:
        said[name] = said[name].astype(object).where(said[name].notna() & (said[name] != 0), "")
    return said.to_csv(index=False, na_rep=UNDEFINED, lineterminator="\n")


def _parse(text: str, path: Path) -> pd.DataFrame:
    """Read a table's text and check all of it; see `read`."""
    frame = _cells(text, path)
    for column in ("scheme", "explainer", "slice"):
        for row in frame.index[frame[column] == ""]:
            raise CurvesError(f"{path}, row {row}: {column} is empty; name it")
    for row, metric, unit in zip(frame.index, frame["metric"], frame["unit"], strict=True):
        if metric not in METRICS:
            raise CurvesError(
                f"{path}, row {row}: metric must be one of {', '.join(METRICS)}, got {metric!r}; give that one instead"
            )
        if unit != METRICS[metric]:
            raise CurvesError(
                f"{path}, row {row}: the unit of {metric} must be {METRICS[metric]}, got {unit!r}; convert the value, "
                "or mend the label"
            )
    for column, smallest in (("seed", 0), ("round", 1)):
        frame[column] = [
            _integer(written, column, smallest, f"{path}, row {row}") for row, written in frame[column].items()
        ]
    for name in CONDITIONS:
        frame[name] = [_condition(written, name, f"{path}, row {row}") for row, written in frame[name].items()]
    frame["value"] = [
        _value(written, metric, f"{path}, row {row}")
        for row, written, metric in zip(frame.index, frame["value"], frame["metric"], strict=True)
    ]
    _check_runs(frame, path)
    return frame.reset_index(drop=True)


def _cells(text: str, path: Path) -> pd.DataFrame:
    """Split the text into its columns of text; the index is the row in the file, the header being row 1."""
    try:
        table = pd.read_csv(io.StringIO(text), header=None, dtype=str, na_filter=False, skip_blank_lines=False)
    except pd.errors.EmptyDataError as error:
        raise CurvesError(
            f"{path}: the file is empty; write the header {','.join(COLUMNS)} and a row per value"
        ) from error
    except (ValueError, pd.errors.ParserError) as error:
        reason = " ".join(str(error).split())
        raise CurvesError(f"{path}: not readable as CSV ({reason}); separate the columns by commas") from error
    table = table.fillna("").apply(lambda column: column.str.strip())
    header = table.iloc[0].tolist()
    missing = [name for name in COLUMNS if name not in header]
    extra = [name for name in header if name not in (*COLUMNS, *CONDITIONS) or header.count(name) > 1]
    if missing or extra:
        what = f"column {missing[0]!r} is missing" if missing else f"column {extra[0]!r} is one too many"
        raise CurvesError(
            f"{path}, row 1: {what}; the columns are {','.join(COLUMNS)}, separated by commas, and where you can "
            f"{','.join(CONDITIONS)}"
        )
    rows = table.iloc[1:].set_axis(header, axis=1)
    rows.index = rows.index + 1
    rows = rows[(rows != "").any(axis=1)]
    if rows.empty:
        raise CurvesError(f"{path}: a header and no rows; add a row per run, metric and round")
    return rows.reindex(columns=[*COLUMNS, *CONDITIONS], fill_value="")


def _integer(written: str, column: str, smallest: int, where: str) -> int:
    """Read a whole number; "3.0" is one too, as some programs write it."""
    number = _float(written)
    if not (number.is_integer() and smallest <= number <= LARGEST_INTEGER):
        raise CurvesError(f"{where}: {column} must be a whole number from {smallest}, got {written!r}; correct it")
    return int(number)


def _condition(written: str, column: str, where: str) -> int | str:
    """Read what is said of how a run was made; 0 or an empty text if nothing is."""
    if column in COUNTS:
        return _integer(written, column, 1, where) if written else 0
    if written and not re.fullmatch("[0-9a-f]{64}", written):
        raise CurvesError(
            f"{where}: data must be a SHA-256, 64 hex digits as SliceData.digest() gives them, got {written!r}; "
            "correct it, or leave it empty"
        )
    return written


def _value(written: str, metric: str, where: str) -> float:
    """Read a value of one metric."""
    if written == UNDEFINED and metric == "confidence":
        return math.nan
    number = _float(written)
    if not math.isfinite(number):
        also = f", or {UNDEFINED}" if metric == "confidence" else ""
        raise CurvesError(
            f"{where}: {metric} must be a finite number{also}, got {written!r}; correct it or drop the run"
        )
    if number < 0 or (metric == "confidence" and number > 1):
        allowed = "in [0, 1]" if metric == "confidence" else "at least 0"
        raise CurvesError(f"{where}: {metric} must be {allowed}, got {written}; check the unit")
    return number


def _float(written: str) -> float:
    try:
        return float(written)
    except ValueError:
        return math.nan


def _check_runs(frame: pd.DataFrame, path: Path) -> None:
    """Check that every metric of a run has each of the rounds 1..T once, with one T per run, all made alike."""
    twice = frame.duplicated([*RUN_KEY, "metric", "round"])
    for row in frame.index[twice]:
        same = (frame[[*RUN_KEY, "metric", "round"]] == frame.loc[row, [*RUN_KEY, "metric", "round"]]).all(axis=1)
        raise CurvesError(f"{path}, row {row}: the same run, metric and round as row {frame.index[same][0]}; drop one")
    for run, rows in frame.groupby(RUN_KEY, sort=False):
        name = run_in_words(run)
        for column in CONDITIONS:
            if rows[column].nunique() > 1:
                got = " and ".join(map(repr, rows[column].unique()[:2].tolist()))
                raise CurvesError(f"{path}, run {name}: {column} must be the same in all rows, got {got}; correct it")
        last, promised = rows["round"].max(), rows["rounds"].iloc[0]
        if promised not in (0, last):
            raise CurvesError(f"{path}, run {name}: says rounds {promised} and ends at round {last}; complete it")
        for metric, rounds in rows.groupby("metric", sort=False)["round"]:
            if len(rounds) < last:  # none occurs twice
                have = set(rounds)
                missing = next(candidate for candidate in itertools.count(1) if candidate not in have)
                raise CurvesError(
                    f"{path}, run {name}: {metric} lacks round {missing} of 1..{last}; "
                    "add it, or leave the metric out for this run"
                )


def run_in_words(run: tuple[Hashable, ...]) -> str:
    """Name a run, given its values of `RUN_KEY`."""
    *name, seed, clients = run
    return ", ".join([*map(str, name), f"seed {seed}", *([f"{clients} CLs"] if clients else [])])
