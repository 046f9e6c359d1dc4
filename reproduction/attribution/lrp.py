"""Layer-wise relevance propagation with the epsilon rule, on a chain of Keras layers.

Bach et al. 2015, Eq. (58), in the multiplier form of Ancona et al. 2018, Prop. 1: relevance is the input times a
modified gradient, in which an activation a = g(z) is passed by the ratio g(z) / z in place of g'(z).

DeepExplain's conventions kept:

* relevance starts from the output value f(x), whatever the output layer is;
* the ratio of every activation is stabilised, g(z) / (z + epsilon * sign(z)) with sign(0) = +1; affine maps
  with no activation behind them are passed exactly, the output layer included;
* biases absorb relevance: they take their share and keep it, so relevance is conserved on bias-free networks only;
* at z = 0 the stabilised ratio is g(0) / epsilon: 0 for activations through the origin, but large for sigmoid
  and softplus, which are not (a known weakness of the rule, not of this code).

For ReLU and leaky ReLU g(z) / z IS g'(z), so with a vanishing epsilon this method tends to input x gradient, biases or
not (Ancona et al. 2018, Prop. 3); it parts from it through epsilon, and through every other activation.

Differs from the paper: nothing.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reproduction.attribution.activations import Activation
from reproduction.attribution.layers import read_chain
from reproduction.attribution.method import Method
from reproduction.attribution.scalar_function import ScalarFunction


@dataclass(frozen=True, kw_only=True)
class EpsilonLrp(Method):
    """Epsilon-LRP.

    Attributes:
        epsilon: the stabiliser, > 0, in units of the pre-activations.
    """

    takes_baseline: ClassVar[bool] = False
    epsilon: float = 1e-4

    def __post_init__(self) -> None:
        if not (isinstance(self.epsilon, (int, float, np.number)) and 0.0 < self.epsilon < np.inf):
            raise ValueError(f"epsilon must be a finite number > 0, got {self.epsilon!r}; DeepExplain's is 1e-4.")

    def attributions(self, function: ScalarFunction, inputs: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        """Return the relevance of the input features, float64 [n, features]."""
        del baseline
        chain = read_chain(function.model)
        states = [inputs.astype(np.float64)]
        for piece in chain:
            states.append(piece.forward(states[-1]))
        multipliers = one_hot(states[-1], function)
        for piece, z in zip(reversed(chain), reversed(states[:-1]), strict=True):
            if not isinstance(piece, Activation):
                multipliers = piece.pull_back(multipliers)
            elif not piece.is_linear:
                sign = np.where(z >= 0.0, 1.0, -1.0)
                multipliers = multipliers * piece.forward(z) / (z + self.epsilon * sign)
        return states[0] * multipliers


def one_hot(output: np.ndarray, function: ScalarFunction) -> np.ndarray:
    """Return the multipliers at the output, float64 [n, outputs]: 1 for the unit to explain, 0 elsewhere.

    Raises:
        ValueError: the function's target is missing or out of range.
    """
    multipliers = np.zeros_like(output)
    multipliers[:, function.column_of(output.shape[1])] = 1.0
    return multipliers
