"""A claim held to a criterion: the statistics that decide and those beside them, and their text, table and JSON.

Statistics stay numbers until they are written; the Markdown table, a page and the record are all made of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from typing_extensions import TypedDict

from reproduction.results.words import NOT_DEFINED, markdown_table, mean_and_sd

HOLDS, FAILS, UNDECIDABLE = "holds", "does not hold", "cannot be decided from the paper"


@dataclass(frozen=True, kw_only=True)
class Statistic:
    """Numbers of one kind.

    Attributes:
        name: what they are.
        values: label -> a value per seed; NaN or None where it is not defined.
        heading: how a text calls them, where it must.
        unit: behind the last of them that is defined.
        forms: format of the mean and of the standard deviation.
        between: what separates labels in a text.
    """

    name: str
    values: Mapping[str, Sequence[float | None]]
    heading: str = ""
    unit: str = ""
    forms: tuple[str, str] = (".3g", ".2g")
    between: str = "; "

    def lines(self) -> list[tuple[str, str]]:
        """Return (label, mean ± sd over the seeds), the unit behind the last that is defined."""
        written = {label: mean_and_sd(values, *self.forms) for label, values in self.values.items()}
        last = [label for label, value in written.items() if value != NOT_DEFINED][-1:]
        return [(label, value + self.unit if [label] == last else value) for label, value in written.items()]

    def text(self) -> str:
        """Return them in one sentence."""
        lines = self.between.join(f"{label} {value}".strip() for label, value in self.lines())
        return f"{self.heading}: {lines}" if self.heading else lines


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a criterion found.

    Attributes:
        holds: whether it is met; None if nothing can decide it.
        statistics: that decide.
        beside: for comparison.
        note: what one must know to read them; a sentence without its full stop.
    """

    holds: bool | None
    statistics: tuple[Statistic, ...]
    beside: tuple[Statistic, ...] = ()
    note: str = ""

    @property
    def verdict(self) -> str:
        """`HOLDS`, `FAILS` or `UNDECIDABLE`."""
        return UNDECIDABLE if self.holds is None else HOLDS if self.holds else FAILS

    @property
    def numbers(self) -> dict[str, Mapping[str, Sequence[float | None]]]:
        """The statistics that decide: name -> label -> a value per seed."""
        return {statistic.name: statistic.values for statistic in self.statistics}

    def text(self) -> str:
        """Return the statistics in words; in brackets, or in a sentence of its own behind a note, those beside them."""
        deciding, beside = ("; ".join(map(Statistic.text, part)) for part in (self.statistics, self.beside))
        if self.note:
            return ". ".join(part for part in (self.note, deciding, beside) if part)
        return f"{deciding} ({beside})" if beside else deciding


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One line of a claims table.

    Attributes:
        claim: its name.
        where: in the paper.
        statement: what is claimed.
        paper: the paper's own numbers or words.
        criterion: ours.
        finding: what it found.
    """

    claim: str
    where: str
    statement: str
    paper: str
    criterion: str
    finding: Finding

    @property
    def verdict(self) -> str:
        """`HOLDS`, `FAILS` or `UNDECIDABLE`."""
        return self.finding.verdict


COLUMNS = ("claim", "where", "the paper says", "criterion", "ours, mean ± sd over seeds", "verdict")


def as_markdown(verdicts: Sequence[Verdict]) -> str:
    """Return the claims table."""
    rows = []
    for line in verdicts:
        says = f"{line.statement} ({line.paper})"
        rows.append((line.claim, line.where, says, line.criterion, line.finding.text(), f"**{line.verdict}**"))
    return markdown_table(COLUMNS, rows, tight_rule=True)


class SavedStatistic(TypedDict):
    """A statistic's numbers; what is not defined is null."""

    name: str
    unit: str
    values: dict[str, list[float | None]]


class SavedVerdict(TypedDict):
    """A verdict as a record holds it: words (`ours` is the finding's text), and per statistic its values."""

    claim: str
    where: str
    statement: str
    paper: str
    criterion: str
    verdict: str
    ours: str
    statistics: list[SavedStatistic]
    beside: list[SavedStatistic]


class ClaimsRecord(TypedDict):
    """A claims table as it is saved: the verdicts, and the runs that they were judged on."""

    preset: str
    settings: dict[str, Any]
    seeds: list[int]
    trained_with: list[dict[str, Any]]
    verdicts: list[SavedVerdict]


def as_json(verdict: Verdict) -> SavedVerdict:
    """Return a verdict as a record holds it."""
    finding = verdict.finding

    def listed(statistics: Sequence[Statistic]) -> list[SavedStatistic]:
        return [
            {
                "name": one.name,
                "unit": one.unit.strip(),
                "values": {label: list(values) for label, values in one.values.items()},
            }
            for one in statistics
        ]

    return {
        "claim": verdict.claim,
        "where": verdict.where,
        "statement": verdict.statement,
        "paper": verdict.paper,
        "criterion": verdict.criterion,
        "verdict": verdict.verdict,
        "ours": finding.text(),
        "statistics": listed(finding.statistics),
        "beside": listed(finding.beside),
    }
