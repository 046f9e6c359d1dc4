"""FedProx: a CL's loss also holds its weights near the global model's, by mu / 2 * ||w - w_global||^2.

Li, Sahu, Zaheer, Sanjabi, Talwalkar, Smith, "Federated Optimization in Heterogeneous Networks", MLSys 2020, eq. (2).
With mu = 0 it is FedAvg, our post-hoc scheme.

Differs from the paper: FedProx is not in it. From Li et al.: every CL takes the same L epochs, none is a straggler.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import tensorflow as tf

from reproduction.slicing.closed_loop.client_model import network
from reproduction.slicing.closed_loop.local_training import descend
from reproduction.slicing.closed_loop.weights import layer_sizes
from reproduction.slicing.settings import PAPER, LocalSettings, ModelSettings


@dataclass(frozen=True, kw_only=True)
class FedProx:
    """A method for `comparison.run_method`.

    Attributes:
        proximal: mu of Li et al.; 0.1 is in the middle of the values that they tune over.
        local: L, the learning rate, and the iterate returned.
        model: the network.
        name: in legends.
    """

    proximal: float = 0.1
    local: LocalSettings = PAPER.local
    model: ModelSettings = PAPER.model
    name: str = "FedProx"

    def local_update(self, weights, client_data, round_number, rng) -> np.ndarray:
        """Return the CL's weights after L epochs, float32 [P]."""
        sizes = layer_sizes(client_data.features.shape[1], self.model)
        local_round = _compiled(sizes, self.model, self.local, self.proximal)
        return local_round(weights, client_data.features.T, client_data.target).numpy()


@cache
def _compiled(sizes: tuple[int, ...], model: ModelSettings, local: LocalSettings, proximal: float):
    """Compile the local round once per process, for CLs of one size."""

    @tf.function(jit_compile=True, autograph=False)
    def local_round(start, features, target):
        def loss(weights):
            mse = tf.reduce_mean((network(weights, sizes, model)(features) - target) ** 2)
            return mse + proximal / 2 * tf.reduce_sum((weights - start) ** 2)

        return descend(loss, start, local)

    return local_round
