"""The receiver's figures as scripts: the networks that they share are trained once, for all of them."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from reproduction import command_line
from reproduction.figure_script import Document, FigureScript, Study
from reproduction.receiver.experiment import Adapted, Records
from reproduction.receiver.settings import FULL, PAPER, QUICK, Settings
from reproduction.results.processes import single_thread
from reproduction.results.progress import Job, watch
from reproduction.results.records import digest
from reproduction.results.store import only_one

PACKAGES = ("tensorflow", "keras", "numpy", "sionna-no-rt")

FOLDER = "receiver"
"""Below the figures of all systems."""


@dataclass(frozen=True, kw_only=True)
class ReceiverWing:
    """The receiver's wing; a `figure_script.Wing`."""

    packages: tuple[str, ...] = PACKAGES
    stopped: str = "stopped; finished epochs are saved, run the same command again to resume"

    def add_switches(self, parser: argparse.ArgumentParser) -> None:
        """Add --workers."""
        command_line.add_workers(parser)

    def check_switches(self, parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
        """Refuse none."""

    @contextmanager
    def open(self, script: FigureScript, options: argparse.Namespace, settings: Settings) -> Iterator[Study]:
        """Train and test what is left; see `figure_script.Wing`."""
        single_thread()  # before TensorFlow is imported, which drawing need not
        from reproduction.receiver.study import Case, losses_so_far, outcomes_of

        wanted = [Case(settings, seed) for seed in options.seeds]
        folder = options.out / "runs"
        with only_one(folder):
            past = tuple(_entry(case.seed, loss) for case in wanted for loss in losses_so_far(case, folder))
            steps = len(wanted) * settings.training.epochs
            title = f"{script.name}, {len(wanted)} networks trained and tested"
            job = Job(title=title, steps=steps, unit="epoch", past=past, in_words=_in_words)
            with watch(job, figure=script.name, log=options.log) as on_round:
                done = len(past)

                def on_epoch(case: Any, loss: float) -> None:
                    nonlocal done
                    done += 1
                    on_round(done, _entry(case.seed, loss))

                records = outcomes_of(wanted, folder, options.workers, on_epoch)
            made = {digest(record["provenance"]): record["provenance"] for record in records}
            yield Study(
                context=Records(settings, options.seeds, records),
                settings=settings,
                data=lambda: {"source": "simulated", "link": "reproduction.ofdm"},
                trained_with=lambda: list(made.values()),
            )


def _entry(seed: int, loss: float) -> dict[str, Any]:
    return {"seed": seed, "cross_entropy": loss}


def _in_words(entry: Mapping[str, Any]) -> str:
    return f"seed {entry['seed']}: {entry['cross_entropy']:.4f} nats per bit"


@dataclass(frozen=True, kw_only=True)
class InfluenceWing:
    """The receiver's wing where influence is computed and networks are fine-tuned by it; a `figure_script.Wing`."""

    packages: tuple[str, ...] = PACKAGES
    stopped: str = "stopped; finished fine-tunings are saved, run the same command again to resume"

    def add_switches(self, parser: argparse.ArgumentParser) -> None:
        """Add --workers."""
        command_line.add_workers(parser)

    def check_switches(self, parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
        """Refuse none."""

    @contextmanager
    def open(self, script: FigureScript, options: argparse.Namespace, settings: Settings) -> Iterator[Study]:
        """Do the jobs that are left; see `figure_script.Wing`."""
        single_thread()
        from reproduction.receiver.influence_study import Case, work_of

        folder, how = options.out / "runs", settings.influences
        with only_one(folder):
            steps = len(options.seeds) * (how.targets + 2) + how.targets_left_out
            job = Job(title=f"{script.name}, jobs", steps=steps, unit="job", in_words=lambda entry: entry["job"])
            with watch(job, figure=script.name, log=options.log) as on_round:
                done = 0

                def on_job(what: str) -> None:
                    nonlocal done
                    done += 1
                    on_round(done, {"job": what})

                wanted = [Case(settings, seed) for seed in options.seeds]
                work = work_of(wanted, folder, options.workers, on_job)
            records = [*work.preparations, *work.together, *work.left_out]
            records += [one for targets in work.adaptations for one in targets]
            made = {digest(record["provenance"]): record["provenance"] for record in records}
            yield Study(
                context=Adapted(
                    settings, options.seeds, work.preparations, work.adaptations, work.together, work.left_out
                ),
                settings=settings,
                data=lambda: {"source": "simulated", "link": "reproduction.ofdm"},
                trained_with=lambda: list(made.values()),
            )


TESTS, INFLUENCES = ReceiverWing(), InfluenceWing()


def figure(
    name: str,
    about: str,
    wing: ReceiverWing | InfluenceWing,
    *,
    compute: Callable[[Any], Mapping[str, object]],
    draw: Callable[[Document], Figure],
    check: Callable[[Document], None],
    tables: Callable[[Document], Mapping[str, str]] = lambda document: {},
) -> FigureScript:
    """Return the script of one of the receiver's figures; `check` refuses what it did not save."""
    return FigureScript(
        name=name,
        about=about,
        wing=wing,
        presets={preset.name: preset for preset in (PAPER, QUICK, FULL)},
        folder=FOLDER,
        compute=compute,
        draw=draw,
        tables=tables,
        check=check,
    )
