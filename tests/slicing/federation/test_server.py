"""Algorithm 1's outer loop and eq. (1)."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reproduction import seeds
from reproduction.slicing.closed_loop import client as closed_loop
from reproduction.slicing.closed_loop.client import ClientError, Score, Update, initial_state
from reproduction.slicing.closed_loop.weights import deserialise, initial_weights, serialise
from reproduction.slicing.federation.in_process import run_here
from reproduction.slicing.federation.server import State, aggregate, federate, fl_round
from reproduction.slicing.metrics import kilobytes_per_round
from reproduction.slicing.settings import LocalSettings, ModelSettings
from tests.oracles import eager_round

counts = st.lists(st.integers(1, 2000), min_size=1, max_size=8)


def start(assignment, clients):
    weights = initial_weights(assignment.sizes, 0, assignment.slice_name)
    return State(round_number=0, weights=weights, multipliers=np.stack([initial_state()] * len(clients)))


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
    """A `Run` whose CLs answer what they are told to, and which keeps what the server sent."""

    def __init__(self, updates, scores):
        self.answers = {closed_loop.train: updates, closed_loop.evaluate: scores}
        self.calls = []

    def __call__(self, function, assignment, clients, *rest):
        self.calls.append((function, [client.name for client in clients], rest))
        return self.answers[function]


def update(weights, samples, **changes):
    fixed = {"state": initial_state(), "multiplier": 0.4, "confidence": 0.9, "empty_epochs": 0}
    return Update(payload=serialise(np.asarray(weights, np.float32)), samples=samples, **(fixed | changes))


def test_round_adds_up_what_the_clients_say(build):
    assignment, clients = build.assignment(), [build.client(seed) for seed in range(3)]
    size = len(initial_weights(assignment.sizes, 0, "eMBB"))
    updates = [
        update(np.full(size, 1.0), 10, multiplier=0.3, confidence=0.8, empty_epochs=2),
        update(np.full(size, 2.0), 20, multiplier=0.5, confidence=float("nan"), empty_epochs=4),
        update(np.full(size, 4.0), 10, multiplier=0.4, confidence=1.0),
    ]
    scores = [
        Score(mse=1.0, confidence=0.5, inside=0.2),
        Score(mse=3.0, confidence=float("nan"), inside=0.0),
        Score(mse=2.0, confidence=0.9, inside=1.0),
    ]
    run = Scripted(updates, scores)
    before = start(assignment, clients)
    state, result = fl_round(before, assignment, clients, run)

    np.testing.assert_array_equal(state.weights, np.full(size, 2.25, np.float32))
    assert state.round_number == 1
    assert result.mse == (10 * 1.0 + 20 * 3.0 + 10 * 2.0) / 40
    assert result.inside == (10 * 0.2 + 10 * 1.0) / 40
    np.testing.assert_allclose([result.confidence, result.confidence_sd], [0.7, 0.2], rtol=1e-12)
    np.testing.assert_allclose([result.training_confidence, result.multiplier], [0.9, 0.4], rtol=1e-12)
    assert (result.undefined_clients, result.empty_epochs) == (1, 6)
    assert result.bytes_down == result.bytes_up == 3 * 4 * size
    assert result.seconds > 0
    # Everyone got the same weights and round; what is evaluated is the NEW model.
    (train, names, (broadcasts, _, rounds)), (evaluate, _, (models, again, parts)) = run.calls
    assert (train, evaluate) == (closed_loop.train, closed_loop.evaluate)
    assert names == ["CL000", "CL001", "CL002"]
    assert broadcasts == [serialise(before.weights)] * 3
    assert models == [serialise(state.weights)] * 3
    assert rounds == again == [0] * 3
    assert parts == ["training"] * 3


def test_round_without_any_confidence_is_undefined(build):
    assignment, clients = build.assignment(), [build.client(seed) for seed in range(2)]
    size = len(initial_weights(assignment.sizes, 0, "eMBB"))
    nan = float("nan")
    run = Scripted([update(np.ones(size), 5, confidence=nan)] * 2, [Score(mse=1.0, confidence=nan, inside=0.0)] * 2)
    _, result = fl_round(start(assignment, clients), assignment, clients, run)
    assert np.isnan([result.confidence, result.confidence_sd, result.training_confidence]).all()
    assert result.undefined_clients == 2


def test_default_network_of_100_clients_costs_1269_6_kb(build):
    assignment = build.assignment(model=ModelSettings())
    clients = [build.client(0, name=f"CL{number}") for number in range(100)]
    size = len(initial_weights(assignment.sizes, 0, "eMBB"))
    run = Scripted([update(np.ones(size), 5)] * 100, [Score(mse=1.0, confidence=1.0, inside=1.0)] * 100)
    _, result = fl_round(start(assignment, clients), assignment, clients, run)
    assert kilobytes_per_round([dataclasses.asdict(result)] * 13) == pytest.approx(1269.6, rel=1e-12)


@pytest.mark.parametrize("multipliers", ["reset", "keep"])
def test_what_a_client_gets_for_a(build, multipliers):
    local = LocalSettings(multipliers=multipliers)
    assignment, clients = build.assignment(local=local), [build.client(seed) for seed in range(2)]
    size = len(initial_weights(assignment.sizes, 0, "eMBB"))
    left = [initial_state() - 1, initial_state() - 2]
    answers = [update(np.ones(size), 5, state=state) for state in left]
    run = Scripted(answers, [Score(mse=1.0, confidence=1.0, inside=1.0)] * 2)
    for state, _ in federate(start(assignment, clients), assignment, clients, run, 2):
        np.testing.assert_array_equal(state.multipliers, left)
    first, second = (rest[1] for function, _, rest in run.calls if function is closed_loop.train)
    np.testing.assert_array_equal(first, [initial_state()] * 2)
    np.testing.assert_array_equal(second, left if multipliers == "keep" else [initial_state()] * 2)


# ---- real CLs


def test_one_client_federation_is_local_training(build):
    assignment, client = build.assignment(), build.client(2)
    before = start(assignment, [client])
    weights = serialise(before.weights)
    for number, (state, result) in enumerate(federate(before, assignment, [client], run_here, 3)):
        alone = closed_loop.train(assignment, client, weights, initial_state(), number)
        weights = alone.payload
        np.testing.assert_array_equal(state.weights, deserialise(weights))
        assert (result.training_confidence, result.multiplier) == (alone.confidence, alone.multiplier)
    assert state.round_number == 3


@pytest.mark.parametrize("multipliers", ["reset", "keep"])
def test_two_rounds_equal_the_oracle(build, multipliers):
    """The whole of Algorithm 1 for two CLs of unequal size, against the eager rounds averaged by eq. (1)."""
    local = LocalSettings(epochs=10, tester_batch=32, integration_steps=3, multipliers=multipliers)
    assignment = build.assignment(local=local, explainer="input_x_gradient")
    clients = [build.client(0, count=60, width=90), build.client(1, count=90)]
    before = start(assignment, clients)
    expected, matrices = before.weights, [None, None]
    for number, (state, _) in enumerate(federate(before, assignment, clients, run_here, 2)):
        rounds = []
        for client, matrix in zip(clients, matrices, strict=True):
            rounds.append(
                eager_round.local_round(
                    expected,
                    client.features.T[: client.samples],
                    client.target[: client.samples],
                    hidden=assignment.model.hidden,
                    epochs=10,
                    rate=0.02,
                    explainer="input_x_gradient",
                    batch=32,
                    baseline=np.zeros(5),
                    bounds=(0.0, 3.0),
                    threshold=0.82,
                    mu=3.0,
                    radius=1e-5,
                    matrix=matrix,
                    seed=seeds.stateless_seed(7, "training", "eMBB", number, client.name),
                )
            )
            assert rounds[-1].margin > 5e-6  # no draw and no bound that float32 could turn
        expected = (60 * rounds[0].weights + 90 * rounds[1].weights) / 150
        matrices = [one.matrix if multipliers == "keep" else None for one in rounds]
        # As for one local round, twice over.
        np.testing.assert_allclose(state.weights, expected, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(np.exp(state.multipliers), [one.matrix for one in rounds], atol=2e-6)


def test_order_of_clients_does_not_matter(build):
    assignment, clients = build.assignment(), [build.client(seed, count=20 + seed, width=40) for seed in range(5)]
    *_, (forth, _) = federate(start(assignment, clients), assignment, clients, run_here, 2)
    *_, (back, _) = federate(start(assignment, clients), assignment, clients[::-1], run_here, 2)
    np.testing.assert_array_equal(forth.weights, back.weights)
    np.testing.assert_array_equal(forth.multipliers, back.multipliers)


def test_a_federation_goes_on_from_its_state(build):
    assignment, clients = build.assignment(), [build.client(seed) for seed in range(2)]
    states = [state for state, _ in federate(start(assignment, clients), assignment, clients, run_here, 3)]
    (resumed, _), (last, _) = federate(states[0], assignment, clients, run_here, 3)
    np.testing.assert_array_equal(resumed.weights, states[1].weights)
    np.testing.assert_array_equal(last.weights, states[2].weights)
    assert list(federate(last, assignment, clients, run_here, 3)) == []


def test_a_diverged_client_is_not_averaged_in(build):
    assignment, clients = build.assignment(), [build.client(seed) for seed in range(3)]
    clients[1].features[0, 5] = np.nan
    rounds = []
    with pytest.raises(
        ClientError, match=r"slice 'eMBB', client 'CL001', round 1, local training.*the round is discarded"
    ):
        rounds.extend(federate(start(assignment, clients), assignment, clients, run_here, 3))
    assert rounds == []


# ---- what the server imports


def test_server_does_without_tensorflow():
    modules = (
        "slicing.federation.server, slicing.federation.in_process, slicing.settings, seeds, slicing.laboratory, "
        "results.records, slicing.metrics, results.seed_statistics, results.words, slicing.closed_loop.client, "
        "slicing.closed_loop.weights, slicing.schemes, slicing.figures"
    )
    code = "; ".join(f"import reproduction.{name}" for name in modules.split(", "))
    code += "; import sys; print(sorted({'tensorflow', 'keras', 'shap', 'matplotlib'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert answer.stdout.strip() == "[]"
