"""A figure as a script, of any wing: switches, numbers into a JSON file, pictures from that file.

    SCRIPT = FigureScript(name="fig9_x", about="...", wing=..., compute=..., draw=...)
    if __name__ == "__main__":
        SCRIPT.main()

`--redraw` reads the numbers again and needs nothing that computed them.
"""

import argparse
import dataclasses
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from matplotlib.figure import Figure
from typing_extensions import TypedDict

from reproduction import command_line
from reproduction.files import write_atomically
from reproduction.results.plotting import save, style
from reproduction.results.progress import message
from reproduction.results.records import Kind, provenance, read_record, write_record

Document = dict[str, Any]
"""What a script saves: `FigureDocument`, its result being the figure's own."""


class FigureDocument(TypedDict):
    """A figure's numbers with everything that led to them."""

    figure: str
    preset: str
    settings: dict[str, Any]
    data: dict[str, Any]
    seeds: list[int]
    trained_with: list[dict[str, Any]]
    drawn_with: dict[str, Any]
    result: dict[str, Any]


FIGURE = Kind(fields=FigureDocument)


def read_document(path: Path, name: str, *, check: Callable[[Document], None], remedy: str) -> Document:
    """Read the saved numbers of the figure called `name`, and see that they are that figure's.

    Args:
        path: their file.
        name: the figure's.
        check: refuses (ValueError) a document whose result is not that figure's.
        remedy: what the reader's user is to do with a document that is refused.

    Raises:
        FileNotFoundError: if there are none.
        ValueError: if they are torn, another figure's, or refused by `check`.
    """

    def is_of_the_figure(document: Document) -> None:
        if document["figure"] != name:
            raise ValueError(f"holds the numbers of {document['figure']}, not of {name}")
        check(document)

    if not path.exists():
        raise FileNotFoundError(f"{path}: missing; {remedy}")
    return read_record(path, dataclasses.replace(FIGURE, check=is_of_the_figure, remedy=remedy))


@dataclass(frozen=True, kw_only=True)
class Study:
    """What a wing opens for a script.

    Attributes:
        context: what `compute` is given.
        settings: as they are run, a dataclass with a `name`.
        data: says what data were used, once they were.
        trained_with: says which machines and versions did the work.
        ending: gives the lines that a run ends with, on standard output.
    """

    context: Any
    settings: Any
    data: Callable[[], dict[str, Any]]
    trained_with: Callable[[], list[dict[str, Any]]]
    ending: Callable[[], Sequence[str]] = lambda: ()


class Wing(Protocol):
    """What a wing gives to its scripts."""

    @property
    def packages(self) -> tuple[str, ...]:
        """Those whose versions its documents list."""

    @property
    def stopped(self) -> str:
        """What Ctrl-C leaves behind, a line."""

    def add_switches(self, parser: argparse.ArgumentParser) -> None:
        """Add the wing's own switches."""

    def check_switches(self, parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
        """Refuse (`parser.error`) switches that do not go together."""

    def open(self, script: "FigureScript", options: argparse.Namespace, settings: Any) -> AbstractContextManager[Study]:
        """Open what the numbers are computed with, under `settings`."""


@dataclass(frozen=True, kw_only=True)
class FigureScript:
    """One figure or table.

    Attributes:
        name: of the files, e.g. "fig5_confidence".
        about: one line for `--help`.
        wing: whose it is.
        presets: settings by name; the first is the default.
        folder: of the figures, below those of all systems, where its files go by default.
        compute: the study's context -> numbers.
        draw: saved document -> picture.
        tables: saved document -> text by file suffix, written beside the picture.
        further: pictures beside the main one, by what is added to `name`.
        check: refuses (ValueError) a saved document whose result is not this figure's.

    A variation of the settings is run from Python: `SCRIPT.main(["--out", "mine"], replace(PAPER, rounds=50))`, under
    `if __name__ == "__main__":`, because the workers import the calling script.
    """

    name: str
    about: str
    wing: Wing
    presets: Mapping[str, Any]
    folder: str = ""
    compute: Callable[[Any], Mapping[str, object]]
    draw: Callable[[Document], Figure]
    tables: Callable[[Document], Mapping[str, str]] = lambda document: {}
    further: Mapping[str, Callable[[Document], Figure]] = field(default_factory=dict)
    check: Callable[[Document], None] = lambda document: None

    def main(self, arguments: list[str] | None = None, settings: Any = None) -> None:
        """Run with command-line arguments, and `settings` in place of the preset's.

        Exits with 2 (one line on standard error) or 130 (Ctrl-C, SIGTERM) if it does not end well.
        """
        options = self.parse(arguments)
        command_line.stop_like_ctrl_c_on_sigterm()
        stopped = command_line.STOPPED if options.redraw else self.wing.stopped
        with command_line.one_line_errors(options.log, stopped=stopped):
            path = options.out / f"{self.name}.json"
            ending: Sequence[str] = ()
            if not options.redraw:
                with self.wing.open(self, options, settings or self.presets[options.preset]) as study:
                    write_record(path, FIGURE, self.numbers(study, options.seeds))
                    ending = study.ending()
            for written in self.pictures(self.read(path), options.out):
                print(message(options.log, "wrote", str(written)))
            for line in ending:
                print(line)

    def parse(self, arguments: list[str] | None) -> argparse.Namespace:
        """Read the command line."""
        redraws = argparse.ArgumentParser(add_help=False)
        command_line.add_preset(redraws, list(self.presets))
        paper, quick = (command_line.figures_folder(preset) / self.folder for preset in ("paper", "quick"))
        command_line.add_out(redraws, f"where pictures, numbers and runs go ({paper}, or {quick})")
        command_line.add_log(redraws)
        redraws.add_argument("--redraw", action="store_true", help="only draw again, from the numbers saved in DIR")
        called = Path(sys.argv[0]).name  # a wing's has the name of its figure behind "fig_"
        prog = called if called == f"fig_{self.name}.py" else f"{self.name}.py"
        parser = argparse.ArgumentParser(prog=prog, description=self.about, parents=[redraws])
        command_line.add_seeds(parser)
        self.wing.add_switches(parser)
        options = command_line.parse(parser, arguments, below=self.folder)
        if options.redraw and (others := redraws.parse_known_args(arguments)[1]):
            parser.error(f"--redraw draws the saved numbers as they are, without {' '.join(others)}")
        self.wing.check_switches(parser, options)
        return options

    def numbers(self, study: Study, seeds: Sequence[int]) -> Document:
        """Compute the figure's numbers, with everything that led to them."""
        result = self.compute(study.context)
        return {
            "figure": self.name,
            "preset": study.settings.name,
            "settings": dataclasses.asdict(study.settings),
            "data": study.data(),
            "seeds": list(seeds),
            "trained_with": study.trained_with(),
            "drawn_with": provenance(self.wing.packages),
            "result": dict(result),
        }

    def read(self, path: Path) -> Document:
        """Read the saved numbers to draw them; see `read_document`."""
        return read_document(path, self.name, check=self.check, remedy="make it with this script, without --redraw")

    def pictures(self, document: Document, folder: Path) -> Iterator[Path]:
        """Draw and save; yield each file once it is there."""
        with style():
            for suffix, draw in {"": self.draw, **self.further}.items():
                yield from save(draw(document), folder, self.name + suffix)
        for suffix, text in self.tables(document).items():
            path = folder / f"{self.name}{suffix}"
            write_atomically(path, text.encode())
            yield path
