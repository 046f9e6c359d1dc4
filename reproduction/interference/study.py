"""Train the detector, explain it, and hold each method's relevance to where the burst is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from reproduction import attribution
from reproduction.attribution import explain
from reproduction.interference.grids import Grids, GridSettings, draw_grids

METHODS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "saliency": {},
        "input_x_gradient": {},
        "epsilon_lrp": {},
        "integrated_gradients": {"steps": 50},
        "deeplift": {},
        "occlusion": {"feature_axes": (0, 1), "window": 3},
    }
)
"""The methods that are compared, with their options."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is trained and explained.

    Attributes:
        name: of the preset.
        grids: what they look like.
        training: how many the detector learns from.
        test: how many it is held to.
        epochs: of Adam, over batches of 64.
    """

    name: str
    grids: GridSettings = field(default_factory=GridSettings)
    training: int = 8000
    test: int = 1000
    epochs: int = 10


FULL = Settings(name="full")
QUICK = Settings(name="quick", training=1000, test=200, epochs=3)


def study(settings: Settings, seeds: Sequence[int], on_seed: Callable[[int], None]) -> dict[str, Any]:
    """Compute the numbers of all seeds; `on_seed` hears of each that is done.

    Returns:
        `accuracy` of the detector and `by_chance`, the burst's share of the disturbed grids, both [seeds]; hit rates
        over the disturbed test grids, [seeds]: `hits` and `untrained` by method, of the detector and of its first
        weights, and `controls` of what needs no detector; and as `example`, of the first seed one disturbed grid, its
        burst, and its relevance by method, each [subcarriers][symbols].
    """
    result: dict[str, Any] = {"accuracy": [], "by_chance": []}
    result |= {kind: {method: [] for method in METHODS} for kind in ("hits", "untrained")}
    result["controls"] = {name: [] for name in CONTROLS}
    for seed in seeds:
        training, test = grids_of(settings, seed)
        disturbed = Grids(test.power[test.is_disturbed], test.burst[test.is_disturbed])
        undisturbed = training.power[~training.is_disturbed].mean(axis=0)
        untrained, model = detector(settings, seed), trained(settings, seed, training)
        right = (model.predict(test.power, verbose=0)[:, 0] > 0.0) == test.is_disturbed
        result["accuracy"].append(float(right.mean()))
        result["by_chance"].append(float(disturbed.burst.mean()))
        for name, control in CONTROLS.items():
            result["controls"][name].append(hit_rate(control(disturbed.power[..., 0]), disturbed.burst))
        for method in METHODS:
            result["untrained"][method].append(
                hit_rate(relevance(untrained, disturbed.power, method, undisturbed), disturbed.burst)
            )
        found = {method: relevance(model, disturbed.power, method, undisturbed) for method in METHODS}
        for method, values in found.items():
            result["hits"][method].append(hit_rate(values, disturbed.burst))
        if seed == seeds[0]:
            result["example"] = {
                "power_db": (10.0 * disturbed.power[0, ..., 0]).astype(float).tolist(),
                "burst": disturbed.burst[0].astype(int).tolist(),
                "relevance": {method: values[0].astype(float).tolist() for method, values in found.items()},
            }
        on_seed(seed)
    return result


def relevance(model: Any, power: np.ndarray, method: str, undisturbed: np.ndarray) -> np.ndarray:
    """Return a method's relevance of grids [n, subcarriers, symbols, 1], float32 [n, subcarriers, symbols].

    The baseline of a method that takes one is the mean of the undisturbed grids that the detector was trained on.
    """
    baseline = undisturbed if attribution.METHODS[method].takes_baseline else None
    return explain(model, power, method=method, baseline=baseline, **METHODS[method])[..., 0]


def power_around(power: np.ndarray) -> np.ndarray:
    """Return the mean power, not in dB, of each cell and its neighbours: float64 [n, subcarriers, symbols]."""
    padded = np.pad(10.0 ** power.astype(float), ((0, 0), (1, 1), (1, 1)), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2)).mean(axis=(3, 4))


CONTROLS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = MappingProxyType(
    {"power": lambda power: power, "mean power of 3 x 3 cells": power_around}
)
"""What could stand for relevance without a detector: functions of power in 10 dB [n, subcarriers, symbols]."""


def grids_of(settings: Settings, seed: int) -> tuple[Grids, Grids]:
    """Return a seed's grids, to train on and to test on."""
    generator = np.random.default_rng(seed)
    training = draw_grids(settings.grids, settings.training, generator)
    return training, draw_grids(settings.grids, settings.test, generator)


def detector(settings: Settings, seed: int) -> Any:
    """Return a Keras model that gives the log-odds of a burst, with a seed's first weights."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((settings.grids.subcarriers, settings.grids.symbols, 1)),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(1),
        ]
    )


def trained(settings: Settings, seed: int, training: Grids) -> Any:
    """Return the detector, trained."""
    import keras

    model = detector(settings, seed)
    model.compile(keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(training.power, training.is_disturbed.astype(np.float32), 64, settings.epochs, verbose=0)
    return model


def hit_rate(relevance: np.ndarray, burst: np.ndarray) -> float:
    """Return how many of a grid's most relevant cells, as many as its burst has, lie in the burst; the mean over grids.

    Of equally relevant cells at the border of the choice each counts for its share.

    Args:
        relevance: [n, subcarriers, symbols].
        burst: bool [n, subcarriers, symbols], True somewhere in each grid.
    """
    shares = []
    for values, covered in zip(relevance.reshape(len(burst), -1), burst.reshape(len(burst), -1), strict=True):
        size = covered.sum()
        least = np.sort(values)[-size]
        above, level = values > least, values == least
        shares.append((covered[above].sum() + (size - above.sum()) * covered[level].mean()) / size)
    return float(np.mean(shares))
