"""From records made by hand to the numbers of the figures; no federation is trained here."""

import dataclasses
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest

from reproduction.results.progress import Job
from reproduction.results.records import encode
from reproduction.slicing import controls, experiment, explanations
from reproduction.slicing.closed_loop import client as closed_loop
from reproduction.slicing.closed_loop.client import Score, Update, initial_log_matrix
from reproduction.slicing.schemes import MAIN_SCHEMES, SCHEMES
from reproduction.slicing.settings import ModelSettings, Settings, SliceSettings

NAN = float("nan")

# shap sets its colour maps up by matplotlib calls that are to be deprecated some day; not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore:The set_(bad|over|under) function:PendingDeprecationWarning")

SLICES = ("eMBB", "Browsing")
ROUNDS = 4


def rounds_of(slice_name, scheme, explainer, seed, clients):
    """Make a federation's rounds whose numbers tell whose they are."""
    base = 100 * SLICES.index(slice_name) + 10 * seed + 0.1 * len(explainer) + clients / 1000
    return [
        {
            "mse": base + drop,
            "confidence": None if (scheme, number) == ("post-hoc", 1) else 0.5 + number / 10,
            "inside": 0.9,
            "undefined_clients": number,
            "empty_epochs": 2 * number,
            "multiplier": 0.0 if scheme == "post-hoc" else 0.45,
            "seconds": 1.0 + number,
            "bytes_down": 1000 * clients,
            "bytes_up": 500 * clients,
        }
        for number, drop in enumerate((1.0, 0.5, 0.01, 0.0))
    ]


class FakeLaboratory:
    """A `Laboratory` whose federations are all finished."""

    def __init__(self, build, pool=None, counts=(40, 30, 35), **changes):
        fixed = {"clients": 3, "rounds": ROUNDS, "client_counts": (1, 2, 3, 50), "timed_rounds": 3}
        slices = {name: SliceSettings(confidence_threshold=0.8 + number / 100) for number, name in enumerate(SLICES)}
        self.settings = Settings(slices=slices, **(fixed | changes))
        self.slices, self.seeds, self.pool = SLICES, (0, 1), pool
        self.asked, self.watched = [], []
        self._build, self._counts = build, counts

    def data(self, name, seed, clients):
        data = self._build.slice_data(name, counts=self._counts)
        return data.subset(min(clients, len(data.clients)))

    def federation(self, slice_name, scheme, explainer, seed, clients=None):
        self.asked.append((slice_name, scheme, explainer, seed, clients))
        names = [client.name for client in self.data(slice_name, seed, clients or self.settings.clients).clients]
        return {
            "clients": names,
            "rounds": rounds_of(slice_name, scheme, explainer, seed, clients or self.settings.clients),
            "test": {
                "mse": [0.2 + seed, 0.4 + seed, 0.9 + seed][: len(names)],
                "confidence": [0.9, None, 0.5 + seed / 4][: len(names)],
            },
        }

    @contextmanager
    def watch(self, job):
        yield lambda finished, entry: self.watched.append((job, finished, entry))


@pytest.fixture
def lab(build):
    return FakeLaboratory(build)


def test_schemes_are_the_papers():
    assert SCHEMES == {
        "in-hoc IG": ("in-hoc", "integrated_gradients"),
        "in-hoc Input x Gradient": ("in-hoc", "input_x_gradient"),
        "in-hoc SHAP": ("in-hoc", "shapley_exact"),
        "post-hoc": ("post-hoc", "integrated_gradients"),
    }
    assert set(MAIN_SCHEMES) <= set(SCHEMES)


def test_convergence(lab):
    slices = experiment.convergence(lab)["slices"]
    assert list(slices) == list(SLICES)
    assert all(tuple(schemes) == MAIN_SCHEMES for schemes in slices.values())
    for name, schemes in slices.items():
        for label, curves in schemes.items():
            for number, seed in enumerate(lab.seeds):
                expected = rounds_of(name, *SCHEMES[label], seed, 3)
                for quantity in ("mse", "inside", "undefined_clients", "empty_epochs", "multiplier", "seconds"):
                    assert curves[quantity][number] == [entry[quantity] for entry in expected]
            # The first round is 1 above the best, so the band is 0.05, and round 3 (0.01) is the first in it.
            assert curves["convergence_round"] == [3, 3]
            assert curves["kb_per_round"] == 3 * 1.5


