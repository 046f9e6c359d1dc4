"""X-REFINE's figures as scripts: the cases that they share are worked through once, for all of them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from reproduction.figure_script import Document, FigureScript
from reproduction.jobs_wing import Done, JobsWing, Plan, Tell
from reproduction.results.progress import Job
from reproduction.results.tensorboard_log import Entry
from reproduction.xrefine.bench import Case
from reproduction.xrefine.case import PACKAGES
from reproduction.xrefine.documents import form
from reproduction.xrefine.experiment import Records
from reproduction.xrefine.settings import PAPER, QUICK, Settings
from reproduction.xrefine.study import cases, is_finished, records_of

FOLDER = "xrefine"
"""Below the figures of all systems."""


def plan(settings: Settings, seeds: tuple[int, ...], folder: Path, workers: int | None) -> Plan:
    """Return the plan for a study's cases; see `jobs_wing.Plan`."""
    wanted = cases(settings, seeds)
    past = tuple(_entry(case) for case in wanted if is_finished(case, folder))

    def do(tell: Tell) -> Done:
        found = list(records_of(wanted, folder, workers, lambda case: tell(_entry(case))))
        by_case: dict[tuple[str, str], list[Any]] = {}
        for case, record in found:
            by_case.setdefault((case.channel, case.modulation), []).append(record)
        return Records(settings, seeds, by_case), [record for _, record in found]

    return Plan(job=Job(title="cases", steps=len(wanted), unit="case", past=past), do=do)


def _entry(case: Case) -> Entry:
    return {"channel": case.channel, "modulation": case.modulation, "seed": case.seed}


WING = JobsWing(
    packages=PACKAGES,
    stopped="stopped; finished networks are saved, run the same command again to resume",
    plan=plan,
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
        wing=WING,
        presets={preset.name: preset for preset in (PAPER, QUICK)},
        folder=FOLDER,
        compute=compute,
        draw=draw,
        tables=tables,
        check=form(case),
    )
