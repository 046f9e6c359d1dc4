"""Settings: Table III number by number, and every refusal."""

import dataclasses
from itertools import pairwise

import pytest

from reproduction.slicing.schemes import EXPLAINER_LABELS
from reproduction.slicing.settings import (
    EXPLAINERS,
    PAPER,
    PRESETS,
    QUICK,
    LocalSettings,
    ModelSettings,
    Settings,
    SliceSettings,
    explanations,
    without_constraint,
)

TABLE_III = {
    "N": (len(PAPER.slices), 3),
    "K": (PAPER.clients, 100),
    "D": (PAPER.samples, 1000),
    "T": (PAPER.rounds, 30),
    "L": (PAPER.local.epochs, 100),
    "R_lambda": (PAPER.local.multiplier_radius, 1e-5),
    "eta_lambda": (PAPER.local.learning_rate, 0.02),
    "alpha_n": ([entry.lower_percent for entry in PAPER.slices.values()], [0, 0, 0]),
    "beta_n": ([entry.upper_percent for entry in PAPER.slices.values()], [3, 3, 3]),
    "nu_n": ([entry.confidence_threshold for entry in PAPER.slices.values()], [0.82, 0.83, 0.85]),
    "slices": (list(PAPER.slices), ["eMBB", "Social Media", "Browsing"]),
}


@pytest.mark.parametrize(("ours", "printed"), TABLE_III.values(), ids=TABLE_III)
def test_paper_is_table_iii(ours, printed):
    assert ours == printed


def test_what_the_paper_leaves_open():
    """Ours, each with its reason beside it: a change here changes every committed figure."""
    assert PAPER.model == ModelSettings(hidden=(26, 26, 26), leaky_slope=0.2)
    local = PAPER.local
    assert (local.steepness_per_percent, local.tester_batch, local.integration_steps) == (3, 250, 8)
    assert (local.confidence, local.surrogate) == ("interval", "printed")
    assert (local.normalisation, local.mutations) == ("softmax", 1)
    assert (local.multipliers, local.returned_iterate) == ("reset", "mean")
    assert (local.baseline_traffic_mbps, local.baseline_cqi, local.baseline_mimo_percent) == (0, 0, 0)
    assert (PAPER.test_samples, PAPER.timed_rounds, PAPER.convergence_tolerance) == (250, 9, 0.05)
    assert PAPER.client_counts == (10, 25, 50, 100, 200)


def test_the_network_has_the_size_that_table_iv_tells_of():
    """16,510 KB in 13 rounds, up and down for 100 CLs in float32: 1,587 parameters, 1,269.6 KB a round."""
    widths = (5, *PAPER.model.hidden, 1)
    parameters = sum((inputs + 1) * outputs for inputs, outputs in pairwise(widths))
    assert parameters == 1587
    assert 2 * PAPER.clients * 4 * parameters / 1000 == pytest.approx(16510 / 13, rel=1e-3)  # 13 is a rounded count


def test_quick_is_a_smaller_paper():
    assert QUICK.name == "quick"
    assert (QUICK.clients, QUICK.rounds, QUICK.local.epochs) == (10, 10, 50)
    assert (QUICK.client_counts, QUICK.timed_rounds) == ((2, 5, 10, 20), 3)
    smaller = {"name", "clients", "rounds", "local", "client_counts", "timed_rounds"}
    for field in dataclasses.fields(Settings):
        if field.name not in smaller:
            assert getattr(QUICK, field.name) == getattr(PAPER, field.name), field.name
    assert dataclasses.replace(QUICK.local, epochs=100) == PAPER.local


def test_presets():
    assert PRESETS == {"paper": PAPER, "quick": QUICK}


def test_explainers():
    assert tuple(EXPLAINER_LABELS) == EXPLAINERS
    assert list(EXPLAINER_LABELS.values()) == ["IG", "Input x Gradient", "SHAP"]


@pytest.mark.parametrize("settings", [PAPER, PAPER.local, PAPER.model, PAPER.slices["eMBB"]])
def test_frozen(settings):
    for field in dataclasses.fields(settings):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(settings, field.name, getattr(settings, field.name))


@pytest.mark.parametrize(
    ("kind", "value"), [(Settings, "paper"), (LocalSettings, 100), (ModelSettings, (26,)), (SliceSettings, 0.0)]
)
def test_keywords_only(kind, value):
    with pytest.raises(TypeError, match="positional"):
        kind(value)


def test_a_preset_does_not_share_its_slices():
    assert Settings().slices is not PAPER.slices
    assert Settings() == PAPER


@pytest.mark.parametrize("kind", [Settings, LocalSettings, ModelSettings, SliceSettings])
def test_every_field_says_what_it_is(kind):
    said = explanations(kind)
    assert list(said) == [field.name for field in dataclasses.fields(kind)]
    for name, text in said.items():
        assert text.endswith("."), name
    assert len(set(said.values())) == len(said)


