"""What an installation without the extra can do, and what it says."""

import importlib
import sys

import pytest


@pytest.fixture
def no_sionna(monkeypatch):
    """Forget the room's modules and make Sionna look absent."""
    for name in list(sys.modules):
        if name.split(".")[0] == "sionna" or name.startswith("reproduction.ofdm"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sionna", None)


@pytest.mark.parametrize("name", ["link", "grid_link"])
def test_the_link_names_the_package_and_the_extra(no_sionna, name):
    with pytest.raises(ModuleNotFoundError) as refusal:
        importlib.import_module(f"reproduction.ofdm.{name}")
    assert str(refusal.value) == (
        "reproduction.ofdm.link needs Sionna, and the module sionna is not installed; "
        'pip install "explainable-fl-ran-slicing[phy]", or pip install ".[phy]" in a checkout, brings sionna-no-rt.'
    )


@pytest.mark.parametrize(
    "name",
    [
        *("frame", "taps", "channels", "estimates", "error_rate"),
        *("tdl", "conditions", "grid", "mixed_channels", "grid_estimates"),
    ],
)
def test_the_rest_works(no_sionna, name):
    importlib.import_module(f"reproduction.ofdm.{name}")
