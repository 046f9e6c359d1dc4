"""The list of the regimes: data and an SLA each, some chosen, some drawn at random after the forecast was fixed.

A regime is a `Choice`, the sensitivity study's: a variation of the figures' data or settings. Its value names it.
"""

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

from reproduction import seeds
from reproduction.slicing.datasets import Feature
from reproduction.slicing.datasets.physics import Physics
from reproduction.slicing.open_choices.choices import Choice, one_ceiling, sla
from reproduction.slicing.settings import PAPER, Settings

Kind = Literal["chosen", "random", "measured"]
"""How a regime came in: by choice, drawn after the forecast was fixed, or as somebody's table."""

DEFAULT, OLD_SCALE = "the figures' data", "one ceiling of 17 Mbps"
"""Names of the two regimes that the map marks; the second is the scale that the project had first."""


def features_times(factor: float) -> Callable[[Feature], float]:
    """Make every scaled feature `factor` times as great."""
    return lambda feature: feature.maximum / factor


def clients(count: int) -> Callable[[Settings], Settings]:
    """Vary K."""
    return lambda settings: dataclasses.replace(settings, clients=count)


def _physics(**changes: Any) -> dict[str, Any]:
    return {"physics": Physics(**changes)}


def _sla(upper_percent: float) -> dict[str, Any]:
    return {"vary": sla(upper_percent=upper_percent)}


def _times(factor: float) -> dict[str, Any]:
    return {"scale": features_times(factor)}


_VARIATIONS: dict[str, dict[str, Any]] = {
    DEFAULT: {},
    OLD_SCALE: {"scale": one_ceiling(17.0)},
    "features x 0.5": _times(0.5),
    "features x 2": _times(2.0),
    "CQI without effect": _physics(cqi_effect="none"),
    "CQI's effect positive": _physics(cqi_effect="positive"),
    "CPU per PRB half": _physics(percent_per_prb_percent=0.009),
    "CPU per PRB double": _physics(percent_per_prb_percent=0.036),
    "CPU per Mbps double": _physics(percent_per_mbps=0.12),
    "idle 1 %": _physics(idle_percent=1.0),
    "idle 1.8 %": _physics(idle_percent=1.8),
    **{f"SLA to {bound:g} %": _sla(bound) for bound in (2, 4, 5)},
    "features x 0.5, SLA to 4 %": _times(0.5) | _sla(4),
    "features x 2, SLA to 4 %": _times(2.0) | _sla(4),
    "CPU per PRB double, idle 1.1 %": _physics(percent_per_prb_percent=0.036, idle_percent=1.1),
    "CPU per PRB double, features x 0.5": _physics(percent_per_prb_percent=0.036) | _times(0.5),
    "CPU per Mbps double, SLA to 4 %": _physics(percent_per_mbps=0.12) | _sla(4),
    "CQI without effect, SLA to 2.5 %": _physics(cqi_effect="none") | _sla(2.5),
    "CQI's effect positive, SLA to 2.5 %": _physics(cqi_effect="positive") | _sla(2.5),
}

CHOSEN = tuple(Choice(name="regime", value=name, **fields) for name, fields in _VARIATIONS.items())

AT_SCALE = tuple(
    Choice(name="regime", value=f"{name}, K = {PAPER.clients}", vary=clients(PAPER.clients), **_VARIATIONS[name])
    for name in (DEFAULT, OLD_SCALE)
)
"""Two of them with the paper's number of CLs."""

RANDOM_REGIMES, DRAWN_WITH = 13, 20261125
"""How many are drawn, and the seed; both written after the forecast and its tests."""


def drawn(index: int) -> Choice:
    """Return a random regime, in which every property is drawn: evenly, the features' factor in its logarithm."""
    rng = seeds.generator(DRAWN_WITH, "regime", index)

    def between(low: float, high: float) -> float:
        return float(f"{rng.uniform(low, high):.2g}")

    per_prb, per_mbps, idle = between(0.009, 0.036), between(0.03, 0.12), between(1.0, 1.8)
    bound, factor = between(2.0, 5.0), float(f"{2 ** rng.uniform(-1, 1):.2g}")
    effect: Any = str(rng.choice(["negative", "none", "positive"], p=[0.7, 0.15, 0.15]))
    physics = {"percent_per_prb_percent": per_prb, "percent_per_mbps": per_mbps, "idle_percent": idle}
    words = (
        f"CPU {idle:g} % + {per_mbps:g} % per Mbps + {per_prb:g} % per PRB %, CQI's effect {effect}, "
        f"features x {factor:g}, SLA to {bound:g} %"
    )
    return Choice(name="regime", value=words, **_physics(**physics, cqi_effect=effect), **_times(factor), **_sla(bound))


RANDOM = tuple(drawn(index) for index in range(RANDOM_REGIMES))

REGIMES: Mapping[Kind, tuple[Choice, ...]] = MappingProxyType({"chosen": (*CHOSEN, *AT_SCALE), "random": RANDOM})
