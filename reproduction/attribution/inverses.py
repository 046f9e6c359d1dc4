"""(H + damping I)^-1 times vectors, for the curvature H of a training objective, in four ways."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reproduction.attribution.curvature import Curvature
from reproduction.attribution.progress import shown

MOST_EXACT = 4096
"""Weights whose Hessian is written out: 24 P^2 bytes, and P products."""

RESIDUAL = 1e-6
"""Of conjugate gradients, as a share of the right side: below it lies what float32 leaves of a product."""

TRUE_RESIDUAL = 1e-2
"""The residual that the solution itself may have, where rounded products let the iteration's own run away from it."""

FLAT = 1e-5
"""Curvature that float32 does not tell from none, as a share of the greatest."""

AT_ONCE = 64
"""Vectors that are multiplied in one call."""


def inner(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the inner products of rows [m, P] with rows [k, P], summed in float64, [m, k].

    By TensorFlow: on cores that others use too, NumPy's product took twenty times as long.
    """
    import tensorflow as tf

    return tf.matmul(tf.cast(left, tf.float64), tf.cast(right, tf.float64), transpose_b=True).numpy()


class Inverse(ABC):
    """Applies the inverse."""

    @abstractmethod
    def solve(self, rows: np.ndarray) -> np.ndarray:
        """Return (H + damping I)^-1 times each row, float64 [m, P].

        Raises:
            ValueError: it cannot be applied.
        """

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what is worth saving of it: what takes long to build."""
        return {}


class Identity(Inverse):
    """No curvature: influence is the gradients' inner product."""

    def solve(self, rows: np.ndarray) -> np.ndarray:
        """Return the rows."""
        return rows


@dataclass(frozen=True)
class Spectral(Inverse):
    """The inverse on the span of some orthonormal vectors, 0 on what is perpendicular to them.

    Attributes:
        vectors: float32 [k, P], orthonormal; eigenvectors of H, or approximately.
        values: their eigenvalues plus the damping, all positive, float64 [k].
        truncated: whether a sample is kept by its k coordinates, else by its gradient.
    """

    vectors: np.ndarray
    values: np.ndarray
    truncated: bool

    @classmethod
    def stored(cls, arrays: Mapping[str, np.ndarray]) -> "Spectral | None":
        """Return what `arrays` gave, None if another inverse gave it."""
        if "vectors" not in arrays:
            return None
        return cls(arrays["vectors"], arrays["values"], bool(arrays["truncated"]))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all of it."""
        return {"vectors": self.vectors, "values": self.values, "truncated": np.array(self.truncated)}

    def solve(self, rows: np.ndarray) -> np.ndarray:
        """Return V^T diag(1 / values) V times each row."""
        return inner(self.coordinates(rows) / np.sqrt(self.values), self.vectors.T)

    def coordinates(self, rows: np.ndarray) -> np.ndarray:
        """Return V g / sqrt(values) of each row g, float64 [m, k]; their inner products are the influences."""
        return inner(rows, self.vectors) / np.sqrt(self.values)


@dataclass(frozen=True)
class ConjugateGradients(Inverse):
    """Solves for each row by conjugate gradients (Hestenes and Stiefel 1952), P-vectors only.

    Attributes:
        curvature: H.
        damping: what is added to its diagonal.
        iterations: the most products with H per row.
    """

    curvature: Curvature
    damping: float
    iterations: int

    def solve(self, rows: np.ndarray) -> np.ndarray:
        """Solve to a residual of `RESIDUAL` of each row, as the iteration goes; at the end it is looked at once.

        Raises:
            ValueError: H + damping I has negative curvature along a direction that was met, so that there is no
                minimum to solve for; or the residual is not reached, or not the solution's.
        """
        parts = []
        for first in range(0, len(rows), AT_ONCE):
            part = rows[first : first + AT_ONCE]
            parts.append(self._solve(part))
            self._require_solved(part, parts[-1])
        return np.concatenate(parts)

    def _require_solved(self, rows: np.ndarray, solution: np.ndarray) -> None:
        lengths = np.maximum(np.linalg.norm(solution, axis=1, keepdims=True), np.finfo(float).tiny)
        product = self.curvature.times(solution / lengths) * lengths + self.damping * solution
        missing, norms = np.linalg.norm(rows - product, axis=1), np.linalg.norm(rows, axis=1)
        worst = float(np.max(missing[norms > 0] / norms[norms > 0], initial=0.0))
        if worst > TRUE_RESIDUAL:
            raise ValueError(
                f"damping must be so great that float32 products can be inverted, got {self.damping:g}, with which cg "
                f"leaves {worst:.2g} of the gradient; raise it, or take hessian='arnoldi'."
            )

    def _solve(self, rows: np.ndarray) -> np.ndarray:
        norms = np.linalg.norm(rows, axis=1)
        solution, residual, direction = np.zeros_like(rows), rows.copy(), rows.copy()
        squares = norms**2
        for _ in range(self.iterations + 1):
            (open_,) = np.nonzero(np.sqrt(squares) > RESIDUAL * norms)
            if not len(open_):
                return solution
            along = direction[open_]
            lengths = np.linalg.norm(along, axis=1, keepdims=True)
            product = self.curvature.times(along / lengths) * lengths + self.damping * along
            curved = (along * product).sum(axis=1) / lengths[:, 0] ** 2
            if not (curved > 0.0).all():
                raise ValueError(
                    f"damping must exceed {self.damping - curved.min():.3g}, for the curvature is negative along a "
                    f"direction that cg met, got {self.damping:g}; raise it, or take hessian='arnoldi' or "
                    "'gauss_newton'."
                )
            step = squares[open_] / (curved * lengths[:, 0] ** 2)
            solution[open_] += step[:, None] * along
            residual[open_] -= step[:, None] * product
            before, squares[open_] = squares[open_], (residual[open_] ** 2).sum(axis=1)
            direction[open_] = residual[open_] + (squares[open_] / before)[:, None] * along
        left = float(np.max(np.sqrt(squares[norms > 0]) / norms[norms > 0]))
        raise ValueError(
            f"iterations must suffice for a residual of {RESIDUAL:g} of the gradient, but {self.iterations} leave "
            f"{left:.2g}; raise damping or iterations."
        )


def exact(curvature: Curvature, damping: float, progress: bool) -> Spectral:
    """Write the matrix out and diagonalise it in float64; 24 P^2 bytes.

    Raises:
        ValueError: there are more than `MOST_EXACT` weights, or H + damping I is not positive definite.
    """
    count = curvature.objective.parameters
    if count > MOST_EXACT:
        raise ValueError(
            f"hessian must be 'cg', 'arnoldi' or 'gauss_newton' for more than {MOST_EXACT} weights, got 'exact' for "
            f"{count}; or name fewer layers."
        )
    parts = []
    for first in shown(range(0, count, AT_ONCE), progress, "Hessian"):
        parts.append(curvature.times(np.eye(count)[first : first + AT_ONCE]))
    matrix = np.concatenate(parts)
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2.0)
    if values[0] + damping <= FLAT * (values[-1] + damping):
        raise ValueError(
            f"damping must exceed {max(-values[0], 0.0) + FLAT * abs(values[-1]):.3g}, for the Hessian's eigenvalues "
            f"begin at {values[0]:.3g}, got {damping:g}; raise it, or take hessian='arnoldi'."
        )
    return Spectral(vectors.T.astype(np.float32), values + damping, truncated=False)


def arnoldi(curvature: Curvature, damping: float, dimension: int, start: np.ndarray, progress: bool) -> Spectral:
    """Restrict H to a Krylov space, and invert it there: Arnoldi's iteration, as Schioppa et al. 2022, Algorithm 1.

    A symmetric H makes it Lanczos's, here with every vector made perpendicular to all before, twice.

    Differs from the paper (arXiv 2112.03052): no number of eigenvalues to keep is chosen. Kept are those above `FLAT`
    times the greatest; directions of negative or no curvature are left out, as a network in training has them.

    Args:
        curvature: H.
        damping: added to the eigenvalues that are kept.
        dimension: of the Krylov space, and products with H; 8 dimension P bytes.
        start: its first direction, float64 [P].
        progress: show a bar.

    Raises:
        ValueError: no curvature is positive.
    """
    dimension = min(dimension, curvature.objective.parameters)
    basis = np.zeros((dimension, len(start)))
    projected = np.zeros((dimension, dimension))
    following = start / np.linalg.norm(start)
    found = 0
    for place in shown(range(dimension), progress, "curvature"):
        basis[place], found = following, place + 1
        image = curvature.times(following[None])[0]
        for _ in range(2):
            along = basis[:found] @ image
            projected[:found, place] += along
            image -= along @ basis[:found]
        length = np.linalg.norm(image)
        if length <= FLAT * np.abs(projected[:found, :found]).max():
            break  # the space is closed: what remains is rounding
        following = image / length
    upper = np.triu(projected[:found, :found])
    values, rotation = np.linalg.eigh(upper + np.triu(upper, 1).T)
    kept = values > max(FLAT * values[-1], 0.0)
    if not kept.any():
        if not values.any():
            raise ValueError(
                "model must have curvature, got 0 along every direction; see that no step, such as a sign or a "
                "rounding, keeps the gradient from the weights."
            )
        raise ValueError(
            f"hessian='arnoldi' needs positive curvature, got eigenvalues up to {values[-1]:.3g}; train the model "
            "further, or take 'gauss_newton' or 'identity'."
        )
    return Spectral((rotation[:, kept].T @ basis[:found]).astype(np.float32), values[kept] + damping, truncated=True)
