"""The CLs' data as they are held: sorted by name, under a key that names their content."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reproduction.slicing.closed_loop.client import Samples


@dataclass(frozen=True, kw_only=True, eq=False)
class Held:
    """One part, training or test, of all CLs' data.

    Attributes:
        key: SHA-256 of names and arrays; equal for equal data, so that whoever has them need not be sent them again.
        samples: in the order of the names.
    """

    key: str
    samples: tuple[Samples, ...]

    def check(self, own: Sequence[Sequence[Any]]) -> None:
        """Check that each column of what is the CLs' own has an entry per CL.

        Raises:
            ValueError: for a column of another length.
        """
        for column in own:
            if len(column) != len(self.samples):
                raise ValueError(f"own must have an entry per client ({len(self.samples)}), got {len(column)}")


def hold(samples: Sequence[Samples]) -> Held:
    """Sort CLs' data by name, and name them by their content."""
    ordered = tuple(sorted(samples, key=lambda one: one.name))
    sha = hashlib.sha256()
    for one in ordered:
        for array in one.arrays:
            sha.update(f"{one.name} {array.shape} ".encode())
            sha.update(np.ascontiguousarray(array).data)
    return Held(key=sha.hexdigest(), samples=ordered)
