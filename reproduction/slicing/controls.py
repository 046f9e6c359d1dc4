"""Controls beside a federation: what a constant and a line make of all CLs' samples pooled, and R^2 on test data.

A model that has learnt nothing loses no confidence, so a flat C = 1 says nothing without them.

Differs from the paper: it shows no control.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from reproduction.slicing.datasets import SliceData
from reproduction.slicing.documents import CONSTANT, LEAST_SQUARES, Errors
from reproduction.slicing.settings import SliceSettings

Fit = Callable[[np.ndarray, np.ndarray], Callable[[np.ndarray], np.ndarray]]
"""(features float64 [n, Q], target float64 [n]) -> what predicts a target from features."""


def pooled(data: SliceData, part: Literal["train", "test"]) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples of all CLs in one: scaled features float64 [n, Q], target float64 [n] in %."""
    features, target = data.scaled().pooled(part)
    return features.astype(float), target.astype(float)


def constant(features: np.ndarray, target: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Fit the mean load; see `Fit`."""
    mean = target.mean()
    return lambda others: np.full(len(others), mean)


def least_squares(features: np.ndarray, target: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Fit a weighted sum of the features and an intercept; see `Fit`. Of several that fit alike, the smallest."""
    weights = np.linalg.lstsq(_with_intercept(features), target, rcond=None)[0]
    return lambda others: _with_intercept(others) @ weights


def _with_intercept(features: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(features)), features])


FITS: Mapping[str, Fit] = {CONSTANT: constant, LEAST_SQUARES: least_squares}


def errors(fit: Fit, slices: Sequence[SliceData]) -> Errors:
    """Return the errors of what is fitted on the training samples.

    Args:
        fit: one of `FITS`.
        slices: a slice's data, of each seed.
    """
    pairs = []
    for data in slices:
        training = pooled(data, "train")
        predict = fit(*training)
        samples = training, pooled(data, "test")
        pairs.append([float(np.mean((predict(features) - target) ** 2)) for features, target in samples])
    return _errors(pairs, slices)


def errors_of(records: Sequence[Mapping[str, Any]], slices: Sequence[SliceData]) -> Errors:
    """Return the errors of federations' final models.

    Args:
        records: `federation.record`, finished, of each seed.
        slices: their data.
    """
    pairs = []
    for record, data in zip(records, slices, strict=True):
        samples = {client.name: len(client.test_target) for client in data.clients}
        weights = [samples[name] for name in record["clients"]]
        pairs.append([record["rounds"][-1]["mse"], float(np.average(record["test"]["mse"], weights=weights))])
    return _errors(pairs, slices)


def _errors(pairs: Sequence[Sequence[float]], slices: Sequence[SliceData]) -> Errors:
    """Return the errors of each seed: MSE on training and on test samples, and R^2 on these."""
    variances = [float(data.pooled("test")[1].astype(float).var()) for data in slices]
    return {
        "mse": [training for training, _ in pairs],
        "test_mse": [test for _, test in pairs],
        "test_r_squared": [
            1 - test / variance if variance else float("nan")
            for (_, test), variance in zip(pairs, variances, strict=True)
        ],
    }


def constant_confidence(slices: Sequence[SliceData], sla: SliceSettings) -> list[float]:
    """Return eq. (6) of the constant of each seed: 1 if it lies inside the SLA, else not defined."""
    means = [data.pooled("train")[1].astype(float).mean() for data in slices]
    return [1.0 if sla.lower_percent <= mean <= sla.upper_percent else float("nan") for mean in means]
