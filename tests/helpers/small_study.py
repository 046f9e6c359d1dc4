"""What the tests of the studies share: a preset and generated data so small that a study takes seconds."""

from dataclasses import replace

from reproduction.slicing.datasets import generate_slice
from reproduction.slicing.settings import SENSITIVITY
from tests.helpers import figure_scripts

TINY = replace(
    SENSITIVITY,
    clients=2,
    samples=60,
    test_samples=20,
    rounds=3,
    model=figure_scripts.TINY.model,
    local=figure_scripts.TINY.local,
    client_counts=(1, 2),
)
SLICES = ("eMBB", "Browsing")


def make(name, seed, clients):
    return generate_slice(name, seed=seed, clients=clients, samples=TINY.samples, test_samples=TINY.test_samples)
