"""One case of the study, worked through: the full network, what each ranking says, and every network that is cut."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from reproduction.ofdm.frame import PILOTS
from reproduction.results.records import decode, encode, provenance
from reproduction.results.store import Payload
from reproduction.seeds import stream
from reproduction.xrefine.bench import Bench, Case
from reproduction.xrefine.chest import tolerance
from reproduction.xrefine.choices import X_REFINE, Choice, choices, key_of
from reproduction.xrefine.classes import classes_of
from reproduction.xrefine.cost import flops
from reproduction.xrefine.network import Kept, Weights, all_of, cut_out
from reproduction.xrefine.pruning import Size, best, exhaustive, staircase
from reproduction.xrefine.rankings import RANKINGS, Subject, ablation, drawn
from reproduction.xrefine.relevance import Relevance, Scores, relevance_of
from reproduction.xrefine.settings import Settings

PACKAGES = ("tensorflow", "numpy", "sionna-no-rt")
"""Those whose versions decide the numbers."""

DELETED = tuple(number / 10 for number in range(10))
"""Shares of the subcarriers that are taken away."""

DRAWS_DELETED = ("random 0", "random 1", "random 2")
"""The random orders in which they are."""


def worked_through(case: Case, left: Payload | None, save: Callable[[Payload], None], fixed: Payload) -> Payload:
    """Return the record of a case; see `results.store.Make`. It is saved after every network, and goes on from there.

    Args:
        case: what is looked at.
        left: its record as it was left.
        save: keeps a record.
        fixed: everything that decides its numbers.
    """
    if left and left["finished"]:
        return left
    bench = Bench(case)
    record = left or {"identity": fixed, "provenance": provenance(PACKAGES), "networks": {}, "finished": False}
    parts: dict[str, Callable[[Payload], Any]] = {
        "bits": lambda record: bench.test.bits,
        "conventional": lambda record: bench.conventional(bench.test),
        "full": lambda record: full_network(bench),
        "rankings": lambda record: ranked(bench, weights_of(record, bench)),
        "relevance": lambda record: seen_by_relevance(bench, weights_of(record, bench)),
        "deletion": lambda record: deletion(bench, weights_of(record, bench), scores_of(record)),
    }
    for name, part in parts.items():
        if name not in record:
            record[name] = part(record)
            save(record)
    weights = weights_of(record, bench)
    for choice in choices(case.settings, scores_of(record)):
        if choice.key not in record["networks"]:
            record["networks"][choice.key] = refined(bench, weights, choice)
            save(record)
    record |= found(bench, weights, record)
    record["finished"] = True
    save(record)
    return record


def full_network(bench: Bench) -> Payload:
    """Train the full network, and again from there, as long as a network that is cut is trained in all."""
    whole = all_of(bench.settings.hidden)
    weights = bench.trained(bench.first("full"), whole, "full")
    again = bench.trained(weights, whole, "retraining")
    return {
        "weights": [encode(one) for one in weights],
        "errors": bench.errors(weights, whole),
        "errors_retrained": bench.errors(again, whole),
    }


def found(bench: Bench, weights: Weights, record: Payload) -> Payload:
    """Return what the searches come to, the network that they find, and the bit errors with coded bits."""
    settings, whole = bench.settings, all_of(bench.settings.hidden)

    def meets(size: Size) -> bool:
        return ratio_of(settings, record, errors_of(settings, record, X_REFINE, size)) <= settings.target

    searches = {
        name: search(settings.grid, meets)
        for name, search in {"exhaustive": exhaustive, "staircase": staircase}.items()
    }
    size = searches["exhaustive"].size or settings.full
    retrained = bench.trained(weights, whole, "retraining")
    kept, small = whole, retrained
    if size != settings.full:
        kept = best(scores_of(record)["LRP"], size, PILOTS.tolist())
        small = bench.trained(weights, kept, "retraining")
    test = bench.coded_test
    return {
        "searches": {
            name: {"size": one.size and [one.size.subcarriers, one.size.neurons[0]], "looked_at": len(one.looked_at)}
            for name, one in searches.items()
        },
        "found": {
            "subcarriers": list(kept.subcarriers),
            "neurons": [list(layer) for layer in kept.neurons],
            "weights": [encode(one) for one in cut_out(small, kept)],
        },
        "coded_bits": test.bits,
        "coded": {
            **bench.conventional(test),
            "full": bench.errors(retrained, whole, test),
            X_REFINE: bench.errors(small, kept, test),
        },
    }


def errors_of(settings: Settings, record: Payload, name: str, size: Size) -> Sequence[int]:
    """Return the bit errors of a network in a record; the full one's are those of its retraining."""
    if size == settings.full:
        return record["full"]["errors_retrained"]
    return record["networks"][key_of(name, size)]["errors"]


