"""The quick reference: this code still makes its numbers, and a defect in the code would be seen.

Exact seeds first: the reference's own runs again, within measured rounding. Then fresh seeds, whose means must lie
where chance puts them: this holds too where rounding has grown too large to compare runs.
"""

import functools
import hashlib
import json
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from scipy import stats

from reproduction.slicing import laboratory
from reproduction.slicing.closed_loop import confidence, evaluation, local_training, proxy_lagrangian
from reproduction.slicing.comparison import curves
from reproduction.slicing.comparison.reference_federations import UNEQUAL, reference_data, reference_settings
from reproduction.slicing.datasets.slice_data import SliceData
from reproduction.slicing.federation import server
from reproduction.slicing.federation.in_process import Here
from reproduction.slicing.federation.record import FEDERATION
from reproduction.slicing.schemes import EXPLAINER_LABELS, SCHEMES
from reproduction.slicing.settings import PRESETS, QUICK
from tests.conftest import unwatched
from tests.helpers.reference_curves import (
    CHANCE,
    FEDERATIONS,
    FLOORS,
    ONE_PER_SCHEME,
    REFERENCE,
    SLICE,
    compare_means,
    compare_with_reference,
    reference,
    tolerances,
)

SETTINGS = reference_settings(QUICK)
SAME_SEEDS, FRESH_SEEDS = (0, 1), (5, 6, 7, 8, 9)
"""Of the reference's, those that portability was measured with; and as many others as the reference has."""

ROUNDS, EARLY_ROUNDS = 5, 2
"""Trained here of the reference's 10: later ones may, by rounding alone, be off by their whole value. A defect is there
in the first."""

IN_HOC, POST_HOC = (SLICE, "in-hoc", "integrated_gradients"), (SLICE, "post-hoc", "integrated_gradients")
UNEQUAL_POST_HOC = (UNEQUAL, "post-hoc", "integrated_gradients")

data = functools.cache(functools.partial(reference_data, SETTINGS))


def train(folder, federations, seeds, rounds, **local):
    """Return the curves of federations of the quick preset, trained here and now."""
    lab = laboratory.Laboratory(
        settings=replace(SETTINGS, rounds=rounds, local=replace(SETTINGS.local, **local)),
        slices=tuple(SETTINGS.slices),
        seeds=seeds,
        data=data,
        pool=Here(),
        store=laboratory.federations(folder),
        watch=unwatched,
    )
    frame = pd.concat(
        [
            curves.from_federation(lab.federation(*federation, seed), samples=1)  # which nothing here reads
            for federation in federations
            for seed in seeds
        ],
        ignore_index=True,
    )
    compared = frame[frame["metric"] != "seconds"]
    assert len(compared) == len(federations) * len(seeds) * rounds * 3
    assert np.isfinite(compared["value"]).all()
    return compared


# ---- defects


def compile_anew(monkeypatch):
    """Compile within a test what it changes, and leave the compiled functions of the other tests alone."""
    for module, name in (
        (local_training, "in_hoc_round"),
        (local_training, "post_hoc_round"),
        (evaluation, "evaluation"),
    ):
        monkeypatch.setattr(module, name, functools.cache(getattr(module, name).__wrapped__))


def lambda_descends(monkeypatch):
    compile_anew(monkeypatch)

    def ascend(self, gradient, learning_rate):
        self.state.assign(self.state.constraint(self.state + learning_rate * gradient))

    monkeypatch.setattr(proxy_lagrangian.Game, "step", ascend)


def all_samples_are_members(monkeypatch):
    compile_anew(monkeypatch)
    for module in (local_training, evaluation):
        monkeypatch.setattr(module, "inside_sla", lambda prediction, bounds: tf.ones_like(prediction))


def uniform_pi(monkeypatch):
    compile_anew(monkeypatch)
    monkeypatch.setattr(
        confidence, "soft_attributions", lambda weighted, normalisation: tf.ones_like(weighted) / weighted.shape[0]
    )


def features_shifted(monkeypatch):
    """Min-max instead of x / max: 0 is no longer "off"."""

    def scale(self):
        rows = np.concatenate([client.train_features for client in self.clients])
        low, high = rows.min(axis=0), rows.max(axis=0)
        clients = [
            replace(
                client,
                train_features=(client.train_features - low) / (high - low),
                test_features=(client.test_features - low) / (high - low),
            )
            for client in self.clients
        ]
        return replace(self, clients=tuple(clients))

    monkeypatch.setattr(SliceData, "scaled", scale)


def unweighted_average(monkeypatch):
    weighted = server.aggregate
    monkeypatch.setattr(server, "aggregate", lambda weights, samples: weighted(weights, [1] * len(samples)))


def nothing(monkeypatch):
    """For a defect that is a setting."""


