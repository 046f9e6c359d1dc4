"""The regimes, a small study of them, and what is saved, drawn and written of it."""

import numpy as np
import pytest
from matplotlib.text import Text

from reproduction.figure_script import FIGURE
from reproduction.regimes import SCRIPT
from reproduction.results.records import digest, read_record, write_record
from reproduction.slicing.datasets import generate_slice
from reproduction.slicing.documents import check_document
from reproduction.slicing.forecast.forecast import forecast
from reproduction.slicing.open_choices.choices import Choice, sla
from reproduction.slicing.open_choices.study import laboratory_of
from reproduction.slicing.regimes import picture, table
from reproduction.slicing.regimes.agreement import agreement, holds
from reproduction.slicing.regimes.catalogue import AT_SCALE, CHOSEN, DEFAULT, OLD_SCALE, RANDOM, REGIMES, drawn
from reproduction.slicing.regimes.form import RegimesResult
from reproduction.slicing.regimes.study import study
from reproduction.slicing.settings import PAPER, SENSITIVITY
from tests.helpers import documents
from tests.helpers.committed import COMMITTED_FIGURES as FIGURES
from tests.helpers.running import ROOT, SAMPLE
from tests.helpers.small_study import SLICES, TINY, make

PINNED = "8920c954521569879fb79831119a5f1ce8de6378b7dcd9c23d30f83a2cbd1417"


# ---- the list


def test_there_are_thirty_regimes_and_a_third_is_random():
    everything = [regime for several in REGIMES.values() for regime in several]
    assert len(everything) >= 30
    assert len(REGIMES["random"]) >= len(everything) / 3
    assert len({regime.value for regime in everything}) == len(everything)


def test_the_readme_counts_them():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    random = len(REGIMES["random"])
    assert f"over {random + len(REGIMES['chosen'])} kinds of data, {random} of them drawn at random" in readme


def test_the_random_regimes_are_those_drawn_after_the_forecast():
    """Another draw after the runs would be another list."""
    assert [drawn(index).value for index in range(len(RANDOM))] == [regime.value for regime in RANDOM]
    assert digest([regime.value for regime in RANDOM]) == PINNED


def test_a_regime_varies_what_it_names(build):
    lab = build.laboratory("unused", settings=SENSITIVITY, data=None)
    plain = generate_slice("eMBB", seed=0, clients=1)
    by_name = {regime.value: regime for several in REGIMES.values() for regime in several}
    for name, regime in by_name.items():
        here = laboratory_of(regime, lab)
        data, upper = here.data("eMBB", 0, 1), here.settings.slices["eMBB"].upper_percent
        target = data.clients[0].train_target
        default_target = np.array_equal(target, plain.clients[0].train_target)
        of_the_load = any(word in name for word in ("CQI", "CPU", "idle"))
        assert default_target != of_the_load, name
        scaled = ("features" in name and "features x 1," not in name) or "ceiling" in name
        assert np.array_equal(data.feature_maxima, plain.feature_maxima) != scaled, name
        assert upper == (float(name.split("SLA to ")[1].split(" ")[0]) if "SLA" in name else 3.0), name
        assert here.settings.clients == (PAPER.clients if regime in AT_SCALE else SENSITIVITY.clients)
    assert laboratory_of(by_name[DEFAULT], lab).data("eMBB", 0, 1).digest() == plain.digest()
    np.testing.assert_array_equal(
        laboratory_of(by_name[OLD_SCALE], lab).data("eMBB", 0, 1).feature_maxima, [17, 17, 17, 15, 100]
    )
    np.testing.assert_allclose(
        laboratory_of(by_name["features x 2"], lab).data("eMBB", 0, 1).feature_maxima, plain.feature_maxima / 2
    )


# ---- a small study


