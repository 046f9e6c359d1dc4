"""Fig. 6: what a final model makes of each feature, by the shap package and by our integrated gradients.

Differs from the paper: it does not say on which samples it explains, nor against which baseline.
"""

from typing import Any

import numpy as np

from reproduction.slicing.datasets.slice_data import SliceData
from reproduction.slicing.settings import Settings

EXPLAINED_SAMPLES, BACKGROUND_SAMPLES = 300, 50


def explain_model(weights: np.ndarray, data: SliceData, settings: Settings, *, points: bool) -> dict[str, Any]:
    """Explain one final model on test samples spread over its CLs, against the zero baseline.

    Args:
        weights: of the model, float32 [P].
        data: of its slice.
        settings: its network, and the steps of integrated gradients.
        points: whether every sample's values are wanted too.

    Returns:
        the mean |attribution| of both methods [Q], in % of the target, and their rank correlation; the mean SHAP value
        [Q]; the mean |SHAP| against a background of training samples [Q]; with `points` the samples [n, Q] in physical
        units and both attributions [n, Q].
    """
    from reproduction.results.processes import single_thread

    single_thread()
    import shap
    from scipy.stats import spearmanr

    from reproduction.attribution import explain
    from reproduction.slicing.closed_loop.client_model import keras_model
    from reproduction.slicing.closed_loop.weights import layer_sizes

    features = _spread_out([client.test_features for client in data.clients], EXPLAINED_SAMPLES)
    background = _spread_out([client.train_features for client in data.clients], BACKGROUND_SAMPLES)
    scaled = features / data.feature_maxima
    model = keras_model(weights, layer_sizes(features.shape[1], settings.model), settings.model)

    def shapley(reference: np.ndarray) -> np.ndarray:
        masker = shap.maskers.Independent(reference)
        explainer = shap.explainers.Exact(lambda rows: model(rows.astype(np.float32)).numpy()[:, 0], masker)
        return explainer(scaled, silent=True).values.astype(np.float32)

    shap_values = shapley(np.zeros((1, features.shape[1]), np.float32))
    gradients = explain(model, scaled, method="integrated_gradients", steps=settings.local.integration_steps)
    sizes = np.abs(shap_values).mean(0), np.abs(gradients).mean(0)
    numbers = {
        "mean_abs_shap": sizes[0].tolist(),
        "mean_abs_ig": sizes[1].tolist(),
        "mean_shap": shap_values.mean(0).tolist(),
        "rank_correlation": float(spearmanr(*sizes).statistic),
        "mean_abs_shap_background": np.abs(shapley(background / data.feature_maxima)).mean(0).tolist(),
    }
    each = {"features": features.tolist(), "shap": shap_values.tolist(), "ig": gradients.tolist()}
    return numbers | (each if points else {})


def _spread_out(parts: list[np.ndarray], count: int) -> np.ndarray:
    """Take `count` rows at equal distances over all CLs' samples, or all if there are fewer."""
    rows = np.concatenate(parts)
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]
