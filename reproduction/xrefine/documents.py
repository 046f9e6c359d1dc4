"""X-REFINE's saved numbers, field by field: what `experiment` gives, and what drawing and claims read."""

from collections.abc import Callable
from typing import Annotated, Any

from typing_extensions import TypedDict

from reproduction.results.forms import alike, as_many_as, not_empty
from reproduction.results.records import require_form

PerSeed = Annotated[list[float], as_many_as("seeds")]
PerSeedIfAny = Annotated[list[float | None], as_many_as("seeds")]
Curve = Annotated[list[float], not_empty()]
Curves = Annotated[list[Curve], alike(), as_many_as("seeds")]
"""[seeds, points]."""
Subcarriers = Annotated[list[float], as_many_as("subcarriers")]


class Case(TypedDict):
    """Which it is."""

    channel: str
    modulation: str


class Rates(Case):
    """Bit error rates by estimate."""

    ebno_db: Curve
    uncoded: dict[str, Curves]
    coded: dict[str, Curves]
    bits: int
    coded_bits: int


class OfSize(TypedDict):
    """One of X-REFINE's sizes."""

    size: list[int]
    flops: int
    ratios: PerSeed


class OfRival(TypedDict):
    """A rival at a budget; null where it has no such size."""

    budget: list[int]
    flops: int | None
    ratios: PerSeedIfAny


class Search(TypedDict):
    """What a search came to."""

    size: list[int] | None
    looked_at: int


TradeOffCase = TypedDict(
    "TradeOffCase",
    {
        "channel": str,
        "modulation": str,
        "full_flops": int,
        "X-REFINE": Annotated[list[OfSize], not_empty()],
        "rivals": dict[str, list[OfRival]],
        "searches": dict[str, Annotated[list[Search], as_many_as("seeds")]],
    },
)


class Seen(Case):
    """Relevance, classes and the pilots' rank."""

    ebno_db: Curve
    by_ebno: Annotated[list[Subcarriers], not_empty()]
    neurons: Annotated[list[list[Curve]], as_many_as("seeds")]
    classes: Annotated[list[list[str]], as_many_as("seeds")]
    pilots: list[int]
    pilot_ranks: PerSeed


class Deleted(Case):
    """Errors against the share taken away."""

    shares: Curve
    curves: dict[str, Curves]


class Cost(TypedDict):
    """By formula."""

    parameters: int
    mac: int
    flops: int


class Costs(TypedDict):
    """By formula, of each seed's network."""

    parameters: PerSeed
    mac: PerSeed
    flops: PerSeed


class Measured(TypedDict):
    """As TensorFlow Lite, and compiled by TensorFlow."""

    tflite_bytes: int
    microseconds: float
    microseconds_compiled: float


class Complexity(Case):
    """What an estimate costs."""

    full: Cost
    refined: Costs
    measured: dict[str, Measured]


def form(of_case: Any) -> Callable[[dict[str, Any]], None]:
    """Return the check of a document whose result has cases of this form; it raises ValueError, naming the field."""
    cases = Annotated[list[of_case], not_empty()]

    def check(document: dict[str, Any]) -> None:
        context = {"seeds": len(document["seeds"]), "subcarriers": 52}
        require_form(document["result"].get("cases"), cases, inside=("result", "cases"), context=context)

    return check
