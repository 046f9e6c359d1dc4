"""The six figure scripts, end to end on a tiny preset, and their pictures at the paper's size."""

import dataclasses
import io
import json
import re
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from importlib import import_module
from itertools import combinations, product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from PIL import Image

from reproduction import command_line
from reproduction.figure_script import FIGURE
from reproduction.results import records
from reproduction.results.plotting import style
from reproduction.results.words import mean_and_sd
from reproduction.slicing import laboratory, script
from reproduction.slicing.datasets import generate_slice
from reproduction.slicing.federation.record import PACKAGES
from reproduction.slicing.schemes import SCHEMES
from tests.helpers import figure_scripts
from tests.helpers.figure_scripts import NAMES, Here

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = {name: import_module(f"reproduction.{name}").SCRIPT for name in NAMES}
SLICES = ("eMBB", "Social Media", "Browsing")
TINY = dataclasses.replace(figure_scripts.TINY, client_counts=(2, 3), timed_rounds=2)


# shap sets its colour maps up by matplotlib calls that are to be deprecated some day; not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore:The set_(bad|over|under) function:PendingDeprecationWarning")


@contextmanager
def unwatched(job, **told):
    yield lambda finished, result: None


def forbidden(*arguments, **named):
    pytest.fail("something was trained")


# ---- end to end


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """All scripts run once on one folder, two seeds; what was trained, in order, by script."""
    folder = tmp_path_factory.mktemp("figures")
    trained = []
    federate = laboratory.federate

    def counted(state, fleet, rounds):
        told = fleet.assignment
        if state.round_number < rounds:
            trained.append((told.slice_name, told.scheme, told.explainer, told.seed, len(fleet.names)))
        return federate(state, fleet, rounds)

    by_script = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command_line.signal, "signal", lambda *handler: None)
        patch.setattr(laboratory, "Workers", Here)
        patch.setattr(script, "watch", unwatched)
        patch.setattr(laboratory, "federate", counted)
        for name, of_figure in SCRIPTS.items():
            of_figure.main(["--seeds", "2", "--out", str(folder)], TINY)
            by_script[name] = trained[:]
            trained.clear()
    return SimpleNamespace(folder=folder, trained=by_script)


@pytest.mark.parametrize("name", NAMES)
def test_writes_picture_and_numbers(drawn, name):
    with Image.open(drawn.folder / f"{name}.png") as picture:
        width, height = picture.size
        assert len(picture.convert("L").getcolors(maxcolors=1 << 20)) > 10  # not blank
    assert width >= 800  # 4 inches at the style's 200 dpi
    assert height >= 400
    assert (drawn.folder / f"{name}.pdf").read_bytes().startswith(b"%PDF")
    document = records.read_record(drawn.folder / f"{name}.json", FIGURE)  # which checks the checksum
    assert document["figure"] == name
    assert document["preset"] == "quick"
    assert document["settings"] == json.loads(json.dumps(dataclasses.asdict(TINY)))
    assert document["seeds"] == [0, 1]
    assert document["data"]["source"] == "generator"
    assert list(document["data"]["slices"]) == list(SCRIPTS[name].wing.slices)
    for slice_name, described in document["data"]["slices"].items():
        data = generate_slice(slice_name, seed=0, clients=3, samples=40, test_samples=20)
        assert described["sha256"] == data.digest()
        counts = {key: described[key] for key in ("clients", "training_samples", "test_samples")}
        assert counts == {"clients": 3, "training_samples": 120, "test_samples": 60}
    assert document["trained_with"] == [records.provenance(PACKAGES)]
    assert document["drawn_with"] == records.provenance(PACKAGES)
    assert document["result"]


def test_writes_nothing_else(drawn):
    tables = {f"table4_overhead{suffix}" for suffix in (".csv", ".md", ".tex")}
    pictures = {f"{name}{suffix}" for name, suffix in product(NAMES, (".png", ".pdf", ".json"))}
    assert {path.name for path in drawn.folder.iterdir()} - {"runs"} == pictures | tables
    assert {path.suffix for path in (drawn.folder / "runs").iterdir()} - {""} == {".json"}  # .lock has no suffix


