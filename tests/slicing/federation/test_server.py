"""Algorithm 1's outer loop and eq. (1)."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reproduction.slicing.closed_loop import client as closed_loop
from reproduction.slicing.closed_loop.client import ClientError, Score, Update, initial_log_matrix
from reproduction.slicing.closed_loop.weights import deserialise, serialise
from reproduction.slicing.federation.in_process import Here, InProcessFleet
from reproduction.slicing.federation.server import State, aggregate, federate, first_state, fl_round
from reproduction.slicing.metrics import kilobytes_per_round
from reproduction.slicing.settings import LocalSettings, ModelSettings
from tests.helpers.closed_loops import eager

counts = st.lists(st.integers(1, 2000), min_size=1, max_size=8)


def fleet_of(assignment, clients):
    return InProcessFleet(assignment, clients, pool=Here())


# ---- eq. (1)


@given(counts, st.integers(0, 1000))
def test_average_of_equals_is_the_identity(samples, seed):
    weights = np.random.default_rng(seed).normal(size=20).astype(np.float32)
    np.testing.assert_array_equal(aggregate([weights] * len(samples), samples), weights)


@given(counts, st.randoms(use_true_random=False), st.integers(0, 1000))
def test_average_ignores_order(samples, shuffler, seed):
    local = np.random.default_rng(seed).normal(size=(len(samples), 20)).astype(np.float32)
    order = list(range(len(samples)))
    shuffler.shuffle(order)
    ours, other = aggregate(local, samples), aggregate([local[i] for i in order], [samples[i] for i in order])
    # Sums in float64, then one rounding to float32, which may fall either way; entries that cancel keep 1e-15.
    np.testing.assert_allclose(ours, other, rtol=1.2e-7, atol=1e-14)


@given(counts, st.integers(0, 1000))
def test_average_weighs_by_samples(samples, seed):
    """A CL of D_k samples counts as D_k CLs of one sample."""
    local = np.random.default_rng(seed).normal(size=(len(samples), 20)).astype(np.float32)
    one_by_one = np.repeat(local.astype(float), samples, axis=0).mean(axis=0)
    np.testing.assert_allclose(aggregate(local, samples), one_by_one, rtol=1.2e-7, atol=1e-13)


def test_average_by_hand():
    ours = aggregate([np.float32([1, 0]), np.float32([0, 8])], [3, 1])
    np.testing.assert_array_equal(ours, [0.75, 2.0])
    assert ours.dtype == np.float32


# ---- a round, with CLs that answer by heart


class Scripted:
    """A `Fleet` whose CLs answer what they are told to, and which keeps what the server asked."""

    def __init__(self, updates, scores):
        self.updates, self.scores, self.calls = updates, scores, []

    def train(self, weights, round_number):
        self.calls.append(("train", weights, round_number))
        return self.updates

    def evaluate(self, weights, round_number, part):
        self.calls.append(("evaluate", weights, round_number, part))
        return self.scores


SIZE = 77


def update(weights, samples, **changes):
    fixed = {"multiplier": 0.4, "confidence": 0.9, "empty_epochs": 0}
    return Update(payload=serialise(np.asarray(weights, np.float32)), samples=samples, **(fixed | changes))


def before(size=SIZE):
    return State(round_number=0, weights=np.linspace(-1, 1, size, dtype=np.float32))


def test_round_adds_up_what_the_clients_say():
    updates = [
        update(np.full(SIZE, 1.0), 10, multiplier=0.3, confidence=0.8, empty_epochs=2),
        update(np.full(SIZE, 2.0), 20, multiplier=0.5, confidence=float("nan"), empty_epochs=4),
        update(np.full(SIZE, 4.0), 10, multiplier=0.4, confidence=1.0),
    ]
    scores = [
        Score(mse=1.0, confidence=0.5, inside=0.2),
        Score(mse=3.0, confidence=float("nan"), inside=0.0),
        Score(mse=2.0, confidence=0.9, inside=1.0),
    ]
    fleet = Scripted(updates, scores)
    state, result = fl_round(before(), fleet)
    measured, trained = result.measured, result.trained

    np.testing.assert_array_equal(state.weights, np.full(SIZE, 2.25, np.float32))
    assert state.round_number == 1
    assert measured.mse == (10 * 1.0 + 20 * 3.0 + 10 * 2.0) / 40
    assert measured.inside == (10 * 0.2 + 10 * 1.0) / 40
    np.testing.assert_allclose([measured.confidence, measured.confidence_sd], [0.7, 0.2], rtol=1e-12)
    np.testing.assert_allclose([trained.training_confidence, trained.multiplier], [0.9, 0.4], rtol=1e-12)
    assert (measured.undefined_clients, trained.empty_epochs) == (1, 6)
    assert trained.bytes_down == trained.bytes_up == 3 * 4 * SIZE
    assert trained.seconds > 0
    # Everyone got the same weights and round; what is evaluated is the NEW model.
    (train, broadcast, asked), (evaluate, model, again, part) = fleet.calls
    assert (train, evaluate, part) == ("train", "evaluate", "training")
    np.testing.assert_array_equal(broadcast, before().weights)
    np.testing.assert_array_equal(model, state.weights)
    assert asked == again == 0


def test_a_round_stands_flat_in_a_record():
    _, result = fl_round(before(), Scripted([update(np.ones(SIZE), 5)], [Score(mse=1.0, confidence=1.0, inside=1.0)]))
    assert list(result.entry()) == [
        "mse",
        "confidence",
        "confidence_sd",
        "inside",
        "undefined_clients",
        "training_confidence",
        "multiplier",
        "empty_epochs",
        "bytes_down",
        "bytes_up",
        "seconds",
    ]
    assert result.entry()["bytes_up"] == 4 * SIZE


def test_round_without_any_confidence_is_undefined():
    nan = float("nan")
    updates = [update(np.ones(SIZE), 5, confidence=nan)] * 2
    _, result = fl_round(before(), Scripted(updates, [Score(mse=1.0, confidence=nan, inside=0.0)] * 2))
    entry = result.entry()
    assert np.isnan([entry["confidence"], entry["confidence_sd"], entry["training_confidence"]]).all()
    assert entry["undefined_clients"] == 2


def test_default_network_of_100_clients_costs_1269_6_kb(build):
    size = len(first_state(build.assignment(model=ModelSettings())).weights)
    fleet = Scripted([update(np.ones(size), 5)] * 100, [Score(mse=1.0, confidence=1.0, inside=1.0)] * 100)
    _, result = fl_round(before(size), fleet)
    assert kilobytes_per_round([result.entry()] * 13) == pytest.approx(1269.6, rel=1e-12)


# ---- real CLs


def test_one_client_federation_is_local_training(build):
    assignment, client = build.assignment(), build.client(2)
    fleet, start = fleet_of(assignment, [client]), first_state(assignment)
    weights = serialise(start.weights)
    for number, (state, result) in enumerate(federate(start, fleet, 3)):
        ((alone, _),) = closed_loop.train(assignment, weights, number, [client], [initial_log_matrix()])
        weights = alone.payload
        np.testing.assert_array_equal(state.weights, deserialise(weights))
        trained = result.trained
        assert (trained.training_confidence, trained.multiplier) == (alone.confidence, alone.multiplier)
    assert state.round_number == 3


@pytest.mark.parametrize("multipliers", ["reset", "keep"])
def test_two_rounds_equal_the_oracle(build, multipliers):
    """The whole of Algorithm 1 for two CLs of unequal size, against the eager rounds averaged by eq. (1)."""
    local = LocalSettings(epochs=10, tester_batch=32, integration_steps=3, multipliers=multipliers)
    assignment = build.assignment(local=local, explainer="input_x_gradient")
    clients = [build.client(0, count=60, width=90), build.client(1, count=90)]
    fleet, start = fleet_of(assignment, clients), first_state(assignment)
    expected, matrices = start.weights, [None, None]
    for number, (state, _) in enumerate(federate(start, fleet, 2)):
        rounds = [
            eager(assignment, client, expected, matrix, round_number=number)
            for client, matrix in zip(clients, matrices, strict=True)
        ]
        assert min(one.margin for one in rounds) > 5e-6  # no draw and no bound that float32 could turn
        expected = (60 * rounds[0].weights + 90 * rounds[1].weights) / 150
        matrices = [one.matrix if multipliers == "keep" else None for one in rounds]
        # As for one local round, twice over.
        np.testing.assert_allclose(state.weights, expected, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(np.exp(fleet.log_matrices), [one.matrix for one in rounds], atol=2e-6)


@pytest.mark.parametrize("multipliers", ["reset", "keep"])
def test_order_of_clients_does_not_matter(build, multipliers):
    """Nor with A kept over the rounds, where each CL must go on from its own."""
    assignment = build.assignment(local=LocalSettings(epochs=4, tester_batch=16, multipliers=multipliers))
    clients = [build.client(seed, count=20 + seed, width=40) for seed in range(5)]
    ours, theirs = fleet_of(assignment, clients), fleet_of(assignment, [clients[place] for place in (3, 0, 4, 2, 1)])
    *_, (forth, _) = federate(first_state(assignment), ours, 3)
    *_, (back, _) = federate(first_state(assignment), theirs, 3)
    np.testing.assert_array_equal(forth.weights, back.weights)
    np.testing.assert_array_equal(ours.log_matrices, theirs.log_matrices)
    if multipliers == "keep":  # no two alike, so that one for another would be seen
        assert len(np.unique(ours.log_matrices, axis=0)) == 5
    assert ours.names == theirs.names == ("CL000", "CL001", "CL002", "CL003", "CL004")


def test_a_federation_goes_on_from_its_state(build):
    assignment, clients = build.assignment(), [build.client(seed) for seed in range(2)]
    states = [state for state, _ in federate(first_state(assignment), fleet_of(assignment, clients), 3)]
    fleet = fleet_of(assignment, clients)
    (resumed, _), (last, _) = federate(states[0], fleet, 3)
    np.testing.assert_array_equal(resumed.weights, states[1].weights)
    np.testing.assert_array_equal(last.weights, states[2].weights)
    assert list(federate(last, fleet, 3)) == []


def test_a_diverged_client_is_not_averaged_in(build):
    assignment, clients = build.assignment(), [build.client(seed) for seed in range(3)]
    clients[1].features[0, 5] = np.nan
    rounds = []
    with pytest.raises(
        ClientError, match=r"slice 'eMBB', client 'CL001', round 1, local training.*the round is discarded"
    ):
        rounds.extend(federate(first_state(assignment), fleet_of(assignment, clients), 3))
    assert rounds == []


# ---- what the server imports


def test_server_does_without_tensorflow():
    modules = (
        "slicing.federation.server, slicing.federation.in_process, slicing.federation.workers, slicing.settings, "
        "slicing.laboratory, seeds, "
        "results.records, slicing.metrics, results.seed_statistics, results.words, slicing.closed_loop.client, "
        "slicing.closed_loop.weights, slicing.schemes, slicing.figures"
    )
    code = "; ".join(f"import reproduction.{name}" for name in modules.split(", "))
    code += "; import sys; print(sorted({'tensorflow', 'keras', 'shap', 'matplotlib'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert answer.stdout.strip() == "[]"
