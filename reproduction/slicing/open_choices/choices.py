"""The list of what the paper left open, each choice a variation of the figures' settings or data."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from reproduction.slicing.datasets import Feature
from reproduction.slicing.datasets.physics import CALIBRATED, Physics
from reproduction.slicing.settings import Settings

Kind = Literal["default", "threshold", "threshold_kept", "control", "other"]
"""What a row of the study is for: the figures' own choices, the sweeps of nu (A restarted, A kept), a predictor that
has learnt nothing, any other choice."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One variation of the experiment.

    Attributes:
        name: what the paper left open.
        value: what is chosen here.
        kind: what its row is for.
        vary: the preset's settings -> this choice's.
        physics: of the generated data.
        scale: what a feature of the generated data is divided by.
    """

    name: str
    value: str
    kind: Kind = "other"
    vary: Callable[[Settings], Settings] = lambda settings: settings
    physics: Physics = CALIBRATED
    scale: Callable[[Feature], float] = lambda feature: feature.maximum


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


def one_ceiling(mbps: float) -> Callable[[Feature], float]:
    """Divide every OTT by one ceiling and the rank by 100 %, whatever the data hold."""
    return lambda feature: {"traffic": mbps, "rank": 100.0}.get(feature.role, feature.maximum)


THRESHOLDS = (0.5, 0.7, 0.9, 0.95, 0.99)

CHOICES = (
    Choice(name="the figures' choices", value="ν .82, .83, .85", kind="default"),
    *(
        Choice(name="threshold ν", value=f"{nu}", kind="threshold", vary=sla(confidence_threshold=nu))
        for nu in THRESHOLDS
    ),
    Choice(name="multipliers", value="kept over the rounds", vary=local(multipliers="keep")),
    *(
        Choice(
            name="threshold ν, multipliers kept",
            value=f"{nu}",
            kind="threshold_kept",
            vary=both(sla(confidence_threshold=nu), local(multipliers="keep")),
        )
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
    *(
        Choice(name="scale: one ceiling for all OTTs", value=f"x / {mbps:g} Mbps", scale=one_ceiling(mbps))
        for mbps in (8.5, 17, 34)
    ),
)

CONTROL = Choice(name="control", value="constant predictor", kind="control")
"""Predicts the mean training load for every sample."""

_KINDS: dict[str, Kind] = {choice.name: choice.kind for choice in (*CHOICES, CONTROL)}


def kind_of(name: str) -> Kind:
    """Return the kind of a saved row by the name of its choice; "other" for one that is not in the list (any more)."""
    return _KINDS.get(name, "other")