def test_every_federation_trains_once_across_the_scripts(drawn):
    everything = [run for runs in drawn.trained.values() for run in runs]
    expected = {
        (slice_name, *scheme, seed, 3) for slice_name, scheme, seed in product(SLICES, SCHEMES.values(), (0, 1))
    }
    expected |= {("eMBB", "in-hoc", "integrated_gradients", seed, 2) for seed in (0, 1)}
    assert sorted(everything) == sorted(expected)  # lists: a federation that trained twice stands there twice


def test_who_trains_what(drawn):
    """Fig. 4 trains the two main schemes, Fig. 5 adds the other explainers, Fig. 8 other K; the rest reads."""
    assert {name: len(runs) for name, runs in drawn.trained.items()} == {
        "fig4_convergence": 3 * 2 * 2,
        "fig5_confidence": 3 * 2 * 2,
        "fig6_attributions": 0,
        "fig7_convergence_time": 0,
        "fig8_scalability": 2,
        "table4_overhead": 0,
    }
    assert {run[2] for run in drawn.trained["fig5_confidence"]} == {"input_x_gradient", "shapley_exact"}


def test_figures_agree_where_they_show_the_same_federations(drawn):
    result = {name: records.read_record(drawn.folder / f"{name}.json", FIGURE)["result"] for name in NAMES}
    browsing = result["fig4_convergence"]["slices"]["Browsing"]
    assert result["fig5_confidence"]["slices"]["Browsing"]["rounds"] == browsing
    assert result["table4_overhead"]["schemes"] == browsing
    rounds = {label: entry["rounds"] for label, entry in result["fig7_convergence_time"]["schemes"].items()}
    assert {label: rounds[label] for label in browsing} == {
        label: curves["convergence_round"] for label, curves in browsing.items()
    }
    eight = result["fig8_scalability"]["clients"]
    assert list(eight) == ["2", "3"]
    assert eight["3"] == result["fig4_convergence"]["slices"]["eMBB"]["in-hoc IG"]
    weights = 5 * 4 + 4 + 4 * 3 + 3 + 3 * 1 + 1
    assert [curves["kb_per_round"] for curves in eight.values()] == [2 * 4 * weights * count / 1000 for count in (2, 3)]


def test_tables_hold_the_saved_numbers(drawn):
    curves = records.read_record(drawn.folder / "table4_overhead.json", FIGURE)["result"]["schemes"]
    frame = pd.read_csv(drawn.folder / "table4_overhead.csv")
    assert list(frame["Scheme"]) == ["in-hoc IG", "post-hoc"]
    for _, row in frame.iterrows():
        rounds = np.array(curves[row["Scheme"]]["convergence_round"], float)
        per_round = curves[row["Scheme"]]["kb_per_round"]
        assert row["Convergence round"] == mean_and_sd(rounds, ".1f", ".1f")
        assert float(row["KB per round"]) == pytest.approx(per_round, abs=0.05)  # printed to 0.1
        assert row["KB to convergence"] == mean_and_sd(rounds * per_round, ",.0f", ",.0f")
    assert list(frame["Paper, Table IV"]) == ["13; 16,510 KB", "20; 77,714 KB"]
    assert list(frame["Paper, text"]) == ["12; 16,778 KB", "17; 77,776 KB"]
    lines = (drawn.folder / "table4_overhead.md").read_text().splitlines()
    assert len(lines) == 4
    assert {line.count("|") for line in lines} == {7}
    for line, row in zip(lines[2:], frame.to_numpy(), strict=True):
        assert [cell.strip() for cell in line.strip("|").split("|")] == [str(cell) for cell in row]
    text = (drawn.folder / "table4_overhead.tex").read_text()
    assert "±" not in text
    assert [line.count("&") for line in text.splitlines() if line.endswith(r"\\")] == [5, 5, 5]


REDRAW = """
    import sys
    from importlib import import_module
    from reproduction import command_line
    from reproduction.slicing import data_source, laboratory
    laboratory.Workers = laboratory.Laboratory = data_source.generate_slice = laboratory.federate = None
    command_line.signal.signal = lambda *handler: None
    for name in sys.argv[2:]:
        import_module(f"reproduction.{name}").SCRIPT.main(["--redraw", "--out", sys.argv[1]])
        loaded = {module.split(".")[0] for module in sys.modules}
        assert not loaded & {"tensorflow", "keras", "tensorflow_constrained_optimization"}, (name, loaded)
        assert name == "fig6_attributions" or "shap" not in loaded, name
"""