DEFECTS = {  # how it is made, settings, the federation that has it
    "lambda's sign flipped": (lambda_descends, {}, IN_HOC),
    "one iterate in place of the mean": (nothing, {"returned_iterate": "last"}, POST_HOC),
    "U over all samples": (all_samples_are_members, {}, IN_HOC),
    "pi uniform": (uniform_pi, {}, IN_HOC),
    "features shifted": (features_shifted, {}, POST_HOC),
    "FedAvg unweighted": (unweighted_average, {}, UNEQUAL_POST_HOC),
    "IG with 1 step": (nothing, {"integration_steps": 1}, IN_HOC),
}
SEEN_BY_THE_MEANS = ("one iterate in place of the mean", "U over all samples")
"""Those that move a mean by more than the seeds scatter. The others change what a run does, not where it arrives: only
the same seed tells them apart."""


# ---- this code against its reference


@pytest.fixture(scope="module")
def expected():
    return reference()


@pytest.fixture(scope="module")
def same_seeds(tmp_path_factory):
    return train(tmp_path_factory.mktemp("same"), FEDERATIONS, SAME_SEEDS, ROUNDS)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    return train(tmp_path_factory.mktemp("fresh"), ONE_PER_SCHEME, FRESH_SEEDS, ROUNDS)


def test_the_same_seeds_give_the_same_curves(same_seeds, expected):
    assert compare_with_reference(same_seeds, expected, tolerances()) == []


def test_fresh_seeds_have_the_same_means(fresh, expected):
    assert compare_means(fresh, expected) == []


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_seen(monkeypatch, tmp_path, expected, name):
    inject, changed, federation = DEFECTS[name]
    inject(monkeypatch)
    slice_name, scheme, explainer = federation
    run = f"{scheme} ({EXPLAINER_LABELS[explainer]}), {slice_name}"

    same_seeds = train(tmp_path, [federation], SAME_SEEDS, EARLY_ROUNDS, **changed)
    lines = compare_with_reference(same_seeds, expected, tolerances())
    for seed in SAME_SEEDS:
        assert any(line.startswith(f"{run}, seed {seed}, round 1, mse: ours ") for line in lines), lines

    if name in SEEN_BY_THE_MEANS:
        fresh_seeds = train(tmp_path, [federation], FRESH_SEEDS, ROUNDS, **changed)
        lines = compare_means(fresh_seeds, expected)
        assert any(line.startswith(f"{run}, 5 fresh seeds, ") for line in lines), lines


def test_a_defect_of_the_score_alone_is_seen_in_the_confidence(monkeypatch, tmp_path, expected):
    """The models are the reference's, and so is their MSE; only C is measured with a uniform pi."""
    compile_anew(monkeypatch)
    monkeypatch.setattr(confidence, "soft_attributions", lambda weighted, _: tf.ones_like(weighted) / weighted.shape[0])
    lines = compare_with_reference(train(tmp_path, [POST_HOC], SAME_SEEDS, ROUNDS), expected, tolerances())
    assert lines
    assert all(", confidence: ours " in line for line in lines), lines


# ---- the comparisons themselves


def one_row(expected, metric, number):
    """Return one value of the reference as a run of its own, in the first scheme."""
    return expected[(expected["metric"] == metric) & (expected["round"] == number)].head(1).reset_index(drop=True)


@pytest.mark.parametrize("metric", FLOORS)
@pytest.mark.parametrize("number", [1, 4, 10])
def test_a_value_is_held_to_its_rounds_tolerance(expected, metric, number):
    row, tolerance = one_row(expected, metric, number), tolerances()
    allowed = tolerance[metric][number - 1] * (row["value"][0] if metric == "mse" else 1)
    for sign in (-1, 1):
        within, beyond = (row.assign(value=row["value"] + sign * share * allowed) for share in (0.99, 1.01))
        assert compare_with_reference(within, expected, tolerance) == []
        assert len(compare_with_reference(beyond, expected, tolerance)) == (allowed > 0)
    assert len(compare_with_reference(row.assign(value=row["value"] + allowed + 1), expected, tolerance)) == 1


def test_a_difference_says_everything(expected):
    row = one_row(expected, "mse", 1)
    (line,) = compare_with_reference(row.assign(value=2 * row["value"]), expected, tolerances())
    then = row["value"][0]
    assert line == (
        f"{row['scheme'][0]} ({row['explainer'][0]}), {row['slice'][0]}, seed 0, round 1, mse: ours {2 * then:.6g}, "
        f"reference {then:.6g}, tolerance {then * tolerances()['mse'][0]:.2g} %^2; if the change is meant, run "
        "`make reference` and list the change of the means in the CHANGELOG"
    )


def test_an_undefined_confidence_equals_only_itself(expected):
    row = one_row(expected, "confidence", 1)
    undefined = row.assign(value=np.nan)
    assert compare_with_reference(undefined, undefined, tolerances()) == []
    assert len(compare_with_reference(undefined, expected, tolerances())) == 1
    assert len(compare_with_reference(row, undefined, tolerances())) == 1


def test_a_run_that_the_reference_lacks_is_no_success(expected):
    row = one_row(expected, "mse", 1).assign(seed=99)
    (line,) = compare_with_reference(row, expected, tolerances())
    assert "seed 99, round 1, mse: the reference does not have it" in line