def test_what_is_left_without_the_constraint_keeps_its_values():
    """Here named anew: nu_n, and what only eqs. (7)-(10), their multipliers and the Tester read."""
    sla = SliceSettings(lower_percent=-1.0, upper_percent=4.0, confidence_threshold=0.7)
    assert without_constraint(sla) == {"lower_percent": -1.0, "upper_percent": 4.0}
    of_the_constraint = {"multiplier_radius", "steepness_per_percent", "tester_batch", "surrogate", "multipliers"}
    local = LocalSettings(epochs=7, mutations=2, confidence="literal")
    values = dataclasses.asdict(local)
    assert of_the_constraint < values.keys()
    assert without_constraint(local) == {name: values[name] for name in values.keys() - of_the_constraint}


REFUSED = [
    (SliceSettings, {"lower_percent": 3.0}, "lower_percent must be below upper_percent, got 3.0"),
    (SliceSettings, {"lower_percent": 4.0}, "lower_percent must be below upper_percent, got 4.0"),
    (SliceSettings, {"lower_percent": float("nan")}, "lower_percent must be below upper_percent, got nan"),
    *(
        (SliceSettings, {"confidence_threshold": value}, rf"confidence_threshold must be in \(0, 1\), got {value}")
        for value in (0, 1, -0.5, 82)
    ),
    (ModelSettings, {"hidden": ()}, r"hidden must be units > 0, got \(\)"),
    (ModelSettings, {"hidden": (26, 0)}, r"hidden must be units > 0, got \(26, 0\)"),
    (ModelSettings, {"leaky_slope": -0.1}, r"leaky_slope must be in \[0, 1\), got -0.1"),
    (ModelSettings, {"leaky_slope": 1}, r"leaky_slope must be in \[0, 1\), got 1"),
    *(
        (LocalSettings, {name: 0}, f"{name} must be at least 1, got 0")
        for name in ("epochs", "tester_batch", "integration_steps", "mutations")
    ),
    (LocalSettings, {"learning_rate": 0}, "learning_rate must be positive, got 0"),
    (LocalSettings, {"learning_rate": float("nan")}, "learning_rate must be positive, got nan"),
    (LocalSettings, {"multiplier_radius": 0}, r"multiplier_radius must be in \(0, 1\), got 0"),
    (LocalSettings, {"multiplier_radius": 1}, r"multiplier_radius must be in \(0, 1\), got 1"),
    (LocalSettings, {"steepness_per_percent": 0}, "steepness_per_percent must be positive, got 0"),
    (LocalSettings, {"confidence": "max"}, "confidence must be interval or literal, got 'max'"),
    (LocalSettings, {"normalisation": "sum"}, "normalisation must be softmax or linear, got 'sum'"),
    (LocalSettings, {"surrogate": "sum"}, "surrogate must be printed or product, got 'sum'"),
    (LocalSettings, {"multipliers": "carry"}, "multipliers must be reset or keep, got 'carry'"),
    (LocalSettings, {"returned_iterate": "first"}, "returned_iterate must be mean or last, got 'first'"),
    *(
        (LocalSettings, {name: -1.0}, f"{name} must be non-negative, got -1.0")
        for name in ("baseline_traffic_mbps", "baseline_cqi", "baseline_mimo_percent")
    ),
    *(
        (Settings, {name: 0}, f"{name} must be at least 1, got 0")
        for name in ("clients", "test_samples", "rounds", "timed_rounds")
    ),
    (Settings, {"samples": 1}, "samples must be at least 2, got 1"),
    (Settings, {"convergence_tolerance": 0}, r"convergence_tolerance must be in \(0, 1\), got 0"),
    (Settings, {"convergence_tolerance": 1}, r"convergence_tolerance must be in \(0, 1\), got 1"),
    (Settings, {"client_counts": (10, 0)}, r"client_counts must be one or more counts, each at least 1, got \(10, 0\)"),
]


@pytest.mark.parametrize(("kind", "change", "message"), REFUSED, ids=[f"{c}" for _, c, _ in REFUSED])
def test_refused(kind, change, message):
    needed = {"confidence_threshold": 0.8} if kind is SliceSettings else {}
    with pytest.raises(ValueError, match=f"^{message}; correct the setting$"):
        kind(**(needed | change))


def test_a_variation_is_checked_too():
    with pytest.raises(ValueError, match="rounds must be at least 1"):
        dataclasses.replace(PAPER, rounds=0)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (SliceSettings, {"confidence_threshold": 0.001, "lower_percent": 2.999}),
        (ModelSettings, {"hidden": (1,), "leaky_slope": 0}),
        (LocalSettings, {"epochs": 1, "tester_batch": 1, "integration_steps": 1, "learning_rate": 1e-9}),
        (Settings, {"clients": 1, "samples": 2, "test_samples": 1, "rounds": 1, "client_counts": (1,)}),
    ],
)
def test_the_least_that_is_allowed(kind, values):
    settings = kind(**values)
    assert {name: getattr(settings, name) for name in values} == values


def test_client_counts_name_at_least_one():
    with pytest.raises(ValueError, match="client_counts"):
        Settings(client_counts=())
