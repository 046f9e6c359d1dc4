"""The study of what the paper left open: each choice varies what it names, and verdicts follow from its own runs."""

import dataclasses
import re
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.text import Text

from reproduction import sensitivity
from reproduction.figure_script import FIGURE
from reproduction.results import records
from reproduction.results.verdicts import HOLDS
from reproduction.slicing import experiment
from reproduction.slicing.claims import CLAIMS
from reproduction.slicing.datasets import generate_slice
from reproduction.slicing.datasets.physics import Physics
from reproduction.slicing.open_choices import picture, table
from reproduction.slicing.open_choices.choices import (
    CHOICES,
    CONTROL,
    Choice,
    Kind,
    kind_of,
    local,
    one_ceiling,
    sla,
)
from reproduction.slicing.open_choices.study import CLAIMS_VARIED, laboratory_of, study
from reproduction.slicing.settings import SENSITIVITY
from tests.helpers import documents
from tests.helpers.small_study import SLICES, TINY, make


def differences(one, other, path=""):
    """Return the dotted names of the fields in which two settings differ."""
    found = set()
    for entry in dataclasses.fields(one):
        left, right = getattr(one, entry.name), getattr(other, entry.name)
        if dataclasses.is_dataclass(left):
            found |= differences(left, right, f"{path}{entry.name}.")
        elif isinstance(left, dict):
            for key in left:
                found |= differences(left[key], right[key], f"{path}{entry.name}.*.")
        elif left != right:
            found.add(path + entry.name)
    return found


# name of a choice: the settings' fields that it varies, beside its data
VARIED = {
    "the figures' choices": set(),
    "threshold ν": {"slices.*.confidence_threshold"},
    "multipliers": {"local.multipliers"},
    "threshold ν, multipliers kept": {"slices.*.confidence_threshold", "local.multipliers"},
    "steepness μ": {"local.steepness_per_percent"},
    "surrogate (9)": {"local.surrogate"},
    "confidence (6)": {"local.confidence"},
    "returned iterate": {"local.returned_iterate"},
    "SLA bound β": {"slices.*.upper_percent"},
    "hidden layers": {"model.hidden"},
    "Tester's batch": {"local.tester_batch"},
    "probability π": {"local.normalisation"},
    "mutations per sample": {"local.mutations"},
    "π and mutations": {"local.normalisation", "local.mutations"},
    "data: CQI's effect on CPU": set(),
    "data: CPU per PRB %": set(),
    "scale: one ceiling for all OTTs": set(),
}


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: f"{choice.name}: {choice.value}")
def test_a_choice_varies_what_it_names(build, choice):
    lab = build.laboratory("unused", settings=SENSITIVITY, data=None)
    here = laboratory_of(choice, lab)
    assert differences(lab.settings, here.settings) == VARIED[choice.name]
    of_the_data = choice.name.startswith(("data", "scale"))
    plain = generate_slice("eMBB", seed=3, clients=1)
    assert (here.data("eMBB", 3, 1).digest() != plain.digest()) == of_the_data


def test_every_open_choice_is_in_the_study():
    assert {choice.name for choice in CHOICES} == set(VARIED)
    assert len({(choice.name, choice.value) for choice in CHOICES}) == len(CHOICES)


def test_a_kind_says_what_a_row_is_for():
    """The figures' own choices once, nu swept with A restarted and with A kept over the same values, no control."""
    of = {kind: [choice for choice in CHOICES if choice.kind == kind] for kind in get_args(Kind)}
    assert of["default"] == [CHOICES[0]]
    assert of["control"] == []
    assert CONTROL.kind == "control"
    swept = {kind: [choice.value for choice in of[kind]] for kind in ("threshold", "threshold_kept")}
    assert swept["threshold"] == swept["threshold_kept"]
    for kind, multipliers in (("threshold", "reset"), ("threshold_kept", "keep")):
        for choice in of[kind]:
            settings = choice.vary(SENSITIVITY)
            assert {one.confidence_threshold for one in settings.slices.values()} == {float(choice.value)}
            assert settings.local.multipliers == multipliers
    for choice in of["other"]:
        assert "slices.*.confidence_threshold" not in VARIED[choice.name]


def test_a_name_has_one_kind():
    """A saved row tells its name alone, and one that is no longer in the list is of no kind that is treated apart."""
    assert {(choice.name, choice.kind) for choice in (*CHOICES, CONTROL)} == {
        (name, kind_of(name)) for name in (*VARIED, CONTROL.name)
    }
    assert kind_of("no longer in the list") == "other"


def test_one_ceiling_is_the_otts_and_the_ranks(build):
    choice = Choice(name="scale", value="34", scale=one_ceiling(34.0))
    data = laboratory_of(choice, build.laboratory("unused", settings=SENSITIVITY)).data("eMBB", 0, 1)
    np.testing.assert_array_equal(data.feature_maxima, [34, 34, 34, 15, 100])


