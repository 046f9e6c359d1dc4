"""A reference of curves made by hand."""

import pytest

from reproduction.slicing.comparison.reference_curves import read_reference
from tests.helpers.comparisons import write_reference


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return read_reference(write_reference(tmp_path_factory.mktemp("reference")))


@pytest.fixture
def folders(tmp_path):
    """A reference folder and the path of their curves."""
    return write_reference(tmp_path / "reference"), tmp_path / "theirs.csv"
