"""The compiled local round against the eager one, which is written from the paper."""

import dataclasses
import functools
import itertools

import numpy as np
import pytest

from reproduction.slicing.closed_loop import client as closed_loop
from reproduction.slicing.closed_loop import evaluation, local_training
from reproduction.slicing.closed_loop.client import ClientError, initial_log_matrix
from reproduction.slicing.closed_loop.weights import deserialise, initial_weights, serialise
from reproduction.slicing.settings import LocalSettings, SliceSettings
from tests.helpers.closed_loops import compiled_round, eager
from tests.oracles import algorithm1

LOCAL = LocalSettings(epochs=20, tester_batch=64, integration_steps=4)
SAMPLES = 200
CLIENT_SEED = 0
START = np.array([[0.7, 0.4], [0.3, 0.6]])  # a matrix A that a CL may bring along
BASELINE = np.array([0.1, 0.05, 0.0, 0.5, 0.2], np.float32)


def compiled(*arguments, **options):
    return compiled_round(*arguments, **options)[0]


# name: what differs from the default assignment, the client's samples and padding, the matrix A it starts with
CASES = {
    "integrated gradients": {},
    "input x gradient": {"explainer": "input_x_gradient"},
    "exact Shapley": {"explainer": "shapley_exact"},
    "post-hoc": {"scheme": "post-hoc"},
    "the last iterate": {"local": {"returned_iterate": "last"}},
    "post-hoc, the last iterate": {"scheme": "post-hoc", "local": {"returned_iterate": "last"}},
    "product surrogate": {"local": {"surrogate": "product"}},
    "literal confidence": {"local": {"confidence": "literal"}},
    "linear normalisation": {"local": {"normalisation": "linear"}},
    "three mutations per sample": {"local": {"mutations": 3}},
    "A carried over": {"matrix": START},
    "narrow SLA": {"sla": SliceSettings(lower_percent=0.5, upper_percent=1.5, confidence_threshold=0.9)},
    "a baseline that is not zero, IG": {"baseline": BASELINE},
    "a baseline that is not zero, IxG": {"baseline": BASELINE, "explainer": "input_x_gradient"},
    "a baseline that is not zero, Shapley": {"baseline": BASELINE, "explainer": "shapley_exact"},
    "empty U": {"sla": SliceSettings(lower_percent=70, upper_percent=80, confidence_threshold=0.9)},
    "padded": {"padding": 57},
    "padded, post-hoc": {"padding": 57, "scheme": "post-hoc"},
}


def case(build, changes):
    changes = dict(changes)
    matrix, padding = changes.pop("matrix", None), changes.pop("padding", 0)
    local = dataclasses.replace(LOCAL, **changes.pop("local", {}))
    client = build.client(seed=CLIENT_SEED, count=SAMPLES - padding, width=SAMPLES)
    # What stands in the padding must not matter: only its weight of 0 may keep it out.
    client.features[:, client.count :], client.target[client.count :] = 3.0, 50.0
    assignment = build.assignment(local=local, **changes)
    return assignment, client, initial_weights(assignment.sizes, 0, "eMBB"), matrix


@pytest.fixture(scope="module")
def oracles(build):
    """Each case's eager round, run once."""
    return functools.cache(lambda name: eager(*case(build, CASES[name])))


@pytest.mark.parametrize("name", CASES)
def test_compiled_round_equals_eager(build, oracles, name):
    assignment, client, weights, matrix = case(build, CASES[name])
    log_matrix = None if matrix is None else np.log(matrix).astype(np.float32)
    (ours, log_matrix), oracle = compiled_round(assignment, client, weights, log_matrix), oracles(name)
    # The case must not hang on a comparison that rounding can turn: measured, float32 is 1e-6 away at such a one.
    assert oracle.margin > 5e-6, "float32 may decide a draw or a bound otherwise: choose another seed for this case"

    # Float32 against float64 over 20 Adam steps: 7e-7 measured, on weights of the order 0.1 to 1 (hence absolute), and
    # room for other machines' order of summation.
    np.testing.assert_allclose(deserialise(ours.payload), oracle.weights, rtol=1e-5, atol=5e-6)
    assert ours.samples == client.count
    assert ours.empty_epochs == oracle.empty_epochs
    # C counts samples, so that it is right or wrong by 1 / 64; float32 sums 20 of them.
    np.testing.assert_allclose(ours.confidence, oracle.confidence, rtol=1e-6)
    if assignment.scheme == "in-hoc":
        np.testing.assert_allclose(np.exp(log_matrix), oracle.matrix, atol=1e-6)
        np.testing.assert_allclose(ours.multiplier, algorithm1.top_eigenvector(oracle.matrix)[1], atol=1e-6)