# ---- a small study


@pytest.fixture(scope="module")
def lab(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    return build.laboratory(folder, settings=TINY, slices=SLICES, seeds=(0, 1), data=make)


@pytest.fixture(scope="module")
def rows(lab):
    """Five rows: the default, the literal maximum, an SLA that nothing meets, another nu, the control."""
    choices = (
        CHOICES[0],
        Choice(name="confidence (6)", value="max, as printed", vary=local(confidence="literal")),
        Choice(name="SLA bound β", value="0.1 %", vary=sla(lower_percent=-2.0, upper_percent=-1.0)),
        Choice(name="threshold ν", value="0.99", vary=sla(confidence_threshold=0.99)),
    )
    return study(lab, choices)["rows"]


@pytest.mark.parametrize(("choices", "got"), [((), 0), (CHOICES[1:3], 0), ((CHOICES[0], CHOICES[0]), 2)])
def test_a_study_needs_the_figures_own_choices_once(lab, choices, got):
    with pytest.raises(ValueError, match=f"one of the kind 'default', the figures' own, got {got}; add"):
        study(lab, choices)


def test_the_default_row_is_the_experiment_itself(lab, rows):
    curves = experiment.convergence(lab)["slices"]
    default = rows[0]
    assert [row["is_default"] for row in rows] == [True, False, False, False, False]
    for name in SLICES:
        for label, numbers in curves[name].items():
            last = [run[-1] for run in numbers["mse"]]
            assert default["slices"][name][label]["mse"] == last
            np.testing.assert_array_equal(
                default["slices"][name][label]["lowest confidence"], np.nanmin(numbers["confidence"], axis=1)
            )
    mean = np.mean([default["slices"][name]["in-hoc IG"]["mse"] for name in SLICES])
    np.testing.assert_allclose(default["numbers"]["in-hoc IG: mse"], mean, rtol=1e-12)


def test_the_default_row_is_judged_as_the_claims_are(lab, rows):
    """By the table of claims itself, on the same runs in the form of the figures."""
    curves = experiment.convergence(lab)["slices"]
    figures = {
        "fig4_convergence": {"slices": curves},
        "fig5_confidence": {"slices": {name: {"rounds": schemes} for name, schemes in curves.items()}},
        "fig8_scalability": experiment.scalability(lab),
    }
    claims = {claim.name: claim.verdict(figures) for claim in CLAIMS if claim.name in CLAIMS_VARIED}
    assert set(rows[0]["verdicts"]) == set(rows[0]["statistics"]) == set(claims) == {"C1", "C2", "C3", "C8"}
    for name, claim in claims.items():
        assert rows[0]["verdicts"][name] == (claim.verdict == HOLDS), name
        np.testing.assert_equal(rows[0]["statistics"][name], claim.finding.numbers)


def test_the_printed_maximum_is_always_confident(rows):
    assert rows[1]["numbers"]["in-hoc IG: lowest confidence"] == 1.0
    assert rows[1]["numbers"]["post-hoc: lowest confidence"] == 1.0
    assert rows[1]["verdicts"]["C2"] is True
    assert rows[1]["verdicts"]["C3"] is False


def test_an_empty_u_leaves_claims_on_confidence_undefined(rows):
    assert {claim: rows[2]["verdicts"][claim] for claim in ("C2", "C3", "C8")} == {"C2": None, "C3": None, "C8": None}
    assert rows[2]["verdicts"]["C1"] is not None
    assert np.isnan(rows[2]["numbers"]["in-hoc IG: confidence"])


def test_the_control_is_confident_and_wrong(lab, rows):
    control = rows[-1]
    assert (control["choice"], control["value"]) == (CONTROL.name, CONTROL.value)
    targets = [np.concatenate([one.train_target for one in make("eMBB", seed, 2).clients]) for seed in (0, 1)]
    variances = [float(np.asarray(target, float).var()) for target in targets]
    np.testing.assert_allclose(control["slices"]["eMBB"]["in-hoc IG"]["mse"], variances, rtol=1e-12)
    assert control["numbers"]["in-hoc IG: lowest confidence"] == 1.0
    assert control["verdicts"]["C2"] is True
    assert control["verdicts"]["C1"] is control["verdicts"]["C8"] is False


def test_nothing_is_trained_twice(lab, rows):
    """The threshold changes the in-hoc federations only; a second study changes none."""
    before = {path.name for path in lab.store.folder.iterdir()}
    study(lab, (CHOICES[0], Choice(name="threshold ν", value="0.99", vary=sla(confidence_threshold=0.99))))
    assert {path.name for path in lab.store.folder.iterdir()} == before
    post_hoc = [name for name in before if "post-hoc" in name and "eMBB" in name and "seed0" in name]
    assert len(post_hoc) == 3  # as in the figures (and nu .99), literal, other SLA


# ---- what is drawn


@pytest.fixture(scope="module")
def document(rows):
    """The small study as it is saved, with more thresholds beside the one that was run."""
    sweeps = (("", "0.5"), ("", "0.9"), (", multipliers kept", "0.5"), (", multipliers kept", "0.9"))
    swept = [rows[3] | {"choice": f"threshold ν{kept}", "value": value} for kept, value in sweeps]
    result = {"rows": [*rows[:4], *swept, rows[4]]}
    return documents.document("sensitivity", result, SLICES, seeds=(0, 1), settings=TINY)


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_summary_shows_every_verdict(document):
    shown = texts(picture.draw(document))
    assert [text for text in shown if text == "confidence (6): max, as printed"]
    signs = [text[0] for text in shown if re.fullmatch(r"[✓✗–]  (–|-?\d\.\d{3})(, (–|-?\d\.\d{3}))?", text)]
    verdicts = [row["verdicts"][claim] for row in document["result"]["rows"] for claim in CLAIMS_VARIED]
    wanted = [table.VERDICTS[verdict][0] for verdict in verdicts]
    assert signs == wanted
    assert {"✓", "✗", "–"} == set(wanted)


def test_pareto_picture_has_a_panel_per_slice_and_every_threshold(document):
    figure = picture.draw_pareto(document)
    assert [axes.get_title() for axes in figure.axes] == list(SLICES)
    markers = [line.get_marker() for line in figure.axes[0].lines]
    assert "".join(marker for marker in markers if marker != "None") == "sooo" + "DD"  # post-hoc, nu, nu with A kept
    assert {"ν = 0.99", "ν = 0.9", "ν = 0.5", "in-hoc, A kept"} <= set(texts(figure))


def test_table_has_a_row_per_choice(document):
    written = table.tables(document)
    lines = written[".md"].splitlines()
    assert len([line for line in lines if line.startswith("|")]) == 2 + len(document["result"]["rows"])
    assert "constant predictor" in written[".csv"]
    weakest = min(np.mean(values) for values in document["result"]["rows"][0]["statistics"]["C3"]["fall"].values())
    assert f"{weakest:.3f}" in lines[2]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=12))
