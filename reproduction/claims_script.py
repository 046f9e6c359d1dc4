"""Claims tables as scripts: a wing's verdicts, held to the saved numbers of its figures."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reproduction import command_line
from reproduction.figure_script import Document, FigureScript
from reproduction.files import write_atomically
from reproduction.results.records import Kind, write_record
from reproduction.results.verdicts import ClaimsRecord, Verdict, as_json, as_markdown

CLAIMS = Kind(fields=ClaimsRecord, remedy="make it anew with claims.py")


@dataclass(frozen=True, kw_only=True)
class ClaimsScript:
    """A claims table.

    Attributes:
        about: one line for --help.
        figures: whose saved numbers are judged.
        verdicts: judges their documents, in that order.
        folder: of the wing's figures, below `figures/`.
    """

    about: str
    figures: tuple[FigureScript, ...]
    verdicts: Callable[..., list[Verdict]]
    folder: str

    def main(self, arguments: Sequence[str] | None = None) -> None:
        """Run the command line; exits with 2 (one line on standard error) if it does not end well."""
        parser = argparse.ArgumentParser(prog="claims.py", description=self.about)
        folder = Path("figures") / self.folder
        command_line.add_out(parser, f"where the figures' numbers are, and the table goes ({folder})", folder)
        options = command_line.parse(parser, arguments)
        with command_line.one_line_errors():
            for written in self.write(options.out):
                print(written)

    def write(self, folder: Path) -> list[Path]:
        """Judge the figures in a folder; return the files written there.

        Raises:
            FileNotFoundError: a figure's numbers are missing.
            ValueError: they are no such figure's, or of different runs.
        """
        first, *rest = documents = [one.read(folder / f"{one.name}.json") for one in self.figures]
        for part in ("settings", "seeds"):
            if any(one[part] != first[part] for one in rest):
                names = " and ".join(one.name for one in self.figures)
                raise ValueError(f"{folder}: {names} are of different {part}; make them anew.")
        found = self.verdicts(*documents)
        record: Document = {
            **{name: first[name] for name in ("preset", "settings", "seeds", "trained_with")},
            "verdicts": [as_json(verdict) for verdict in found],
        }
        write_record(folder / "claims.json", CLAIMS, record)
        write_atomically(folder / "claims.md", as_markdown(found).encode())
        return [folder / "claims.json", folder / "claims.md"]
