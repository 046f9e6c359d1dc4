"""The study of relevance as a script."""

import argparse
import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from reproduction import command_line
from reproduction.figure_script import FigureScript, Study
from reproduction.files import require_writable
from reproduction.interference.study import Settings, study
from reproduction.results.progress import message
from reproduction.results.records import provenance


@dataclass(frozen=True, kw_only=True)
class Interference:
    """The detector of interference; a `figure_script.Wing` without switches of its own."""

    packages: tuple[str, ...] = ("tensorflow", "keras", "numpy", "matplotlib")
    stopped: str = command_line.STOPPED

    def add_switches(self, parser: argparse.ArgumentParser) -> None:
        """Add none."""

    def check_switches(self, parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
        """Refuse none."""

    @contextmanager
    def open(self, script: FigureScript, options: argparse.Namespace, settings: Settings) -> Iterator[Study]:
        """Give the study of the seeds as it is to be run; see `figure_script.Wing`."""
        require_writable(options.out)

        def on_seed(seed: int) -> None:
            print(message(options.log, "seed", f"seed {seed} trained and explained"), file=sys.stderr, flush=True)

        yield Study(
            context=functools.partial(study, settings, options.seeds, on_seed),
            settings=settings,
            data=lambda: {"source": "drawn", "generator": "reproduction.interference.grids"},
            trained_with=lambda: [provenance(self.packages)],
        )
