"""What a run came to: a small table, a line per slice, scheme and number of CLs, and what it gives reason to say.

Differs from the paper: nothing; it prints no such table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import pandas as pd

from reproduction.results.progress import message
from reproduction.results.seed_statistics import at_round, lowest_over_rounds, mean
from reproduction.results.words import NO_NUMBER, number, thousandths
from reproduction.slicing import cautions
from reproduction.slicing.experiment import curves, final_errors
from reproduction.slicing.laboratory import Laboratory
from reproduction.slicing.schemes import SCHEMES, SHORT_LABELS, label_of


@dataclass(frozen=True, kw_only=True)
class Line:
    """One slice and scheme with K CLs; means over the seeds where they are defined, NaN where they are not.

    Attributes:
        slice: n.
        scheme: its label.
        clients: K.
        seeds: how many.
        mse: on training samples, last round, in %^2.
        test_mse: of the final model on test samples, in %^2.
        test_r_squared: the same as R^2.
        lowest_confidence: C of the worst round.
        above_threshold: whether C meets nu, in every round or in the last; None if C is not defined.
        inside: share of the predictions inside the SLA, last round.
        multiplier: lambda_1, last round.
        convergence_round: of the seeds that converged.
        converged: how many did.
    """

    slice: str
    scheme: str
    clients: int
    seeds: int
    mse: float
    test_mse: float
    test_r_squared: float
    lowest_confidence: float
    above_threshold: Literal["yes", "last round", "no"] | None
    inside: float
    multiplier: float
    convergence_round: float
    converged: int


def runs(lab: Laboratory) -> list[tuple[str, str, int]]:
    """Return slice, scheme's label and K of a laboratory's federations in the order of the figures.

    A study's store also holds those of tables with slices of their own, which this laboratory has not.
    """
    used = [one for record in lab.store.used() if (one := record["identity"])["slice"] in lab.slices]
    found = {(one["slice"], label_of(one["scheme"], one["explainer"]), one["clients"]) for one in used}
    labels = list(SCHEMES)
    return sorted(found, key=lambda run: (lab.slices.index(run[0]), labels.index(run[1]), run[2]))


def summarise(lab: Laboratory) -> list[Line]:
    """Sum up what a laboratory has used; its own settings, where they were varied."""
    return [_line(lab, *run) for run in runs(lab)]


def _line(lab: Laboratory, name: str, label: str, clients: int) -> Line:
    found, errors = curves(lab, name, label, clients), final_errors(lab, name, label, clients)
    lowest, last = mean(lowest_over_rounds(found["confidence"])), mean(at_round(found["confidence"], -1))
    threshold = lab.settings.slices[name].confidence_threshold
    above: Literal["yes", "last round", "no"] = (
        "yes" if lowest >= threshold else "last round" if last >= threshold else "no"
    )
    return Line(
        slice=name,
        scheme=label,
        clients=clients,
        seeds=len(lab.seeds),
        mse=mean(errors["mse"]),
        test_mse=mean(errors["test_mse"]),
        test_r_squared=mean(errors["test_r_squared"]),
        lowest_confidence=lowest,
        above_threshold=None if np.isnan(lowest) else above,
        inside=mean(at_round(found["inside"], -1)),
        multiplier=mean(at_round(found["multiplier"], -1)),
        convergence_round=mean(found["convergence_round"]),
        converged=int(np.isfinite(found["convergence_round"]).sum()),
    )


def after_training(lab: Laboratory) -> Iterator[str]:
    """Yield what the runs give reason to say."""
    for name, label, clients in runs(lab):
        where, found = f"{name}, {label}, {clients} CLs", curves(lab, name, label, clients)
        said = (
            cautions.poor_fit(where, mean(final_errors(lab, name, label, clients)["test_r_squared"])),
            cautions.untested_confidence(where, found["confidence"], found["inside"]),
            cautions.late_convergence(where, found["convergence_round"], lab.settings.rounds),
        )
        yield from filter(None, said)


def told(lines: Sequence[Line], log: str) -> list[str]:
    """Write the table, or with `--log json` an object per line; see `progress.message`."""
    if log == "json":
        return [message(log, "summary", asdict(line)) for line in lines]
    table = pd.DataFrame([_cells(line) for line in lines])
    return table.to_string(index=False).splitlines() if lines else []


def _cells(line: Line) -> dict[str, str | int]:
    converged = number(line.convergence_round, ".1f")
    return {
        "slice": line.slice,
        "scheme": SHORT_LABELS[line.scheme].replace("\n", " "),
        "CLs": line.clients,
        "MSE": number(line.mse),
        "test MSE": number(line.test_mse),
        "test R²": number(line.test_r_squared, ".3f"),
        "lowest C": NO_NUMBER if np.isnan(line.lowest_confidence) else thousandths([line.lowest_confidence]),
        "C ≥ ν": line.above_threshold or NO_NUMBER,
        "inside": number(line.inside, ".1%"),
        "λ₁": number(line.multiplier, ".2f"),
        "converged": converged if line.converged == line.seeds else f"{converged} ({line.converged}/{line.seeds})",
    }
