"""What an axis says is drawn on it: medians, means and sums of numbers made so that they are far from each other."""

from importlib import import_module

import numpy as np

from reproduction.slicing.schemes import SCHEMES

SECONDS = [[1.0, 2.0, 3.0], [1.0, 2.0, 60.0]]  # median 2, mean 11.5
CURVES = {
    "mse": [[0.5, 0.2, 0.1], [0.7, 0.2, 0.3]],
    "confidence": [[0.9, 0.6, 0.8], [0.95, 0.7, 0.9]],
    "seconds": SECONDS,
    "convergence_round": [2, 3],
    "kb_per_round": 1270.0,
}


def drawn(name, result):
    document = {"settings": {"rounds": 3}, "seeds": [0, 1], "result": result}
    return import_module(f"reproduction.{name}").SCRIPT.draw(document).axes


def by_label(axes, which):
    return {getattr(one, f"get_{which}label")(): one for one in axes}


def test_fig_8_draws_the_median_second_and_the_kilobytes_of_a_round():
    axes = by_label(drawn("fig8_scalability", {"slice": "eMBB", "clients": {"10": CURVES, "20": CURVES}}), "y")
    (line,) = axes["Median seconds per round"].get_lines()
    np.testing.assert_array_equal(line.get_xydata(), [(10, 2.0), (20, 2.0)])
    (line,) = axes["KB per round, up and down"].get_lines()
    np.testing.assert_array_equal(line.get_xydata(), [(10, 1270.0), (20, 1270.0)])


def test_fig_7_draws_the_median_timed_round_and_means_over_the_seeds():
    """The caption says so: bars are means, of timed rounds the median."""
    scheme = {"rounds": [2, 3, 10], "timed_seconds": [1.0, 2.0, 60.0], "seconds": [4.0, 6.0, 20.0]}
    result = {"slice": "Browsing", "clients": 3, "schemes": dict.fromkeys(SCHEMES, scheme)}
    axes = by_label(drawn("fig7_convergence_time", result), "x")
    widths = {label: [bar.get_width() for bar in one.patches] for label, one in axes.items()}
    assert widths == {
        "FL rounds to convergence": [5.0] * 4,
        "Seconds per round": [2.0] * 4,
        "Seconds to convergence": [10.0] * 4,
    }


def test_fig_4_marks_the_mean_convergence_round():
    errors = {"mse": [0.1, 0.3], "test_mse": [0.2, 0.4], "test_r_squared": [0.7, 0.9]}
    curves = CURVES | {"convergence_round": [2, 3, 10]}
    slices = {"eMBB": {"in-hoc IG": curves}}
    result = {"slices": slices, "errors": {"eMBB": {"in-hoc IG": errors}}, "controls": {"eMBB": {}}}
    (axes, *_) = drawn("fig4_convergence", result)
    dotted = [line for line in axes.get_lines() if line.get_linestyle() == ":" and len(line.get_xdata())]
    assert [set(line.get_xdata()) for line in dotted] == [{5.0}]


def test_table_4_draws_megabytes_of_a_thousand_kilobytes():
    result = {"slice": "Browsing", "schemes": {"in-hoc IG": CURVES}}
    (axes,) = drawn("table4_overhead", result)
    points = {line.get_label(): line.get_xydata().tolist() for line in axes.get_lines()}
    assert points["in-hoc IG, ours"] == [[2.0, 2.54], [3.0, 3.81]]
    assert points["in-hoc IG, paper's table"] == [[13.0, 16.51]]
