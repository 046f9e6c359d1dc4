"""Each caution on a small table: said where it is true, in words that name it, and not beyond its bound."""

import numpy as np
import pytest

from reproduction.slicing import cautions
from reproduction.slicing.datasets import SLICES, ClientData, Feature, SliceData, generate_slice
from reproduction.slicing.settings import PAPER, SliceSettings

NAN = float("nan")
SLA = SliceSettings(confidence_threshold=0.82)
"""0 to 3 %."""


def table(*, web=((1.0, 5.0), (2.0, 4.0)), rank=((10.0, 60.0), (20.0, 50.0)), load=((1.0, 4.0), (2.0, 5.0))):
    """Build a slice of a client `a`, `b` per entry, with these training values; the test part is of no concern."""
    features = (
        Feature(name="web", unit="Mbps", maximum=5.0, role="traffic"),
        Feature(name="rank4", unit="%", maximum=60.0, role="rank"),
    )
    clients = tuple(
        ClientData(
            name=name,
            train_features=np.array(columns[:2], np.float32).T,
            train_target=np.array(columns[2], np.float32),
            test_features=np.zeros((1, 2), np.float32),
            test_target=np.zeros(1, np.float32),
        )
        for name, *columns in zip("ab", web, rank, load, strict=True)
    )
    return SliceData(name="cells", features=features, target_name="cpu", target_unit="%", clients=clients)


def loads(inside, outside):
    """Build a table with so many loads inside and outside of 0 to 3 %."""
    values = [2.0] * inside + [4.0] * outside
    blank = [[1.0] * len(values)] * 2
    return table(web=blank, rank=[[50.0] * len(values)] * 2, load=[values, values])


def test_nothing_is_said_of_a_sound_table():
    assert list(cautions.before_training(table(), SLA)) == []


@pytest.mark.parametrize("name", SLICES)
@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_said_of_the_generated_data(name, seed):
    data = generate_slice(name, seed=seed, clients=PAPER.clients, samples=PAPER.samples)
    assert list(cautions.before_training(data, PAPER.slices[name])) == []


@pytest.mark.parametrize(
    ("inside", "outside", "words"),
    [
        (0, 20, "holds for 0 % of the training targets, so U is empty or small"),
        (1, 24, "holds for 4 % of the training targets, so U is empty or small"),
        (1, 19, ""),
        (999, 1, ""),
        (2000, 1, "holds for 99.95 % of the training targets, so there is nothing to constrain"),
        (20, 0, "holds for 100 % of the training targets, so there is nothing to constrain"),
    ],
)
def test_share_inside_the_sla(inside, outside, words):
    said = list(cautions.before_training(loads(inside, outside), SLA))
    wanted = [f"cells: the SLA, 0 to 3 %, {words}; give the interval that matters (sla_percent)"] if words else []
    assert said == wanted


@pytest.mark.parametrize(("lower", "upper"), [(4.0, 9.0), (0.0, 2.0)])
def test_the_bounds_of_the_sla_are_inside_it(lower, upper):
    """Half of the loads are 2 %, half 4 %."""
    sla = SliceSettings(confidence_threshold=0.8, lower_percent=lower, upper_percent=upper)
    assert cautions.sla_share(loads(10, 10), sla) == ""


@pytest.mark.parametrize(
    ("web", "words"),
    [
        (((1.0, 4.0), (0.0, 0.0039)), "at most 0.0039 in client 'b' and 4 in client 'a'"),
        (((1.0, 0.25), (9.0, 1000.0)), "at most 1 in client 'a' and 1,000 in client 'b'"),
        (((1.0, 0.25), (9.0, 999.0)), ""),
        (((1.0, 4.0), (0.0, 0.0)), ""),
        (((0.0, 0.0), (0.0, 0.0)), ""),
    ],
)
def test_scales_of_clients(web, words):
    wanted = [f"cells, feature 'web': {words}; give both in one unit"] if words else []
    assert list(cautions.before_training(table(web=web), SLA)) == wanted


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rank": ((0.1, 0.6), (0.2, 1.0))}, "cells, rank4: never above 1 although in percent"),
        ({"rank": ((0.1, 0.6), (0.2, 1.01))}, ""),
        ({"rank": ((0.0, 0.0), (0.0, 0.0))}, ""),
        ({"web": ((0.1, 0.6), (0.2, 1.0))}, ""),
        ({"load": ((-1.0, 0.02), (-1.0, 0.03))}, "cells, cpu: never above 0.03 although in percent"),
    ],
)
def test_a_percent_column_that_looks_like_a_fraction(changes, words):
    wanted = [f"{words}; if it is a fraction, multiply it by 100"] if words else []
    assert list(cautions.before_training(table(**changes), SLA)) == wanted


@pytest.mark.parametrize(
    ("undefined", "empty_epochs", "words"),
    [
        (2, 0, ""),
        (3, 300, "no CL has a prediction inside the SLA, 0 to 3 %: U is empty, C is not defined"),
        (0, 200, ""),
        (0, 201, "U was empty in every CL in 1 or more of 100 local epochs, which nothing constrained; "),
        (0, 300, "U was empty in every CL in 100 or more of 100 local epochs, which nothing constrained; "),
    ],
)
def test_an_empty_u(undefined, empty_epochs, words):
    """3 CLs of 100 epochs: 200 may be the epochs of two of them; the 201st must be one of all three."""
    said = cautions.empty_members(SLA, 3, 100)({"undefined_clients": undefined, "empty_epochs": empty_epochs})
    assert said.startswith(words)
    assert bool(said) == bool(words)


@pytest.mark.parametrize(("r_squared", "said"), [(0.5, False), (0.499, True), (-3.0, True), (NAN, False)])
def test_a_poor_fit(r_squared, said):
    line = cautions.poor_fit("cells, post-hoc", r_squared)
    assert line.startswith(f"cells, post-hoc: R^2 on test data is {r_squared:.2f}, below 0.5: " if said else "")
    assert bool(line) == said


@pytest.mark.parametrize(
    ("confidence", "inside", "said"),
    [
        ([[1.0, 1.0], [1.0, 1.0]], [[1.0, 1.0], [1.0, 0.9995]], True),
        ([[1.0, 1.0], [1.0, 0.9999]], [[1.0, 1.0], [1.0, 1.0]], False),
        ([[1.0, 1.0], [1.0, 1.0]], [[1.0, 0.999], [1.0, 1.0]], False),
        ([[1.0, None], [1.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]], False),
    ],
)
def test_a_confidence_that_nothing_tests(confidence, inside, said):
    line = cautions.untested_confidence("cells, post-hoc", confidence, inside)
    assert line.startswith(
        "cells, post-hoc: C is 1 in every round, and no prediction comes near the bound" if said else ""
    )
    assert bool(line) == said


@pytest.mark.parametrize(
    ("converged", "words"),
    [
        ([22.0], ""),
        ([23.0], "in 1 of 1 seed(s) (round 23)"),
        ([NAN], "in 1 of 1 seed(s) (round none)"),
        ([23.0, 5.0], ""),
        ([23.0, NAN, 5.0], "in 2 of 3 seed(s) (round 23, none)"),
    ],
)
def test_a_late_convergence(converged, words):
    """The last quarter of 30 rounds begins after round 22.5."""
    line = cautions.late_convergence("cells, post-hoc", converged, 30)
    assert words in line
    assert bool(line) == bool(words)