@pytest.fixture(scope="module")
def lab(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    return build.laboratory(folder, settings=TINY, slices=SLICES, seeds=(0, 1), data=make)


@pytest.fixture(scope="module")
def result(lab):
    """The default, the old scale, an SLA that nothing meets; a random regime; a table of one CL."""
    never = Choice(name="regime", value="U empty", vary=sla(lower_percent=-2.0, upper_percent=-1.0))
    some = {"chosen": (*CHOSEN[:2], never), "random": RANDOM[:1]}
    return study(lab, some, [(SAMPLE / "social_media.csv", str(SAMPLE / "social_media.schema.json"))])


def test_a_row_per_regime_and_slice(result):
    found = [(row["regime"], row["kind"], row["slice"], row["clients"]) for row in result["rows"]]
    chosen = [(name, "chosen", slice_name, 2) for name in (DEFAULT, OLD_SCALE, "U empty") for slice_name in SLICES]
    random = [(RANDOM[0].value, "random", slice_name, 2) for slice_name in SLICES]
    table = (str(SAMPLE / "social_media.schema.json"), "measured", "Social Media", 1)
    assert found == [*chosen, *random, table]


def test_a_row_is_the_forecast_and_the_post_hoc_federation(lab, result):
    row = result["rows"][1]
    for seed in (0, 1):
        rounds = lab.federation("Browsing", "post-hoc", "integrated_gradients", seed)["rounds"]
        assert row["last"][seed] == rounds[-1]["confidence"]
        assert row["lowest"][seed] == min(entry["confidence"] for entry in rounds)
        assert row["mse"][seed] == rounds[-1]["mse"]
        expected = forecast(make("Browsing", seed, 2), TINY.slices["Browsing"], TINY.local, seed)
        assert row["forecast"][seed] == expected.confidence
        assert row["costliest"][seed] == expected.costliest.feature
        assert (row["probability"][seed], row["harm"][seed]) == (
            expected.costliest.probability,
            expected.costliest.harm,
        )
    assert row["threshold"] == TINY.slices["Browsing"].confidence_threshold


def test_no_constrained_federation_is_trained(lab, result):
    names = [path.name for path in lab.store.folder.iterdir() if path.suffix == ".json"]
    assert len(names) == 2 * len(result["rows"])
    assert all("post-hoc" in name for name in names)


def test_an_empty_u_has_no_forecast_and_is_counted(result):
    empty = [row for row in result["rows"] if row["regime"] == "U empty"]
    assert [row["costliest"] for row in empty] == [[None, None]] * 2
    assert np.isnan([row["forecast"] for row in empty]).all()
    assert result["agreement"]["chosen"]["left_out"] == 2
    assert result["agreement"]["random"]["points"] + result["agreement"]["random"]["left_out"] == 2


# ---- saved, drawn, written


@pytest.fixture(scope="module")
def document(result):
    return documents.document("regimes", result, SLICES, seeds=(0, 1), settings=TINY)


def test_what_is_saved_is_what_is_read(document, tmp_path):
    write_record(tmp_path / "regimes.json", FIGURE, document)
    saved = read_record(tmp_path / "regimes.json", FIGURE)
    check_document(saved, RegimesResult)
    for change, words in (
        ({"regime": "another"}, "field result.rows: lacks the regime"),
        ({"forecast": [0.5]}, r"field result.rows.0.forecast: must have 2 entries \(seeds\), has 1"),
        ({"kind": "made up"}, "field result.rows.0.kind"),
    ):
        first, second, *others = saved["result"]["rows"]
        rows = [first | change, second | change if "regime" in change else second, *others]
        with pytest.raises(ValueError, match=words):
            check_document(saved | {"result": saved["result"] | {"rows": rows}}, RegimesResult)
    for figure in (picture.draw(saved), picture.draw_map(saved)):
        figure.draw_without_rendering()


def test_the_scatter_has_every_point_twice_and_numbers_the_farthest(document):
    figure = picture.draw(document)
    rows = document["result"]["rows"]
    for axes, name in zip(figure.axes, ("last", "lowest"), strict=True):
        points = {(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines if len(line.get_xdata()) == 1}
        expected = {(np.mean(np.array(row["forecast"], float)), np.mean(np.array(row[name], float))) for row in rows}
        assert {point for point in expected if np.isfinite(point).all()} <= points
    numbers = [text.get_text() for text in figure.axes[1].texts]
    assert numbers == [str(place) for place in range(1, len(table.farthest(rows)) + 1)]


def test_the_map_names_the_default_the_old_scale_and_tables(document):
    figure = picture.draw_map(document)
    texts = {text.get_text() for text in figure.findobj(Text)}
    known = {row["regime"] for row in document["result"]["rows"] if row["kind"] == "measured"}
    assert {"default", "17 Mbps", *known} <= texts
    line = next(line for line in figure.axes[0].lines if line.get_label() == "ν = 0.82")
    np.testing.assert_allclose(1 - line.get_xdata() * line.get_ydata(), 0.82, rtol=1e-10)


def test_the_farthest_come_first_and_without_those_that_have_no_forecast(document):
    found = table.farthest(document["result"]["rows"])
    gaps = [abs(np.mean(row["forecast"]) - np.mean(row["lowest"])) for row in found]
    assert gaps == sorted(gaps, reverse=True)
    assert "U empty" not in {row["regime"] for row in found}


def test_tables_have_a_row_per_point_and_say_whether_it_holds(document):
    written = table.tables(document)
    assert len(written[".csv"].splitlines()) == 1 + len(document["result"]["rows"])
    lines = written[".md"].splitlines()
    assert sum(line.startswith(("| chosen", "| random", "| measured")) for line in lines) >= len(
        document["result"]["rows"]
    )
    for verdict, words in ((True, "The forecast holds: "), (False, "The forecast does not hold: ")):
        changed = document | {"result": document["result"] | {"holds": verdict}}
        assert table.tables(changed)[".md"].startswith(words)
    assert "| U empty | eMBB | 2 | none | not defined | not defined |" in written[".md"]


# ---- the committed study

COMMITTED = FIGURES / "regimes.json"


@pytest.mark.skipif(not COMMITTED.exists(), reason="the study is not made yet: figures/regimes.json is missing")
def test_the_committed_study_is_of_this_list_and_says_what_its_rows_say():
    saved = SCRIPT.read(COMMITTED)
    rows, found = saved["result"]["rows"], saved["result"]["agreement"]
    for kind, several in REGIMES.items():
        expected = {(regime.value, name) for regime in several for name in saved["data"]["slices"]}
        assert {(row["regime"], row["slice"]) for row in rows if row["kind"] == kind} == expected
    assert digest({kind: agreement([row for row in rows if row["kind"] == kind]) for kind in found}) == digest(found)
    assert saved["result"]["holds"] == holds(found["random"])
    assert len(saved["seeds"]) >= 5
    for suffix in (".png", ".pdf", ".md", ".csv", "_map.png", "_map.pdf"):
        assert COMMITTED.with_name(f"regimes{suffix}").is_file()
