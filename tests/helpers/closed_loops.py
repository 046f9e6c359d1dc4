"""A CL's round twice, for the tests that hold one to the other: compiled, and by the oracle told every setting."""

from reproduction import seeds
from reproduction.slicing.closed_loop import client as closed_loop
from reproduction.slicing.closed_loop.client import initial_log_matrix
from reproduction.slicing.closed_loop.weights import serialise
from tests.oracles import eager_round

ROUND = 3


def compiled_round(assignment, client, weights, log_matrix=None, round_number=ROUND):
    log_matrix = initial_log_matrix() if log_matrix is None else log_matrix
    (answer,) = closed_loop.train(assignment, serialise(weights), round_number, [client], [log_matrix])
    return answer


def eager(assignment, client, weights, matrix=None, round_number=ROUND):
    local, count = assignment.local, client.count
    seed = seeds.stateless_seed(assignment.seed, "training", assignment.slice_name, round_number, client.name)
    return eager_round.local_round(
        weights,
        client.features.T[:count],
        client.target[:count],
        slope=assignment.model.leaky_slope,
        hidden=assignment.model.hidden,
        epochs=local.epochs,
        rate=local.learning_rate,
        constrained=assignment.scheme == "in-hoc",
        explainer=assignment.explainer,
        steps=local.integration_steps,
        batch=local.tester_batch,
        baseline=assignment.baseline.astype(float),
        bounds=(assignment.sla.lower_percent, assignment.sla.upper_percent),
        threshold=assignment.sla.confidence_threshold,
        mu=local.steepness_per_percent,
        radius=local.multiplier_radius,
        matrix=matrix,
        seed=seed,
        literal=local.confidence == "literal",
        product=local.surrogate == "product",
        last=local.returned_iterate == "last",
        linear=local.normalisation == "linear",
        mutations=local.mutations,
    )


def eager_evaluation(assignment, client, weights, part="test", round_number=ROUND):
    local, count = assignment.local, client.count
    key = (f"evaluation {part}", assignment.slice_name, round_number, client.name)
    return eager_round.evaluation(
        weights,
        client.features.T[:count],
        client.target[:count].astype(float),
        slope=assignment.model.leaky_slope,
        hidden=assignment.model.hidden,
        explainer=assignment.explainer,
        steps=local.integration_steps,
        baseline=assignment.baseline.astype(float),
        bounds=(assignment.sla.lower_percent, assignment.sla.upper_percent),
        seed=seeds.stateless_seed(assignment.seed, *key),
        width=client.features.shape[1],
        linear=local.normalisation == "linear",
        mutations=local.mutations,
    )
