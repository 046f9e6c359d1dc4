"""Others' methods in our federation: the door itself, and the four examples."""

import dataclasses
import pickle
import subprocess
import sys
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from reproduction import examples
from reproduction.slicing.closed_loop import local_training
from reproduction.slicing.closed_loop.weights import initial_weights, layer_sizes, parameter_count
from reproduction.slicing.comparison import curves
from reproduction.slicing.comparison.method import LocalData, run_method
from reproduction.slicing.datasets import generate_slice
from reproduction.slicing.examples import fedavg_shap, fedprox, lagrangian, numpy_only, run_all
from reproduction.slicing.federation.in_process import Here
from reproduction.slicing.settings import LocalSettings, ModelSettings, Settings, SliceSettings

MODEL = ModelSettings(hidden=(6, 5), leaky_slope=0.3)
LOCAL = LocalSettings(epochs=5, learning_rate=0.03, tester_batch=16, integration_steps=3)
SETTINGS = Settings(name="test", clients=3, samples=40, rounds=3, model=MODEL, local=LOCAL)
SIZES = layer_sizes(5, MODEL)
EQUAL = (40, 40, 40)


@dataclass(frozen=True)
class PostHoc:
    """Our own baseline, brought in through the door."""

    local: LocalSettings = LOCAL
    name: str = "post-hoc"

    def local_update(self, weights, client_data, round_number, rng):
        local_round = local_training.post_hoc_round(SIZES, MODEL, self.local)
        ones = np.ones_like(client_data.target)
        return local_round(weights, client_data.features.T, client_data.target, ones).numpy()


@dataclass
class Given:
    """A method that returns what it is given."""

    update: object
    name: str = "mine"

    def local_update(self, weights, client_data, round_number, rng):
        return self.update(weights, client_data, round_number, rng)


class Averaging(Given):
    """The same with its own aggregation."""

    def aggregate(self, updates, samples):
        return sum(count * update["w"] for count, update in zip(samples, updates, strict=True)) / sum(samples)

    def broadcast(self):
        """Its CLs read nothing but the weights."""


def without_seconds(frame):
    return frame[frame["metric"] != "seconds"].reset_index(drop=True)


# --- the door


def test_our_post_hoc_scheme_brought_in_gives_its_record_bit_for_bit(build, tmp_path):
    data = build.slice_data(counts=EQUAL)  # no padding, which would be another sum and so other last bits
    lab = build.laboratory(tmp_path, settings=SETTINGS, data=lambda *_: data)
    payload = lab.federation("eMBB", "post-hoc", "integrated_gradients", 0)
    ours = curves.from_federation(payload, samples=3 * 40)
    theirs = run_method(PostHoc(), data, lab.settings, seed=0)
    assert len(theirs) == 4 * 3
    for column in (*curves.COLUMNS, *curves.CONDITIONS):
        np.testing.assert_array_equal(without_seconds(theirs)[column], without_seconds(ours)[column])


def test_what_a_method_is_given(build):
    seen = []

    def look(weights, client_data, round_number, rng):
        seen.append((weights, client_data, round_number, rng.random()))
        return weights

    data = build.slice_data(counts=(40, 30, 35))
    run_method(Given(look), data, replace(SETTINGS, rounds=2), seed=3)
    assert [(entry.name, number) for _, entry, number, _ in seen] == [
        (f"CL{client:03}", number) for number in (1, 2) for client in range(3)
    ]
    assert len({draw for *_, draw in seen}) == 6  # a stream per client and round
    weights, first, *_ = seen[0]
    np.testing.assert_array_equal(weights, initial_weights(SIZES, 3, "eMBB"))
    assert weights.dtype == first.features.dtype == first.target.dtype == first.baseline.dtype == np.float32
    np.testing.assert_array_equal(first.features, data.scaled().clients[0].train_features)
    np.testing.assert_array_equal(seen[1][1].target, data.clients[1].train_target)  # 30 samples, unpadded
    assert (first.lower_percent, first.upper_percent, first.confidence_threshold) == (0.0, 3.0, 0.82)
    assert first.feature_names == ("A", "B", "C", "CQI", "MIMO full-rank")
    assert set(dataclasses.asdict(first)) == {field.name for field in dataclasses.fields(LocalData)}

    again = []
    run_method(
        Given(lambda *given: again.append(given[3].random()) or given[0]), data, replace(SETTINGS, rounds=2), seed=3
    )
    assert again == [draw for *_, draw in seen]


