"""Fig. 6: how each feature moves the predicted load of the eMBB models, by SHAP values and by integrated gradients.

Both explain the final models on test samples against the zero baseline, the algorithm's "absent".

Differs from the paper: it shows SHAP of one model, and does not say of which scheme, on which samples nor against which
baseline; here the in-hoc (IG) and the post-hoc model.
"""

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from reproduction.figure_script import Document
from reproduction.results.plotting import new_figure
from reproduction.results.seed_statistics import mean
from reproduction.results.words import number
from reproduction.slicing import experiment, figures
from reproduction.slicing.script import paper_script


def draw(document: Document) -> Figure:
    """Draw shap's beeswarms: a row per model, SHAP values beside our IG."""
    import shap

    result = document["result"]
    units = zip(result["feature_names"], result["feature_units"], strict=True)
    names = [f"{name} [{unit}]" if unit else name for name, unit in units]
    # shap shuffles its points by the global NumPy generator; this is the picture's jitter and nothing else.
    np.random.seed(0)  # noqa: NPY002
    figure, grid = new_figure(2, rows=len(result["models"]), height=5.0, sharex=True)
    for row, (label, seeds) in zip(grid, result["models"].items(), strict=True):
        agreement = number(mean([seed["rank_correlation"] for seed in seeds]), ".2f")
        for panel, method in zip(row, ("shap", "ig"), strict=True):
            values, data = np.asarray(seeds[0][method]), np.asarray(seeds[0]["features"])
            explanation = shap.Explanation(values, data=data, feature_names=names)
            order = np.argsort(-np.abs(np.asarray(seeds[0]["shap"])).mean(0))
            swarm = {"ax": panel, "show": False, "plot_size": None, "color_bar": False, "s": 5, "order": order}
            shap.plots.beeswarm(explanation, max_display=len(names), **swarm)
            panel.set_title(f"{label}, {method.upper()}")
            panel.set_xlabel("")
            panel.tick_params(labelsize=8, labelbottom=False)
        row[1].set_yticklabels([])
        row[1].annotate(f"rank agreement {agreement}", (0.98, 0.02), xycoords="axes fraction", ha="right", size=8)
    for panel in grid[-1]:
        panel.tick_params(labelbottom=True)
        panel.set_xlabel(f"Attribution to {result['target']} [%]", size=9)
    colours = mpl.cm.ScalarMappable(cmap=shap.plots.colors.red_blue)
    bar = figure.colorbar(colours, ax=grid, ticks=[0, 1], aspect=60, pad=0.02)
    bar.set_ticklabels(["low", "high"])
    bar.set_label("Feature value", size=9)
    bar.outline.set_visible(False)
    return figure


SCRIPT = paper_script(figures.ATTRIBUTIONS, compute=experiment.attributions, draw=draw)

if __name__ == "__main__":
    SCRIPT.main()
