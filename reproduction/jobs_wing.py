"""A wing whose figures share jobs on simulated data, each done once, in processes of their own, and kept."""

import argparse
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reproduction import command_line
from reproduction.figure_script import FigureScript, Study
from reproduction.results.processes import single_thread
from reproduction.results.progress import Job, watch
from reproduction.results.records import digest
from reproduction.results.store import only_one

Tell = Callable[[Mapping[str, Any]], None]
"""Called with what a job came to, once it is done."""

Done = tuple[Any, Sequence[Mapping[str, Any]]]
"""What the figures are computed from, and the records that were kept of it."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be done for some seeds.

    Attributes:
        job: what is watched of it; the figure's name goes before its title.
        do: does what is left of it, and tells of each of the job's steps.
    """

    job: Job
    do: Callable[[Tell], Done]


@dataclass(frozen=True, kw_only=True)
class JobsWing:
    """A `figure_script.Wing`.

    Attributes:
        packages: see there.
        stopped: see there.
        plan: of (settings, seeds, folder of the records, processes or None for one per core), a `Plan`.
    """

    packages: tuple[str, ...]
    stopped: str
    plan: Callable[[Any, tuple[int, ...], Path, int | None], Plan]

    def add_switches(self, parser: argparse.ArgumentParser) -> None:
        """Add --workers."""
        command_line.add_workers(parser)

    def check_switches(self, parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
        """Refuse none."""

    @contextmanager
    def open(self, script: FigureScript, options: argparse.Namespace, settings: Any) -> Iterator[Study]:
        """Do the jobs that are left; see `figure_script.Wing`."""
        single_thread()  # before TensorFlow is imported, which drawing need not
        folder = options.out / "runs"
        with only_one(folder):
            plan = self.plan(settings, options.seeds, folder, options.workers)
            job = dataclasses.replace(plan.job, title=f"{script.name}, {plan.job.title}")
            with watch(job, figure=script.name, log=options.log) as on_round:
                done = len(job.past)

                def tell(entry: Mapping[str, Any]) -> None:
                    nonlocal done
                    done += 1
                    on_round(done, dict(entry))

                context, records = plan.do(tell)
            made = {digest(record["provenance"]): record["provenance"] for record in records}
            yield Study(
                context=context,
                settings=settings,
                data=lambda: {"source": "simulated", "link": "reproduction.ofdm"},
                trained_with=lambda: list(made.values()),
            )
