"""Your method's curves beside ours: one picture, and each difference with its interval over the common seeds.

    python reproduction/compare.py THEIRS.csv --against data/reference/quick

THEIRS.csv is the tidy table of `slicing.comparison.curves` from any framework: MSE and confidence per round, KB and
seconds if you have them. `slicing.comparison.run_method` gives it for a method in Python. One file is one number of
CLs, the reference's: curves of another K are of another problem.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reproduction import command_line
from reproduction.files import data_folder
from reproduction.slicing.comparison import curves
from reproduction.slicing.comparison.account import NAME, write
from reproduction.slicing.comparison.differences import Line
from reproduction.slicing.comparison.reference_curves import read_reference
from reproduction.slicing.comparison.tables import COLUMNS, tables

REFERENCE = Path("data/reference/paper")
WIDTH_OF_A_LOG = 150


def show(lines: Sequence[Line]) -> None:
    """Print the tables; the words hold the difference and against whom."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_LOG)
    columns = [COLUMNS.index(name) for name in ("quantity", "theirs", "ours", "in words")]
    for method, by_slice in tables(lines).items():
        for slice_name, rows in by_slice.items():
            table = Table(title=Text(f"{method} in {slice_name}"))
            for column in columns:
                table.add_column(Text(COLUMNS[column]))
            for row in rows:
                table.add_row(*(Text(row[column]) for column in columns))
            console.print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, print and write; exits with 2 and one line on standard error if something is wrong."""
    parser = argparse.ArgumentParser(
        prog="compare.py",
        description="Compare a method's curves with ours; one file is one number of CLs, the reference's.",
    )
    parser.add_argument("theirs", type=Path, metavar="THEIRS.csv", help="tidy curves (data/README.md says how)")
    parser.add_argument("--against", type=Path, metavar="DIR", help=f"our reference curves ({REFERENCE})")
    command_line.add_out(parser, f"where {NAME}.* go (figures/{NAME})", default=Path("figures") / NAME)
    options = command_line.parse(parser, arguments)
    folder = options.against or (REFERENCE if REFERENCE.exists() else data_folder() / "reference" / "paper")
    with command_line.one_line_errors():
        if options.theirs.resolve() == (options.out / f"{NAME}.csv").resolve():
            raise ValueError(f"{options.theirs}: would be overwritten; rename it, or choose another --out")
        account = write(options.theirs, curves.read(options.theirs), read_reference(folder), options.out)
        for note in account.notes:
            print(note)
        show(account.lines)
        for path in account.files:
            print(path)


if __name__ == "__main__":
    main()
