"""The interface that every attribution method implements."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reproduction.attribution.layout import Layout
from reproduction.attribution.scalar_function import ScalarFunction


@dataclass(frozen=True, kw_only=True)
class Method(ABC):
    """One attribution method. The fields of an implementation are its options, checked when it is built."""

    takes_baseline: ClassVar[bool] = True
    """False where the method's reference is zero by definition."""

    differentiates: ClassVar[bool] = False
    """Whether the method asks for the function's gradients."""

    def rows_per_input(self, layout: Layout) -> int:
        """Return how many model inputs one explained input costs at once, which bounds the memory of a batch."""
        del layout
        return 1

    def reading(self, function: ScalarFunction, inputs: np.ndarray) -> ScalarFunction:
        """Return the function with what the method reads of its model, once for all batches of float32 [n, features].

        Raises:
            ValueError: it cannot be read.
            TypeError: it is no model of the kind that the method reads.
        """
        del inputs
        return function

    @abstractmethod
    def attributions(self, function: ScalarFunction, inputs: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        """Explain one batch.

        Args:
            function: what is explained.
            inputs: float32 [n, features].
            baseline: float32 [n, features].

        Returns:
            The attributions, float64 [n, features].
        """

    def weighted_attributions(self, function: ScalarFunction, inputs: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        """Eq. (2): a / (input - baseline), 0 where a feature stands at its baseline.

        Methods whose quotient is known in closed form override this and do not divide.

        Args:
            function: what is explained.
            inputs: float32 [n, features].
            baseline: float32 [n, features].

        Returns:
            The weighted attributions, float64 [n, features].
        """
        attributions = self.attributions(function, inputs, baseline)
        distance = difference(inputs, baseline)
        return np.divide(attributions, distance, out=np.zeros_like(attributions), where=distance != 0.0)


def difference(inputs: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    """Return inputs - baseline without rounding to float32, float64 [n, features]."""
    return inputs.astype(np.float64) - baseline.astype(np.float64)


def require_whole_number(name: str, value: object, minimum: int) -> None:
    """Refuse an option that is not a whole number >= minimum.

    Raises:
        ValueError: `value` is not an int (bool is none), or is below `minimum`.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < minimum:
        raise ValueError(f"{name} must be a whole number >= {minimum}, got {value!r}; pass one.")


def require_truth_value(name: str, value: object) -> None:
    """Refuse an option that is neither True nor False.

    Raises:
        ValueError: `value` is no bool.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} must be True or False, got {value!r}; pass one of them.")