def test_the_rounds_that_are_trained_are_held():
    """A tolerance grown by a careless measurement would hide the defects, or pass anything."""
    tolerance = tolerances()
    assert tolerance["mse"][0] <= 1e-4
    assert tolerance["mse"][ROUNDS - 1] < 1
    assert tolerance["confidence"][ROUNDS - 1] < 0.01
    assert not any(tolerance["kb"])


def drawn(seeds, shift=0.0):
    """Draw runs of one federation whose statistics scatter by 0.3 (log MSE) and 0.01 (confidence)."""
    rows = []
    for seed in seeds:
        random = np.random.default_rng(seed)
        values = {"mse": np.exp(random.normal(shift, 0.3)), "confidence": 0.9 + 0.01 * random.normal()}
        for metric, value in values.items():
            rows += [
                ("post-hoc", "IG", SLICE, seed, number, metric, value, curves.METRICS[metric]) for number in (1, 2)
            ]
    return pd.DataFrame(rows, columns=list(curves.COLUMNS)).assign(clients=10)


def test_means_are_compared_as_by_students_test():
    """SciPy's own two-sample test gives the same verdicts at the same level."""
    verdicts = []
    for number in range(40):
        there, here = (
            drawn(range(100 * number, 100 * number + 5)),
            drawn(range(100 * number + 50, 100 * number + 53), 1),
        )
        lines = compare_means(here, there)
        logs = [np.log(frame[(frame["metric"] == "mse") & (frame["round"] == 2)]["value"]) for frame in (here, there)]
        verdicts.append(stats.ttest_ind(*logs).pvalue < CHANCE / 4)  # four comparisons
        assert any("mse: log, last round" in line for line in lines) == verdicts[-1]
    assert 0 < sum(verdicts) < len(verdicts)


def test_chance_alone_is_rarely_red():
    red = sum(bool(compare_means(drawn(range(s + 5, s + 8)), drawn(range(s, s + 5)))) for s in range(0, 8 * 100, 8))
    assert red <= 5  # of 100 at 1 %: 6 or more have a chance of 0.05 %


def test_the_references_seeds_are_not_fresh(expected):
    with pytest.raises(AssertionError, match="fresh seeds"):
        compare_means(expected, expected)


# ---- the files


PRESETS_WRITTEN = [name for name in PRESETS if (REFERENCE / name).is_dir()]


@pytest.fixture(params=PRESETS_WRITTEN)
def folder(request):
    return REFERENCE / request.param


def test_the_quick_reference_is_there():
    assert "quick" in PRESETS_WRITTEN


def test_the_manifest_fits_the_files(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, digest in manifest["files_sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
    assert set(manifest["files_sha256"]) == {"curves.csv", "seconds.csv", "summary.csv"}


def test_the_manifest_holds_todays_settings(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    ours = json.loads(json.dumps(asdict(reference_settings(PRESETS[folder.name]))))
    assert manifest["settings"] == ours, "settings changed: run `make reference`"
    assert manifest["seeds"] == [0, 1, 2, 3, 4]
    assert manifest["record_version"] == FEDERATION.version


def test_every_run_is_there(folder):
    ours = reference_settings(PRESETS[folder.name])
    schemes = [(scheme, EXPLAINER_LABELS[explainer]) for scheme, explainer in SCHEMES.values()]
    wanted = {(*scheme, name, seed, ours.clients) for scheme in schemes for name in ours.slices for seed in range(5)}
    for file, metrics in (("curves.csv", 3), ("seconds.csv", 1)):
        frame = curves.read(folder / file)
        assert set(frame[curves.RUN_KEY].itertuples(index=False, name=None)) == wanted
        made = frame[list(curves.CONDITIONS)].drop_duplicates()
        assert set(made["epochs"]) == {ours.local.epochs}
        assert set(made["rounds"]) == {ours.rounds}
        assert len(frame) == len(wanted) * ours.rounds * metrics


def test_the_summary_is_of_the_curves(folder):
    ours, written = curves.summary(curves.read(folder / "curves.csv")), pd.read_csv(folder / "summary.csv")
    pd.testing.assert_frame_equal(ours, written.astype(ours.dtypes), rtol=1e-12)  # sums of five in float64


def test_the_curves_say_the_manifests_data(folder):
    digests = json.loads((folder / "manifest.json").read_text())["data_sha256"]
    for file in ("curves.csv", "seconds.csv"):
        said = curves.read(folder / file).groupby(["slice", "seed"])[["samples", "data"]]
        assert (said.nunique() == 1).all(axis=None)
        first = said.first()
        assert first["data"].to_dict() == {
            (name, int(seed)): digest for name, by_seed in digests.items() for seed, digest in by_seed.items()
        }
    settings = reference_settings(PRESETS[folder.name])
    for (name, _), samples in first["samples"].items():
        whole = settings.clients * settings.samples
        assert samples == (whole * (settings.clients + 1) // (2 * settings.clients) if name == UNEQUAL else whole)


def test_the_data_are_todays():
    """The generator gives the numbers that the quick reference was trained on."""
    manifest = json.loads((REFERENCE / "quick" / "manifest.json").read_text())
    for name, by_seed in manifest["data_sha256"].items():
        assert data(name, 0, SETTINGS.clients).digest() == by_seed["0"]