def test_convergence_has_errors_of_test_and_controls(lab):
    """The schemes' own records; the fits have their oracles in `test_controls`."""
    result = experiment.convergence(lab)
    for name in SLICES:
        assert tuple(result["errors"][name]) == MAIN_SCHEMES
        for label, errors in result["errors"][name].items():
            assert errors["mse"] == [run[-1] for run in result["slices"][name][label]["mse"]]
            np.testing.assert_allclose(errors["test_mse"], [0.5, 1.5], rtol=1e-12)
        slices = [lab.data(name, seed, 3) for seed in lab.seeds]
        assert result["controls"][name] == {
            "constant predictor": controls.errors(controls.constant, slices),
            "least squares": controls.errors(controls.least_squares, slices),
        }


def test_convergence_obeys_the_tolerance(build):
    lab = FakeLaboratory(build, convergence_tolerance=0.6)
    assert experiment.convergence(lab)["slices"]["eMBB"]["post-hoc"]["convergence_round"] == [2, 2]


def test_an_undefined_confidence_stays_undefined(lab):
    """Null in the record is NaN in the result, never 0 or 1."""
    curves = experiment.convergence(lab)["slices"]["eMBB"]
    np.testing.assert_array_equal(curves["post-hoc"]["confidence"], [[0.5, NAN, 0.7, 0.8]] * 2)
    np.testing.assert_array_equal(curves["in-hoc IG"]["confidence"], [[0.5, 0.6, 0.7, 0.8]] * 2)


def test_confidence(lab):
    slices = experiment.confidence(lab)["slices"]
    assert [numbers["threshold"] for numbers in slices.values()] == [0.8, 0.81]
    for numbers in slices.values():
        assert tuple(numbers["rounds"]) == MAIN_SCHEMES
        assert list(numbers["test"]) == list(SCHEMES)
        for scores in numbers["test"].values():
            np.testing.assert_array_equal(scores["confidence"], [[0.9, NAN, 0.5], [0.9, NAN, 0.75]])
            np.testing.assert_allclose(scores["mse"], [0.5, 1.5], rtol=1e-12)
    tested = {asked[:4] for asked in lab.asked}
    assert tested == {(name, *scheme, seed) for name in SLICES for scheme in SCHEMES.values() for seed in lab.seeds}


def pooled(lab, name="eMBB"):
    return np.concatenate([client.train_target for client in lab.data(name, 0, 3).clients]).astype(float)


def test_constant_predictor(lab):
    """A model that always says the mean: its MSE is the variance, and C = 1 where the mean is inside the SLA."""
    control = experiment.confidence(lab)["slices"]["eMBB"]["constant predictor"]
    target = pooled(lab)
    assert 0 < target.mean() < 3
    np.testing.assert_allclose(control["mse"], [np.mean((target - target.mean()) ** 2)] * 2, rtol=1e-12)
    assert control["confidence"] == [1.0, 1.0]


@pytest.mark.parametrize("bounds", [(-2.0, 0.0), (3.0, 4.0)])
def test_a_constant_outside_the_sla_has_no_confidence(lab, bounds):
    lower, upper = bounds
    outside = SliceSettings(confidence_threshold=0.8, lower_percent=lower, upper_percent=upper)
    lab.settings = dataclasses.replace(lab.settings, slices={"eMBB": outside, "Browsing": outside})
    assert not lower <= pooled(lab).mean() <= upper
    np.testing.assert_array_equal(
        experiment.confidence(lab)["slices"]["eMBB"]["constant predictor"]["confidence"], [NAN, NAN]
    )


