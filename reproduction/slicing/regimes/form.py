"""The study's saved numbers, field by field."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from typing_extensions import TypedDict

from reproduction.results.forms import Rule, as_many_as, not_empty
from reproduction.slicing.documents import PerSeed
from reproduction.slicing.regimes.catalogue import DEFAULT, OLD_SCALE, Kind


class Row(TypedDict):
    """One slice in one regime, [seeds] each: the forecast, and what the post-hoc federation came to.

    `costliest` is the feature whose loss costs the most confidence (null where U is empty), `probability` and `harm`
    are of its `forecast.Loss`; `r_squared` is the polynomial's on test data, `inside` its share inside the SLA.
    """

    regime: str
    kind: Kind
    slice: str
    clients: int
    threshold: float
    forecast: PerSeed
    r_squared: PerSeed
    inside: PerSeed
    costliest: Annotated[Sequence[str | None], as_many_as("seeds")]
    probability: PerSeed
    harm: PerSeed
    last: PerSeed
    lowest: PerSeed
    mse: PerSeed


class Agreement(TypedDict):
    """Forecast against measured, over the points of one kind: how many, mean absolute error, Spearman's correlation.

    `left_out` points have no forecast, or no confidence. `called` are those whose forecast is farther from nu than the
    margin, and `right` those of them where the lowest confidence is on that side.
    """

    points: int
    left_out: int
    called: int
    right: int
    mean_error: Annotated[dict[str, float | None], not_empty()]
    rank_correlation: Annotated[dict[str, float | None], not_empty()]


def _marked(rows: Sequence[Mapping[str, Any]], context: Mapping[str, Any]) -> str:
    missing = {DEFAULT, OLD_SCALE} - {row["regime"] for row in rows}
    return f"lacks the regime {min(missing)!r}, which the map marks" if missing else ""


class RegimesResult(TypedDict):
    """A row per regime and slice; kind -> agreement; whether the forecast holds by the criterion fixed beforehand."""

    rows: Annotated[list[Row], Rule(_marked)]
    agreement: dict[str, Agreement]
    holds: bool
