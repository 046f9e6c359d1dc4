"""When does in-hoc matter? The confidence of an unconstrained model, forecast from the data alone.

    python reproduction/regimes.py --data my.csv --schema my.json            # a paragraph, before any training
    python reproduction/regimes.py --data my.csv --schema my.json --check    # and a post-hoc run beside it
    python reproduction/regimes.py --seeds 5                                 # the study: forecast against measured

The study writes the scatter of forecast against measured, the map of what decides, and a table.
"""

import argparse
import dataclasses
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

from reproduction import command_line
from reproduction.figure_script import FigureScript
from reproduction.results.progress import message
from reproduction.slicing.data_source import DataSource, from_tables
from reproduction.slicing.documents import check_document
from reproduction.slicing.forecast.paragraph import paragraph
from reproduction.slicing.regimes.form import RegimesResult
from reproduction.slicing.regimes.picture import draw, draw_map
from reproduction.slicing.regimes.study import row, study
from reproduction.slicing.regimes.table import check_in_words, tables
from reproduction.slicing.script import Slicing
from reproduction.slicing.settings import QUICK, SENSITIVITY, Settings


class Regimes(Slicing):
    """The slicing wing with two more switches."""

    def add_switches(self, parser: argparse.ArgumentParser) -> None:
        """Add --slices, --data, --schema, --check and --beside."""
        super().add_switches(parser)
        parser.add_argument("--check", action="store_true", help="with --data: confirm it by a post-hoc run")
        parser.add_argument(
            "--beside",
            nargs=2,
            action="append",
            default=[],
            metavar=("TABLE", "SCHEMA"),
            help="measured data beside the study's regimes; may be given again",
        )

    def check_switches(self, parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
        """Refuse a table without a schema, and what belongs to the other use."""
        super().check_switches(parser, options)
        if options.data and options.beside:
            parser.error("--data is forecast by itself; --beside is the study's")
        if options.check and not options.data:
            parser.error("--check goes with --data")


WING = Regimes()

SCRIPT = FigureScript(
    name="regimes",
    about="The confidence of an unconstrained model, forecast from the data alone; of --data, or held to federations.",
    wing=WING,
    presets={preset.name: preset for preset in (SENSITIVITY, QUICK)},
    compute=study,
    draw=draw,
    tables=tables,
    further={"_map": draw_map},
    check=functools.partial(check_document, form=RegimesResult),
)


def main(arguments: list[str] | None = None, settings: Settings | None = None) -> None:
    """Run the command line; see `FigureScript.main`."""
    options = SCRIPT.parse(arguments)
    if not options.data:
        beside = [(Path(table), schema) for table, schema in options.beside]
        script = dataclasses.replace(SCRIPT, compute=functools.partial(study, tables=beside))
        return script.main(arguments, settings)
    command_line.stop_like_ctrl_c_on_sigterm()
    stopped = command_line.STOPPED_BETWEEN_ROUNDS if options.check else command_line.STOPPED
    with command_line.one_line_errors(options.log, stopped=stopped):
        for line in said(options, settings or SCRIPT.presets[options.preset]):
            print(message(options.log, "forecast", line), flush=True)


def said(options: argparse.Namespace, settings: Settings) -> Iterator[str]:
    """Yield the paragraph of each slice of the tables, and with --check what its federation came to."""
    if not options.check:
        settings, source = from_tables(settings, options.data, options.schema, options.seeds[0])
        names = WING.choose(SCRIPT.name, options.slices, settings, on_tables=True)
        yield from paragraphs(settings, source, names, options.seeds[0])
        return
    with WING.open(SCRIPT, options, settings) as opened:
        lab = opened.context
        yield from paragraphs(lab.settings, lab.data, lab.slices, lab.seeds[0])
        for name in lab.slices:
            yield check_in_words(row(lab, name, options.schema, "measured"), lab.settings.rounds)


def paragraphs(settings: Settings, source: DataSource, names: Sequence[str], seed: int) -> Iterator[str]:
    """Yield the paragraph of each slice."""
    for name in names:
        yield paragraph(source(name, seed, settings.clients), settings.slices[name], settings.local, seed)


if __name__ == "__main__":
    main()