def test_redraw_gives_the_same_bytes_without_tensorflow_and_without_training(drawn, tmp_path):
    order = sorted(NAMES, key=lambda name: name == "fig6_attributions")  # last, since it alone imports shap
    for name in NAMES:
        (tmp_path / f"{name}.json").write_bytes((drawn.folder / f"{name}.json").read_bytes())
    # Only the figures' numbers are there: no runs.
    child = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(REDRAW), str(tmp_path), *order],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert child.returncode == 0, child.stderr
    assert child.stderr == ""
    assert not (tmp_path / "runs").exists()
    for path in sorted(drawn.folder.glob("*.*")):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name
        assert path.suffix == ".json" or str(tmp_path / path.name) in child.stdout.splitlines()


@pytest.mark.parametrize("name", NAMES)
def test_redraw_without_numbers(tmp_path, monkeypatch, capsys, name):
    monkeypatch.setattr(laboratory, "Workers", forbidden)
    monkeypatch.setattr(command_line.signal, "signal", lambda *handler: None)
    with pytest.raises(SystemExit) as stop:
        SCRIPTS[name].main(["--redraw", "--out", str(tmp_path)])
    assert stop.value.code == 2
    path = tmp_path / f"{name}.json"
    assert capsys.readouterr().err == f"error: {path}: missing; make it with this script, without --redraw\n"
    assert not list(tmp_path.iterdir())


# ---- pictures, from documents made by hand


def runs(seed, schemes, seeds=5, rounds=30, undefined=False):
    """Make `experiment._curves` of the paper's size; all schemes alike but for a factor."""
    random = np.random.default_rng(seed)
    result = {}
    for number, label in enumerate(schemes):
        decay = np.exp(-np.arange(rounds) / (4 + number))
        confidence = 0.98 - (0.4 if label == "post-hoc" else 0.05) * (1 - decay)
        noise = random.normal(0, 0.01, (2, seeds, rounds))
        confidence = np.clip(confidence + noise[0], 0, 1)
        if undefined:
            confidence[0, :2] = np.nan
        result[label] = {
            "mse": (0.01 + 0.12 * decay * (1 + noise[1])).tolist(),
            "confidence": [[None if np.isnan(value) else value for value in run] for run in confidence.tolist()],
            "seconds": (1.5 + noise[0]).tolist(),
            "convergence_round": [12 + number + seed for seed in range(seeds)],
            "kb_per_round": 1269.6,
        }
    return result


def document_of(name, seeds=5, undefined=False):
    """Make a figure's document with 30 rounds, 100 CLs and the names of the paper."""
    main = ("in-hoc IG", "post-hoc")
    random = np.random.default_rng(5)

    def test_scores(label):
        centre = 0.6 if label == "post-hoc" else 0.95
        confidence = np.clip(random.normal(centre, 0.03, (seeds, 100)), 0, 1).tolist()
        return {"confidence": confidence, "mse": [0.02] * seeds}

    features = random.uniform(0, 10, (300, 5))
    effects = features * [0.1, 0.12, 0.09, -0.3, 0.001]
    results = {
        "fig4_convergence": {
            "slices": {slice_name: runs(3, main, seeds) for slice_name in SLICES},
            "controls": {
                slice_name: {"constant predictor": {"mse": [0.5] * seeds}, "least squares": {"mse": [0.03] * seeds}}
                for slice_name in SLICES
            },
        },
        "fig5_confidence": {
            "slices": {
                slice_name: {
                    "threshold": 0.82,
                    "rounds": runs(4, main, seeds, undefined=undefined),
                    "test": {label: test_scores(label) for label in SCHEMES},
                    "constant predictor": {"mse": [0.5] * seeds, "confidence": [1.0] * seeds},
                }
                for slice_name in SLICES
            }
        },
        "fig6_attributions": {
            "slice": "eMBB",
            "target": "CPU load",
            "feature_names": ["Netflix", "YouTube", "Facebook Video", "CQI", "MIMO full-rank"],
            "feature_units": ["Mbps", "Mbps", "Mbps", "", "%"],
            "models": {
                label: [
                    {
                        "rank_correlation": 0.9,
                        "features": features.tolist(),
                        "shap": effects.tolist(),
                        "ig": (effects * 0.9).tolist(),
                    }
                    for _ in range(seeds)
                ]
                for label in ("in-hoc IG", "post-hoc")
            },
        },
        "fig7_convergence_time": {
            "slice": "Browsing",
            "clients": 100,
            "schemes": {
                label: {
                    "rounds": [12 + number, 20 + number, 30 - number][:seeds],
                    "timed_seconds": [0.6 + number + 0.01 * turn for turn in range(9)],
                    "seconds_per_round": 0.64 + number,
                    "seconds": [(0.64 + number) * rounds for rounds in (12, 20, 30)][:seeds],
                }
                for number, label in enumerate(SCHEMES)
            },
        },
        "fig8_scalability": {
            "slice": "eMBB",
            "clients": runs(6, ("10", "25", "50", "100", "200"), seeds, undefined=undefined),
        },
        "table4_overhead": {"slice": "Browsing", "schemes": runs(7, main, seeds)},
    }
    for count, curves in results["fig8_scalability"]["clients"].items():
        curves["kb_per_round"] = 12.696 * int(count)
    return {"settings": {"rounds": 30}, "result": results[name]}


