import numpy as np
import pytest

from reproduction.ofdm.frame import (
    ACTIVE,
    DATA,
    LONG_TRAINING,
    PILOT_VALUES,
    PILOTS,
    PREFIX_SECONDS,
    SPACING_HZ,
    SYMBOL_SECONDS,
    Frame,
)
from tests.oracles import ofdm as oracle


def test_the_numbers_of_the_standard():
    assert PILOTS.tolist() == [5, 19, 32, 46]
    assert len(DATA) == 48
    assert sorted([*DATA, *PILOTS]) == list(range(52))
    assert ACTIVE.tolist() == oracle.ACTIVE
    assert LONG_TRAINING.tolist() == oracle.TRAINING
    assert dict(zip(ACTIVE[PILOTS].tolist(), PILOT_VALUES.tolist(), strict=True)) == oracle.PILOT_NUMBERS
    samples_per_second = 64 * SPACING_HZ
    np.testing.assert_allclose([SYMBOL_SECONDS * samples_per_second, PREFIX_SECONDS * samples_per_second], [80, 16])


def test_the_usual_frame():
    assert (Frame().preambles, Frame().symbols, Frame().times) == (2, 50, 52)


@pytest.mark.parametrize("wrong", [0, -1, 2.0, True])
@pytest.mark.parametrize("name", ["preambles", "symbols"])
def test_refused(name, wrong):
    with pytest.raises(ValueError, match=f"{name} must be a whole number >= 1, got {wrong}; the usual frame"):
        Frame(**{name: wrong})
