"""What each process of the study of influence does, in records that are saved as they grow and gone on from.

A seed is prepared first: its network is trained, targets are chosen, candidates scored. Then its targets are adapted to
one by one and several at once, and influences are held to trainings without the frames.
"""

from collections.abc import Callable

import numpy as np

from reproduction.receiver.adaptation import Adaptation, Attempt, attempts
from reproduction.receiver.bench import Bench
from reproduction.receiver.case import as_state, network_of
from reproduction.receiver.left_out import groups_of, loss_without, random_groups
from reproduction.receiver.names import PAPERS, PLAIN, random_name
from reproduction.receiver.preparation import Targets, chosen_targets, score, targets_at
from reproduction.receiver.settings import Case
from reproduction.receiver.together import together
from reproduction.results.records import decode, encode
from reproduction.results.store import Payload

Save = Callable[[Payload], None]


def prepared(case: Case, training: Payload, record: Payload, save: Save) -> Payload:
    """Return the record of a seed's preparation.

    Args:
        case: what is looked at.
        training: the record of its network.
        record: as it was begun, or left unfinished.
        save: keeps a record.
    """
    bench = Bench(case)
    model = network_of(training, bench)
    if "targets" not in record:
        places, errors = chosen_targets(bench, model)
        conditions = targets_at(bench, places.tolist()).conditions
        record["targets"] = {
            "places": places.tolist(),
            "errors": {name: counts.tolist() for name, counts in errors.items()},
            "channels": conditions.channels.tolist(),
            "snr_db": conditions.snr_db.tolist(),
            "doppler_hz": conditions.doppler_hz.tolist(),
            "delay_spread_ns": conditions.delay_spread_ns.tolist(),
        }
        save(record)
    scored = score(bench, model, targets_at(bench, record["targets"]["places"]))
    record |= {
        "scores": {kind: encode(values) for kind, values in scored.scores.items()},
        "curvature": scored.curvature,
        "eigenvalues": {name: list(values) for name, values in scored.eigenvalues.items()},
        "directions": encode(scored.directions),
        "finished": True,
    }
    save(record)
    return record


def adapted(case: Case, number: int, training: Payload, seed: Payload, record: Payload, save: Save) -> Payload:
    """Return the record of a target's adaptations, saved after each; the arguments are those of `prepared`.

    Args:
        case: as there.
        number: of the target.
        training: as there.
        seed: the record of the preparation.
        record: as there.
        save: as there.
    """
    bench = Bench(case)
    scores = scores_of(seed, case)
    adaptation = Adaptation(
        bench,
        network_of(training, bench),
        targets_of_record(bench, seed),
        number,
        {kind: values[number] for kind, values in scores.items()},
        seed["curvature"],
        directions_of(seed, case)[number],
    )
    if "before" not in record:
        record |= {"before": adaptation.before(), "attempts": {}}
    papers = Attempt(PAPERS, bench.settings.influences.selected).key
    wanted = list(attempts(bench, scores, number))
    for attempt in wanted:
        if attempt.key not in record["attempts"]:
            far = record["attempts"].get(papers, {}).get("distance")
            record["attempts"][attempt.key] = adaptation.adapted(attempt, far)
            save(record)
    record["attempts"] = {attempt.key: record["attempts"][attempt.key] for attempt in wanted}
    record["finished"] = True
    save(record)
    return record


def adapted_together(case: Case, training: Payload, seed: Payload, record: Payload, save: Save) -> Payload:
    """Return the record of adaptations to several targets at once; the arguments are those of `adapted`."""
    bench = Bench(case)
    model, targets = network_of(training, bench), targets_of_record(bench, seed)
    scores = scores_of(seed, case)[PAPERS]
    groups = record.setdefault("groups", {})
    for size in bench.settings.influences.together:
        if str(size) not in groups:
            groups[str(size)] = together(bench, model, targets, scores, seed["curvature"], size)
            save(record)
    record["finished"] = True
    save(record)
    return record


def trained_without(case: Case, number: int, training: Payload, seed: Payload, record: Payload, save: Save) -> Payload:
    """Return the record of a target's losses after trainings without frames; the arguments are those of `adapted`."""
    bench = Bench(case)
    trainer, targets = bench.trainer(), targets_of_record(bench, seed)
    late = as_state(training["late"], trainer.model)
    losses = record.setdefault("losses", {})
    how, scores = bench.settings.influences, scores_of(seed, case)[PLAIN][number]
    groups = groups_of(scores, how.groups_left_out)
    chance = random_groups(len(scores), how.random_groups_left_out, len(groups[0]), case.seed, number)
    left_out = {
        "none": np.array([], int),
        **{str(place): group for place, group in enumerate(groups)},
        **{random_name(draw): group for draw, group in enumerate(chance)},
    }
    for name, group in left_out.items():
        if name not in losses:
            losses[name] = loss_without(trainer, late, group, bench, targets, number)
            save(record)
    del left_out["none"]
    frames = bench.settings.training.frames
    record["predicted"] = {name: float(scores[group].sum(dtype=float)) / frames for name, group in left_out.items()}
    record["finished"] = True
    save(record)
    return record


def scores_of(seed: Payload, case: Case) -> dict[str, np.ndarray]:
    """Return the scores that a preparation holds, float32 [targets, candidates] by kind."""
    how = case.settings.influences
    return {kind: decode(text, (how.targets, how.candidates)) for kind, text in seed["scores"].items()}


def directions_of(seed: Payload, case: Case) -> np.ndarray:
    """Return the second-order directions, float32 [targets, P]."""
    return decode(seed["directions"], (case.settings.influences.targets, -1))


def targets_of_record(bench: Bench, seed: Payload) -> Targets:
    """Return the targets that a preparation chose."""
    return targets_at(bench, seed["targets"]["places"])
