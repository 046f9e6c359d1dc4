"""The training samples as rows whose inner products with a target's row are influences."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from reproduction.attribution.inverses import Inverse, Spectral
from reproduction.attribution.objective import Samples
from reproduction.attribution.progress import shown
from reproduction.attribution.sample_gradients import SampleGradients
from reproduction.attribution.sketch import Sketch

KEPT_BYTES = 2**30
"""Of rows that are kept; where they take more, they are computed anew, block by block, in every call."""


@dataclass
class TrainingRows:
    """A row for each training sample: its gradient, or what a projection or a low-rank inverse leaves of it.

    Attributes:
        samples: n of them.
        gradients: computes theirs.
        inverse: of the curvature over them.
        sketch: projects gradients, if they shall be.
    """

    samples: Samples
    gradients: SampleGradients
    inverse: Inverse
    sketch: Sketch | None
    _kept: np.ndarray | None = field(default=None, init=False, repr=False)
    _norms: tuple[np.ndarray, np.ndarray] | None = field(default=None, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def _low_rank(self) -> Spectral | None:
        """The inverse, if samples are kept by their coordinates in it."""
        return self.inverse if isinstance(self.inverse, Spectral) and self.inverse.truncated else None

    @property
    def width(self) -> int:
        """Numbers in a row."""
        if low_rank := self._low_rank:
            return len(low_rank.values)
        return self.gradients.objective.parameters if self.sketch is None else self.sketch.dimension

    def row_of(self, gradients: np.ndarray) -> np.ndarray:
        """Return the rows of samples with these gradients, float [m, P], float32 [m, width]."""
        if low_rank := self._low_rank:
            return low_rank.coordinates(gradients).astype(np.float32)
        return gradients if self.sketch is None else self.sketch.of(gradients)

    def solved(self, gradients: np.ndarray) -> np.ndarray:
        """Return what targets with these gradients, float64 [m, P], multiply rows with, float64 [m, width]."""
        if low_rank := self._low_rank:
            return low_rank.coordinates(gradients)
        solved = self.inverse.solve(gradients)
        return solved if self.sketch is None else self.sketch.of(solved).astype(np.float64)

    def blocks(self, progress: bool) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield which samples, and their rows, float32 [block, width]."""
        if self._kept is not None:
            size = max(1, KEPT_BYTES // 16 // (4 * self.width))  # float64 copies of a block are small beside them
            yield from ((rows, self._kept[rows]) for rows in self._places(size))
            return
        keep = 4 * len(self) * self.width <= KEPT_BYTES
        kept = np.empty((len(self) if keep else 0, self.width), np.float32)
        for rows, gradients in self._gradients(progress):
            part = self.row_of(gradients)
            if keep:
                kept[rows] = part
            yield rows, part
        self._kept = kept if keep else None

    def norms(self, progress: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return |H^-1 g| and sqrt(g^T H^-1 g) of each sample, both float32 [n]."""
        if self._norms is None:
            lengths = np.zeros((2, len(self)))
            for rows, theta, loss in self._lengths(progress):
                lengths[:, rows] = theta, loss
            theta, loss = lengths.astype(np.float32)
            self._norms = theta, loss
        return self._norms

    def _lengths(self, progress: bool) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Yield which samples, and both norms of theirs; coordinates tell them without the gradients."""
        if low_rank := self._low_rank:
            for rows, part in self.blocks(progress):
                wide = part.astype(np.float64)
                yield rows, np.linalg.norm(wide / np.sqrt(low_rank.values), axis=1), np.linalg.norm(wide, axis=1)
            return
        for rows, gradients in self._gradients(progress):
            wide = gradients.astype(np.float64)
            solved = self.inverse.solve(wide)
            squares = np.maximum((solved * wide).sum(axis=1), 0.0)
            yield rows, np.linalg.norm(solved, axis=1), np.sqrt(squares)

    def _gradients(self, progress: bool) -> Iterator[tuple[slice, np.ndarray]]:
        kept = None if self.sketch or self._low_rank else self._kept  # else these are gradients no more
        for rows in shown(list(self._places(self.gradients.size)), progress, "gradients"):
            yield rows, self.gradients.of(self.samples[rows]) if kept is None else kept[rows]

    def _places(self, size: int) -> Iterator[slice]:
        for first in range(0, len(self), size):
            yield slice(first, min(first + size, len(self)))