class Spoiler:
    name = "spoiler"

    def local_update(self, weights, client_data, round_number, rng):
        for array in (weights, client_data.features, client_data.target, client_data.baseline):
            with pytest.raises(ValueError, match="read-only"):
                array += 1
        return weights


def test_a_method_cannot_spoil_what_others_read(build):
    """Not the weights of the next CL, nor the samples that the score is taken on."""
    settings = build.laboratory("unused").settings
    run_method(Spoiler(), build.slice_data(), settings)


def test_updates_without_training_keep_the_first_weights(build):
    frame = run_method(Given(lambda weights, *_: weights), build.slice_data(), SETTINGS)
    assert frame[frame["metric"] == "mse"]["value"].nunique() == 1


def test_kilobytes_are_what_crosses_the_network(build):
    count = parameter_count(SIZES)
    data = build.slice_data()

    def kb(method):
        frame = run_method(method, data, replace(SETTINGS, rounds=1))
        return frame[frame["metric"] == "kb"]["value"].item()

    assert kb(Given(lambda weights, *_: weights.astype(float))) == 3 * 2 * 4 * count / 1000  # travels as float32
    down = 3 * 4 * count
    update = {"w": np.zeros(count), "loss": 0.5}
    assert kb(Averaging(lambda *_: update)) == (down + 3 * len(pickle.dumps(update))) / 1000

    class Bare(Given):
        def aggregate(self, updates, samples):
            return updates[0]

        def broadcast(self):
            return None

    assert kb(Bare(lambda *_: np.zeros(count))) == (down + 3 * 8 * count) / 1000  # float64 costs 8 bytes


@dataclass
class Controlled:
    """A method whose CLs read what its server keeps, as SCAFFOLD's read the control variate."""

    control: np.ndarray
    name: str = "controlled"

    def local_update(self, weights, client_data, round_number, rng):
        return weights - 0.01 * self.control

    def aggregate(self, updates, samples):
        self.control = self.control + 1
        return updates[0]


class Declared(Controlled):
    """The same, saying so."""

    def broadcast(self):
        return self.control


@dataclass
class Median:
    """A method with an aggregation of its own and no state."""

    name: str = "median"

    def local_update(self, weights, client_data, round_number, rng):
        return weights

    def aggregate(self, updates, samples):
        return np.median(updates, axis=0)


class Remembering(Median):
    """State that its server keeps for itself, and declares that nobody reads."""

    def aggregate(self, updates, samples):
        self.last = updates[0]
        return updates[0]

    def broadcast(self):
        return None


class Careless(Median):
    """A local round that keeps state, which other CLs of the process read."""

    def local_update(self, weights, client_data, round_number, rng):
        self.seen = client_data.name
        return weights


COUNT = parameter_count(SIZES)
TRAFFIC = {
    "declared": (Declared(np.zeros(COUNT)), 3 * (4 + 8 + 8) * COUNT / 1000),  # float32 and float64 down, float64 up
    "stateless": (Median(), 3 * (4 + 4) * COUNT / 1000),
    "state that nobody is sent": (Remembering(), 3 * (4 + 4) * COUNT / 1000),
    "undeclared": (Controlled(np.zeros(COUNT)), None),
    "in the local round": (Careless(), None),
}


