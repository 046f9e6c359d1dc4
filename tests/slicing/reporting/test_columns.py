"""The report's tables: under each heading the quantity, the statistic and the unit that it names.

Made by hand so that a mean, a median and a share in place of percent are far from each other.
"""

import numpy as np

from reproduction.results.words import mean_and_sd, proportion
from reproduction.slicing.reporting.captions import describe
from reproduction.slicing.reporting.tables import comparison_table

SECONDS = [[1.0, 2.0, 3.0], [1.0, 2.0, 60.0]]  # median 2, mean 11.5
CURVES = {
    "mse": [[0.5, 0.2, 0.1], [0.7, 0.2, 0.3]],
    "confidence": [[0.9, 0.6, 0.8], [0.95, 0.7, 0.9]],
    "inside": [[0.5, 0.25, 0.75], [0.9, 0.35, 0.95]],
    "seconds": SECONDS,
    "convergence_round": [2, 3],
    "kb_per_round": 1269.6,
}
SCORES = {"confidence": [[0.8, 0.9], [0.6, 0.7]], "mse": [0.02, 0.04]}
MODEL = {
    "mean_abs_shap": [0.5, 0.2],
    "mean_shap": [0.3, -0.1],
    "mean_abs_ig": [0.45, 0.25],
    "rank_correlation": 0.8,
    "mean_abs_shap_background": [0.35, 0.15],
}


def written(figure, result):
    """Return the rows of a figure's table, each as heading -> cell."""
    document = {"figure": figure, "settings": {"rounds": 3}, "seeds": [0, 1], "result": result}
    table = describe(document).table
    rows = [row for _, group in table.groups for row in group]
    assert all(len(row) == len(table.columns) for row in rows)
    return {row[0]: dict(zip(table.columns, row, strict=True)) for row in rows}


def check(cells, expected):
    """A heading that is not expected here is another's business; one that is missing is not."""
    assert {heading: cells[heading] for heading in expected} == expected


def test_fig_4():
    errors = {"mse": [0.1, 0.3], "test_mse": [0.2, 0.4], "test_r_squared": [0.7, 0.9]}
    result = {
        "slices": {"eMBB": {"in-hoc IG": CURVES}},
        "errors": {"eMBB": {"in-hoc IG": errors}},
        "controls": {"eMBB": {}},
    }
    check(
        written("fig4_convergence", result)["in-hoc IG"],
        {
            "MSE, first round [%²]": mean_and_sd([0.5, 0.7]),
            "MSE, last round [%²]": mean_and_sd([0.1, 0.3]),
            "Converged in round": mean_and_sd([2, 3]),
            "Median seconds per round": "2.00",
        },
    )


def test_fig_5():
    constant = {"mse": [0.2, 0.4], "confidence": [1.0, 1.0]}
    numbers = {
        "threshold": 0.8,
        "rounds": {"in-hoc IG": CURVES},
        "test": {"in-hoc IG": SCORES},
        "constant predictor": constant,
    }
    check(
        written("fig5_confidence", {"slices": {"eMBB": numbers}})["in-hoc IG"],
        {
            "Lowest C of a round": proportion([0.6, 0.7]),
            "C, last round": proportion([0.8, 0.9]),
            "Least share inside the SLA [%]": mean_and_sd([25.0, 35.0]),
            "C, test data": proportion([0.85, 0.65]),
            "MSE, test data [%²]": mean_and_sd([0.02, 0.04]),
        },
    )


def test_fig_6():
    other = {name: (np.multiply(value, 2)).tolist() for name, value in MODEL.items()}
    result = {
        "slice": "eMBB",
        "target": "CPU load",
        "feature_names": ["A", "CQI"],
        "models": {"in-hoc IG": [MODEL, other]},
    }
    check(
        written("fig6_attributions", result)["CQI"],
        {
            "Mean |SHAP| [%]": mean_and_sd([0.2, 0.4]),
            "Mean SHAP [%]": mean_and_sd([-0.1, -0.2]),
            "Mean |IG| [%]": mean_and_sd([0.25, 0.5]),
            "Mean |SHAP|, background [%]": mean_and_sd([0.15, 0.3]),
        },
    )


def test_fig_7():
    scheme = {"rounds": [2, 3], "timed_seconds": [1.0, 2.0, 60.0], "seconds_per_round": 2.0, "seconds": [4.0, 6.0]}
    result = {"slice": "Browsing", "clients": 3, "schemes": {"in-hoc IG": scheme}}
    check(
        written("fig7_convergence_time", result)["in-hoc IG"],
        {
            "Rounds to convergence": mean_and_sd([2, 3]),
            "Median seconds per round": "2.00",
            "Seconds to convergence": mean_and_sd([4.0, 6.0]),
        },
    )


def test_fig_8():
    check(
        written("fig8_scalability", {"slice": "eMBB", "clients": {"10": CURVES}})["K=10"],
        {
            "Lowest C of a round": proportion([0.6, 0.7]),
            "MSE, last round [%²]": mean_and_sd([0.1, 0.3]),
            "Median seconds per round": "2.00",
            "KB per round": "1,269.6",
        },
    )


def test_a_comparisons_columns():
    units = {"final MSE": "%^2", "rounds to convergence": "rounds", "final confidence": "1", "KB to convergence": "KB"}
    values = {"final MSE": 0.25, "rounds to convergence": 12.0, "final confidence": 0.5, "KB to convergence": 2500.0}
    lines = [
        {"slice": "eMBB", "method": "A", "against": "post-hoc", "quantity": name, "unit": unit}
        | {"theirs": [values[name]], "ours": [2 * values[name]]}
        for name, unit in units.items()
    ]
    table = comparison_table(lines)
    ((_, rows),) = table.groups
    assert table.columns == (
        "Slice, method",
        "Final MSE [%²]",
        "Rounds to convergence",
        "Final confidence",
        "KB to convergence [KB]",
    )
    assert rows == (("post-hoc", "0.5", "24", "1", "5,000"), ("A", "0.25", "12", "0.5", "2,500"))
