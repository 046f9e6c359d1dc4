"""Anyone's curves against ours: every difference is theirs minus ours, seed by seed over the seeds that both have."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from reproduction.slicing.comparison.conditions import cautions, comparable
from reproduction.slicing.comparison.curves import CurvesError
from reproduction.slicing.comparison.pairs import Pairs, pair
from reproduction.slicing.comparison.quantities import QUANTITIES, Differences, PairQuantity, Quantity
from reproduction.slicing.comparison.reference_curves import Reference
from reproduction.slicing.comparison.scalability import Scaling, scalings
from reproduction.slicing.comparison.verdict import short, verdict


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """One quantity of one method against one of our schemes in one slice.

    Attributes:
        pairs: whose runs.
        quantity: what is compared.
        seeds: of which both have the quantity's metrics.
        found: what came out, an entry per seed.
    """

    pairs: Pairs
    quantity: Quantity | PairQuantity
    seeds: tuple[int, ...]
    found: Differences

    @property
    def verdict(self) -> str:
        """What the seeds show, in a sentence."""
        return verdict(self.quantity, self.found, f"{self.pairs.against} in {self.pairs.slice}")

    @property
    def short(self) -> str:
        """The same where it is said elsewhere what is compared with what."""
        return short(self.quantity, self.found)


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """What came out.

    Attributes:
        reference: ours.
        pairs: whose runs were compared.
        lines: every quantity of every pair.
        cautions: what makes them hardly comparable.
        scalings: methods with runs of several numbers of CLs, and ours; else empty.
    """

    reference: Reference
    pairs: list[Pairs]
    lines: list[Line]
    cautions: list[str]
    scalings: list[Scaling]


def compare(theirs: pd.DataFrame, reference: Reference) -> Comparison:
    """Compare every method of theirs with each of `pairs.OURS` in every slice of theirs.

    Raises:
        CurvesError: if they are not comparable (`conditions.comparable`, `pairs.pair`), or both sides have the MSE, or
            the confidence, of no common seed.
    """
    same_count = comparable(theirs, reference)
    pairs = pair(same_count, reference)
    lines = [line for one in pairs for line in _lines(one, reference)]
    if not lines:
        raise CurvesError("nothing can be compared: no common seed has mse, or confidence; add it")
    return Comparison(
        reference=reference,
        pairs=pairs,
        lines=lines,
        cautions=cautions(same_count, reference),
        scalings=scalings(theirs, pairs, reference.clients),
    )


def _lines(pairs: Pairs, reference: Reference) -> Iterator[Line]:
    """Compare every quantity for which there is a seed that has its metrics."""
    limits = reference.limits(pairs.slice)
    for quantity in QUANTITIES:
        if seeds := pairs.seeds_with(quantity.needs):
            theirs, ours = ([runs[seed] for seed in seeds] for runs in (pairs.theirs, pairs.ours))
            yield Line(pairs=pairs, quantity=quantity, seeds=seeds, found=quantity.compare(theirs, ours, limits))
