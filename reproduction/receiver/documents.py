"""The receiver's saved numbers, field by field: what `experiment` gives, and what drawing reads."""

from collections.abc import Callable
from typing import Annotated, Any

from typing_extensions import TypedDict

from reproduction.results.forms import as_many_as, not_empty
from reproduction.results.records import require_form

Curve = Annotated[list[float], not_empty()]
Curves = Annotated[list[Annotated[list[float], as_many_as("snr")]], as_many_as("seeds")]
"""[seeds, SNR]."""
Intervals = Annotated[list[Annotated[list[float], as_many_as("two")]], as_many_as("snr")]
"""[SNR, 2]."""


class Rates(TypedDict):
    """A receiver's bit error rates, and Wilson's intervals of all seeds together."""

    rates: Curves
    intervals: Intervals


class Tested(TypedDict):
    """Receivers under the conditions of one mix."""

    mix: str
    channels: list[str]
    receivers: dict[str, Rates]


class ErrorRates(TypedDict):
    """Bit error rates against SNR."""

    snr_db: Curve
    bits: int
    frames: int
    mixes: Annotated[list[Tested], not_empty()]


PerTarget = Annotated[list[Curve], as_many_as("seeds")]
"""[seeds][targets]."""


class Selection(TypedDict):
    """What a selection's fine-tuning comes to."""

    closed: dict[str, PerTarget]
    others: PerTarget
    distance: Annotated[list[list[float | None]], as_many_as("seeds")]


class TargetsOfSeed(TypedDict):
    """How the targets of a seed were received before."""

    places: list[int]
    errors: dict[str, list[int]]
    rates: dict[str, list[float]]
    channels: list[str]
    snr_db: list[float]
    doppler_hz: list[float]
    delay_spread_ns: list[float]


class Adaptation(TypedDict):
    """Selections compared."""

    selected: int
    steps: int
    targets: Annotated[list[TargetsOfSeed], as_many_as("seeds")]
    selections: dict[str, Selection]
    counts: dict[str, dict[str, PerTarget]]


class Learning(TypedDict):
    """Share of the gap that is closed, after some steps."""

    steps: list[int]
    selections: dict[str, Annotated[list[PerTarget], not_empty()]]


class Condition(TypedDict):
    """Mean standardised influence by parts of a condition's range."""

    middles: list[float]
    scores: Annotated[list[list[float | None]], as_many_as("seeds")]
    targets: PerTarget


class Beneficial(TypedDict):
    """Influence against conditions."""

    snr_db: Condition
    delay_spread_ns: Condition
    doppler_hz: Condition


class Group(TypedDict):
    """Several targets at once."""

    targets: int
    singly: PerTarget
    jointly: PerTarget
    random: PerTarget


class Several(TypedDict):
    """Groups of targets."""

    groups: Annotated[list[Group], not_empty()]


class Rises(TypedDict):
    """Of groups: what their influences say, and what was trained."""

    predicted: Annotated[list[float], not_empty()]
    rises: Annotated[list[float], not_empty()]


class LeftOutTarget(TypedDict):
    """A target's loss without groups of frames."""

    sorted: Rises
    random: Rises
    rank_correlation: float | None


class LeftOut(TypedDict):
    """Influence against trainings without frames."""

    epochs: int
    targets: Annotated[list[LeftOutTarget], not_empty()]


def form(of_result: Any) -> Callable[[dict[str, Any]], None]:
    """Return the check of a document whose result is of this form; it raises ValueError, naming the field."""

    def check(document: dict[str, Any]) -> None:
        snr_db = document["result"].get("snr_db")
        context = {"seeds": len(document["seeds"]), "two": 2}
        context |= {"snr": len(snr_db)} if isinstance(snr_db, list) else {}
        require_form(document["result"], of_result, inside=("result",), context=context)

    return check