@pytest.fixture(scope="module")
def pictures():
    """Each figure of the paper's size, rendered as `save` renders it."""
    return {name: rendered(name, document_of(name)) for name in NAMES}


def rendered(name, document):
    with style():
        figure = SCRIPTS[name].draw(document)
        figure.set_dpi(200)
        FigureCanvasAgg(figure)
        figure.savefig(io.BytesIO(), format="png", dpi=200)  # the layout is made while drawing
    return figure


def panels(figure):
    """Return the axes that carry data; not fig. 6's colour bar."""
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def texts(figure):
    """Yield (text, box in pixels) of everything written that is seen."""
    renderer = figure.canvas.get_renderer()
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and shown(text, figure):
            yield text.get_text(), text.get_window_extent(renderer)


def shown(text, figure):
    """Tell whether matplotlib draws a tick label: it keeps some for ticks outside of the limits, and for no ticks."""
    for axes in figure.axes:
        for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            for minor in (False, True):
                for tick in axis.get_minor_ticks() if minor else axis.get_major_ticks():
                    if text in (tick.label1, tick.label2):
                        low, high = sorted(limits)
                        margin = 1e-9 * (high - low)
                        return tick.get_visible() and low - margin <= tick.get_loc() <= high + margin
    return True


@pytest.mark.parametrize("name", NAMES)
def test_no_text_leaves_the_figure(pictures, name):
    figure = pictures[name]
    width, height = figure.get_size_inches() * figure.dpi
    outside = [
        (word, box.extents)
        for word, box in texts(figure)
        # One pixel, since an extent is rounded outwards to whole pixels.
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1
    ]
    assert not outside


@pytest.mark.parametrize("name", NAMES)
def test_no_texts_overlap(pictures, name):
    overlaps = []
    for (one, first), (other, second) in combinations(texts(pictures[name]), 2):
        wide = min(first.x1, second.x1) - max(first.x0, second.x0)
        high = min(first.y1, second.y1) - max(first.y0, second.y0)
        # Boxes carry the line's full ascent and descent, so two lines may share 2 pixels (0.01 inch) and not touch.
        if wide > 2 and high > 2:
            overlaps.append((one, other))
    assert not overlaps


UNITS = {
    "fig4_convergence": {"x": {"FL round"}, "y": {"Training MSE [%²]"}},
    "fig5_confidence": {"x": {"FL round"}, "y": {"(a) Confidence C, training", "(b) Confidence C per CL, test"}},
    "fig6_attributions": {"x": {"Attribution to CPU load [%]"}, "y": set()},
    "fig7_convergence_time": {
        "x": {"FL rounds to convergence", "Seconds per round", "Seconds to convergence"},
        "y": set(),
    },
    "fig8_scalability": {
        "x": {"FL round", "Number of CLs, K"},
        "y": {"Training MSE [%²]", "Confidence C, training", "Median seconds per round", "KB per round, up and down"},
    },
    "table4_overhead": {"x": {"Convergence round"}, "y": {"MB to convergence, up and down"}},
}


