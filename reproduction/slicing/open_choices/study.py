"""What the paper left open, one choice at a time, and what becomes of C1-C3 and C8 under it.

Every row is a small experiment of its own: the three slices in-hoc (IG) and post-hoc, and three numbers of CLs, all on
one preset, so that rows compare with one another. The control predicts the mean training load for every sample.

Differs from the paper: it shows one setting and no control.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from reproduction.results.seed_statistics import lowest_over_rounds
from reproduction.slicing.criteria import HOLDS, Verdict, c1, c2, c3, c8
from reproduction.slicing.datasets import SliceData, generate_slice
from reproduction.slicing.datasets.generator import OTT_MAXIMUM_MBPS
from reproduction.slicing.datasets.physics import CALIBRATED, Physics
from reproduction.slicing.experiment import Result, constant_predictor, convergence, scalability
from reproduction.slicing.laboratory import Laboratory
from reproduction.slicing.schemes import IN_HOC, MAIN_SCHEMES
from reproduction.slicing.settings import Settings

CLAIMS = {"C1": c1, "C2": c2, "C3": c3, "C8": c8}
AS_IN_THE_FIGURES, THRESHOLD, CONTROL = "the figures' choices", "threshold ν", "control"
KEPT = ", multipliers kept"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One variation of the experiment.

    Attributes:
        name: what the paper left open.
        value: what is chosen here.
        vary: the preset's settings -> this choice's.
        physics: of the generated data.
        ott_maximum_mbps: declared maximum of every OTT, its scale.
    """

    name: str
    value: str
    vary: Callable[[Settings], Settings] = lambda settings: settings
    physics: Physics = CALIBRATED
    ott_maximum_mbps: float = OTT_MAXIMUM_MBPS


def local(**changes: Any) -> Callable[[Settings], Settings]:
    """Vary the inner loop."""
    return lambda settings: dataclasses.replace(settings, local=dataclasses.replace(settings.local, **changes))


def sla(**changes: float) -> Callable[[Settings], Settings]:
    """Vary the SLA of all slices."""
    return lambda settings: dataclasses.replace(
        settings, slices={name: dataclasses.replace(one, **changes) for name, one in settings.slices.items()}
    )


def network(*hidden: int) -> Callable[[Settings], Settings]:
    """Vary the hidden layers."""
    return lambda settings: dataclasses.replace(settings, model=dataclasses.replace(settings.model, hidden=hidden))


def both(one: Callable[[Settings], Settings], other: Callable[[Settings], Settings]) -> Callable[[Settings], Settings]:
    """Vary two things together."""
    return lambda settings: other(one(settings))


THRESHOLDS = (0.5, 0.7, 0.9, 0.95, 0.99)

CHOICES = (
    Choice(name=AS_IN_THE_FIGURES, value="ν .82, .83, .85"),
    *(Choice(name=THRESHOLD, value=f"{nu}", vary=sla(confidence_threshold=nu)) for nu in THRESHOLDS),
    Choice(name="multipliers", value="kept over the rounds", vary=local(multipliers="keep")),
    *(
        Choice(name=THRESHOLD + KEPT, value=f"{nu}", vary=both(sla(confidence_threshold=nu), local(multipliers="keep")))
        for nu in THRESHOLDS
    ),
    *(Choice(name="steepness μ", value=f"{mu} per %", vary=local(steepness_per_percent=mu)) for mu in (1.0, 10.0)),
    Choice(name="surrogate (9)", value="S1·S2", vary=local(surrogate="product")),
    Choice(name="confidence (6)", value="max, as printed", vary=local(confidence="literal")),
    Choice(name="returned iterate", value="the last", vary=local(returned_iterate="last")),
    *(Choice(name="SLA bound β", value=f"{beta:g} %", vary=sla(upper_percent=beta)) for beta in (1, 2, 5, 10)),
    Choice(name="hidden layers", value="16", vary=network(16)),
    Choice(name="hidden layers", value="64, 64", vary=network(64, 64)),
    *(Choice(name="Tester's batch", value=f"{size} of 1000", vary=local(tester_batch=size)) for size in (32, 1000)),
    Choice(name="probability π", value="linear", vary=local(normalisation="linear")),
    Choice(name="mutations per sample", value="10", vary=local(mutations=10)),
    Choice(name="π and mutations", value="linear, 10", vary=local(normalisation="linear", mutations=10)),
    Choice(name="data: CQI's effect on CPU", value="none", physics=Physics(cqi_effect="none")),
    Choice(name="data: CQI's effect on CPU", value="positive", physics=Physics(cqi_effect="positive")),
    Choice(name="data: CPU per PRB %", value="half", physics=Physics(percent_per_prb_percent=0.009)),
    Choice(name="data: CPU per PRB %", value="double", physics=Physics(percent_per_prb_percent=0.036)),
    Choice(
        name="data: CPU per PRB %",
        value="double, idle 1.1 %",  # the mean load of the figures' data
        physics=Physics(percent_per_prb_percent=0.036, idle_percent=1.1),
    ),
    *(Choice(name="scale of the OTTs", value=f"x / {top:g} Mbps", ott_maximum_mbps=top) for top in (8.5, 34.0)),
)