def test_the_constant_predictor_counts_samples_not_clients(build):
    """The mean over all samples: a CL of 200 samples outweighs one of 3."""
    lab = FakeLaboratory(build, counts=(200, 3))
    mse = experiment.confidence(lab)["slices"]["eMBB"]["constant predictor"]["mse"]
    np.testing.assert_allclose(mse, [pooled(lab).var()] * 2, rtol=1e-12)


def test_overhead(lab):
    """KB = 1,000 bytes really sent down and received; one round of 3 CLs, 1,000 bytes down and 500 up each."""
    result = experiment.overhead(lab)
    assert result["slice"] == "eMBB"  # the first
    assert tuple(result["schemes"]) == MAIN_SCHEMES
    for curves in result["schemes"].values():
        assert curves["kb_per_round"] == 4.5
        assert curves["convergence_round"] == [3, 3]


@pytest.mark.parametrize(
    ("counts", "available", "expected"),
    [
        ((1, 2, 3, 50), 3, [1, 2, 3]),
        ((1, 2), 3, [1, 2]),
        ((10, 25, 50), 3, [3]),
        ((3, 1, 2, 2), 3, [1, 2, 3]),
        ((2, 5), 1, [1]),
    ],
)
def test_scalability_takes_no_more_clients_than_there_are(build, counts, available, expected):
    lab = FakeLaboratory(build, counts=(20,) * available, client_counts=counts)
    result = experiment.scalability(lab)
    assert result["slice"] == "eMBB"
    assert list(result["clients"]) == [str(count) for count in expected]
    assert lab.asked == [("eMBB", *SCHEMES["in-hoc IG"], seed, count) for count in expected for seed in lab.seeds]
    assert [curves["kb_per_round"] for curves in result["clients"].values()] == [1.5 * count for count in expected]


# ---- Fig. 7


class FakePool:
    """CLs that answer at once, and a note of who was asked what."""

    def __init__(self):
        self.trained, self.broadcasts = [], set()

    def map(self, function, held, *own):
        assignment, broadcast, round_number, *_ = function.args
        if function.func is closed_loop.score:
            return [Score(mse=1.0, confidence=1.0, inside=1.0) for _ in held.samples]
        assert function.func is closed_loop.train
        (log_matrices,) = own
        self.trained.append((assignment.slice_name, assignment.scheme, assignment.explainer, assignment.seed))
        assert round_number == 0  # always the first round, from the same weights
        assert all((log_matrix == initial_log_matrix()).all() for log_matrix in log_matrices)
        self.broadcasts.add(broadcast)
        update = Update(payload=broadcast, samples=1, multiplier=0.5, confidence=NAN, empty_epochs=0)
        return [(update, initial_log_matrix()) for _ in held.samples]


def test_timing_interleaves_the_schemes(build):
    pool = FakePool()
    lab = FakeLaboratory(build, pool)
    experiment.convergence_time(lab)
    turn = [("eMBB", *scheme, 0) for scheme in SCHEMES.values()]
    assert len(pool.broadcasts) == 1
    assert pool.trained == turn * (1 + lab.settings.timed_rounds)  # a turn to warm up, then those that count
    timing = Job(title="eMBB, timing all schemes in turn", steps=3)
    assert lab.watched == [(timing, finished, None) for finished in (1, 2, 3)]


def test_seconds_to_convergence(build, monkeypatch):
    """Rounds x the median second per round, the warm-up turn left out."""
    numbers = iter([99.0] * 4 + [1.0, 2.0, 3.0, 4.0] + [1.5, 2.5, 3.5, 4.5] + [50.0, 60.0, 70.0, 80.0])

    def timed(state, fleet):
        return state, SimpleNamespace(trained=SimpleNamespace(seconds=next(numbers)))

    monkeypatch.setattr(experiment, "fl_round", timed)
    result = experiment.convergence_time(FakeLaboratory(build))
    assert (result["slice"], result["clients"]) == ("eMBB", 3)
    assert list(result["schemes"]) == list(SCHEMES)
    for number, entry in enumerate(result["schemes"].values()):
        assert entry["timed_seconds"] == [1.0 + number, 1.5 + number, 50.0 + 10 * number]
        assert entry["seconds_per_round"] == 1.5 + number
        assert entry["rounds"] == [3, 3]
        assert entry["seconds"] == [3 * (1.5 + number)] * 2


