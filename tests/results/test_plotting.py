"""The project's look: distinct without colour, the same bytes every time, and undefined numbers as gaps."""

import errno
import os

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from reproduction.results.plotting import STYLE, draw_curves, legend_below, new_figure, save, style
from reproduction.slicing.plotting import rounds_axis
from reproduction.slicing.schemes import LOOKS, SCHEMES

OKABE_ITO = {"#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#000000"}


def test_every_scheme_has_a_look():
    assert set(LOOKS) == set(SCHEMES)
    assert all(set(look) == {"color", "linestyle", "marker"} for look in LOOKS.values())


@pytest.mark.parametrize("quality", ["color", "linestyle", "marker"])
def test_looks_differ_in_each_quality(quality):
    assert len({look[quality] for look in LOOKS.values()}) == len(LOOKS)


def test_colours_are_okabe_and_itos():
    assert {to_hex(look["color"]).upper() for look in LOOKS.values()} <= OKABE_ITO


def test_curves_stand_out_from_paper():
    """Luma (ITU-R BT.709) below three quarters of white's: visible also when printed in grey."""
    for look in LOOKS.values():
        assert np.dot(to_rgb(look["color"]), [0.2126, 0.7152, 0.0722]) < 0.75


def test_the_style_holds_within_its_context_and_no_further():
    before = dict(mpl.rcParams)
    with style():
        figure, grid = new_figure(3, rows=2, width=5.0, height=4.0, sharex=True)
        grid[0, 0].set_title("title")
        (line,) = grid[0, 0].plot([1, 2], label="a line")
        legend_below(figure, grid[0, 0])
    assert dict(mpl.rcParams) == before
    assert grid.shape == (2, 3)
    assert figure.get_size_inches().tolist() == [5.0, 4.0]
    axes = grid[0, 0]
    assert not axes.spines["top"].get_visible()
    assert not axes.spines["right"].get_visible()
    assert axes.xaxis.label.get_fontsize() == axes.title.get_fontsize() == 9
    assert line.get_linewidth() == 1.6
    (legend,) = figure.legends
    assert not legend.get_frame_on()
    assert [(text.get_text(), text.get_fontsize()) for text in legend.get_texts()] == [("a line", 8)]
    assert axes.get_shared_x_axes().joined(axes, grid[1, 2])
    assert type(figure.get_layout_engine()).__name__ == "ConstrainedLayoutEngine"


def test_one_panel_is_still_a_grid():
    assert new_figure(1)[1].shape == (1, 1)


def test_the_style_is_all_known_to_matplotlib():
    settings = mpl.rc_params_from_file(STYLE, use_default_template=False)
    assert settings["pdf.fonttype"] == 42  # fonts as text, as publishers ask
    assert settings["savefig.dpi"] == 200


def curve(values, **look):
    axes = new_figure(1)[1][0, 0]
    draw_curves(axes, values, "label", **(LOOKS["post-hoc"] | look))
    return axes


def test_mean_and_band():
    values = np.array([[4.0, 1.0, 0.5], [2.0, 3.0, 0.5], [3.0, 2.0, 2.0]])
    axes = curve(values.tolist())
    (line,) = axes.get_lines()
    np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])  # rounds are counted from 1
    np.testing.assert_allclose(line.get_ydata(), values.mean(0), rtol=1e-12)
    assert line.get_label() == "label"
    (band,) = axes.collections
    corners = band.get_paths()[0].vertices
    spread = values.std(0, ddof=1)
    for number in range(3):
        edges = corners[corners[:, 0] == number + 1, 1]
        np.testing.assert_allclose(edges.min(), values.mean(0)[number] - spread[number], rtol=1e-12)
        np.testing.assert_allclose(edges.max(), values.mean(0)[number] + spread[number], rtol=1e-12)


def test_one_seed_has_no_band():
    axes = curve([[4.0, 1.0, 0.5]])
    assert not axes.collections
    np.testing.assert_array_equal(axes.get_lines()[0].get_ydata(), [4.0, 1.0, 0.5])


def test_one_round():
    np.testing.assert_array_equal(curve([[4.0], [2.0]]).get_lines()[0].get_ydata(), [3.0])


def test_an_undefined_number_leaves_its_seed_out():
    axes = curve([[0.9, None], [0.5, 0.7], [0.7, float("nan")]])
    np.testing.assert_allclose(axes.get_lines()[0].get_ydata(), [0.7, 0.7], rtol=1e-12)


def test_a_round_undefined_in_all_seeds_is_a_gap():
    axes = curve([[0.9, None, 0.5], [0.7, None, 0.5]])
    np.testing.assert_allclose(axes.get_lines()[0].get_ydata(), [0.8, np.nan, 0.5], rtol=1e-12)


@pytest.mark.parametrize("rounds", [1, 2, 3, 10, 30, 100])
def test_rounds_are_whole_numbers(rounds):
    figure, grid = new_figure(1)
    rounds_axis(grid[0, 0], rounds)
    assert grid[0, 0].get_xlim() == (0.5, rounds + 0.5)
    assert grid[0, 0].get_xlabel() == "FL round"
    if rounds == 1:  # one point: its tick may stand anywhere
        return
    inside = [tick for tick in grid[0, 0].get_xticks() if 0.5 <= tick <= rounds + 0.5]
    assert inside
    assert all(tick == int(tick) for tick in inside)
    assert figure.axes == [grid[0, 0]]


def test_the_same_picture_gives_the_same_bytes(tmp_path):
    written = []
    for folder in ("one", "other"):
        axes = curve([[3.0, 2.0], [2.0, 1.0]])
        paths = save(axes.figure, tmp_path / folder, "name")
        assert [path.name for path in paths] == ["name.png", "name.pdf"]
        written.append([path.read_bytes() for path in paths])
    assert written[0] == written[1]
    png, pdf = written[0]
    assert png.startswith(b"\x89PNG")
    assert pdf.startswith(b"%PDF")
    assert b"CreationDate" not in pdf
    assert b"Producer" not in pdf
    assert b"Software" not in png


def test_another_picture_gives_other_bytes(tmp_path):
    one, other = (save(curve([[3.0, last]]).figure, tmp_path, "name")[0].read_bytes() for last in (1.0, 2.0))
    assert one != other


def test_a_failed_save_keeps_the_old_picture(tmp_path, monkeypatch):
    (path, _) = save(curve([[3.0, 1.0]]).figure, tmp_path, "name")
    before = path.read_bytes()

    def full(file):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save(curve([[3.0, 2.0]]).figure, tmp_path, "name")
    assert path.read_bytes() == before
    assert {entry.name for entry in tmp_path.iterdir()} == {"name.png", "name.pdf"}