@pytest.mark.parametrize("name", NAMES)
def test_every_axis_says_what_it_shows_and_in_which_unit(pictures, name):
    """Written at the axis; a panel with words for ticks, or one that shares its neighbour's axis, needs no more."""
    labels = {"x": set(), "y": set()}
    for axes in panels(pictures[name]):
        for which, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
            label = axis.label.get_text()
            labels[which] |= {label} - {""}
            ticks = [tick.label1.get_text() for tick in axis.get_major_ticks() if tick.label1.get_visible()]
            words = any(re.search("[A-Za-z]", text.replace("mathdefault", "")) for text in ticks)
            shared = not any(ticks)
            assert label or words or shared, (axes.get_title(), which, ticks)
    assert labels == UNITS[name]


LEGENDS = {
    "fig4_convergence": {"in-hoc IG", "post-hoc", "constant predictor", "least squares", "converged (mean)"},
    "fig5_confidence": {"in-hoc IG", "post-hoc", "threshold ν"},
    "fig8_scalability": {"K = 10", "K = 25", "K = 50", "K = 100", "K = 200", "the paper's 0.90"},
    "table4_overhead": {
        f"{scheme}, {what}"
        for scheme, what in product(("in-hoc IG", "post-hoc"), ("ours", "paper's table", "paper's text"))
    },
}


def legends(figure):
    return [*figure.legends, *(axes.get_legend() for axes in figure.axes if axes.get_legend())]


@pytest.mark.parametrize("name", LEGENDS)
def test_legend_names_everything_drawn(pictures, name):
    (legend,) = legends(pictures[name])
    assert {text.get_text() for text in legend.get_texts()} == LEGENDS[name]


def test_schemes_without_a_legend_are_named_at_the_axis(pictures):
    bars = panels(pictures["fig7_convergence_time"])[0]
    assert [label.get_text() for label in bars.get_yticklabels()] == list(SCHEMES)
    for axes in panels(pictures["fig5_confidence"])[3:]:
        named = [
            label.get_text().replace("\n", " ").replace("IxG", "Input x Gradient") for label in axes.get_xticklabels()
        ]
        assert named == list(SCHEMES)


def test_slices_and_features_are_named(pictures):
    for name in ("fig4_convergence", "fig5_confidence"):
        assert tuple(axes.get_title() for axes in panels(pictures[name])[:3]) == SLICES
    features = {label.get_text() for label in panels(pictures["fig6_attributions"])[0].get_yticklabels()}
    assert features == {"Netflix [Mbps]", "YouTube [Mbps]", "Facebook Video [Mbps]", "CQI", "MIMO full-rank [%]"}


@pytest.mark.parametrize("name", ["fig4_convergence", "fig5_confidence", "fig8_scalability", "table4_overhead"])
def test_curves_differ_without_colour(pictures, name):
    for axes in panels(pictures[name]):
        looks = [
            # The dashes themselves, which matplotlib keeps to itself: get_linestyle calls all custom ones "--".
            (str(line._unscaled_dash_pattern), line.get_marker(), str(line.get_markerfacecolor()) == "none")
            for line in axes.get_lines()
            if not line.get_label().startswith("_")
        ]
        if name == "table4_overhead":  # the paper's stars are told apart by colour and place only
            looks = [look for look in looks if look[1] != "*"]
        assert len(set(looks)) == len(looks)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "fig6_attributions"])
def test_all_data_are_inside_the_axes(pictures, name):
    """A curve cut off by a limit would hide the very collapse that Fig. 5 is about."""
    for axes in panels(pictures[name]):
        (left, right), (bottom, top) = sorted(axes.get_xlim()), sorted(axes.get_ylim())
        for line in axes.get_lines():
            if line.get_transform() != axes.transData or not line.get_label():
                continue
            x, y = (np.asarray(values, float) for values in line.get_data())
            seen = ~np.isnan(y)
            assert (x[seen] >= left).all()
            assert (x[seen] <= right).all()
            assert (y[seen] >= bottom).all(), axes.get_title()
            assert (y[seen] <= top).all()
        for band in axes.collections:
            low = band.get_datalim(axes.transData).y0
            assert low >= bottom, axes.get_title()


