"""Tiny federations against what they gave before the house was rebuilt, bit for bit.

Bits are those of the packages and instruction sets that `data/reference/quick/portability.json` found to agree; on
others, the reference curves' tolerances are the test.
"""

import json

import pytest

from reproduction.results import records
from tests.golden.make_tiny_federations import FEDERATIONS, GOLDEN, tiny_federation

RECORDED = json.loads(GOLDEN.read_text())
DECIDING = ("tensorflow", "keras", "tensorflow-constrained-optimization", "numpy")


def test_the_packages_are_those_of_the_recording():
    """Else the values below would be compared with those of other arithmetic: record both anew, knowingly."""
    versions = records.provenance()["versions"]
    assert {name: versions[name] for name in DECIDING} == {name: RECORDED["versions"][name] for name in DECIDING}


@pytest.mark.parametrize("label", FEDERATIONS)
def test_a_tiny_federation_keeps_its_bits(tmp_path, label):
    assert tiny_federation(tmp_path, label) == RECORDED["federations"][label]


def test_the_recorded_federations_differ():
    assert len({one["sha256"]["weights"] for one in RECORDED["federations"].values()}) == len(FEDERATIONS)
