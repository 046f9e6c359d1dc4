"""A second-order polynomial in place of a trained network: fitted by least squares, explained in closed form.

    f(x) = value + slope . z + z' curvature z / 2,        z = x - centre

Its gradient is linear, so the mean of the gradient along the path of integrated gradients is the gradient half-way. For
a quadratic that is the exact Shapley value over (x - baseline) too: both share an interaction of two features equally.

Differs from the paper: it has no such thing. All arrays are float64 with samples as rows.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True, eq=False)
class Quadratic:
    """The polynomial.

    Attributes:
        centre: [Q].
        value: at the centre.
        slope: gradient at the centre, [Q].
        curvature: Hessian, [Q, Q], symmetric.
    """

    centre: np.ndarray
    value: float
    slope: np.ndarray
    curvature: np.ndarray

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return f, [n], of features [n, Q]."""
        deviation = features - self.centre
        return self.value + deviation @ self.slope + ((deviation @ self.curvature) * deviation).sum(axis=1) / 2

    def gradient(self, features: np.ndarray) -> np.ndarray:
        """Return the gradient, [n, Q], at features [n, Q]."""
        return self.slope + (features - self.centre) @ self.curvature

    def mean_gradient(self, features: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        """Return alpha of eq. (2), IG over (x - baseline), [n, Q]: the gradient's mean from the baseline [Q] to x."""
        return self.gradient((features + baseline) / 2)

    def worths(self, features: np.ndarray, baseline: np.ndarray, members: np.ndarray) -> np.ndarray:
        """Return f where the features outside a coalition stand at the baseline.

        Args:
            features: [n, Q].
            baseline: [Q].
            members: the coalitions, bool [m, Q].

        Returns:
            [n, m]. A membership is its own square, so one product of matrices gives them all.
        """
        difference, present = features - baseline, members.astype(float)
        one, other = np.triu_indices(members.shape[1], 1)
        alone = difference * self.gradient(baseline) + difference**2 * np.diag(self.curvature) / 2
        together = difference[:, one] * difference[:, other] * self.curvature[one, other]
        terms, chosen = np.hstack([alone, together]), np.hstack([present, present[:, one] * present[:, other]])
        return self.predict(baseline[None]) + terms @ chosen.T


def coefficients(features: int) -> int:
    """Return how many numbers a polynomial of Q features has: 1 + Q + Q (Q + 1) / 2."""
    return (features + 1) * (features + 2) // 2


def fit(features: np.ndarray, target: np.ndarray) -> Quadratic:
    """Fit by least squares about the features' mean; of equally good fits the one with the smallest coefficients.

    A feature that never changes so gets no weight.

    Args:
        features: [n, Q].
        target: [n].

    Raises:
        ValueError: fewer samples than coefficients.
    """
    count, number = features.shape
    if count < coefficients(number):
        raise ValueError(
            f"{count} samples are too few for the {coefficients(number)} coefficients of a second-order polynomial in "
            f"{number} features; give more rows or fewer feature columns"
        )
    centre, offset = features.mean(axis=0), target.mean()
    deviation, (one, other) = features - centre, np.triu_indices(number)
    design = np.hstack([np.ones((count, 1)), deviation, deviation[:, one] * deviation[:, other]])
    value, *rest = np.linalg.lstsq(design, target - offset, rcond=None)[0]
    curvature = np.zeros((number, number))
    curvature[one, other] = rest[number:]
    return Quadratic(
        centre=centre, value=offset + value, slope=np.array(rest[:number]), curvature=curvature + curvature.T
    )


def r_squared(target: np.ndarray, prediction: np.ndarray) -> float:
    """Return the share of the target's variance that a prediction explains; NaN if the target never changes."""
    spread = ((target - target.mean()) ** 2).sum()
    return float(1 - ((target - prediction) ** 2).sum() / spread) if spread > 0 else float("nan")