@pytest.mark.parametrize("lowest", [0.95, 0.3, 0.0])
def test_the_lower_limit_of_fig5_follows_the_data(lowest):
    document = document_of("fig5_confidence")
    document["result"]["slices"]["Browsing"]["test"]["post-hoc"]["confidence"][0][7] = lowest
    document["result"]["slices"]["eMBB"]["rounds"]["post-hoc"]["confidence"] = [[lowest] * 30] * 5
    grid = np.reshape(panels(rendered("fig5_confidence", document)), (2, 3))
    for row in grid:
        assert len({axes.get_ylim() for axes in row}) == 1  # one scale, so that slices compare
        assert row[0].get_ylim()[0] <= min(lowest, 0.8)
        assert 1.0 < row[0].get_ylim()[1] < 1.1


def test_fig8_keeps_to_its_counts():
    """More curves than line styles: they start again, and none is dropped."""
    document = document_of("fig8_scalability")
    document["result"]["clients"] = runs(1, [str(count) for count in range(1, 8)])
    axes = panels(rendered("fig8_scalability", document))[0]
    assert [line.get_label() for line in axes.get_lines()] == [f"K = {count}" for count in range(1, 8)]


@pytest.mark.parametrize("name", NAMES)
def test_one_seed_draws(name):
    rendered(name, document_of(name, seeds=1))


def test_the_style_reaches_every_text_and_line(pictures):
    for name in ("fig4_convergence", "fig5_confidence", "fig8_scalability", "table4_overhead"):
        assert all(not legend.get_frame_on() for legend in legends(pictures[name]))
        assert {text.get_fontsize() for legend in legends(pictures[name]) for text in legend.get_texts()} == {8}
    for axes in panels(pictures["fig4_convergence"]):
        assert axes.title.get_fontsize() == 9
        assert {line.get_linewidth() for line in axes.get_lines()[::2]} <= {1.6, 1.0}


@pytest.mark.parametrize("name", ["fig5_confidence", "fig8_scalability"])
def test_rounds_without_confidence_are_gaps(name):
    """U empty in all CLs of a seed, eq. (6) undefined: a gap, and no warning from NumPy."""
    rendered(name, document_of(name, undefined=True))


def test_rounds_without_confidence_in_any_seed_are_gaps():
    document = document_of("fig5_confidence")
    for run in document["result"]["slices"]["eMBB"]["rounds"]["post-hoc"]["confidence"]:
        run[0] = None
    rendered("fig5_confidence", document)


def test_a_test_score_without_confidence_is_left_out():
    document = document_of("fig5_confidence")
    document["result"]["slices"]["eMBB"]["test"]["post-hoc"]["confidence"][0] = [None] * 100
    rendered("fig5_confidence", document)


@pytest.mark.parametrize("missing", [1, 3])
def test_seeds_that_did_not_converge_are_left_out_of_fig7(missing):
    """A bar is the mean of those that did, as in the tables; none, if none did; and never the word nan."""
    document = document_of("fig7_convergence_time")
    entry = document["result"]["schemes"]["in-hoc SHAP"]
    for quantity in ("rounds", "seconds"):
        entry[quantity][:missing] = [None] * missing
    axes = panels(rendered("fig7_convergence_time", document))[0]
    assert "nan" not in [text.get_text() for text in axes.texts]
    if missing < 3:
        assert axes.patches[2].get_width() == pytest.approx(np.mean([20 + 2, 30 - 2]))


def test_table4_is_written_and_not_printed(capsys):
    """What a run prints is its summary, in one place; with --log json every line is an object."""
    assert set(SCRIPTS["table4_overhead"].tables(document_of("table4_overhead"))) == {".csv", ".md", ".tex"}
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["fig4_convergence", "table4_overhead"])
def test_runs_that_did_not_converge_draw(name):
    document = document_of(name)
    result = document["result"]
    (result["slices"]["eMBB"] if "slices" in result else result["schemes"])["post-hoc"]["convergence_round"] = [
        None
    ] * 5
    rendered(name, document)
    SCRIPTS[name].tables(document)
