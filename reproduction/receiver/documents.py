"""The receiver's saved numbers, field by field: what `experiment` gives, and what drawing reads."""

from typing import Annotated, Any

from typing_extensions import TypedDict

from reproduction.results.forms import as_many_as, not_empty
from reproduction.results.records import require_form

PerSnr = Annotated[list[float], not_empty()]
Curves = Annotated[list[Annotated[list[float], as_many_as("snr")]], as_many_as("seeds")]
"""[seeds, SNR]."""
Intervals = Annotated[list[Annotated[list[float], as_many_as("two")]], as_many_as("snr")]
"""[SNR, 2]."""


class Curve(TypedDict):
    """A receiver's bit error rates, and Wilson's intervals of all seeds together."""

    rates: Curves
    intervals: Intervals


class Tested(TypedDict):
    """Receivers under the conditions of one mix."""

    mix: str
    channels: list[str]
    receivers: dict[str, Curve]


class ErrorRates(TypedDict):
    """Bit error rates against SNR."""

    snr_db: PerSnr
    bits: int
    frames: int
    mixes: Annotated[list[Tested], not_empty()]


def check(document: dict[str, Any]) -> None:
    """Refuse (ValueError) a document whose result is not `ErrorRates`, naming the field."""
    snr_db = document["result"].get("snr_db")
    context = {"seeds": len(document["seeds"]), "two": 2} | ({"snr": len(snr_db)} if isinstance(snr_db, list) else {})
    require_form(document["result"], ErrorRates, inside=("result",), context=context)
