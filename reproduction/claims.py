"""The claims table: the criteria of `slicing/criteria.py`, checked on the saved numbers of the figures.

python reproduction/claims.py [--out DIR]
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from reproduction import command_line
from reproduction.slicing.claims import read_figures, write_claims


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the claims table and write claims.json and claims.md beside the figures."""
    from rich.console import Console
    from rich.table import Table

    parser = argparse.ArgumentParser(prog="claims.py", description="Check the paper's claims on the saved figures.")
    command_line.add_out(parser, "folder of the figures", default=Path("figures"))
    folder = command_line.parse(parser, arguments).out
    with command_line.one_line_errors():
        verdicts = write_claims(folder, read_figures(folder))
        table = Table(title="The paper's claims")
        for column in ("claim", "statement", "criterion", "ours", "verdict"):
            table.add_column(column)
        for line in verdicts:
            table.add_row(line.claim, line.statement, line.criterion, line.finding.text(), line.verdict)
        Console().print(table)


if __name__ == "__main__":
    main()