@pytest.mark.parametrize(("method", "kb"), TRAFFIC.values(), ids=TRAFFIC)
def test_state_that_reaches_the_cls_is_counted_or_there_are_no_kb(build, caplog, method, kb):
    frame = run_method(method, build.slice_data(), replace(SETTINGS, rounds=2))
    told = frame[frame["metric"] == "kb"]["value"].tolist()
    assert told == ([] if kb is None else [kb] * 2)
    assert set(frame["metric"]) >= {"mse", "confidence", "seconds"}
    warned = [record.getMessage() for record in caplog.records]
    assert len(warned) == (kb is None)
    assert all(f"method {method.name!r} keeps state" in line and "give it a broadcast()" in line for line in warned)


def test_what_does_not_pickle_and_aggregates_is_not_believed(build, caplog):
    class Local(Given):
        def aggregate(self, updates, samples):
            return updates[0]

    frame = run_method(Local(lambda weights, *_: weights), build.slice_data(), replace(SETTINGS, rounds=1))
    assert "kb" not in set(frame["metric"])
    assert "keeps state" in caplog.text
    frame = run_method(Given(lambda weights, *_: weights), build.slice_data(), replace(SETTINGS, rounds=1))
    assert "kb" in set(frame["metric"])


def test_a_curve_says_how_it_was_made(build, tmp_path):
    data = build.slice_data(counts=(40, 30, 35))
    frame = run_method(Median(), data, replace(SETTINGS, rounds=2))
    (made,) = frame[list(curves.CONDITIONS)].drop_duplicates().to_dict("records")
    assert made == {"clients": 3, "samples": 105, "epochs": LOCAL.epochs, "rounds": 2, "data": data.digest()}
    method = Median()
    method.epochs = 7  # its own
    assert set(run_method(method, data, replace(SETTINGS, rounds=1))["epochs"]) == {7}
    curves.write(tmp_path / "mine.csv", frame)
    assert set(curves.read(tmp_path / "mine.csv")["data"]) == {data.digest()}


def test_own_aggregation(build):
    """A weighted mean written anew gives eq. (1)'s curve."""
    data = build.slice_data(counts=(40, 30, 35))
    post_hoc = PostHoc()
    mean = run_method(post_hoc, data, SETTINGS)
    own = run_method(Averaging(lambda *given: {"w": post_hoc.local_update(*given).astype(float)}), data, SETTINGS)
    scored = ["mse", "confidence"]
    ours = mean[mean["metric"].isin(scored)]["value"]
    # the sums run in another order, so the weights may differ in their last bit of float32
    np.testing.assert_allclose(own[own["metric"].isin(scored)]["value"], ours, rtol=1e-5)


class Workerlike:
    """A pool that is not `Here` and starts no process."""

    def map(self, function, held, *own):
        return Here().map(function, held, *own)


WHO = r"method 'mine', slice 'eMBB', client 'CL001', round 2: local_update"


def second(value):
    """Return `value` for the second client in round 2 and good weights elsewhere."""

    def update(weights, client_data, round_number, rng):
        return value(weights) if (client_data.name, round_number) == ("CL001", 2) else weights

    return Given(update)


REFUSED = {
    "shape": (second(lambda weights: weights[:-1]), WHO + r" must return float32 \[77\], got shape \(76,\)"),
    "layers": (second(lambda weights: [weights, weights[:1]]), WHO + r" must return float32 \[77\], got list"),
    "nothing": (
        second(lambda weights: None),
        WHO + r" (must return float32 \[77\]|returned weights that are not finite)",
    ),
    "NaN": (second(lambda weights: weights * np.nan), WHO + r" returned weights that are not finite; lower"),
    "aggregate": (
        Averaging(lambda weights, *_: {"w": weights[1:]}),
        r"method 'mine', slice 'eMBB', round 1: aggregate must return float32 \[77\], got shape \(76,\)",
    ),
}


@pytest.mark.parametrize(("method", "message"), REFUSED.values(), ids=REFUSED)
def test_a_bad_update_is_refused_in_one_line(build, method, message):
    with pytest.raises(ValueError, match=message) as caught:
        run_method(method, build.slice_data(), SETTINGS)
    assert "\n" not in str(caught.value)


