"""Layer-wise relevance propagation with the epsilon rule, on a chain of Keras layers.

Bach et al. 2015, Eq. (58), in the multiplier form of Ancona et al. 2018, Prop. 1: relevance is the input times a
modified gradient, in which an activation a = g(z) is passed by the ratio g(z) / z in place of g'(z).

DeepExplain's conventions kept:

* relevance starts from the output value f(x), whatever the output layer is;
* the ratio of every activation is stabilised, g(z) / (z + epsilon * sign(z)) with sign(0) = +1; affine maps
  with no activation behind them are passed exactly, the output layer included;
* biases absorb relevance: they take their share and keep it, so relevance is conserved on bias-free networks only;
* at z = 0 the stabilised ratio is g(0) / epsilon: 0 for activations through the origin, but large for sigmoid
  and softplus, which are not (a known weakness of the rule, not of this code);
* epsilon is absolute: pre-activations far below it lose their relevance to it, so shares depend on the inputs' scale.
  With `relative=True` epsilon counts in root mean squares of a layer's pre-activations, sample by sample (Montavon et
  al. 2019, doi 10.1007/978-3-030-28954-6_10, whose own code has 0.1 and 0.25 of them).

For ReLU and leaky ReLU g(z) / z IS g'(z), so with a vanishing epsilon this method tends to input x gradient, biases or
not (Ancona et al. 2018, Prop. 3); it parts from it through epsilon, and through every other activation.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reproduction.attribution.chain import ChainMethod
from reproduction.attribution.method import require_truth_value
from reproduction.attribution.pieces import Activation


@dataclass(frozen=True, kw_only=True)
class EpsilonLrp(ChainMethod):
    """Epsilon-LRP.

    Attributes:
        epsilon: the stabiliser, > 0, in units of the pre-activations.
        relative: count it in root mean squares of the sample's pre-activations of the layer instead.
    """

    takes_baseline: ClassVar[bool] = False
    epsilon: float = 1e-4
    relative: bool = False

    def __post_init__(self) -> None:
        number = isinstance(self.epsilon, (int, float, np.number)) and not isinstance(self.epsilon, bool)
        if not (number and 0.0 < self.epsilon < np.inf):
            raise ValueError(f"epsilon must be a finite number > 0, got {self.epsilon!r}; DeepExplain's is 1e-4.")
        require_truth_value("relative", self.relative)

    def passed(
        self, activation: Activation, multipliers: np.ndarray, z: np.ndarray, reference: np.ndarray
    ) -> np.ndarray:
        """Multiply by g(z) / (z + epsilon * sign(z)); a linear activation lets everything through.

        With a relative epsilon nothing passes where all pre-activations are 0.
        """
        del reference
        if activation.is_linear:
            return multipliers
        size = np.sqrt(np.mean(z**2, axis=1, keepdims=True)) if self.relative else 1.0
        stabilised = z + self.epsilon * size * np.where(z >= 0.0, 1.0, -1.0)
        ratio = np.divide(activation.forward(z), stabilised, out=np.zeros_like(z), where=stabilised != 0.0)
        return multipliers * ratio
