"""Every number of a comparison beside the unit and the word that belong to it."""

import numpy as np
import pytest

from reproduction.slicing.comparison import picture
from reproduction.slicing.comparison.measures import Limits
from reproduction.slicing.comparison.quantities import QUANTITIES

UNITS = {
    "final MSE": "%^2",
    "mean MSE over the rounds": "%^2",
    "area between the MSE curves": "%^2",
    "rounds to convergence": "rounds",
    "final confidence": "1",
    "mean confidence over the rounds": "1",
    "area between the confidence curves": "1",
    "margin over nu (lowest C - nu)": "1",
    "share of rounds with C >= nu": "1",
    "KB to convergence": "KB",
    "seconds to convergence": "s",
}
SCALED = {"%^2": "mse", "KB": "kb", "s": "seconds"}
"""Units whose numbers grow with a metric, and that metric."""

LIMITS = Limits(threshold=0.9, tolerance=0.05)


def curves(**factors):
    one = {
        "mse": np.array([1.0, 0.4, 0.03, 0.02]),
        "confidence": np.array([0.99, 0.8, 0.95, 0.91]),
        "kb": np.array([1.0, 2.0, 3.0, 4.0]),
        "seconds": np.array([0.5, 0.6, 0.7, 0.8]),
    }
    return {metric: values * factors.get(metric, 1) for metric, values in one.items()}


def measured(quantity, **factors):
    """Return a quantity of a run, or of a run and one of twice its MSE and half its confidence."""
    if not hasattr(quantity, "measure"):
        pair = curves(**factors), {name: values * 0.5 for name, values in curves(**factors).items()}
        return float(quantity.compare([pair[0]], [pair[1]], LIMITS).mean)
    return quantity.measure(curves(**factors), LIMITS)


def test_every_quantity_has_its_unit():
    assert {quantity.name: quantity.unit for quantity in QUANTITIES} == UNITS


@pytest.mark.parametrize("quantity", QUANTITIES, ids=lambda quantity: quantity.name)
def test_a_number_scales_with_the_metric_of_its_unit_and_with_no_other(quantity):
    """A threefold MSE is a threefold number in %^2, and leaves what has another unit as it is."""
    for unit, metric in SCALED.items():
        factor = 3 if unit == quantity.unit else 1
        assert measured(quantity, **{metric: 3.0}) == pytest.approx(factor * measured(quantity), rel=1e-12)


def test_fewer_is_said_of_what_is_counted():
    words = {quantity.name: quantity.words for quantity in QUANTITIES if hasattr(quantity, "measure")}
    counted = {"rounds to convergence", "KB to convergence"}
    for name, said in words.items():
        if UNITS[name] != "s":  # which no two machines share
            assert said == (("fewer", "more") if name in counted else ("lower", "higher")), name


def test_the_pictures_axes_say_the_unit_of_what_they_show():
    assert picture.PANELS == {"mse": "Training MSE [%²]", "confidence": "Confidence C, training"}
    assert {quantity.name: label for quantity, label in picture.BARS.items()} == {
        "rounds to convergence": "FL rounds to convergence",
        "KB to convergence": "KB to convergence",
        "seconds to convergence": "Seconds to convergence",
    }
