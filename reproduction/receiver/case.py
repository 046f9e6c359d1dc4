"""One case worked through: a network trained, kept after every epoch, and every receiver's bit errors."""

from collections.abc import Callable
from typing import Any

import keras

from reproduction.receiver.bench import Bench
from reproduction.receiver.receivers import DEEPRX, by_network, frame_errors
from reproduction.receiver.settings import PACKAGES, Case
from reproduction.receiver.training import State, started
from reproduction.results.records import decode, encode, provenance
from reproduction.results.store import Payload


def trained_network(case: Case, left: Payload | None, save: Callable[[Payload], None], fixed: Payload) -> Payload:
    """Return the record of a training; see `results.store.Make`. It is saved after every epoch, and goes on from there.

    Args:
        case: what is looked at.
        left: its record as it was left.
        save: keeps a record.
        fixed: everything that decides its numbers.
    """
    epochs = case.settings.training.epochs
    if left and left["epochs"] == epochs:
        return left
    trainer = Bench(case).trainer()
    state = as_state(left, trainer.model) if left else started(trainer.model)
    record = left or {}
    while state.epochs < epochs:
        state = trainer.epoch(state)
        late = as_payload(state) if state.epochs == case.settings.late_epoch else record.get("late")
        record = {"identity": fixed, "provenance": provenance(PACKAGES), **as_payload(state), "late": late}
        record["finished"] = state.epochs == epochs
        save(record)
    return record


def as_payload(state: State) -> Payload:
    """Return a training as a record holds it."""
    return {
        "epochs": state.epochs,
        "weights": [encode(one) for one in state.weights],
        "adam": [encode(one) for one in state.adam],
        "losses": state.losses,
    }


def as_state(record: Payload, model: keras.Model) -> State:
    """Return a training from its record, for the model that it trains."""
    moments = [variable.shape for variable in model.trainable_variables for _ in range(2)]
    return State(
        record["epochs"],
        _decoded(record["weights"], [one.shape for one in model.get_weights()]),
        _decoded(record["adam"], moments),
        record["losses"],
    )


def _decoded(texts: list[str], shapes: list[tuple[int, ...]]) -> list[Any]:
    return [decode(text, shape) for text, shape in zip(texts, shapes, strict=True)]


def network_of(record: Payload, bench: Bench) -> keras.Model:
    """Return the network of a record of a training."""
    model = bench.network()
    model.set_weights(_decoded(record["weights"], [one.shape for one in model.get_weights()]))
    return model


def tested(bench: Bench, model: keras.Model) -> Payload:
    """Return the bit errors of every receiver in every frame of the tests, of `bits` each.

    Returns:
        By mix, by receiver, [SNR][frames].
    """
    kinds = {**bench.conventional, DEEPRX: by_network(model, bench.settings.grid.pilots)}
    found: Payload = {mix: {name: [] for name in kinds} for mix in bench.mixes}
    for mix in bench.mixes:
        for snr_db in bench.settings.snr_db:
            frames = bench.test(mix, snr_db)
            for name, receiver in kinds.items():
                found[mix][name].append(frame_errors(bench.link, receiver, frames).tolist())
    return found
