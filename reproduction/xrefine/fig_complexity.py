"""What an estimate costs before and after: parameters, MAC, FLOPs, and measured its size and its time per symbol.

Bars are shares of the full network's; by formula the mean over the seeds, measured of the first seed alone.
"""

import numpy as np
from matplotlib.figure import Figure

from reproduction.figure_script import Document
from reproduction.results.plotting import legend_below, new_figure
from reproduction.results.seed_statistics import mean
from reproduction.results.words import markdown_table, mean_and_sd
from reproduction.xrefine import experiment
from reproduction.xrefine.documents import Complexity
from reproduction.xrefine.script import figure

BY_FORMULA = {"parameters": "parameters", "mac": "MAC", "flops": "FLOPs"}
MEASURED = {
    "tflite_bytes": "bytes, TFLite",
    "microseconds": "time, TFLite",
    "microseconds_compiled": "time, TensorFlow compiled",
}
COLOURS = ("#0072B2", "#56B4E9", "#D55E00", "#999999", "#009E73", "#E69F00")


def draw(document: Document) -> Figure:
    """Draw a group of bars per case."""
    cases = document["result"]["cases"]
    figure, grid = new_figure(1, width=max(3.6, 1.5 * len(cases) + 1.5), height=2.9)
    axes = grid[0, 0]
    names = {**BY_FORMULA, **MEASURED}
    for number, (name, label) in enumerate(names.items()):
        shares = [_share(case, name) for case in cases]
        places = np.arange(len(cases)) + 0.14 * (number - 2.5)
        axes.bar(places, shares, 0.13, label=label, color=COLOURS[number])
    axes.set_xticks(range(len(cases)), [f"{case['channel']}\n{case['modulation']}" for case in cases])
    axes.axhline(1.0, color="black", linewidth=0.6, linestyle=":")
    axes.grid(axis="x", visible=False)
    axes.set_ylabel("refined / full")
    legend_below(figure, axes, 3)
    return figure


def _share(case: dict, name: str) -> float:
    """Return what is left of a cost."""
    if name in BY_FORMULA:
        return mean(case["refined"][name]) / case["full"][name]
    return case["measured"]["refined"][name] / case["measured"]["full"][name]


def tables(document: Document) -> dict[str, str]:
    """Return each cost before and after, a line each."""
    rows = []
    for case in document["result"]["cases"]:
        where = (case["channel"], case["modulation"])
        for name, label in BY_FORMULA.items():
            rows.append((*where, label, f"{case['full'][name]}", mean_and_sd(case["refined"][name], ".0f", ".0f")))
        for name, label in MEASURED.items():
            unit = " us" if name.startswith("microseconds") else ""
            full, refined = (case["measured"][which][name] for which in ("full", "refined"))
            rows.append((*where, label, f"{full:.4g}{unit}", f"{refined:.4g}{unit}"))
    return {".md": markdown_table(("channel", "modulation", "cost", "full", "refined"), rows)}


SCRIPT = figure(
    "complexity", __doc__.splitlines()[0], compute=experiment.complexity, draw=draw, case=Complexity, tables=tables
)

if __name__ == "__main__":
    SCRIPT.main()