def test_a_method_that_does_not_pickle_is_refused_before_a_worker_sees_it(build):
    method = Given(lambda weights, *_: weights)
    with pytest.raises(ValueError, match=r"method 'mine' must pickle to run in worker processes, got .*top level"):
        run_method(method, build.slice_data(), SETTINGS, pool=Workerlike())


def test_a_method_of_a_notebook_is_refused_by_workers(build, monkeypatch):
    monkeypatch.setattr(fedprox.FedProx, "__module__", "__main__")
    monkeypatch.setattr(sys.modules["__main__"], "FedProx", fedprox.FedProx, raising=False)
    monkeypatch.delattr(sys.modules["__main__"], "__file__")
    with pytest.raises(ValueError, match=r"'FedProx' lives in a notebook, where worker processes do not find it"):
        run_method(fedprox.FedProx(), build.slice_data(), SETTINGS, pool=Workerlike())


def test_an_unknown_slice_is_refused(build):
    with pytest.raises(ValueError, match=r"settings\.slices must know slice 'mMTC', got eMBB, Social Media, Browsing"):
        run_method(PostHoc(), build.slice_data(name="mMTC"), SETTINGS)


def test_the_watcher_sees_every_round(build):
    from contextlib import contextmanager

    told = []

    @contextmanager
    def watch(job):
        assert (job.title, job.steps) == ("eMBB, mine, seed 2, 3 CLs", 3)
        yield lambda done, entry: told.append((done, entry["mse"]))

    frame = run_method(Given(lambda weights, *_: weights), build.slice_data(), SETTINGS, seed=2, watch=watch)
    assert told == list(enumerate(frame[frame["metric"] == "mse"]["value"], start=1))


# --- the examples


@pytest.fixture(scope="module")
def data(build):
    return build.slice_data(counts=EQUAL)


@pytest.fixture(scope="module")
def ours(data):
    """Our post-hoc curve: mse and confidence by round."""
    return wide(run_method(PostHoc(), data, SETTINGS))


def wide(frame):
    return frame.pivot(index="round", columns="metric", values="value")[["mse", "confidence"]]


GIVEN = {"local": LOCAL, "model": MODEL}


def test_fedprox_without_its_term_is_post_hoc(data, ours):
    """The term adds +0 to every gradient; a compiler may still fuse the sums otherwise, hence float32's 1e-5."""
    np.testing.assert_allclose(
        wide(run_method(fedprox.FedProx(proximal=0.0, **GIVEN), data, SETTINGS)), ours, rtol=1e-5
    )


def test_fedprox_holds_the_weights_near_the_global_models():
    features, target = np.random.default_rng(0).random((2, 40, 5), np.float32)
    local = LocalData(
        name="a", features=features, target=target[:, 0], feature_names=tuple("abcde"), lower_percent=0.0,
        upper_percent=3.0, confidence_threshold=0.8, baseline=np.zeros(5, np.float32),
    )  # fmt: skip
    start = initial_weights(SIZES, 0, "eMBB")
    far = [
        np.linalg.norm(fedprox.FedProx(proximal=mu, **GIVEN).local_update(start, local, 1, None) - start)
        for mu in (0.0, 10.0, 1000.0)
    ]
    assert far[0] > far[1] > far[2]


def test_fedprox_gradient_is_that_of_its_formula():
    """One epoch of Adam from w_global is FedAvg's, as the term's gradient is 0 there; a second is not."""
    features, target = np.random.default_rng(1).random((2, 40, 5), np.float32)
    start = initial_weights(SIZES, 0, "eMBB")
    arrays = (start, features.T, target[:, 0])
    for epochs, equal in ((1, True), (2, False)):
        local = replace(LOCAL, epochs=epochs)
        with_term, without = (fedprox._compiled(SIZES, MODEL, local, mu)(*arrays).numpy() for mu in (50.0, 0.0))
        assert (np.abs(with_term - without).max() < 1e-6) == equal  # float32 against steps of 0.02


