"""A comparison written down: picture, tables, page and record, six files of one name."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from typing_extensions import TypedDict

from reproduction.files import write_atomically
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
    methods, by_method = list(differences.methods(theirs)), tables(lines)
    title, remarks = f"{', '.join(methods)} against ours", notes(path.name, theirs, reference, lines)
    slices = ", ".join(theirs["slice"].unique())
    content = {
        "title": title,
        "notes": remarks,
        "picture": picture_of(pictures[0]),
        "alt": f"Curves of {', '.join([*OURS, *methods])} in {slices}; the tables below hold the numbers.",
        "caption": CAPTION,
        "columns": COLUMNS,
        "methods": by_method,
    }
    document = {
        "theirs": {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
        "against": {"preset": reference.preset, "clients": reference.clients, "tolerance": reference.tolerance},
        "drawn_with": provenance(PACKAGES),
        "result": {"lines": [asdict(line) for line in lines]},
    }
    write_record(folder / f"{NAME}.json", COMPARISON, document)
    written = {
        ".md": markdown(title, remarks, by_method, pictures[0].name, CAPTION).encode(),
        ".html": render(TEMPLATE, content),
        ".csv": flat(lines).to_csv(index=False, lineterminator="\n").encode(),
    }
    for suffix, text in written.items():
        write_atomically(folder / f"{NAME}{suffix}", text)
    files = [*pictures, folder / f"{NAME}.json", *(folder / f"{NAME}{suffix}" for suffix in written)]
    return Account(lines=lines, notes=remarks, files=files)


def flat(lines: Sequence[Line]) -> pd.DataFrame:
    """Return the lines as a table of one number per cell: means over the seeds in place of each seed's number."""
    frame = pd.DataFrame([asdict(line) for line in lines]).drop(columns=["differences"])
    for column in ("theirs", "ours"):
        frame[column] = [float(np.nanmean(values)) if np.isfinite(values).any() else np.nan for values in frame[column]]
    frame["seeds"] = [" ".join(map(str, seeds)) for seeds in frame["seeds"]]
    return frame