def laboratory_of(choice: Choice, lab: Laboratory) -> Laboratory:
    """Return the laboratory in which this choice is made."""
    settings = choice.vary(lab.settings)

    @functools.cache
    def data(name: str, seed: int, clients: int) -> SliceData:
        sizes = {"samples": settings.samples, "test_samples": settings.test_samples}
        made = generate_slice(name, seed=seed, clients=clients, physics=choice.physics, **sizes)
        features = tuple(
            dataclasses.replace(feature, maximum=choice.ott_maximum_mbps) if feature.role == "traffic" else feature
            for feature in made.features
        )
        return dataclasses.replace(made, features=features)

    return dataclasses.replace(lab, settings=settings, data=data)


def study(lab: Laboratory, choices: tuple[Choice, ...] = CHOICES) -> Result:
    """Run every choice and the control.

    Returns:
        "rows": per choice its verdicts (True, False, or None where confidence is not defined), the statistics that
        decide them, and each slice's numbers per scheme over the seeds.
    """
    rows = []
    for choice, results in _results(lab, choices):
        verdicts = {name: claim(results) for name, claim in CLAIMS.items()}
        curves = results["fig4_convergence"]["slices"]
        slices = {name: {label: _ends(one) for label, one in of.items()} for name, of in curves.items()}
        rows.append(
            {
                "choice": choice.name,
                "value": choice.value,
                "is_default": choice.name == AS_IN_THE_FIGURES,
                "verdicts": {name: _holds(verdict) for name, verdict in verdicts.items()},
                "statistics": {name: verdict.numbers for name, verdict in verdicts.items()},
                "slices": slices,
                "numbers": _over_slices(slices),
            }
        )
    return {"rows": rows}


def _results(lab: Laboratory, choices: tuple[Choice, ...]) -> Iterator[tuple[Choice, dict[str, Result]]]:
    """Yield what the criteria read, for every choice and the control."""
    for choice in choices:
        here = laboratory_of(choice, lab)
        curves = convergence(here)["slices"]
        if choice.name == AS_IN_THE_FIGURES:
            default = curves
        yield choice, _as_figures(curves, scalability(here)["clients"])
    constant = {name: {**of, IN_HOC: _constant(of[IN_HOC], lab, name)} for name, of in default.items()}
    first = constant[lab.slices[0]][IN_HOC]
    yield (
        Choice(name=CONTROL, value="constant predictor"),
        _as_figures(constant, {str(count): first for count in lab.settings.client_counts}),
    )


def _as_figures(curves: Result, by_count: Result) -> dict[str, Result]:
    return {
        "fig4_convergence": {"slices": curves},
        "fig5_confidence": {"slices": {name: {"rounds": of} for name, of in curves.items()}},
        "fig8_scalability": {"clients": by_count},
    }


def _constant(curves: Result, lab: Laboratory, slice_name: str) -> Result:
    """Return curves of a predictor of the mean load: it never changes."""
    control, rounds = constant_predictor(lab, slice_name), len(curves["mse"][0])
    same = {name: [[value] * rounds for value in control[name]] for name in ("mse", "confidence")}
    without = {name: [[np.nan] * rounds for _ in lab.seeds] for name in ("multiplier", "inside")}
    return curves | same | without


def _holds(verdict: Verdict) -> bool | None:
    """Return None where a confidence that decides is not defined (U empty)."""
    about = [name for name in verdict.numbers if name in ("lowest confidence", "fall", "gap")]
    defined = all(np.isfinite(_array(values)).all() for name in about for values in verdict.numbers[name].values())
    return verdict.verdict == HOLDS if defined else None


def _ends(curves: Result) -> dict[str, list[float]]:
    """Return a scheme's last values and its lowest confidence, one per seed."""
    last = {name: _array(curves[name])[:, -1].tolist() for name in ("mse", "confidence", "multiplier", "inside")}
    return last | {"lowest confidence": lowest_over_rounds(curves["confidence"])}


def _over_slices(slices: Result) -> dict[str, float | None]:
    """Return the means over slices and seeds."""
    schemes = {label: [of[label] for of in slices.values()] for label in MAIN_SCHEMES}
    wanted = [(label, name) for label in MAIN_SCHEMES for name in ("mse", "confidence", "lowest confidence", "inside")]
    wanted.append((IN_HOC, "multiplier"))
    values = {f"{label}: {name}": _array([one[name] for one in schemes[label]]) for label, name in wanted}
    return {name: float(np.ma.filled(np.ma.masked_invalid(of).mean(), np.nan)) for name, of in values.items()}


def _array(values: Any) -> np.ndarray:
    return np.asarray(values, float)
