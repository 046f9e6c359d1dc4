"""Which training frames a receiver is fine-tuned on for a target: by influence, and by what costs nothing of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from reproduction.ofdm.conditions import Conditions, Mix
from reproduction.receiver.names import NEAREST, NEAREST_CHANNEL, NEAREST_SNR, RANDOM, is_random
from reproduction.seeds import generator


@dataclass(frozen=True)
class Question:
    """For what frames are selected.

    Attributes:
        scores: of the candidates, float32 [n], by kind; greater is better.
        candidates: their conditions.
        target: its conditions, of one frame.
        mix: from which conditions are drawn: its ranges are the units of distances.
        seed: of what is drawn.
    """

    scores: Mapping[str, np.ndarray]
    candidates: Conditions
    target: Conditions
    mix: Mix
    seed: int


def best(scores: np.ndarray, count: int) -> np.ndarray:
    """Return the places of the greatest scores, the first of equals first, int [count]."""
    return np.argsort(-scores, kind="stable")[:count]


def nearest(question: Question, quantities: tuple[str, ...], count: int) -> np.ndarray:
    """Return the candidates whose conditions are nearest to the target's.

    Args:
        question: for what.
        quantities: attributes of `Conditions`; a difference is counted in units of the mix's range.
        count: how many.
    """
    squares = np.zeros(len(question.candidates))
    for name in quantities:
        least, greatest = getattr(question.mix, name)
        difference = getattr(question.candidates, name) - getattr(question.target, name)[0]
        squares += (difference / max(greatest - least, 1e-12)) ** 2
    return best(-squares, count)


def drawn(question: Question, draw: int, count: int) -> np.ndarray:
    """Return random candidates; another draw gives others."""
    return generator(question.seed, "random selection", draw).choice(len(question.candidates), count, replace=False)


CONDITIONS: Mapping[str, Callable[[Question, int], np.ndarray]] = MappingProxyType(
    {
        NEAREST_SNR: lambda question, count: nearest(question, ("snr_db",), count),
        NEAREST_CHANNEL: lambda question, count: nearest(question, ("doppler_hz", "delay_spread_ns"), count),
        NEAREST: lambda question, count: nearest(question, ("snr_db", "doppler_hz", "delay_spread_ns"), count),
    }
)
"""Selections by what is known of a frame without any network."""


def selected(question: Question, kind: str, count: int) -> np.ndarray:
    """Return the places of the candidates that a kind selects, int [count].

    Args:
        question: for what.
        kind: of its scores, of `CONDITIONS`, or "random 0", "random 1", ..
        count: how many.

    Raises:
        ValueError: no such kind, or more than there are.
    """
    if count > len(question.candidates):
        raise ValueError(f"count must be at most the {len(question.candidates)} candidates, got {count}; take fewer.")
    if kind in CONDITIONS:
        return CONDITIONS[kind](question, count)
    if is_random(kind):
        return drawn(question, int(kind.removeprefix(f"{RANDOM} ")), count)
    if kind not in question.scores:
        raise ValueError(f"kind must be one of {', '.join((*question.scores, *CONDITIONS))}, got {kind!r}; pick one.")
    return best(question.scores[kind], count)
