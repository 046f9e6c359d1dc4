"""Fig. 6: how each feature moves the predicted load of the eMBB model, by SHAP values and by integrated gradients.

Both explain the final in-hoc (IG) model on test samples against the zero baseline, the algorithm's "absent".

Differs from the paper: it shows SHAP alone and does not say on which samples nor against which baseline.
"""

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from reproduction import experiment
from reproduction.figure_script import Document, FigureScript


def draw(document: Document) -> Figure:
    """Draw shap's beeswarm of the SHAP values, and of our IG beside it."""
    import matplotlib.pyplot as plt
    import shap

    mpl.use("Agg")
    result = document["result"]
    first, seeds = result["first_seed"], result["per_seed"]
    units = zip(result["feature_names"], result["feature_units"], strict=True)
    names = [f"{name} [{unit}]" if unit else name for name, unit in units]
    # shap shuffles its points by the global NumPy generator; this is the picture's jitter and nothing else.
    np.random.seed(0)  # noqa: NPY002
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 2.9), sharex=True)
    for panel, (title, values) in zip(axes, (("SHAP", first["shap"]), ("IG", first["ig"])), strict=True):
        explanation = shap.Explanation(np.asarray(values), data=np.asarray(first["features"]), feature_names=names)
        shap.plots.beeswarm(explanation, ax=panel, show=False, plot_size=None, color_bar=panel is axes[-1], s=5)
        panel.set_title(title)
        panel.set_xlabel(f"Attribution to {result['target']} [%]")
        panel.tick_params(labelsize=8)
        panel.xaxis.label.set_size(9)
    correlation = np.mean([seed["rank_correlation"] for seed in seeds])
    figure.suptitle(f"{result['slice']}: rank agreement of mean |attribution| over seeds {correlation:.2f}", size=9)
    return figure


SCRIPT = FigureScript(
    name="fig6_attributions",
    about="Fig. 6: distribution of SHAP values and integrated gradients of the eMBB model.",
    compute=experiment.attributions,
    draw=draw,
    slices=("eMBB",),
)

if __name__ == "__main__":
    SCRIPT.main()
