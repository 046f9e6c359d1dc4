"""What a seed's adaptations stand on: a trained network, badly received targets, and the influence on each of them.

The first two of the paper's four steps: targets are the frames of unseen channels with the most bit errors above those
of a receiver that knows the channel; candidates are training frames, whose influence on each target is computed once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reproduction.attribution.influence import Influence
from reproduction.ofdm.conditions import Conditions
from reproduction.ofdm.grid_link import Frames
from reproduction.receiver.bench import Bench
from reproduction.receiver.fine_tuning import greatest_curvature
from reproduction.receiver.losses import FrameLoss, losses, targets_of
from reproduction.receiver.names import BCE, CORRECTED, COSINE, HARDEST, PAPERS, PLAIN, PRODUCT
from reproduction.receiver.network import features
from reproduction.receiver.receivers import BLOCK, DEEPRX, GENIE, LMMSE, by_network, frame_errors
from reproduction.receiver.samples import draw_pool
from reproduction.receiver.selection import best

FORMS: Mapping[str, str | None] = {"influence": None, "theta-relative": "theta", "loss-relative": "loss"}


@dataclass(frozen=True)
class Targets:
    """Frames that are to be received better.

    Attributes:
        conditions: of each.
        received: complex64 [targets, symbols, subcarriers].
        channel: likewise.
        bits: uint8 [targets, symbols, subcarriers, bits per cell].
    """

    conditions: Conditions
    received: np.ndarray
    channel: np.ndarray
    bits: np.ndarray

    def __len__(self) -> int:
        return len(self.conditions)


def chosen_targets(bench: Bench, model: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the frames of the pool with the most bit errors above the genie's, the most first.

    Returns:
        Their places in the pool, int [targets], and their bit errors by receiver, int64 [targets].
    """
    how = bench.settings.influences
    pool = pool_of(bench)
    receivers = {name: bench.conventional[name] for name in (GENIE, LMMSE)}
    receivers[DEEPRX] = by_network(model, bench.settings.grid.pilots)
    errors = {name: frame_errors(bench.link, receiver, pool) for name, receiver in receivers.items()}
    places = np.argsort(errors[GENIE] - errors[DEEPRX], kind="stable")[: how.targets]
    return places, {name: counts[places] for name, counts in errors.items()}


def pool_of(bench: Bench) -> Frames:
    """Return the frames that targets are chosen from."""
    return draw_pool(bench.link, bench.settings.unseen, bench.settings.influences.pool, bench.case.seed, "targets")


def targets_at(bench: Bench, places: Sequence[int]) -> Targets:
    """Return the frames at these places of the pool."""
    pool = pool_of(bench)
    received, channel, bits = (np.asarray(one)[list(places)] for one in (pool.received, pool.channel, pool.bits))
    return Targets(pool.conditions[list(places)], received, channel, bits.astype(np.uint8))


@dataclass(frozen=True)
class Scored:
    """The influence of candidates on targets.

    Attributes:
        scores: by kind, float32 [targets, candidates]; greater helps more.
        curvature: greatest eigenvalue of the Hessian of the cross-entropy.
        eigenvalues: those that are kept, by loss.
        directions: (H + damping)^-1 times the mean gradient of the paper's selection, float32 [targets, P].
    """

    scores: Mapping[str, np.ndarray]
    curvature: float
    eigenvalues: Mapping[str, list[float]]
    directions: np.ndarray


def score(bench: Bench, model: Any, targets: Targets) -> Scored:
    """Compute the influence of the candidates, which are the first training frames, on every target."""
    how, pilots = bench.settings.influences, bench.settings.grid.pilots
    x, y = read(bench, slice(0, how.candidates))
    x_t = features(targets.received, pilots).numpy()
    y_t = targets_of(targets.bits, targets.conditions.snr_db)
    named = losses(pilots == 0)
    scores: dict[str, np.ndarray] = {}
    curvature: dict[str, float] = {}
    fitted: dict[str, Influence] = {}
    for name, loss in named.items():
        curvature[name] = greatest_curvature(model, loss, x[: how.curvature_frames], y[: how.curvature_frames])
        fitted[name] = Influence(
            model,
            loss,
            damping=how.damping_over_curvature * curvature[name],
            curvature_samples=how.curvature_frames,
            iterations=how.iterations,
        ).fit(x, y)
        for form, relative in FORMS.items():
            scores[f"{form}, {name}"] = fitted[name].scores(x_t, y_t, relative)
    own, bits = fitted[BCE].self_influence(), bench.link.bits
    scores[CORRECTED] = corrected(scores[PLAIN], own, bits, bench.settings.training.frames)
    plain = Influence(model, named[BCE], hessian="identity").fit(x, y)
    scores[PRODUCT], scores[COSINE] = plain.scores(x_t, y_t), plain.scores(x_t, y_t, "theta")
    scores[HARDEST] = np.tile(losses_of(model, named[BCE], x, y), (len(targets), 1))
    directions = [
        fitted[BCE].direction(x[places], y[places]) for places in (best(one, how.selected) for one in scores[PAPERS])
    ]
    eigenvalues = {name: sorted(one.eigenvalues.tolist(), reverse=True) for name, one in fitted.items()}
    return Scored(scores, curvature[BCE], eigenvalues, np.array(directions, np.float32))


def losses_of(model: Any, loss: FrameLoss, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the loss of each frame, float32 [n]."""
    parts = [slice(start, start + BLOCK) for start in range(0, len(x), BLOCK)]
    return np.concatenate([np.asarray(loss(y[part], model(x[part], training=False))) for part in parts])


def corrected(scores: np.ndarray, own: np.ndarray, bits: int, samples: int) -> np.ndarray:
    """Return influences for the Hessian without the frame's own part: over 1 - h, h = bits self-influence / samples.

    "Newfluence" (arXiv 2507.11895) takes that part out for models with about as many weights as samples. Here bits
    times g_z g_z^T stands for the Hessian of the frame's loss, which is a mean over its bits: in the mean it is that,
    for a log-likelihood, were the bits independent given the frame. With a matrix of rank 1 the inverse is exact
    (Sherman and Morrison 1950). A frame with h of 1 or more is given 0.99.

    Args:
        scores: float32 [targets, n].
        own: self-influence, float32 [n].
        bits: of a frame, that its loss is a mean over.
        samples: that the training's mean is over.
    """
    leverage = np.minimum(bits * own / samples, 0.99)
    return (scores / (1.0 - leverage)).astype(np.float32)


def read(bench: Bench, which: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return training frames as the network and the losses read them."""
    learned = bench.learned
    x = features(learned.received[which], bench.settings.grid.pilots).numpy()
    return x, targets_of(learned.bits[which], learned.conditions.snr_db[which])