def test_a_timed_round_is_the_rounds_own_clock(build, monkeypatch):
    pool = FakePool()
    clock = iter(np.arange(0.0, 1000.0, 0.25))
    monkeypatch.setattr("reproduction.slicing.federation.server.time.perf_counter", lambda: next(clock))
    schemes = experiment.convergence_time(FakeLaboratory(build, pool))["schemes"]
    assert all(entry["timed_seconds"] == [0.25] * 3 for entry in schemes.values())


# ---- Fig. 6


def test_attributions_of_a_linear_model(build):
    """Identity, leaky ReLU on positive inputs, a weighted sum: every attribution is weight x input, exactly known."""
    effects = np.array([2.0, 1.0, 0.5, -6.0, 0.125])
    lab = FakeLaboratory(build, model=ModelSettings(hidden=(5,)))
    lab.slices = ("Browsing", "eMBB")
    weights = np.concatenate([np.eye(5).ravel(), np.zeros(5), effects, [1.5]])
    lab.federation = lambda *asked: lab.asked.append(asked) or {"weights": encode(weights)}
    result = experiment.attributions(lab)
    labels = ("in-hoc IG", "post-hoc")
    assert lab.asked == [("Browsing", *SCHEMES[label], seed, None) for label in labels for seed in (0, 1)]
    assert (result["slice"], result["target"]) == ("Browsing", "CPU load")
    assert result["feature_names"] == ["A", "B", "C", "CQI", "MIMO full-rank"]
    assert result["feature_units"] == ["Mbps", "Mbps", "Mbps", "", "%"]

    data = lab.data("Browsing", 0, 3)
    features = np.concatenate([client.test_features for client in data.clients])
    expected = features / data.feature_maxima * effects
    assert list(result["models"]) == list(labels)
    first = result["models"]["in-hoc IG"][0]
    np.testing.assert_array_equal(first["features"], features)  # 36, fewer than are shown at most: all of them
    # float32 sums of five terms up to 6: 1e-5 relative, and 1e-6 where a term is 0.
    np.testing.assert_allclose(first["shap"], expected, rtol=1e-5, atol=2e-6)
    np.testing.assert_allclose(first["ig"], expected, rtol=1e-5, atol=2e-6)
    train = np.concatenate([client.train_features for client in data.clients]) / data.feature_maxima
    reference = train[np.linspace(0, len(train) - 1, 50).astype(int)].mean(0)
    against_background = (features / data.feature_maxima - reference) * effects  # of a linear model, exactly
    for seed, entry in zip(lab.seeds, result["models"]["in-hoc IG"], strict=True):
        assert entry["seed"] == seed
        for kind in ("shap", "ig"):
            np.testing.assert_allclose(entry[f"mean_abs_{kind}"], np.abs(expected).mean(0), rtol=1e-5)
        np.testing.assert_allclose(entry["mean_shap"], expected.mean(0), rtol=1e-5)
        background = np.abs(against_background).mean(0)
        np.testing.assert_allclose(entry["mean_abs_shap_background"], background, rtol=1e-4)  # means of 50 float32
        assert entry["rank_correlation"] == pytest.approx(1.0)


def test_attributions_thin_out_many_samples(build, monkeypatch):
    """At equal distances, so that all CLs are in, and never more than asked for."""
    monkeypatch.setattr(explanations, "EXPLAINED_SAMPLES", 10)
    lab = FakeLaboratory(build, model=ModelSettings(hidden=(5,)))
    lab.seeds = (0,)
    weights = np.concatenate([np.eye(5).ravel(), np.zeros(5), np.ones(6)])
    lab.federation = lambda *asked: {"weights": encode(weights)}
    shown = np.array(experiment.attributions(lab)["models"]["post-hoc"][0]["features"])
    features = np.concatenate([client.test_features for client in lab.data("eMBB", 0, 3).clients])
    np.testing.assert_array_equal(shown, features[[0, 3, 7, 11, 15, 19, 23, 27, 31, 35]])
