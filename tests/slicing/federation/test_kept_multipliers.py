"""With "keep" a log A goes with its CL: whatever order the CLs came in, from starts that differ, across a resume."""

import json
from pathlib import Path

import numpy as np
import pytest

from reproduction.slicing.closed_loop import client as closed_loop
from reproduction.slicing.closed_loop.client import initial_log_matrix
from reproduction.slicing.closed_loop.weights import deserialise, serialise
from reproduction.slicing.federation.in_process import Here, InProcessFleet
from reproduction.slicing.federation.record import after_round, new_record, take_up
from reproduction.slicing.federation.server import federate, first_state
from reproduction.slicing.settings import LocalSettings

KEEP = LocalSettings(epochs=4, tester_batch=16, integration_steps=3, multipliers="keep")


def one_by_one(assignment, clients, weights, matrices, numbers):
    """Train each CL by itself, by its name; the plain average is eq. (1) for CLs of equal size."""
    for number in numbers:
        answers = {
            one.name: closed_loop.train(assignment, serialise(weights), number, [one], [matrices[one.name]])[0]
            for one in clients
        }
        matrices = {name: matrix for name, (_, matrix) in answers.items()}
        locals_ = [deserialise(update.payload).astype(float) for update, _ in answers.values()]
        weights = np.mean(locals_, axis=0).astype(np.float32)
    return weights, matrices


@pytest.mark.parametrize("order", [(1, 2, 0), (2, 1, 0)])
def test_a_client_goes_on_from_its_own_across_a_resume(build, order):
    """Two rounds, a record, and two more by CLs given in another order."""
    assignment, clients = build.assignment(local=KEEP), [build.client(seed) for seed in range(3)]
    tilt = np.float32([[0.2], [-0.2]])  # between a column's two entries: a column's sum is normalised away
    matrices = {one.name: initial_log_matrix() + number * tilt for number, one in enumerate(clients)}
    before = InProcessFleet(assignment, [clients[number] for number in order], pool=Here())
    before.log_matrices = np.stack([matrices[name] for name in before.names])
    record = new_record({"rounds": 9}, assignment, before)
    for state, result in federate(first_state(assignment), before, 2):
        record = after_round(record, state, result, before)

    after = InProcessFleet(assignment, [clients[number] for number in order[::-1]], pool=Here())
    state = take_up(Path("kept.json"), json.loads(json.dumps(record)), assignment, after)
    np.testing.assert_array_equal(after.log_matrices, before.log_matrices)
    *_, (state, _) = federate(state, after, 4)

    weights, matrices = one_by_one(assignment, clients, first_state(assignment).weights, matrices, range(4))
    assert len({matrix.tobytes() for matrix in matrices.values()}) == len(clients)
    np.testing.assert_array_equal(after.log_matrices, [matrices[name] for name in after.names])
    # The mean in float64, then one rounding to float32, which may fall either way.
    np.testing.assert_allclose(state.weights, weights, rtol=1.2e-7, atol=1e-9)
