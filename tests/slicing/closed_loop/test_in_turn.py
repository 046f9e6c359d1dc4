"""Several CLs in one compiled call against a call for each: the same bits, whoever shares the call."""

from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from reproduction.slicing.closed_loop import client as closed_loop
from reproduction.slicing.closed_loop.client import initial_log_matrix
from reproduction.slicing.closed_loop.in_turn import PER_CALL, _loop, in_turn
from reproduction.slicing.closed_loop.local_training import in_hoc_round, post_hoc_round
from reproduction.slicing.closed_loop.weights import initial_weights, serialise
from reproduction.slicing.settings import LocalSettings

LOCAL = LocalSettings(epochs=5, tester_batch=16, integration_steps=3)
COUNTS = [0, 1, PER_CALL - 1, PER_CALL, PER_CALL + 1, 2 * PER_CALL + 3]


class Answer(NamedTuple):
    scaled: tf.Tensor
    total: tf.Tensor


def test_any_number_of_clients_is_answered_in_order_and_compiled_once():
    state = tf.Variable(tf.zeros(3))

    @tf.function(jit_compile=True, autograph=False)
    def function(factor, vector, integers):
        state.assign_add(vector)  # each CL's, and nothing of the padding
        return Answer(factor * vector, tf.reduce_sum(integers))

    for count in COUNTS:
        state.assign(tf.zeros(3))
        rows = [(np.full(3, number, np.float32), np.array([number, 1], np.int32)) for number in range(count)]
        answers = in_turn(function, (np.float32(2),), rows)
        assert [answer.scaled.tolist() for answer in answers] == [[2.0 * number] * 3 for number in range(count)]
        assert [int(answer.total) for answer in answers] == [number + 1 for number in range(count)]
        np.testing.assert_array_equal(state.numpy(), sum(range(count)))
    assert _loop(function).experimental_get_tracing_count() == function.experimental_get_tracing_count() == 1


@pytest.fixture(scope="module")
def clients(build):
    return [build.client(seed, count=30 + seed, width=50) for seed in range(PER_CALL + 3)]


@pytest.mark.parametrize("explainer", ["integrated_gradients", "input_x_gradient", "shapley_exact", None])
def test_a_client_gets_the_bits_of_a_call_of_its_own(build, clients, explainer):
    scheme = {"explainer": explainer} if explainer else {"scheme": "post-hoc"}
    assignment = build.assignment(local=LOCAL, **scheme)
    weights = initial_weights(assignment.sizes, 0, "eMBB")
    logs = [initial_log_matrix() - np.float32(0.1 * number) for number in range(len(clients))]
    answers = closed_loop.train(assignment, serialise(weights), 2, clients, logs)
    for one, log_matrix, (update, left) in zip(clients, logs, answers, strict=True):
        key = (assignment.sizes, assignment.model, assignment.local)
        if explainer:
            threshold = np.float32(assignment.sla.confidence_threshold)
            shared = (weights, assignment.baseline[:, None], assignment.bounds, threshold)
            own = (*one.arrays, log_matrix, closed_loop._draws(assignment, "training", 2, one))
            alone = in_hoc_round(explainer, *key)(*shared, *own)
            assert (update.multiplier, update.empty_epochs) == (float(alone.multiplier), int(alone.empty_epochs))
            np.testing.assert_equal(update.confidence, float(alone.confidence))
            assert update.payload == serialise(alone.weights.numpy())
            np.testing.assert_array_equal(left, alone.log_matrix)
        else:
            assert update.payload == serialise(post_hoc_round(*key)(weights, *one.arrays).numpy())
            np.testing.assert_array_equal(left, log_matrix)


def test_a_score_does_not_depend_on_who_is_scored_together(build, clients):
    assignment = build.assignment(local=LOCAL)
    broadcast = serialise(initial_weights(assignment.sizes, 0, "eMBB"))
    together = closed_loop.score(assignment, broadcast, 2, "test", clients)
    alone = [closed_loop.score(assignment, broadcast, 2, "test", [one])[0] for one in clients]
    np.testing.assert_equal([vars(score) for score in together], [vars(score) for score in alone])  # NaN equals NaN
    assert len({score.mse for score in together}) == len(clients)
