"""All results on one page: figures/report.html, which needs nothing but itself.

python reproduction/report.py [--out DIR]
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from reproduction import command_line
from reproduction.files import write_atomically
from reproduction.slicing.reporting.build import build


def main(arguments: Sequence[str] | None = None) -> None:
    """Write report.html beside the figures."""
    parser = argparse.ArgumentParser(prog="report.py", description="Write all results as one self-contained page.")
    command_line.add_out(parser, "folder of the figures", default=Path("figures"))
    path = command_line.parse(parser, arguments).out / "report.html"
    with command_line.one_line_errors():
        write_atomically(path, build(path.parent))
        print(path)


if __name__ == "__main__":
    main()
