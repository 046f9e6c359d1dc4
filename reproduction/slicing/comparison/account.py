"""A comparison written down: picture, tables, page and record, six files of one name."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from typing_extensions import TypedDict

from reproduction.files import sha256_of, write_atomically
from reproduction.results.page import picture_of, render
from reproduction.results.plotting import save, style
from reproduction.results.records import Kind, Provenance, provenance, write_record
from reproduction.slicing.comparison import differences
from reproduction.slicing.comparison.differences import OURS, Line
from reproduction.slicing.comparison.picture import CAPTION, draw
from reproduction.slicing.comparison.reference_curves import Reference
from reproduction.slicing.comparison.tables import COLUMNS, markdown, notes, tables
from reproduction.slicing.federation.record import PACKAGES

NAME = "comparison"
TEMPLATE = Path(__file__).with_name("comparison.html.j2")


class SavedLine(TypedDict):
    """A `differences.Line`; what is not defined is null."""

    method: str
    against: str
    slice: str
    quantity: str
    unit: str
    rounds: int
    seeds: list[int]
    theirs: list[float | None]
    ours: list[float | None]
    differences: list[float | None]
    difference: float | None
    low: float | None
    high: float | None
    verdict: str


class SavedLines(TypedDict):
    """All lines."""

    lines: list[SavedLine]


class Against(TypedDict):
    """The reference that was compared with."""

    preset: str
    clients: int
    tolerance: float


class ComparisonRecord(TypedDict):
    """What a comparison saves."""

    theirs: dict[str, str]
    against: Against
    drawn_with: Provenance
    result: SavedLines


COMPARISON = Kind(fields=ComparisonRecord, remedy="make it again with python reproduction/compare.py")


@dataclass(frozen=True, kw_only=True)
class Account:
    """What came out.

    Attributes:
        lines: every quantity of every method.
        notes: what was compared, and how to read it.
        files: those written.
    """

    lines: list[Line]
    notes: list[str]
    files: list[Path]


def write(path: Path, theirs: pd.DataFrame, reference: Reference, folder: Path) -> Account:
    """Compare the curves read from `path`, and write the picture, the tables and the record into `folder`."""
    lines = differences.compare(theirs, reference)
    with style():
        pictures = save(draw(theirs, reference, lines), folder, NAME)
    remarks = notes(path.name, theirs, reference, lines)
    record = folder / f"{NAME}.json"
    write_record(record, COMPARISON, _document(path, reference, lines))
    texts = {folder / f"{NAME}{suffix}": text for suffix, text in _texts(theirs, lines, remarks, pictures[0]).items()}
    for file, text in texts.items():
        write_atomically(file, text)
    return Account(lines=lines, notes=remarks, files=[*pictures, record, *texts])


def flat(lines: Sequence[Line]) -> pd.DataFrame:
    """Return the lines as a table of one number per cell: means over the seeds in place of each seed's number."""
    frame = pd.DataFrame([asdict(line) for line in lines]).drop(columns=["differences"])
    for column in ("theirs", "ours"):
        frame[column] = [float(np.nanmean(values)) if np.isfinite(values).any() else np.nan for values in frame[column]]
    frame["seeds"] = [" ".join(map(str, seeds)) for seeds in frame["seeds"]]
    return frame


def _document(path: Path, reference: Reference, lines: Sequence[Line]) -> dict[str, Any]:
    """Return the record of a comparison with the curves of `path`."""
    return {
        "theirs": {"file": path.name, "sha256": sha256_of(path)},
        "against": {"preset": reference.preset, "clients": reference.clients, "tolerance": reference.tolerance},
        "drawn_with": provenance(PACKAGES),
        "result": {"lines": [asdict(line) for line in lines]},
    }


def _texts(theirs: pd.DataFrame, lines: Sequence[Line], remarks: Sequence[str], picture: Path) -> dict[str, bytes]:
    """Return the tables in each of their forms, by the ending of the file's name."""
    methods, by_method = list(differences.methods(theirs)), tables(lines)
    title, slices = f"{', '.join(methods)} against ours", ", ".join(theirs["slice"].unique())
    page = {
        "title": title,
        "notes": remarks,
        "picture": picture_of(picture),
        "alt": f"Curves of {', '.join([*OURS, *methods])} in {slices}; the tables below hold the numbers.",
        "caption": CAPTION,
        "columns": COLUMNS,
        "methods": by_method,
    }
    return {
        ".md": markdown(title, remarks, by_method, picture.name, CAPTION).encode(),
        ".html": render(TEMPLATE, page),
        ".csv": flat(lines).to_csv(index=False, lineterminator="\n").encode(),
    }
