"""Is an influence true? What becomes of a target's loss when the last epochs are trained again without some frames.

The candidates are sorted by their influence on a target and cut into groups of equal size; each group is left out in
turn, and so are random ones, whose rises tell how much of a rise is chance. An influence says that the loss rises by
the group's sum over the number of frames; a training without the group from the start would tell it whole, one of the
last epochs tells whether groups are in that order.
"""

from typing import Any

import numpy as np

from reproduction.receiver.bench import Bench
from reproduction.receiver.losses import losses, targets_of
from reproduction.receiver.names import BCE
from reproduction.receiver.network import features
from reproduction.receiver.preparation import Targets
from reproduction.receiver.training import State, Trainer
from reproduction.seeds import generator


def groups_of(scores: np.ndarray, count: int) -> list[np.ndarray]:
    """Return the candidates' places in groups of equal size, the most influential group first."""
    return np.array_split(np.argsort(-scores, kind="stable"), count)


def random_groups(candidates: int, count: int, size: int, seed: int, number: int) -> list[np.ndarray]:
    """Return random candidates' places, `count` groups of a size, for one target."""
    random = generator(seed, "left out", number)
    return [random.choice(candidates, size, replace=False) for _ in range(count)]


def loss_without(
    trainer: Trainer, late: State, group: np.ndarray, bench: Bench, targets: Targets, number: int
) -> float:
    """Return a target's cross-entropy, in nats per bit, after the last epochs without these frames.

    Args:
        trainer: of the network.
        late: the training some epochs before its end.
        group: places of the frames that are left out; none leaves out nothing.
        bench: of the study.
        targets: all of them.
        number: of the target.
    """
    state = late
    while state.epochs < trainer.how.epochs:
        state = trainer.epoch(state, group)
    trainer.model.set_weights(state.weights)
    return target_loss(trainer.model, bench, targets, number)


def target_loss(model: Any, bench: Bench, targets: Targets, number: int) -> float:
    """Return a target's cross-entropy, in nats per bit."""
    pilots = bench.settings.grid.pilots
    y = targets_of(targets.bits[[number]], targets.conditions.snr_db[[number]])
    soft_bits = model(features(targets.received[[number]], pilots), training=False)
    return float(losses(pilots == 0)[BCE](y, soft_bits)[0])
