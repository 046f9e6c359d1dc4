"""What becomes of C1-C3 and C8 under every choice that the paper left open.

Every row is a small experiment of its own: the three slices in-hoc (IG) and post-hoc, and three numbers of CLs, all on
one preset, so that rows compare with one another. The control predicts the mean training load for every sample.
"""

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from reproduction.results.seed_statistics import at_round, lowest_over_rounds
from reproduction.results.verdicts import Finding
from reproduction.slicing.criteria import CurvesBySlice, c1, c2, c3, c8
from reproduction.slicing.datasets import SliceData, generate_slice
from reproduction.slicing.documents import (
    MEANS,
    VARIED,
    Curves,
    Ends,
    PerSeed,
    SensitivityResult,
    SensitivityRow,
)
from reproduction.slicing.experiment import constant_predictor, main_curves, scalability
from reproduction.slicing.laboratory import Laboratory
from reproduction.slicing.open_choices.choices import CHOICES, CONTROL, Choice
from reproduction.slicing.schemes import IN_HOC

CLAIMS_VARIED = tuple(VARIED)
OF_CONFIDENCE = ("lowest confidence", "fall", "gap")
"""Statistics that are not defined where confidence is not."""


def laboratory_of(choice: Choice, lab: Laboratory) -> Laboratory:
    """Return the laboratory in which this choice is made."""
    settings = choice.vary(lab.settings)

    @functools.cache
    def data(name: str, seed: int, clients: int) -> SliceData:
        sizes = {"samples": settings.samples, "test_samples": settings.test_samples}
        made = generate_slice(name, seed=seed, clients=clients, physics=choice.physics, **sizes)
        features = (dataclasses.replace(feature, maximum=choice.scale(feature)) for feature in made.features)
        return dataclasses.replace(made, features=tuple(features))

    return dataclasses.replace(lab, settings=settings, data=data)


def study(lab: Laboratory, choices: tuple[Choice, ...] = CHOICES) -> SensitivityResult:
    """Run every choice and the control.

    Raises:
        ValueError: unless just one choice is the figures' own (kind "default"); the control stands beside its post-hoc.
    """
    defaults = sum(choice.kind == "default" for choice in choices)
    if defaults != 1:
        raise ValueError(
            f"choices must hold one of the kind 'default', the figures' own, got {defaults}; add CHOICES[0]"
        )
    rows = []
    for choice, slices, by_count in _experiments(lab, choices):
        findings = dict(zip(CLAIMS_VARIED, (c1(slices), c2(slices), c3(slices), c8(by_count)), strict=True))
        ends = {name: {label: _ends(curves) for label, curves in one.items()} for name, one in slices.items()}
        rows.append(
            SensitivityRow(
                choice=choice.name,
                value=choice.value,
                is_default=choice.kind == "default",
                verdicts={name: _holds(finding) for name, finding in findings.items()},
                statistics={name: _numbers(finding) for name, finding in findings.items()},
                slices=ends,
                numbers=_over_slices(ends),
            )
        )
    return {"rows": rows}


def _experiments(
    lab: Laboratory, choices: tuple[Choice, ...]
) -> Iterator[tuple[Choice, CurvesBySlice, Mapping[str, Curves]]]:
    """Yield every choice and the control with their curves, by slice and scheme, and of in-hoc by number of CLs."""
    for choice in choices:
        here = laboratory_of(choice, lab)
        curves = main_curves(here)
        if choice.kind == "default":
            default = curves
        yield choice, curves, scalability(here)["clients"]
    constant = {name: {**schemes, IN_HOC: _constant(schemes[IN_HOC], lab, name)} for name, schemes in default.items()}
    first = constant[lab.slices[0]][IN_HOC]
    yield CONTROL, constant, {str(count): first for count in lab.settings.client_counts}


def _constant(curves: Curves, lab: Laboratory, slice_name: str) -> Curves:
    """Return curves of a predictor of the mean load: it never changes."""
    control, rounds = constant_predictor(lab, slice_name), len(curves["mse"][0])
    nothing: list[list[float]] = [[float("nan")] * rounds for _ in lab.seeds]
    changed = Curves(**curves)
    changed["mse"] = [[value] * rounds for value in control["mse"]]
    changed["confidence"] = [[value] * rounds for value in control["confidence"]]
    changed["multiplier"] = changed["inside"] = nothing
    return changed


def _holds(finding: Finding) -> bool | None:
    """Return None where a confidence that decides is not defined (U empty)."""
    decide = [values for name, values in finding.numbers.items() if name in OF_CONFIDENCE]
    defined = all(np.isfinite(_array(per_seed)).all() for values in decide for per_seed in values.values())
    return finding.holds if defined else None


def _numbers(finding: Finding) -> dict[str, dict[str, PerSeed]]:
    return {name: {label: list(values[label]) for label in values} for name, values in finding.numbers.items()}


def _ends(curves: Curves) -> Ends:
    """Return a scheme's last values and its lowest confidence, one per seed."""
    return {
        "mse": at_round(curves["mse"], -1),
        "confidence": at_round(curves["confidence"], -1),
        "multiplier": at_round(curves["multiplier"], -1),
        "inside": at_round(curves["inside"], -1),
        "lowest confidence": lowest_over_rounds(curves["confidence"]),
    }


def _over_slices(slices: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    """Return the means over slices and seeds."""
    means: dict[str, float | None] = {}
    for name, (label, quantity) in MEANS.items():
        values = np.ma.masked_invalid(_array([schemes[label][quantity] for schemes in slices.values()]))
        means[name] = float(np.ma.filled(values.mean(), np.nan))
    return means


def _array(values: Any) -> np.ndarray:
    return np.asarray(values, float)
