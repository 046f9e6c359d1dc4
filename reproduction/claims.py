"""The claims table: the criteria of `criteria.py`, checked on the saved numbers of the figures.

    python reproduction/claims.py [--out DIR]

Differs from the paper: it states its claims in words; the criteria are ours.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reproduction.command_line import one_line
from reproduction.figure_script import FIGURE
from reproduction.files import write_atomically
from reproduction.results.records import Kind, read_record, write_record
from reproduction.slicing.criteria import CLAIMS, Verdict

SLICES_OF = {
    "fig6_attributions": ["eMBB"],
    "fig7_convergence_time": ["Browsing"],
    "fig8_scalability": ["eMBB"],
    "table4_overhead": ["Browsing"],
}
"""Figures of one slice."""

CLAIMS_RECORD = Kind(remedy="make it with python reproduction/claims.py")

FIGURES = (
    "fig4_convergence",
    "fig5_confidence",
    "fig6_attributions",
    "fig7_convergence_time",
    "fig8_scalability",
    "table4_overhead",
)


def markdown(verdicts: list[Verdict], seeds: list[int], preset: str) -> str:
    """Return the claims table of the README."""
    lines = [
        "| claim | where | the paper says | criterion | ours, mean ± sd over seeds | verdict |",
        "|---|---|---|---|---|---|",
    ]
    for line in verdicts:
        said = f"{line.statement} ({line.paper})"
        cells = (line.claim, line.where, said, line.criterion, line.ours, f"**{line.verdict}**")
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(lines) + f"\n\nMeans over the seeds {', '.join(map(str, seeds))} decide; {preset} preset.\n"


def agree(folder: Path, documents: Mapping[str, dict[str, Any]]) -> None:
    """Check that all figures are of one experiment, on the generated data and on the slices that the claims speak of.

    Raises:
        ValueError: if they are not, naming the figure.
    """
    first = documents[FIGURES[0]]
    for name, document in documents.items():
        for what in ("preset", "seeds", "settings"):
            if document[what] != first[what]:
                raise ValueError(f"{folder / name}.json: other {what} than {FIGURES[0]}'s; draw all figures alike")
        slices = list(document["data"]["slices"])
        wanted = SLICES_OF.get(name, list(first["settings"]["slices"]))
        if document["data"]["source"] != "generator" or slices != wanted:
            raise ValueError(f"{folder / name}.json: other data or slices ({slices}); draw it without switches")


def main() -> None:
    """Print the claims table and write claims.json and claims.md beside the figures."""
    from rich.console import Console
    from rich.table import Table

    parser = argparse.ArgumentParser(prog="claims.py", description="Check the paper's claims on the saved figures.")
    parser.add_argument("--out", type=Path, metavar="DIR", default=Path("figures"), help="folder of the figures")
    folder = parser.parse_args().out
    try:
        documents = {name: read_record(folder / f"{name}.json", FIGURE) for name in FIGURES}
        agree(folder, documents)
        verdicts = [claim({name: document["result"] for name, document in documents.items()}) for claim in CLAIMS]
        first = {name: documents[FIGURES[0]][name] for name in ("preset", "settings", "seeds", "trained_with")}
        write_record(folder / "claims.json", CLAIMS_RECORD, first | {"verdicts": [asdict(line) for line in verdicts]})
        write_atomically(folder / "claims.md", markdown(verdicts, first["seeds"], first["preset"]).encode())
    except (OSError, ValueError) as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        sys.exit(2)
    table = Table(title="The paper's claims")
    for column in ("claim", "statement", "criterion", "ours", "verdict"):
        table.add_column(column)
    for line in verdicts:
        table.add_row(line.claim, line.statement, line.criterion, line.ours, line.verdict)
    Console().print(table)


if __name__ == "__main__":
    main()
