"""A comparison written down: picture, tables, page and record, six files of one name."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired

import pandas as pd
from typing_extensions import TypedDict

from reproduction.files import sha256_of, write_atomically
from reproduction.results.page import picture_of, render
from reproduction.results.plotting import save, style
from reproduction.results.records import Kind, Provenance, provenance, write_record
from reproduction.results.seed_statistics import mean
from reproduction.slicing.comparison import curves
from reproduction.slicing.comparison.curves import CurvesError
from reproduction.slicing.comparison.differences import Comparison, Line, compare
from reproduction.slicing.comparison.pairs import OURS
from reproduction.slicing.comparison.picture import CAPTION, draw
from reproduction.slicing.comparison.reference_curves import Reference
from reproduction.slicing.comparison.tables import COLUMNS, markdown, notes, tables
from reproduction.slicing.federation.record import PACKAGES

NAME = "comparison"
TEMPLATE = Path(__file__).with_name("comparison.html.j2")


class SavedLine(TypedDict):
    """A `differences.Line` and what came out of it; what is not defined is null."""

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
    """What a comparison saves; cautions if there are any."""

    theirs: dict[str, str]
    against: Against
    cautions: NotRequired[list[str]]
    drawn_with: Provenance
    result: SavedLines


COMPARISON = Kind(fields=ComparisonRecord, remedy="make it again with python reproduction/compare.py")


@dataclass(frozen=True, kw_only=True)
class Account:
    """What was written.

    Attributes:
        lines: every quantity of every method.
        notes: what was compared, and how to read it.
        files: those written.
    """

    lines: list[Line]
    notes: list[str]
    files: list[Path]


def write(path: Path, reference: Reference, folder: Path) -> Account:
    """Compare the curves in the file `path`, and write the picture, the tables and the record into `folder`.

    Raises:
        CurvesError: if it cannot be read (`curves.read`) or compared (`differences.compare`).
        ValueError: for more methods than one picture can tell apart.
        OSError: if something cannot be written.
    """
    theirs = curves.read(path)
    try:
        comparison = compare(theirs, reference)
    except CurvesError as error:
        raise CurvesError(f"{path}: {error}") from error
    with style():
        pictures = save(draw(comparison), folder, NAME)
    remarks = notes(path.name, comparison)
    record = folder / f"{NAME}.json"
    write_record(record, COMPARISON, _document(path, comparison))
    texts = {folder / f"{NAME}{suffix}": text for suffix, text in _texts(comparison, remarks, pictures[0]).items()}
    for file, text in texts.items():
        write_atomically(file, text)
    return Account(lines=comparison.lines, notes=remarks, files=[*pictures, record, *texts])


def saved(line: Line) -> SavedLine:
    """Return a line as a record holds it."""
    pairs, found = line.pairs, line.found
    return {
        "method": pairs.method,
        "against": pairs.against,
        "slice": pairs.slice,
        "quantity": line.quantity.name,
        "unit": line.quantity.unit,
        "rounds": pairs.rounds,
        "seeds": list(line.seeds),
        "theirs": found.theirs.tolist(),
        "ours": found.ours.tolist(),
        "differences": found.values.tolist(),
        "difference": found.mean,
        "low": found.low,
        "high": found.high,
        "verdict": line.verdict,
    }


def flat(lines: Sequence[Line]) -> pd.DataFrame:
    """Return the lines as a table of one number per cell: means over the seeds in place of each seed's number."""
    frame = pd.DataFrame([saved(line) for line in lines]).drop(columns=["differences"])
    for column in ("theirs", "ours"):
        frame[column] = [mean(values) for values in frame[column]]
    frame["seeds"] = [" ".join(map(str, seeds)) for seeds in frame["seeds"]]
    return frame


def _document(path: Path, comparison: Comparison) -> dict[str, Any]:
    """Return the record of a comparison with the curves of `path`."""
    ours = comparison.reference
    return {
        "theirs": {"file": path.name, "sha256": sha256_of(path)},
        "against": {"preset": ours.preset, "clients": ours.clients, "tolerance": ours.tolerance},
        "drawn_with": provenance(PACKAGES),
        "result": {"lines": [saved(line) for line in comparison.lines]},
    } | ({"cautions": comparison.cautions} if comparison.cautions else {})


def _texts(comparison: Comparison, remarks: Sequence[str], picture: Path) -> dict[str, bytes]:
    """Return the tables in each of their forms, by the ending of the file's name."""
    methods, by_method = list(dict.fromkeys(one.method for one in comparison.pairs)), tables(comparison.lines)
    slices = ", ".join(dict.fromkeys(one.slice for one in comparison.pairs))
    title = f"{', '.join(methods)} against ours"
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
        ".csv": flat(comparison.lines).to_csv(index=False, lineterminator="\n").encode(),
    }
