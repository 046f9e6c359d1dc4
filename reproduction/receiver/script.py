"""The receiver's figures as scripts: the networks that they share are trained once, for all of them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from reproduction.figure_script import Document, FigureScript
from reproduction.jobs_wing import Done, JobsWing, Plan, Tell
from reproduction.receiver.experiment import Adapted, Records
from reproduction.receiver.settings import FULL, PACKAGES, PAPER, QUICK, Case, Settings
from reproduction.results.progress import Job

FOLDER = "receiver"
"""Below the figures of all systems."""


def tests(settings: Settings, seeds: tuple[int, ...], folder: Path, workers: int | None) -> Plan:
    """Return the plan for networks, trained and tested; see `jobs_wing.Plan`."""
    from reproduction.receiver.study import is_tested, losses_so_far, outcomes_of, training_of

    wanted = [Case(settings, seed) for seed in seeds]
    epochs = [_epoch(case, loss) for case in wanted for loss in losses_so_far(case, folder)]
    past = (*epochs, *(_test(case) for case in wanted if is_tested(case, folder)))
    steps = len(wanted) * (settings.training.epochs + 1)
    title = "networks trained and tested"

    def do(tell: Tell) -> Done:
        records = outcomes_of(
            wanted,
            folder,
            workers,
            on_epoch=lambda case, loss: tell(_epoch(case, loss)),
            on_test=lambda case: tell(_test(case)),
        )
        return Records(settings, seeds, records), [*(training_of(case, folder) for case in wanted), *records]

    return Plan(job=Job(title=title, steps=steps, unit="step", past=past, in_words=_in_words), do=do)


def _epoch(case: Case, loss: float) -> dict[str, Any]:
    return {"seed": case.seed, "what": "epoch", "cross_entropy": loss}


def _test(case: Case) -> dict[str, Any]:
    return {"seed": case.seed, "what": "test"}


def _in_words(entry: Mapping[str, Any]) -> str:
    loss = entry.get("cross_entropy")
    return f"seed {entry['seed']}: " + ("tested" if loss is None else f"{loss:.4f} nats per bit")


def influences(settings: Settings, seeds: tuple[int, ...], folder: Path, workers: int | None) -> Plan:
    """Return the plan for influences, and networks fine-tuned by them; see `jobs_wing.Plan`."""
    from reproduction.receiver.influence_study import Part, parts_of, work_of

    wanted = [Case(settings, seed) for seed in seeds]
    parts = parts_of(wanted)

    def entry(part: Part) -> dict[str, Any]:
        return {"seed": part.case.seed, "what": part.name}

    def do(tell: Tell) -> Done:
        work = work_of(wanted, folder, workers, lambda part: tell(entry(part)))
        of_targets = [record for records in work.adaptations for record in records]
        context = Adapted(settings, seeds, work.preparations, work.adaptations, work.together, work.left_out)
        return context, [*work.trainings, *work.preparations, *work.together, *work.left_out, *of_targets]

    past = tuple(entry(part) for part in parts if part.is_finished(folder))
    job = Job(
        title="influence and fine-tuning",
        steps=len(parts),
        unit="part",
        past=past,
        in_words=lambda entry: f"seed {entry['seed']}, {entry['what']}",
    )
    return Plan(job=job, do=do)


TESTS = JobsWing(
    packages=PACKAGES,
    stopped="stopped; finished epochs are saved, run the same command again to resume",
    plan=tests,
)
INFLUENCES = JobsWing(
    packages=PACKAGES,
    stopped="stopped; finished fine-tunings are saved, run the same command again to resume",
    plan=influences,
)


def figure(
    name: str,
    about: str,
    wing: JobsWing,
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
