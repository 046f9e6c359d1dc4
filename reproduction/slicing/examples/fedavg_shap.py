"""Plain FedAvg, explained afterwards with SHAP instead of IG: only the score changes, not the training.

McMahan, Moore, Ramage, Hampson, Aguera y Arcas, "Communication-Efficient Learning of Deep Networks from Decentralized
Data", AISTATS 2017. Its MSE is our post-hoc scheme's, bit for bit; its confidence is what another explainer sees in the
same models:

    run_method(FedAvg(), data, PAPER, explainer="shapley_exact")

Differs from the paper: its post-hoc baseline is explained with IG.
"""

from dataclasses import dataclass

import numpy as np

from reproduction.slicing.closed_loop.local_training import post_hoc_round
from reproduction.slicing.closed_loop.weights import layer_sizes
from reproduction.slicing.settings import PAPER, Explainer, LocalSettings, ModelSettings

EXPLAINER: Explainer = "shapley_exact"
"""To score with."""


@dataclass(frozen=True, kw_only=True)
class FedAvg:
    """A method for `comparison.run_method`.

    Attributes:
        local: L, the learning rate, and the iterate returned.
        model: the network.
        name: in legends.
    """

    local: LocalSettings = PAPER.local
    model: ModelSettings = PAPER.model
    name: str = "FedAvg + SHAP"

    def local_update(self, weights, client_data, round_number, rng) -> np.ndarray:
        """Return the CL's weights after L epochs, float32 [P]."""
        local_round = post_hoc_round(layer_sizes(client_data.features.shape[1], self.model), self.model, self.local)
        ones = np.ones_like(client_data.target)  # every sample counts
        return local_round(weights, client_data.features.T, client_data.target, ones).numpy()