def ratio_of(settings: Settings, record: Payload, errors: Sequence[int]) -> float:
    """Return errors in units of the full network's, retrained as long."""
    return counted(settings, errors) / max(1, counted(settings, record["full"]["errors_retrained"]))


def counted(settings: Settings, errors: Sequence[int]) -> int:
    """Return the errors where the estimate decides."""
    values = zip(settings.ebno_db, errors, strict=True)
    return sum(count for ebno_db, count in values if ebno_db >= settings.counted_from_db)


def weights_of(record: Payload, bench: Bench) -> Weights:
    """Return the full network's weights."""
    return decoded(record["full"]["weights"], bench.settings.full.widths)


def decoded(texts: Sequence[str], widths: Sequence[int]) -> Weights:
    """Return the weights of a network of these widths, as a record holds them."""
    shapes = [shape for inputs, outputs in pairwise(widths) for shape in ((inputs, outputs), (outputs,))]
    return [decode(text, shape) for text, shape in zip(texts, shapes, strict=True)]


def ranked(bench: Bench, weights: Weights) -> Payload:
    """Return the scores of every ranking on the held-out samples: of subcarriers, and of each layer's neurons."""
    found = {}
    for name, ranking in {**RANKINGS, "XAI-CHEST": tolerance}.items():
        found[name] = ranking(Subject(weights, *bench.scaled(bench.held_out), bench.case.seed))
    for number in range(bench.settings.random_draws):
        draw_seed = int(stream(bench.case.seed, "random", number).generate_state(1)[0])
        found[f"random {number}"] = drawn(Subject(weights, np.empty(0), np.empty(0), draw_seed))
    return {name: [one.subcarriers.tolist(), [layer.tolist() for layer in one.neurons]] for name, one in found.items()}


def scores_of(record: Payload) -> dict[str, Scores]:
    """Return the scores that a record holds."""
    return {
        name: Scores(np.array(subcarriers), tuple(map(np.array, neurons)))
        for name, (subcarriers, neurons) in record["rankings"].items()
    }


def seen_by_relevance(bench: Bench, weights: Weights) -> Payload:
    """Return the relevance of subcarriers and neurons at each Eb/N0, and the subcarriers' classes."""
    features, _ = bench.scaled(bench.held_out)
    found = relevance_of(weights, features)
    by_ebno = []
    for value in bench.settings.ebno_db:
        here = bench.held_out.ebno_db == value
        by_ebno.append(Relevance(found.subcarriers[here], tuple(layer[here] for layer in found.neurons)))
    rises = ablation(Subject(weights, *bench.scaled(bench.held_out), 0)).subcarriers
    return {
        "by_ebno": [one.scores().subcarriers.tolist() for one in by_ebno],
        "neurons": [layer.tolist() for layer in found.scores().neurons],
        "absolute_mean": found.scores("absolute mean").subcarriers.tolist(),
        "classes": classes_of([one.scores().subcarriers for one in by_ebno], rises),
    }


def deletion(bench: Bench, weights: Weights, scores: dict[str, Scores]) -> Payload:
    """Return the bit errors as subcarriers are taken away, the best first by each ranking, and nothing is retrained.

    Returns:
        For each ranking a list per share of `DELETED`, of the errors at each Eb/N0.
    """
    whole = all_of(bench.settings.hidden)
    found: Payload = {}
    for name, one in scores.items():
        if name.startswith("random") and name not in DRAWS_DELETED:
            continue
        order = np.argsort(-one.subcarriers, kind="stable")
        found[name] = []
        for share in DELETED:
            left = tuple(sorted(order[round(share * len(order)) :].tolist()))
            found[name].append(bench.errors(weights, Kept(left, whole.neurons)))
    return found


def refined(bench: Bench, weights: Weights, choice: Choice) -> Payload:
    """Train what is left of a network, and count its bit errors at each Eb/N0."""
    if choice.from_scratch:
        found = bench.trained(bench.first("scratch"), choice.kept, "scratch", times=2)
    else:
        found = bench.trained(weights, choice.kept, "retraining")
    return {
        "chosen_by": choice.chosen_by,
        "subcarriers": list(choice.kept.subcarriers),
        "neurons": [list(layer) for layer in choice.kept.neurons],
        "flops": flops(choice.kept.widths),
        "errors": bench.errors(found, choice.kept),
    }
