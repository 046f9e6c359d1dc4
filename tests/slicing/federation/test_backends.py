"""One table over whoever runs the CLs: the same bits, the same failures."""

import dataclasses
import os
import signal

import numpy as np
import pytest

from reproduction.slicing.closed_loop.client import ClientError, initial_state
from reproduction.slicing.closed_loop.weights import initial_weights
from reproduction.slicing.federation.in_process import Workers, available_cores, run_here
from reproduction.slicing.federation.server import State, federate

BACKENDS = ("here", "one worker", "two workers")


@pytest.fixture(scope="module")
def backends():
    with Workers(1) as one, Workers(2) as two:
        yield dict(zip(BACKENDS, (run_here, one, two), strict=True))


def start(assignment, clients):
    weights = initial_weights(assignment.sizes, 0, assignment.slice_name)
    return State(round_number=0, weights=weights, multipliers=np.stack([initial_state()] * len(clients)))


def federation(build, run, rounds=2, **changes):
    # Unequal sizes, and so many CLs that two workers get several chunks each (8 per worker).
    clients = [build.client(seed, count=20 + seed, width=40) for seed in range(18)]
    assignment = build.assignment(**changes)
    return list(federate(start(assignment, clients), assignment, clients, run, rounds))


def numbers(rounds):
    return [dataclasses.asdict(result) | {"seconds": None} for _, result in rounds]


@pytest.fixture(scope="module")
def here(build):
    return {scheme: federation(build, run_here, scheme=scheme) for scheme in ("in-hoc", "post-hoc")}


@pytest.mark.parametrize("scheme", ["in-hoc", "post-hoc"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_same_bits(build, backends, here, backend, scheme):
    """Also a repeated run, since `here` itself stands in the table."""
    rounds = federation(build, backends[backend], scheme=scheme)
    for (ours, _), (reference, _) in zip(rounds, here[scheme], strict=True):
        assert ours.weights.tobytes() == reference.weights.tobytes()
        assert ours.multipliers.tobytes() == reference.multipliers.tobytes()
    np.testing.assert_equal(numbers(rounds), numbers(here[scheme]))  # exact; NaN equals NaN


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_diverged_client_is_named(build, backends, backend):
    clients = [build.client(seed) for seed in range(4)]
    clients[2].target[0] = np.nan
    assignment = build.assignment(slice_name="Browsing")
    rounds = federate(start(assignment, clients), assignment, clients, backends[backend], 2)
    with pytest.raises(ClientError, match="slice 'Browsing', client 'CL002', round 1, local training"):
        next(rounds)


@pytest.mark.parametrize("backend", BACKENDS)
def test_answers_come_in_the_order_of_the_clients(build, backends, backend):
    clients = [build.client(seed, count=3) for seed in range(37)]
    answers = backends[backend](name_and_word, None, clients, [f"word {i}" for i in range(37)])
    assert answers == [(f"CL{i:03}", f"word {i}") for i in range(37)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_columns_of_unequal_length_are_refused(build, backends, backend):
    with pytest.raises(ValueError, match="zip"):
        backends[backend](name_and_word, None, [build.client(0), build.client(1)], ["one word"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_column_that_is_too_long_is_refused(build, backends, backend):
    with pytest.raises(ValueError, match="zip"):
        backends[backend](name_and_word, None, [build.client(0), build.client(1)], ["one", "two", "three"])


def test_a_killed_worker_says_how_to_resume(build):
    with pytest.raises(RuntimeError, match="run the same command again to resume"), Workers(1) as run:
        run(die, None, [build.client(0)])


def test_workers_are_counted():
    with pytest.raises(ValueError, match="workers must be at least 1, got 0"):
        Workers(0)
    with Workers() as run:
        assert run.count == available_cores() >= 1


def name_and_word(assignment, client, word):
    return client.name, word


def die(assignment, client):
    os.kill(os.getpid(), signal.SIGKILL)
