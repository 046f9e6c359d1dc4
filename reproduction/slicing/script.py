"""The paper's figures as scripts: the slices and the data that they run on, in the laboratory."""

import argparse
import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from reproduction import command_line
from reproduction.figure_script import Document, FigureScript, Study
from reproduction.results.progress import warn, watch
from reproduction.slicing import cautions, summary
from reproduction.slicing.data_source import describe, from_generator, from_tables
from reproduction.slicing.datasets import SLICES
from reproduction.slicing.documents import check_document
from reproduction.slicing.federation.record import PACKAGES
from reproduction.slicing.figures import PaperFigure
from reproduction.slicing.laboratory import Laboratory, open_laboratory
from reproduction.slicing.settings import PRESETS, Settings


@dataclass(frozen=True, kw_only=True)
class Slicing:
    """The slicing wing, as one script needs it; a `figure_script.Wing`.

    Attributes:
        slices: run by default on the generated data.
        takes_tables: whether `--data` makes sense.
    """

    slices: tuple[str, ...] = SLICES
    takes_tables: bool = True
    packages: tuple[str, ...] = PACKAGES
    stopped: str = command_line.STOPPED_BETWEEN_ROUNDS

    def add_switches(self, parser: argparse.ArgumentParser) -> None:
        """Add --slices, --data and --schema, --workers and --log-dir."""
        add = parser.add_argument
        add("--slices", nargs="+", metavar="NAME", help=f"slices to run ({', '.join(self.slices)})")
        if self.takes_tables:
            add(
                "--data",
                nargs="+",
                type=Path,
                metavar="TABLE",
                help="CSV or Parquet, not the generator; needs --schema",
            )
            add(
                "--schema",
                metavar="SCHEMA",
                help="JSON file that declares the columns, or tractor[:SLICE], or ranalyzer",
            )
        parser.set_defaults(data=None, schema=None)
        command_line.add_workers(parser)
        command_line.add_log_dir(parser)

    def check_switches(self, parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
        """Refuse a table without a schema, and a schema without a table."""
        if (options.data is None) != (options.schema is None):
            parser.error("--data and --schema go together")

    @contextmanager
    def open(self, script: FigureScript, options: argparse.Namespace, settings: Settings) -> Iterator[Study]:
        """Open a laboratory on the data asked for; see `figure_script.Wing`."""
        source = from_generator(settings)
        if options.data:
            settings, source = from_tables(settings, options.data, options.schema, options.seeds[0])
        slices = self.choose(script.name, options.slices, settings, on_tables=bool(options.data))
        with open_laboratory(
            options.out / "runs",
            options.workers,
            settings=settings,
            slices=slices,
            seeds=options.seeds,
            data=source,
            watch=functools.partial(watch, figure=script.name, log=options.log, log_dir=options.log_dir),
        ) as laboratory:
            for name in slices:
                first = source(name, options.seeds[0], settings.clients)
                for caution in cautions.before_training(first, settings.slices[name]):
                    warn(options.log, caution)

            def data() -> dict[str, Any]:
                described = {name: describe(source(name, options.seeds[0], settings.clients)) for name in slices}
                return {"source": options.schema or "generator", "slices": described}

            def ending() -> list[str]:
                for caution in summary.after_training(laboratory):
                    warn(options.log, caution)
                return summary.told(summary.summarise(laboratory), options.log)

            yield Study(
                context=laboratory,
                settings=settings,
                data=data,
                trained_with=laboratory.store.made_with,
                ending=ending,
            )

    def choose(self, figure: str, wanted: list[str] | None, settings: Settings, *, on_tables: bool) -> tuple[str, ...]:
        """Return the slices to run.

        Raises:
            ValueError: for a slice that is not in the data, or several for a figure of one.
        """
        for name in wanted or ():
            if name not in settings.slices:
                raise ValueError(f"--slices: no slice {name!r} in the data; there are {', '.join(settings.slices)}")
        shows_one = len(self.slices) == 1
        if not wanted:
            default = tuple(settings.slices) if on_tables else self.slices
            return default[:1] if shows_one else default
        if shows_one and len(wanted) > 1:
            raise ValueError(f"--slices: {figure} shows one slice, got {len(wanted)}; name one")
        return tuple(wanted)


def paper_script(
    figure: PaperFigure,
    *,
    compute: Callable[[Laboratory], Mapping[str, object]],
    draw: Callable[[Document], Figure],
    tables: Callable[[Document], Mapping[str, str]] = lambda document: {},
) -> FigureScript:
    """Return the script of one of the paper's figures; see `figure_script.FigureScript`."""
    return FigureScript(
        name=figure.name,
        about=f"{figure.called}: {figure.about}",
        wing=Slicing(slices=SLICES if figure.only_slice is None else (figure.only_slice,)),
        presets=PRESETS,
        compute=compute,
        draw=draw,
        tables=tables,
        check=check_document,
    )
