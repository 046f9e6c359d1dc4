"""What is kept, by hand; the searches find the same; the front."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as draw

from reproduction.xrefine.cost import flops
from reproduction.xrefine.pruning import (
    Size,
    best,
    evenly_spaced,
    exhaustive,
    front,
    inputs_alone,
    neurons_alone,
    staircase,
)
from reproduction.xrefine.relevance import Scores

SCORES = Scores(np.arange(52.0)[::-1].copy(), (np.array([1.0, 3.0, 2.0, 3.0]), np.array([0.0, -1.0, 5.0])))


def test_the_best_are_kept_and_pilots_always():
    kept = best(SCORES, Size(3, (2, 1)))
    assert kept.subcarriers == (0, 1, 2)
    assert kept.neurons == ((1, 3), (2,))
    assert best(SCORES, Size(3, (3, 3)), always=(51, 50)).subcarriers == (0, 50, 51)
    assert best(SCORES, Size(3, (3, 3))).neurons == ((1, 2, 3), (0, 1, 2))
    assert kept.widths == (6, 2, 1, 104)


@pytest.mark.parametrize("count", [1, 53])
def test_sizes_that_cannot_be_kept(count):
    with pytest.raises(ValueError, match=rf"subcarriers must be 2 \.\. 52, got {count}"):
        best(SCORES, Size(count, (1, 1)), always=(0, 1))


def test_evenly_spaced():
    assert evenly_spaced(Size(4, (2, 1))).subcarriers == (0, 17, 34, 51)
    assert evenly_spaced(Size(52, (2, 1))).subcarriers == tuple(range(52))
    assert evenly_spaced(Size(4, (2, 1))).neurons == ((0, 1), (0,))


@given(budget=draw.integers(1, 8000))
def test_sizes_of_one_kind_fill_the_budget(budget):
    hidden = (15, 15, 15)
    filtered, pruned = inputs_alone(budget, hidden), neurons_alone(budget, hidden)
    if filtered is None:
        assert flops((2, *hidden, 104)) > budget
    else:
        assert filtered.flops <= budget
        assert filtered.subcarriers == 52 or Size(filtered.subcarriers + 1, hidden).flops > budget
    if pruned is None:
        assert Size(52, (1, 1, 1)).flops > budget
    else:
        assert pruned.flops <= budget
        more = tuple(width + 1 for width in pruned.neurons)
        assert pruned.neurons == hidden or Size(52, more).flops > budget


GRID = [[Size(row, (column,) * 3) for column in (4, 8, 12, 15)] for row in (52, 26, 12)]


@given(least=draw.lists(draw.integers(0, 4), min_size=3, max_size=3).map(sorted))
def test_both_searches_find_the_same_where_more_is_never_worse(least):
    """In each row sizes from a column on meet the target, from a later one the fewer subcarriers there are."""
    meeting = {size for row, column in zip(GRID, least, strict=True) for size in row[column:]}
    thorough, quick = exhaustive(GRID, meeting.__contains__), staircase(GRID, meeting.__contains__)
    assert quick.size == thorough.size == min(meeting, key=lambda size: (size.flops, size), default=None)
    assert len(thorough.looked_at) == 12
    assert len(quick.looked_at) <= 3 + 4 - 1
    assert len(set(quick.looked_at)) == len(quick.looked_at)


def test_the_front_by_hand():
    points = [(5.0, 0.1), (1.0, 0.9), (2.0, 0.9), (2.0, 0.5), (6.0, 0.1), (4.0, 0.5), (7.0, 0.0)]
    assert front(points) == [1, 3, 0, 6]
    assert front([]) == []
