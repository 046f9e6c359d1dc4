"""A figure's document around a result made by hand, whole enough to be read back."""

import dataclasses

from reproduction.slicing.datasets import feature_roles
from reproduction.slicing.settings import PAPER

MADE_WITH = {"versions": {"python": "3.11"}, "machine": {"system": "Linux", "processor": "one", "cores": 2}}


def about(slices):
    """Say of what data the document would be."""
    sizes = {"clients": 2, "training_samples": 80, "test_samples": 20}
    return {
        name: {"target": "CPU load [%]", "features": list(feature_roles(name)), **sizes, "left_out": [], "sha256": "0"}
        for name in slices
    }


def document(figure, result, slices, *, seeds=(0,), settings=PAPER, **changes):
    """Make the document of a figure on generated data."""
    return {
        "figure": figure,
        "preset": settings.name,
        "settings": dataclasses.asdict(settings),
        "data": {"source": "generator", "slices": about(slices)},
        "seeds": list(seeds),
        "trained_with": [MADE_WITH],
        "drawn_with": MADE_WITH,
        "result": result,
    } | changes