def test_front_is_what_nothing_beats(points):
    """By definition: a point is beaten if another is at least as good in both and better in one."""

    def beats(one, other):
        return one[0] <= other[0] and one[1] >= other[1] and one != other

    expected = {point for point in points if not any(beats(other, point) for other in points)}
    front = picture._front(points)
    assert set(front) == expected
    assert front == sorted(front)


def test_the_weakest_is_the_one_farthest_from_holding():
    """Low for a correlation that has to be high; high for the MSE's trend, which falls; NaN wherever it stands."""

    def weakest(name, *values):
        return table.weakest({name: dict(enumerate(values))}, name)

    trend = table.MSE_TREND
    assert weakest(trend, [-0.99, -0.97], [-0.7, -0.8]) == pytest.approx(-0.75)
    assert weakest(trend, [-0.95], [-0.97], [0.9]) == 0.9
    assert weakest("rank correlation", [-0.9], [-0.6], [-0.7]) == -0.9
    assert np.isnan([weakest("fall", [None, 1.0], [0.2, 0.4]), weakest("fall", [0.3, 0.3], [0.2, None])]).all()


def test_physics_is_varied_only_here():
    assert all(choice.physics == Physics() for choice in CHOICES if not choice.name.startswith("data"))


def test_script_writes_two_pictures_and_two_tables(document, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("signal.signal", lambda *handler: None)
    records.write_record(tmp_path / "sensitivity.json", FIGURE, document)
    sensitivity.SCRIPT.main(["--out", str(tmp_path), "--redraw"])
    written = {line.rsplit("/", 1)[-1] for line in capsys.readouterr().out.split()}
    pictures = {f"sensitivity{part}.{kind}" for part in ("", "_pareto") for kind in ("png", "pdf")}
    assert written == pictures | {"sensitivity.csv", "sensitivity.md"}


def test_script_refuses_a_study_of_another_form(document, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("signal.signal", lambda *handler: None)
    first, *others = document["result"]["rows"]
    torn = {name: value for name, value in first.items() if name != "verdicts"}
    path = tmp_path / "sensitivity.json"
    records.write_record(path, FIGURE, document | {"result": {"rows": [torn, *others]}})
    with pytest.raises(SystemExit) as stopped:
        sensitivity.SCRIPT.main(["--out", str(tmp_path), "--redraw"])
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "field result.rows.0.verdicts: field required" in line
    assert list(tmp_path.iterdir()) == [path]


def test_script_takes_no_tables(capsys):
    with pytest.raises(SystemExit) as stopped:
        sensitivity.SCRIPT.main(["--data", "mine.csv", "--schema", "mine.json"])
    assert stopped.value.code == 2
    assert "unrecognized arguments: --data" in capsys.readouterr().err
