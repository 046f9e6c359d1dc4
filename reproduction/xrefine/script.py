"""X-REFINE's figures as scripts: the cases that they share are worked through once, for all of them."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from reproduction import command_line
from reproduction.figure_script import Document, FigureScript, Study
from reproduction.results.progress import Job, watch
from reproduction.results.records import digest
from reproduction.results.store import only_one
from reproduction.xrefine.case import PACKAGES
from reproduction.xrefine.documents import form
from reproduction.xrefine.experiment import Records
from reproduction.xrefine.settings import PAPER, QUICK, Settings
from reproduction.xrefine.study import cases, records_of

FOLDER = "xrefine"
"""Below the figures of all systems."""


@dataclass(frozen=True, kw_only=True)
class XRefine:
    """The X-REFINE wing; a `figure_script.Wing`."""

    packages: tuple[str, ...] = PACKAGES
    stopped: str = "stopped; finished networks are saved, run the same command again to resume"

    def add_switches(self, parser: argparse.ArgumentParser) -> None:
        """Add --workers."""
        command_line.add_workers(parser)

    def check_switches(self, parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
        """Refuse none."""

    @contextmanager
    def open(self, script: FigureScript, options: argparse.Namespace, settings: Settings) -> Iterator[Study]:
        """Work through the cases that are left; see `figure_script.Wing`."""
        wanted = cases(settings, options.seeds)
        folder = options.out / "runs"
        with only_one(folder):
            job = Job(title=f"{script.name}, cases", steps=len(wanted), unit="case")
            with watch(job, figure=script.name, log=options.log) as on_round:
                done = 0

                def on_case(case: Any) -> None:
                    nonlocal done
                    done += 1
                    on_round(done, {"channel": case.channel, "modulation": case.modulation, "seed": case.seed})

                found = list(records_of(wanted, folder, options.workers, on_case))
            by_case: dict[tuple[str, str], list[Any]] = {}
            for case, record in found:
                by_case.setdefault((case.channel, case.modulation), []).append(record)
            made = {digest(record["provenance"]): record["provenance"] for _, record in found}
            yield Study(
                context=Records(settings, options.seeds, by_case),
                settings=settings,
                data=lambda: {"source": "simulated", "link": "reproduction.ofdm"},
                trained_with=lambda: list(made.values()),
            )


def figure(
    name: str,
    about: str,
    *,
    compute: Callable[[Records], Mapping[str, object]],
    draw: Callable[[Document], Figure],
    case: Any,
    tables: Callable[[Document], Mapping[str, str]] = lambda document: {},
) -> FigureScript:
    """Return the script of one of X-REFINE's figures; `case` is the form of what it saves of a case."""
    return FigureScript(
        name=name,
        about=about,
        wing=XRefine(),
        presets={preset.name: preset for preset in (PAPER, QUICK)},
        folder=FOLDER,
        compute=compute,
        draw=draw,
        tables=tables,
        check=form(case),
    )