def test_fedavg_is_post_hoc_bit_for_bit_and_scored_with_shap(data, ours):
    frame = run_method(fedavg_shap.FedAvg(**GIVEN), data, SETTINGS, explainer=fedavg_shap.EXPLAINER)
    assert set(frame["explainer"]) == {"SHAP"}
    np.testing.assert_array_equal(wide(frame)["mse"], ours["mse"])


@pytest.mark.parametrize("epochs", [1, 10])
def test_numpy_only_takes_the_same_steps_as_tensorflow(epochs):
    """Same formulas, sums in another order: float32 rounding, which Adam's division by small moments makes larger."""
    local = replace(LOCAL, epochs=epochs)
    features, target = np.random.default_rng(2).random((2, 60, 5), np.float32)
    start = initial_weights(SIZES, 0, "eMBB")
    data = LocalData(
        name="a", features=features, target=3 * target[:, 0], feature_names=tuple("abcde"), lower_percent=0.0,
        upper_percent=3.0, confidence_threshold=0.8, baseline=np.zeros(5, np.float32),
    )  # fmt: skip
    mine = numpy_only.NumpyOnly(local=local, model=MODEL).local_update(start, data, 1, None)
    theirs = PostHoc(local).local_update(start, data, 1, None)
    assert mine.dtype == np.float32
    np.testing.assert_allclose(mine, theirs, atol=2e-5)  # steps are of 0.02
    assert np.abs(theirs - start).max() > 5e-3


def test_numpy_onlys_gradient_against_central_differences():
    random = np.random.default_rng(3)
    features, target = random.random((5, 30)), random.random(30)
    weights = initial_weights(SIZES, 1, "eMBB").astype(float) + random.normal(0, 0.1, parameter_count(SIZES))

    def mse(weights):
        signal, start = features, 0
        for number, (fan_in, fan_out) in enumerate(pairwise(SIZES)):
            kernel = weights[start : start + fan_in * fan_out].reshape(fan_in, fan_out)
            start += fan_in * fan_out
            signal = kernel.T @ signal + weights[start : start + fan_out, None]
            start += fan_out
            signal = np.where((signal > 0) | (number == len(SIZES) - 2), signal, 0.2 * signal)
        return np.mean((signal[0] - target) ** 2)

    step = 1e-6 * np.eye(len(weights))
    slopes = [(mse(weights + row) - mse(weights - row)) / 2e-6 for row in step]
    gradient = numpy_only.mse_gradient(weights, SIZES, features, target, 0.2)
    # float64, but the slope 0.2 is rounded to float32; central differences are good to about 1e-9
    np.testing.assert_allclose(gradient, slopes, rtol=1e-6, atol=1e-8)


