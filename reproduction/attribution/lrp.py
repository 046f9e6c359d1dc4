"""Layer-wise relevance propagation with the epsilon rule, on a Keras model.

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
from typing import Any, ClassVar

import numpy as np

from reproduction.attribution.graph import Operation
from reproduction.attribution.method import require_truth_value
from reproduction.attribution.walk import WalkMethod


@dataclass(frozen=True, kw_only=True)
class EpsilonLrp(WalkMethod):
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

    def slope(self, activation: Operation, z: Any, a: Any, z0: Any, a0: Any) -> Any:
        """Return g(z) / (z + epsilon * sign(z)).

        With a relative epsilon nothing passes where all pre-activations are 0.
        """
        import tensorflow as tf

        del activation, z0, a0
        if not self.relative:
            return a / (z + tf.where(z >= 0.0, _float64(self.epsilon), _float64(-self.epsilon)))
        size = tf.sqrt(tf.reduce_mean(z**2, axis=list(range(1, len(z.shape))), keepdims=True))
        return tf.math.divide_no_nan(a, z + tf.where(z >= 0.0, self.epsilon * size, -self.epsilon * size))


def _float64(number: float) -> Any:
    import tensorflow as tf

    return tf.constant(number, tf.float64)
