"""Your method's curves beside ours: one picture, and each difference with its interval over the common seeds.

    python reproduction/compare.py THEIRS.csv --against quick

THEIRS.csv is the tidy table of `slicing.comparison.curves` from any framework: MSE and confidence per round, KB and
seconds if you have them. `slicing.comparison.run_method` gives it for a method in Python. Runs of another number of CLs
than the reference's, or of other data, are refused; what a file does not say of its runs is a caution.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

from reproduction import command_line
from reproduction.files import data_folder
from reproduction.slicing.comparison.account import NAME, write
from reproduction.slicing.comparison.differences import Line
from reproduction.slicing.comparison.reference_curves import MANIFEST, read_reference
from reproduction.slicing.comparison.tables import heading
from reproduction.slicing.settings import PAPER, PRESETS

REFERENCES = Path("data/reference")
WIDTH = 100
"""Columns of what is printed, at most."""


def show(lines: Sequence[Line]) -> None:
    """Print a table per method, slice and scheme of ours."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = Console()
    console = Console(width=min(WIDTH, terminal.width) if sys.stdout.isatty() else WIDTH)
    for pairs in dict.fromkeys(line.pairs for line in lines):
        title = Text(f"{pairs.method} in {pairs.slice} against {pairs.against}")
        table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=0)
        for column in ("quantity", "theirs", "ours", "theirs - ours"):
            table.add_column(Text(column))
        for line in lines:
            if line.pairs is pairs:
                values = (line.quantity.write_values(side.tolist()) for side in (line.found.theirs, line.found.ours))
                table.add_row(*map(Text, (heading(line), *values, line.short)))
        console.print(table)


def reference_folder(name: str) -> Path:
    """Return a reference's folder by its path, or by its name or path within the project, from anywhere.

    Raises:
        FileNotFoundError: if there is none.
    """
    places = (REFERENCES / name, data_folder() / "reference" / name, Path(name), data_folder().parent / name)
    for folder in places:
        if (folder / MANIFEST).exists():
            return folder
    raise FileNotFoundError(
        f"no reference {name!r}: there is no {MANIFEST} in it; give --against {' or '.join(PRESETS)}, or a folder that "
        "reference.py wrote"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, print and write; exits with 2 and one line on standard error if something is wrong."""
    parser = argparse.ArgumentParser(
        prog="compare.py",
        description="Compare a method's curves with ours; one number of CLs, the reference's, is compared.",
    )
    parser.add_argument("theirs", type=Path, metavar="THEIRS.csv", help="tidy curves (data/README.md says how)")
    help_text = f"our reference curves: {' or '.join(PRESETS)}, or a folder of such ({PAPER.name})"
    parser.add_argument("--against", default=PAPER.name, metavar="NAME", help=help_text)
    command_line.add_out(parser, f"where {NAME}.* go (figures/{NAME})", default=Path("figures") / NAME)
    options = command_line.parse(parser, arguments)
    with command_line.one_line_errors():
        if options.theirs.resolve() == (options.out / f"{NAME}.csv").resolve():
            raise ValueError(f"{options.theirs}: would be overwritten; rename it, or choose another --out")
        account = write(options.theirs, read_reference(reference_folder(options.against)), options.out)
        for note in account.notes:
            print(fill(note, WIDTH))
        show(account.lines)
        for path in account.files:
            print(path)


if __name__ == "__main__":
    main()
