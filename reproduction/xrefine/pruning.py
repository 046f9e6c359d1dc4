"""Filtering and pruning: what is kept of a network, and the search for how much.

Sizes and choice are apart: a size says how many subcarriers and how many neurons per hidden layer are left, a ranking
which. So rankings are compared at equal sizes, and equal sizes are equal FLOPs.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from reproduction.xrefine.cost import flops
from reproduction.xrefine.network import FEATURES, SUBCARRIERS, Kept
from reproduction.xrefine.relevance import Scores


@dataclass(frozen=True, order=True)
class Size:
    """How much is kept.

    Attributes:
        subcarriers: that are read.
        neurons: of each hidden layer.
    """

    subcarriers: int
    neurons: tuple[int, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        """Of the network."""
        return (2 * self.subcarriers, *self.neurons, FEATURES)

    @property
    def flops(self) -> int:
        """Of one estimate."""
        return flops(self.widths)


def best(scores: Scores, size: Size, always: Collection[int] = ()) -> Kept:
    """Return the units of the greatest scores; of equal ones the first.

    Args:
        scores: of all units.
        size: how many are kept.
        always: subcarriers that are kept whatever their score, such as the pilots.

    Raises:
        ValueError: more are to be kept than there are, or than the size takes.
    """
    if len(always) > size.subcarriers or size.subcarriers > SUBCARRIERS:
        raise ValueError(f"subcarriers must be {len(always)} .. {SUBCARRIERS}, got {size.subcarriers}; keep as many.")
    values = scores.subcarriers.astype(float).copy()
    values[list(always)] = np.inf
    return Kept(
        _first(values, size.subcarriers),
        tuple(_first(layer, count) for layer, count in zip(scores.neurons, size.neurons, strict=True)),
    )


def evenly_spaced(size: Size) -> Kept:
    """Return subcarriers as far apart as can be, and of each layer the first neurons, as good as any others."""
    places = np.linspace(0, SUBCARRIERS - 1, size.subcarriers).round().astype(int)
    return Kept(tuple(places.tolist()), tuple(tuple(range(count)) for count in size.neurons))


def _first(values: np.ndarray, count: int) -> tuple[int, ...]:
    return tuple(sorted(np.argsort(-values, kind="stable")[:count].tolist()))


def inputs_alone(budget: int, hidden: Sequence[int]) -> Size | None:
    """Return the greatest size of at most this many FLOPs that keeps all neurons; None if there is none."""
    sizes = [Size(count, tuple(hidden)) for count in range(SUBCARRIERS, 0, -1)]
    return next((size for size in sizes if size.flops <= budget), None)


def neurons_alone(budget: int, hidden: Sequence[int]) -> Size | None:
    """Return the greatest size of at most this many FLOPs that keeps all subcarriers and a share of each layer."""
    sizes = [Size(SUBCARRIERS, tuple(max(1, round(share * width)) for width in hidden)) for share in _shares(hidden)]
    return next((size for size in sizes if size.flops <= budget), None)


def _shares(hidden: Sequence[int]) -> list[float]:
    return [count / max(hidden) for count in range(max(hidden), 0, -1)]


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes:
        size: the cheapest that meets the target, None if none does.
        looked_at: the sizes that were retrained and measured.
    """

    size: Size | None
    looked_at: tuple[Size, ...]


def exhaustive(grid: Sequence[Sequence[Size]], meets: Callable[[Size], bool]) -> Found:
    """Look at every size of the grid: the paper's search; as many retrainings as there are sizes."""
    looked_at = [size for row in grid for size in row]
    return Found(min((size for size in looked_at if meets(size)), key=_cheapness, default=None), tuple(looked_at))


def staircase(grid: Sequence[Sequence[Size]], meets: Callable[[Size], bool]) -> Found:
    """Walk along the border of what meets the target: at most rows + columns - 1 retrainings.

    It finds what `exhaustive` finds if what meets the target still does with more of either kind.

    Args:
        grid: sizes; from row to row subcarriers fall, from column to column neurons rise.
        meets: whether a size meets the target.
    """
    looked_at, met = [], []
    row = column = 0
    while row < len(grid) and column < len(grid[0]):
        size = grid[row][column]
        looked_at.append(size)
        if meets(size):
            met.append(size)
            row += 1
        else:
            column += 1
    return Found(min(met, key=_cheapness, default=None), tuple(looked_at))


def _cheapness(size: Size) -> tuple[int, Size]:
    return size.flops, size


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return which points (cost, error) no other one beats in one without losing in the other, by rising cost."""
    order = sorted(range(len(points)), key=lambda place: points[place])
    kept: list[int] = []
    for place in order:
        if not kept or points[place][1] < points[kept[-1]][1]:
            kept.append(place)
    return kept
