"""The receiver's figures as scripts: the networks that they share are trained once, for all of them."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from reproduction import command_line
from reproduction.figure_script import Document, FigureScript, Study
from reproduction.receiver.experiment import Records
from reproduction.receiver.settings import FULL, PAPER, QUICK, Settings
from reproduction.results.processes import single_thread
from reproduction.results.progress import Job, watch
from reproduction.results.records import digest
from reproduction.results.store import only_one

FOLDER = "receiver"
"""Below the figures of all systems."""


@dataclass(frozen=True, kw_only=True)
class ReceiverWing:
    """The receiver's wing; a `figure_script.Wing`."""

    packages: tuple[str, ...] = ("tensorflow", "keras", "numpy", "sionna-no-rt")
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


def figure(
    name: str,
    about: str,
    *,
    compute: Callable[[Records], Mapping[str, object]],
    draw: Callable[[Document], Figure],
    check: Callable[[Document], None],
) -> FigureScript:
    """Return the script of one of the receiver's figures; `check` refuses what it did not save."""
    return FigureScript(
        name=name,
        about=about,
        wing=ReceiverWing(),
        presets={preset.name: preset for preset in (PAPER, QUICK, FULL)},
        folder=FOLDER,
        compute=compute,
        draw=draw,
        check=check,
    )
