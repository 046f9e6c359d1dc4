"""The quantities that are compared: what each is read off, and how a difference in it is put into words.

A quantity is a number of every run, or, as the area between two curves, a number of every pair of runs. Runs are paired
by their seed. The 95 % interval is a bootstrap over the pairs (bias-corrected and accelerated); few pairs hold little:
with five it covers less than 95 %.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from reproduction.results.seed_statistics import paired_interval
from reproduction.results.words import difference, mean_and_sd
from reproduction.slicing.comparison import measures
from reproduction.slicing.comparison.measures import Curves, Limits, Measure


@dataclass(frozen=True, kw_only=True, eq=False)
class Differences:
    """How far pairs of runs are apart in one quantity.

    Attributes:
        theirs: the quantity of their runs; NaN where it is not defined, and for a quantity of pairs; float64 [pairs].
        ours: the same of our runs.
        values: theirs - ours, or the quantity of the pairs; float64 [pairs].
        low: of the 95 % interval of the mean of `values`; NaN if there is none.
        high: of the same.
    """

    theirs: np.ndarray
    ours: np.ndarray
    values: np.ndarray
    low: float
    high: float

    @property
    def defined(self) -> np.ndarray:
        """The values that are defined, float64."""
        return self.values[~np.isnan(self.values)]

    @property
    def mean(self) -> float:
        """The mean of those; NaN if there is none."""
        return float(self.defined.mean()) if len(self.defined) else float("nan")


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A number of a run.

    Attributes:
        name: as in "lower NAME than post-hoc".
        unit: of the number, and of a difference.
        needs: the metrics that it is read off.
        measure: reads it off.
        words: for less and for more.
    """

    name: str
    unit: str
    needs: tuple[str, ...]
    measure: Measure
    words: tuple[str, str] = ("lower", "higher")

    @property
    def subject(self) -> str:
        """What two runs have in common if they do not differ in it."""
        return self.name

    def of_runs(self, runs: Iterable[Curves], limits: Limits) -> np.ndarray:
        """Return the number of each run that has the metrics for it, float64 [runs]."""
        return np.array([self.measure(curves, limits) for curves in runs if set(self.needs) <= set(curves)], float)

    def compare(self, theirs: Sequence[Curves], ours: Sequence[Curves], limits: Limits) -> Differences:
        """Compare runs pair by pair; all must have the metrics."""
        left, right = self.of_runs(theirs, limits), self.of_runs(ours, limits)
        low, high = paired_interval(left, right)
        return Differences(theirs=left, ours=right, values=left - right, low=low, high=high)

    def in_words(self, direction: str, span: str, where: str) -> str:
        """Say in which direction, one of `words`, the pairs differ."""
        if self.unit == "s":
            return f"{span} s against {where}; means something only on one machine, as idle for both"
        return f"{direction} {self.name} than {where}: {span}"

    def write_values(self, values: Sequence[float]) -> str:
        """Write the numbers of some runs."""
        return mean_and_sd(values, *((",.0f", ",.0f") if self.unit == "KB" else (".3g", ".2g")))

    def write_difference(self, value: float, digits: int = 2) -> str:
        """Write a difference."""
        return difference(value, digits)


@dataclass(frozen=True, kw_only=True)
class PairQuantity:
    """How far two runs' curves of one metric are apart: never negative, and nothing that one run has.

    Attributes:
        subject: the curve, in words.
        unit: of the metric.
        metric: what the curve shows.
        words: for any distance.
    """

    subject: str
    unit: str
    metric: str
    words: tuple[str, str] = ("apart", "apart")

    @property
    def name(self) -> str:
        """What stands in tables."""
        return f"area between the {self.subject}s"

    @property
    def needs(self) -> tuple[str, ...]:
        """The metrics that it is read off."""
        return (self.metric,)

    def compare(self, theirs: Sequence[Curves], ours: Sequence[Curves], limits: Limits) -> Differences:
        """Measure the area in each pair of runs; all must have the metric."""
        pairs = zip(theirs, ours, strict=True)
        areas = np.array([measures.area_between(one[self.metric], other[self.metric]) for one, other in pairs])
        low, high = paired_interval(areas, np.zeros(len(areas)))
        neither = np.full(len(areas), np.nan)
        return Differences(theirs=neither, ours=neither, values=areas, low=low, high=high)

    def in_words(self, direction: str, span: str, where: str) -> str:
        """Say how far the curves are apart."""
        return f"{self.subject} away from {where} by {span} on average"

    def write_values(self, values: Sequence[float]) -> str:
        """Write nothing: one run has no area."""
        return ""

    def write_difference(self, value: float, digits: int = 2) -> str:
        """Write an area, which has no sign."""
        return difference(value, digits).removeprefix("+")


_FEWER = ("fewer", "more")
ROUNDS_TO_CONVERGENCE = Quantity(
    name="rounds to convergence", unit="rounds", needs=("mse",), measure=measures.rounds_to_convergence, words=_FEWER
)
KB_TO_CONVERGENCE = Quantity(
    name="KB to convergence", unit="KB", needs=("mse", "kb"), measure=measures.sum_to_convergence("kb"), words=_FEWER
)
SECONDS_TO_CONVERGENCE = Quantity(
    name="seconds to convergence",
    unit="s",
    needs=("mse", "seconds"),
    measure=measures.sum_to_convergence("seconds"),
    words=("depends on the machine",) * 2,
)

QUANTITIES: tuple[Quantity | PairQuantity, ...] = (
    Quantity(name="final MSE", unit="%^2", needs=("mse",), measure=measures.last_value("mse")),
    Quantity(name="mean MSE over the rounds", unit="%^2", needs=("mse",), measure=measures.mean_over_rounds("mse")),
    PairQuantity(subject="MSE curve", unit="%^2", metric="mse"),
    ROUNDS_TO_CONVERGENCE,
    Quantity(name="final confidence", unit="1", needs=("confidence",), measure=measures.last_value("confidence")),
    Quantity(
        name="mean confidence over the rounds",
        unit="1",
        needs=("confidence",),
        measure=measures.mean_over_rounds("confidence"),
    ),
    PairQuantity(subject="confidence curve", unit="1", metric="confidence"),
    Quantity(
        name="margin over nu (lowest C - nu)", unit="1", needs=("confidence",), measure=measures.margin_over_threshold
    ),
    Quantity(
        name="share of rounds with C >= nu", unit="1", needs=("confidence",), measure=measures.share_above_threshold
    ),
    KB_TO_CONVERGENCE,
    SECONDS_TO_CONVERGENCE,
)

BY_NAME = {quantity.name: quantity for quantity in QUANTITIES}
"""In the order of tables."""
