"""What pairs of runs show, in a word and in a sentence.

A direction is said only of five pairs or more, if the interval leaves out 0 and all pairs are of one sign: the
bootstrap of few pairs is too narrow, from five it leaves out 0 in one of six comparisons of equals.
"""

import numpy as np

from reproduction.results.words import NOT_DEFINED
from reproduction.slicing.comparison.quantities import Differences, PairQuantity, Quantity

ENOUGH_SEEDS = 5
"""Below it nothing is decided: of four pairs of equals, all are of one sign once in 8 times."""

NOT_DECIDED, NO_DIFFERENCE, THE_SAME = "not decided", "no difference seen", "the same"
"""Outcomes that are no direction, beside `NOT_DEFINED`."""


def outcome(quantity: Quantity | PairQuantity, found: Differences) -> str:
    """Return what the pairs show in a word: one of the outcomes above, or one of the quantity's for a direction."""
    defined = found.defined
    if len(defined) == 0:
        return NOT_DEFINED
    if len(defined) < ENOUGH_SEEDS:
        return NOT_DECIDED
    if not defined.any():
        return THE_SAME
    if found.low <= 0 <= found.high:
        return NO_DIFFERENCE
    if not ((defined > 0).all() or (defined < 0).all()):
        return NOT_DECIDED
    return quantity.words[int(found.mean > 0)]


def short(quantity: Quantity | PairQuantity, found: Differences) -> str:
    """Return the outcome with its numbers, for where it is said elsewhere what is compared with what."""
    said = outcome(quantity, found)
    return said if said in (NOT_DEFINED, THE_SAME) else f"{said}: {_span(quantity, found)}"


def verdict(quantity: Quantity | PairQuantity, found: Differences, where: str) -> str:
    """Say in a sentence what the pairs show, and how many of them.

    Args:
        quantity: what was compared.
        found: what came out.
        where: against whom, in which slice.
    """
    defined, everything = len(found.defined), len(found.values)
    count = f"{defined} seeds" if defined > 1 else "one seed"
    left_out = everything - defined
    note = f" ({left_out} of {everything} seeds left out: not defined there)" if left_out else ""
    said, span = outcome(quantity, found), _span(quantity, found)
    if said == NOT_DEFINED:
        return f"{quantity.name} against {where}: not defined in any common seed"
    if said == NOT_DECIDED:
        why = ", not all of one sign" if defined >= ENOUGH_SEEDS else ""
        return f"{quantity.name} against {where}: not decided with {count}{why}: {span}{note}"
    if said == THE_SAME:
        return f"the same {quantity.subject} as {where}, with {count}{note}"
    if said == NO_DIFFERENCE:
        return f"no difference in {quantity.name} from {where} seen with {count}: {span}{note}"
    return quantity.in_words(said, span, where) + note


def _span(quantity: Quantity | PairQuantity, found: Differences) -> str:
    """Write the mean difference with its interval."""
    mean, low, high = map(quantity.write_difference, (found.mean, found.low, found.high))
    return f"{mean}, no interval" if np.isnan(found.low) else f"{mean} [{low}, {high}]"
