"""One table over who computes: the same bits, the same failures; and what is sent to whom how often."""

import functools
import os
import signal

import numpy as np
import pytest

from reproduction.results.processes import available_cores
from reproduction.slicing.closed_loop import client
from reproduction.slicing.closed_loop.client import ClientError, initial_log_matrix
from reproduction.slicing.closed_loop.weights import serialise
from reproduction.slicing.federation import workers
from reproduction.slicing.federation.held import hold
from reproduction.slicing.federation.in_process import Here, InProcessFleet
from reproduction.slicing.federation.server import federate, first_state
from reproduction.slicing.federation.workers import Workers
from reproduction.slicing.settings import LocalSettings

POOLS = ("here", "one worker", "two workers")


@pytest.fixture(scope="module")
def pools():
    with Workers(1) as one, Workers(2) as two:
        yield dict(zip(POOLS, (Here(), one, two), strict=True))


def federation(build, pool, rounds=2, **changes):
    # Unequal sizes, and so many CLs that two workers get several chunks each, of more than one CL some.
    clients = [build.client(seed, count=20 + seed, width=40) for seed in range(18)]
    assignment = build.assignment(**changes)
    fleet = InProcessFleet(assignment, clients, clients[::-1], pool=pool)
    steps = [
        (state.weights, fleet.log_matrices, result.entry() | {"seconds": None})
        for state, result in federate(first_state(assignment), fleet, rounds)
    ]
    return steps, fleet.evaluate(steps[-1][0], rounds - 1, "test")


@pytest.fixture(scope="module")
def here(build):
    return {scheme: federation(build, Here(), scheme=scheme) for scheme in ("in-hoc", "post-hoc")}


@pytest.mark.parametrize("scheme", ["in-hoc", "post-hoc"])
@pytest.mark.parametrize("name", POOLS)
def test_same_bits(build, pools, here, name, scheme):
    """Also a repeated run, since `here` itself stands in the table."""
    steps, test = federation(build, pools[name], scheme=scheme)
    reference, reference_test = here[scheme]
    for (weights, log_matrices, entry), (their_weights, their_log_matrices, theirs) in zip(
        steps, reference, strict=True
    ):
        assert weights.tobytes() == their_weights.tobytes()
        assert log_matrices.tobytes() == their_log_matrices.tobytes()
        np.testing.assert_equal(entry, theirs)  # exact; NaN equals NaN
    np.testing.assert_equal([vars(score) for score in test], [vars(score) for score in reference_test])


@pytest.mark.parametrize("name", POOLS)
def test_a_diverged_client_is_named(build, pools, name):
    clients = [build.client(seed) for seed in range(4)]
    clients[2].target[0] = np.nan
    assignment = build.assignment(slice_name="Browsing")
    rounds = federate(first_state(assignment), InProcessFleet(assignment, clients, pool=pools[name]), 2)
    with pytest.raises(ClientError, match="slice 'Browsing', client 'CL002', round 1, local training"):
        next(rounds)


@pytest.mark.parametrize("name", POOLS)
def test_answers_come_in_the_order_of_the_clients(build, pools, name):
    held = hold([build.client(seed, count=3) for seed in range(37)])
    answers = pools[name].map(functools.partial(name_and_word, "said"), held, [f"word {i}" for i in range(37)])
    assert answers == [("said", f"CL{i:03}", f"word {i}") for i in range(37)]


@pytest.mark.parametrize("words", [["one word"], ["one", "two", "three"], []], ids=["too short", "too long", "empty"])
@pytest.mark.parametrize("name", POOLS)
def test_columns_of_another_length_are_refused(build, pools, name, words):
    held = hold([build.client(0), build.client(1)])
    with pytest.raises(ValueError, match="own must have an entry per client"):
        pools[name].map(functools.partial(name_and_word, "said"), held, words)


def test_a_killed_worker_says_how_to_go_on(build):
    """And promises nothing: who maps knows whether anything is saved, the pool does not."""
    with pytest.raises(RuntimeError, match="run the same command again, with fewer --workers") as caught:
        with Workers(1) as pool:
            pool.map(die, hold([build.client(0)]))
    assert "finished rounds are saved" not in str(caught.value)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("clients", [0, 1, 5, 17, 50, 100, 103, 1000])
def test_chunks_dealt_in_turn_load_workers_equally(clients, count):
    chunks = workers.cut(clients, count)
    assert [number for chunk in chunks for number in range(clients)[chunk]] == list(range(clients))
    assert len(chunks) <= max(1, 8 * count)
    dealt = [sum(len(range(clients)[chunk]) for chunk in chunks[number::count]) for number in range(count)]
    assert max(dealt) - min(dealt) <= 1


def test_workers_are_counted():
    with pytest.raises(ValueError, match="workers must be at least 1, got 0"):
        Workers(0)
    with Workers() as pool:
        assert pool.count == available_cores() >= 1


def test_clients_must_have_names_of_their_own(build):
    with pytest.raises(ValueError, match="clients must have different names, got one twice; rename it"):
        InProcessFleet(build.assignment(), [build.client(0), build.client(0)], pool=Here())


# ---- log A stays with the CL


