"""Arrays of any rank, and several of them, as one matrix of features, and back.

Every method but occlusion and the walks through layers asks only which features there are, not how they lie; so all of
a sample's numbers, of all inputs one behind the other, are its features.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Layout:
    """How a sample's features lie in the model's inputs.

    Attributes:
        shapes: of each input, without the samples.
        is_list: whether the model takes a list of arrays, or one array.
    """

    shapes: tuple[tuple[int, ...], ...]
    is_list: bool

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of features in each input."""
        return tuple(math.prod(shape) for shape in self.shapes)

    @property
    def features(self) -> int:
        """Their sum."""
        return sum(self.sizes)

    @property
    def ends(self) -> tuple[int, ...]:
        """Behind which feature each input but the last ends."""
        return tuple(np.cumsum(self.sizes)[:-1].tolist())

    def pack(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """Join arrays [n, ...], one per input, into [n, features]."""
        flat = [array.reshape(len(array), -1) for array in arrays]
        return flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1)

    def unpack(self, rows: Any) -> list[Any]:
        """Cut an array [n, features] into arrays [n, ...], one per input."""
        parts = np.split(rows, self.ends, axis=1) if self.ends else [rows]
        return [part.reshape(len(rows), *shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def as_given(self, rows: np.ndarray) -> Any:
        """Return an array [n, features] as the caller gave the inputs: one array [n, ...], or a list of them."""
        arrays = self.unpack(rows)
        return arrays if self.is_list else arrays[0]