def test_numpy_only_imports_no_tensorflow():
    code = (
        "import sys, numpy as np; from reproduction.slicing.examples.numpy_only import mse_gradient; "
        "mse_gradient(np.ones(4), (3, 1), np.ones((3, 2)), np.zeros(2), .2); "
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_lagrangian_whose_constraint_is_always_met_is_post_hoc(data, ours):
    """Psi = nu - mean(S1 S2) stays below 0 for a tiny nu, so lambda stays 0; a fused sum may round otherwise."""
    slices = {"eMBB": SliceSettings(confidence_threshold=1e-6)}
    free = wide(run_method(lagrangian.Lagrangian(**GIVEN), data, replace(SETTINGS, slices=slices)))
    np.testing.assert_allclose(free["mse"], ours["mse"], rtol=1e-5)


def test_lagrangian_constraint_acts_where_it_is_violated(build):
    """nu near 1 cannot be met by S1 S2 < 1: lambda grows, and the models keep further inside the SLA at higher MSE."""
    data = build.slice_data(counts=(80, 80, 80))
    settings = replace(SETTINGS, slices={"eMBB": SliceSettings(confidence_threshold=0.999)})
    local = replace(LOCAL, epochs=200, tester_batch=64)
    free = wide(run_method(PostHoc(local), data, settings)).iloc[-1]
    bound = wide(run_method(lagrangian.Lagrangian(local=local, model=MODEL), data, settings)).iloc[-1]
    assert bound["confidence"] > free["confidence"] + 0.02  # 0.97 against 0.91
    assert bound["mse"] > free["mse"] * 1.05  # 0.043 against 0.036


@pytest.fixture(scope="module")
def all_four(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    settings = replace(SETTINGS, rounds=2, test_samples=10)
    frame = run_all.run_all(settings, ["eMBB"], [0, 1], Here(), folder)
    return settings, folder, frame


def test_all_four_in_one_table(all_four, tmp_path):
    settings, folder, frame = all_four
    assert set(frame["scheme"]) == {"FedProx", "FedAvg + SHAP", "Lagrangian", "NumPy only"}
    assert len(list(folder.iterdir())) == 4 * 2
    curves.write(tmp_path / "examples.csv", frame)  # in the form
    assert len(frame) == 4 * 2 * 4 * 2  # methods, seeds, metrics, rounds
    data = generate_slice("eMBB", seed=1, clients=3, samples=40, test_samples=10)
    alone = run_method(numpy_only.NumpyOnly(**GIVEN), data, settings, seed=1)
    stored = frame[(frame["scheme"] == "NumPy only") & (frame["seed"] == 1)]
    np.testing.assert_array_equal(wide(stored), wide(alone))


def test_finished_federations_are_not_run_again(all_four, monkeypatch):
    settings, folder, frame = all_four

    def refuse(*arguments, **options):
        pytest.fail("a finished federation was run again")

    monkeypatch.setattr(run_all, "run_method", refuse)
    again = run_all.run_all(settings, ["eMBB"], [0, 1], Here(), folder)
    np.testing.assert_array_equal(again.to_numpy(), frame.to_numpy())
    with pytest.raises(pytest.fail.Exception):  # other settings are other federations
        run_all.run_all(replace(settings, rounds=1), ["eMBB"], [0], Here(), folder)


def test_examples_command_line(all_four, tmp_path, monkeypatch, capsys):
    _, _, frame = all_four
    asked = []

    class FewWorkers:
        def __init__(self, count):
            asked.append(count)

        def __enter__(self):
            return Here()

        def __exit__(self, *reason):
            pass

    def fake(settings, slices, seeds, pool, folder):
        asked.append((settings.name, list(slices), list(seeds), folder))
        return frame

    monkeypatch.setattr(examples, "Workers", FewWorkers)
    monkeypatch.setattr(examples, "run_all", fake)
    options = ["--preset", "quick", "--seeds", "2", "--slices", "eMBB", "--workers", "3", "--out", str(tmp_path)]
    examples.main(options)
    assert asked == [3, ("quick", ["eMBB"], [0, 1], tmp_path / "runs")]
    assert len(curves.read(tmp_path / "examples.csv")) == len(frame)
    assert capsys.readouterr().out.strip() == str(tmp_path / "examples.csv")

    for wrong, message in ((["--slices", "x"], "no slice 'x'"), (["--seeds", "0"], "must be at least 1")):
        with pytest.raises(SystemExit) as exit_:
            examples.main(wrong)
        assert exit_.value.code == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "line"), [(ValueError("no\nway"), 2, "error: no way"), (KeyboardInterrupt, 130, examples.STOPPED)]
)
def test_examples_end_in_one_line(monkeypatch, capsys, tmp_path, error, code, line):
    def fake(*arguments):
        raise error

    monkeypatch.setattr(examples, "run_all", fake)
    with pytest.raises(SystemExit) as exit_:
        examples.main(["--out", str(tmp_path)])
    assert exit_.value.code == code
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(line)