class Answers:
    """A pool whose CLs hand back a log A of their own, and which keeps what each started from."""

    def __init__(self, left):
        self.left, self.started = left, []

    def map(self, function, held, *own):
        (log_matrices,) = own
        names = [one.name for one in held.samples]
        self.started.append(dict(zip(names, np.array(log_matrices), strict=True)))
        return [("update", self.left[name]) for name in names]


@pytest.mark.parametrize("multipliers", ["reset", "keep"])
def test_what_a_client_starts_from(build, multipliers):
    """Its own, whatever order the CLs were given in."""
    assignment = build.assignment(local=LocalSettings(multipliers=multipliers))
    names = ("CL000", "CL001", "CL002")
    fresh = dict.fromkeys(names, initial_log_matrix())
    left = {name: initial_log_matrix() - number for number, name in enumerate(names, start=1)}
    pool = Answers(left)
    fleet = InProcessFleet(assignment, [build.client(number) for number in (2, 0, 1)], pool=pool)
    for number in range(2):
        fleet.train(np.zeros(77, np.float32), number)
        np.testing.assert_array_equal(fleet.log_matrices, [left[name] for name in fleet.names])
    for started, expected in zip(pool.started, (fresh, left if multipliers == "keep" else fresh), strict=True):
        np.testing.assert_equal(started, expected)


# ---- what a fleet asks of its CLs


class Listening:
    """A pool that keeps what the CLs were asked, and of whom."""

    def __init__(self):
        self.asked = []

    def map(self, function, held, *own):
        names, targets = zip(*((one.name, one.target) for one in held.samples), strict=True)
        self.asked.append((function.func, function.args, names, targets))
        return [("answer", initial_log_matrix()) for _ in held.samples]


def test_all_clients_are_asked_the_same_on_the_part_that_is_meant(build):
    """One broadcast, one round number; CLs in the order of their names, whatever order they came in."""
    assignment, names = build.assignment(), ("CL000", "CL001", "CL002")
    parts = {
        part: [build.client(seed, name=name) for seed, name in enumerate(names, start=first)]
        for part, first in (("training", 10), ("test", 20))
    }
    pool = Listening()
    fleet = InProcessFleet(assignment, parts["training"][::-1], parts["test"][1:] + parts["test"][:1], pool=pool)
    weights = np.linspace(-1, 1, 77, dtype=np.float32)
    assert fleet.train(weights, 4) == ["answer"] * 3
    for part in parts:
        fleet.evaluate(weights, 4, part)
    told = (assignment, serialise(weights), 4)
    asked = [(function, arguments) for function, arguments, *_ in pool.asked]
    assert asked == [(client.train, told), (client.score, (*told, "training")), (client.score, (*told, "test"))]
    for (*_, of, targets), part in zip(pool.asked, ("training", "training", "test"), strict=True):
        assert of == fleet.names == names
        np.testing.assert_array_equal(targets, [one.target for one in parts[part]])


# ---- the data go to a process once


@pytest.fixture
def one_worker(monkeypatch):
    """Return one worker, so that it is known who has what, and a list of how many CLs' data each message held."""
    with Workers(1) as pool:
        sent, submit = [], pool.submit

        def counted(function, *arguments):
            if function is workers._run_chunk:
                sent.append(len(arguments[3] or ()))
            return submit(function, *arguments)

        monkeypatch.setattr(pool, "submit", counted)
        yield pool, sent


def test_a_worker_is_sent_a_clients_data_once(build, one_worker):
    pool, sent = one_worker
    held = hold([build.client(seed, count=3) for seed in range(17)])
    for _ in range(3):
        assert pool.map(name_of, held) == [f"CL{seed:03}" for seed in range(17)]
    assert sum(sent) == 17
    other = hold([build.client(seed, count=4) for seed in range(17)])
    pool.map(name_of, other)
    pool.map(name_of, held)  # two parts are kept
    assert sum(sent) == 2 * 17
    pool.map(name_of, hold([build.client(0)]))
    pool.map(name_of, other)  # the one used least recently was let go, and is sent again
    assert sum(sent) == 2 * 17 + 1 + 17


def test_a_worker_that_lacks_the_data_is_sent_them_again(build, one_worker):
    """As one that has just been started would."""
    pool, sent = one_worker
    held = hold([build.client(seed, count=3) for seed in range(5)])
    first = pool.map(name_of, held)
    pool.map(forget, hold([build.client(9)]))
    assert pool.map(name_of, held) == first
    assert sum(sent) == 5 + 1 + 5


def test_equal_data_have_one_key(build):
    clients = [build.client(seed) for seed in range(3)]
    key = hold(clients).key
    assert hold([build.client(seed) for seed in (2, 0, 1)]).key == key
    renamed = build.client(0, name="another")
    moved = build.client(0)
    moved.target[0] += 1
    others = [hold([other, *clients[1:]]).key for other in (renamed, moved)] + [hold(clients[:2]).key]
    assert len({key, *others}) == 4


def name_of(samples):
    return [one.name for one in samples]


def name_and_word(said, samples, words):
    return [(said, one.name, word) for one, word in zip(samples, words, strict=True)]


def forget(samples):
    workers._held.clear()
    return [None for _ in samples]


def die(samples):
    os.kill(os.getpid(), signal.SIGKILL)
