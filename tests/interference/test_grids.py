"""The grids' statistics against what the settings say."""

import numpy as np
import pytest

from reproduction.interference.grids import GridSettings, draw_grids

SETTINGS = GridSettings()


@pytest.fixture(scope="module")
def grids():
    return draw_grids(SETTINGS, 2000, np.random.default_rng(0))


def test_every_other_grid_holds_a_burst(grids):
    np.testing.assert_array_equal(grids.is_disturbed, np.arange(2000) % 2 == 0)


def test_a_burst_is_one_rectangle_of_the_sizes_asked_for(grids):
    heights, widths = set(), set()
    for burst in grids.burst[::2]:
        rows, columns = np.flatnonzero(burst.any(axis=1)), np.flatnonzero(burst.any(axis=0))
        assert burst[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        assert burst.sum() == (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
        heights.add(len(rows))
        widths.add(len(columns))
    assert heights == {3, 4, 5, 6}
    assert widths == {4, 5, 6, 7, 8}
    covered = grids.burst.any(axis=0)
    assert covered.all()  # it stands anywhere


def test_power_is_exponential_with_the_means_of_noise_and_interference(grids):
    """Of an exponential the standard deviation is the mean, so a mean of m is known to m / sqrt(cells)."""
    power = 10.0 ** grids.power[..., 0].astype(float)
    for cells, mean in ((~grids.burst, 1.0), (grids.burst, 1.0 + 10**0.6)):
        found = power[cells]
        assert found.mean() == pytest.approx(mean, abs=5 * mean / np.sqrt(found.size))
        assert found.std() == pytest.approx(mean, rel=0.03)  # five times sqrt(8 / cells) relative
    assert grids.power.shape == (2000, 24, 14, 1)
    assert grids.power.dtype == np.float32


def test_the_same_generator_gives_the_same_grids(grids):
    again = draw_grids(SETTINGS, 2000, np.random.default_rng(0))
    np.testing.assert_array_equal(again.power, grids.power)
    np.testing.assert_array_equal(again.burst, grids.burst)
    other = draw_grids(SETTINGS, 2000, np.random.default_rng(1))
    assert (other.power != grids.power).any()
