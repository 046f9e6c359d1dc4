"""Attribution by plain gradients: saliency, input x gradient, integrated gradients.

DeepExplain's conventions kept: saliency is |gradient| (Simonyan et al. 2013); input x gradient uses the input itself,
not its distance to a baseline; integrated gradients multiply the path-averaged gradient by input - baseline.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from reproduction.attribution.layout import Layout
from reproduction.attribution.method import Method, difference, require_whole_number
from reproduction.attribution.scalar_function import ScalarFunction


@dataclass(frozen=True, kw_only=True)
class Saliency(Method):
    """The absolute gradient (Simonyan et al. 2013, Sec. 3)."""

    takes_baseline: ClassVar[bool] = False
    differentiates: ClassVar[bool] = True

    def attributions(self, function: ScalarFunction, inputs: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        """Return |df/dx_j|, float64 [n, features]."""
        del baseline
        return np.abs(function.gradients(inputs))


@dataclass(frozen=True, kw_only=True)
class InputTimesGradient(Method):
    """The gradient times the input (Shrikumar et al. 2016): the paper's IxG."""

    takes_baseline: ClassVar[bool] = False
    differentiates: ClassVar[bool] = True

    def attributions(self, function: ScalarFunction, inputs: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        """Return x_j df/dx_j, float64 [n, features]."""
        return difference(inputs, baseline) * self.weighted_attributions(function, inputs, baseline)

    def weighted_attributions(self, function: ScalarFunction, inputs: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        """Return the quotient of Eq. (2) in closed form, df/dx_j, float64 [n, features]."""
        del baseline
        return function.gradients(inputs)


@dataclass(frozen=True, kw_only=True)
class IntegratedGradients(Method):
    """The gradient averaged along the straight path from baseline to input, times its length.

    Sundararajan et al. 2017, Sec. 3: a_j = (x_j - b_j) * integral over t in [0, 1] of df/dx_j at b + t (x - b).

    Attributes:
        steps: number of nodes of the quadrature, >= 1.
        quadrature: one of `QUADRATURES`. On smooth models the error of "midpoint" falls as steps^-2, that of
            "gauss_legendre" faster than any power, that of "right" (DeepExplain's sum) as steps^-1.
    """

    differentiates: ClassVar[bool] = True
    steps: int = 100
    quadrature: str = "midpoint"

    def __post_init__(self) -> None:
        require_whole_number("steps", self.steps, minimum=1)
        if self.quadrature not in QUADRATURES:
            raise ValueError(
                f"quadrature must be one of {', '.join(QUADRATURES)}, got {self.quadrature!r}; pick one of them."
            )

    def rows_per_input(self, layout: Layout) -> int:
        """Return the number of nodes on one input's path."""
        return self.steps

    def attributions(self, function: ScalarFunction, inputs: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        """Return the attributions, float64 [n, features]."""
        return difference(inputs, baseline) * self.weighted_attributions(function, inputs, baseline)

    def weighted_attributions(self, function: ScalarFunction, inputs: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        """Return the quotient of Eq. (2) in closed form, the path-averaged gradient, float64 [n, features]."""
        nodes, weights = QUADRATURES[self.quadrature](self.steps)
        path = baseline + nodes[:, None, None] * difference(inputs, baseline)  # [steps, n, features]
        gradients = function.gradients(path.astype(np.float32).reshape(-1, inputs.shape[1]))
        return np.tensordot(weights, gradients.reshape(path.shape), axes=1)


def midpoint(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights of the midpoint rule on [0, 1], each float64 [steps]."""
    return (np.arange(steps) + 0.5) / steps, np.full(steps, 1.0 / steps)


def gauss_legendre(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights of the Gauss-Legendre rule on [0, 1], each float64 [steps]; NIST DLMF 3.5(v)."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    return (nodes + 1.0) / 2.0, weights / 2.0


def right(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights of the right Riemann sum on [0, 1], each float64 [steps]: DeepExplain's choice."""
    return np.arange(1, steps + 1) / steps, np.full(steps, 1.0 / steps)


QUADRATURES: Mapping[str, Callable[[int], tuple[np.ndarray, np.ndarray]]] = MappingProxyType(
    {"midpoint": midpoint, "gauss_legendre": gauss_legendre, "right": right}
)