def test_cases_differ(oracles):
    """Each case must exercise what it names: no two of the oracle's rounds give the same weights."""
    for one, other in itertools.combinations(CASES, 2):
        assert np.abs(oracles(one).weights - oracles(other).weights).max() > 1e-4, f"{one} and {other} are the same"


def test_confidence_is_not_trivial(build):
    assignment, client, weights, _ = case(build, {})
    assert 0.5 < compiled(assignment, client, weights).confidence < 0.995


def test_literal_confidence_is_one_whatever_happens(build):
    update = compiled(*case(build, {"local": {"confidence": "literal"}})[:3])
    assert update.confidence == 1.0
    assert update.multiplier < 0.5  # C = 1 > nu: the constraint looks satisfied, lambda_1 falls


def test_empty_u_is_no_constraint(build):
    """Fault 9: C is undefined in the epoch, A stays, and the epoch is counted."""
    update, log_matrix = compiled_round(*case(build, CASES["empty U"])[:3])
    assert np.isnan(update.confidence)
    assert update.empty_epochs == LOCAL.epochs
    np.testing.assert_allclose(log_matrix, initial_log_matrix(), atol=1e-6)


def test_padding_changes_nothing(build):
    """The same CL alone and padded to a common width: equal up to float32's order of summation."""
    for scheme in ("in-hoc", "post-hoc"):
        assignment, padded, weights, _ = case(build, {"padding": 57, "scheme": scheme})
        alone = build.client(seed=CLIENT_SEED, count=padded.count)
        ours, theirs = compiled(assignment, padded, weights), compiled(assignment, alone, weights)
        np.testing.assert_allclose(deserialise(ours.payload), deserialise(theirs.payload), rtol=1e-5, atol=1e-6)
        assert ours.samples == theirs.samples == SAMPLES - 57


def test_draws_depend_on_client_round_slice_and_seed(build):
    """... and on nothing else: the same call gives the same bits, whatever ran in between."""
    assignment, client, weights, _ = case(build, {})
    first = compiled(assignment, client, weights).payload
    others = [
        compiled(assignment, client, weights, round_number=4).payload,
        compiled(assignment, dataclasses.replace(client, name="CL999"), weights).payload,
        compiled(dataclasses.replace(assignment, slice_name="Browsing"), client, weights).payload,
        compiled(dataclasses.replace(assignment, seed=8), client, weights).payload,
    ]
    assert len({first, *others}) == 5
    assert compiled(assignment, client, weights).payload == first


@pytest.mark.parametrize("scheme", ["in-hoc", "post-hoc"])
def test_one_tracing_for_all_clients_slices_and_rounds(build, scheme):
    local = dataclasses.replace(LOCAL, epochs=2, tester_batch=7)  # settings of no other test, so that the count is ours
    for number, (name, threshold) in enumerate({"eMBB": 0.82, "Social Media": 0.83, "Browsing": 0.85}.items()):
        sla = SliceSettings(upper_percent=3.0 + number, confidence_threshold=threshold)
        assignment = build.assignment(slice_name=name, scheme=scheme, sla=sla, local=local, seed=number)
        weights = initial_weights(assignment.sizes, number, name)
        for client in (build.client(seed, count=30 + seed, width=40) for seed in range(3)):
            for round_number in range(2):
                compiled(assignment, client, weights, round_number=round_number)
                closed_loop.score(assignment, serialise(weights), round_number, "training", [client])
    key = (assignment.sizes, assignment.model, local)
    if scheme == "in-hoc":
        trained = local_training.in_hoc_round(assignment.explainer, *key)
    else:
        trained = local_training.post_hoc_round(*key)
    assert trained.experimental_get_tracing_count() == 1
    assert evaluation.evaluation(assignment.explainer, *key).experimental_get_tracing_count() == 1


def test_weights_that_are_not_finite_are_refused(build):
    assignment, client, weights, _ = case(build, {})
    client.target[3] = np.nan
    message = r"slice 'eMBB', client 'CL\d+', round 4, local training: weights are not finite.*the round is discarded"
    for scheme in ("in-hoc", "post-hoc"):
        with pytest.raises(ClientError, match=message):
            compiled(dataclasses.replace(assignment, scheme=scheme), client, weights)
    with pytest.raises(ClientError, match=r"slice 'eMBB', client .*, round 6, evaluation on test data"):
        closed_loop.score(assignment, serialise(weights), 5, "test", [client])
