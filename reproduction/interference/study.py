"""Train the detector, explain it, and hold each method's relevance to where the burst is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

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

WITH_BASELINE = ("integrated_gradients", "deeplift", "occlusion")
"""Of them those that take one: the mean of the undisturbed grids that the detector was trained on."""


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
        `accuracy` of the detector and `by_chance`, the burst's share of the grid, both [seeds]; `hits` by method,
        [seeds]; and as `example`, of the first seed one disturbed grid, its burst, and its relevance by method, each
        [subcarriers][symbols].
    """
    accuracy, by_chance, example, maps = [], [], {}, {}
    hits: dict[str, list[float]] = {method: [] for method in METHODS}
    for seed in seeds:
        model, training, test = trained(settings, seed)
        accuracy.append(float(((model.predict(test.power, verbose=0)[:, 0] > 0.0) == test.is_disturbed).mean()))
        disturbed = Grids(test.power[test.is_disturbed], test.burst[test.is_disturbed])
        by_chance.append(float(disturbed.burst.mean()))
        undisturbed = training.power[~training.is_disturbed].mean(axis=0)
        for method, options in METHODS.items():
            given = {"baseline": undisturbed} if method in WITH_BASELINE else {}
            relevance = explain(model, disturbed.power, method=method, **options, **given)[..., 0]
            hits[method].append(hit_rate(relevance, disturbed.burst))
            if seed == seeds[0]:
                maps[method] = relevance[0].astype(float).tolist()
        if seed == seeds[0]:
            power_db = (10.0 * disturbed.power[0, ..., 0]).astype(float).tolist()
            example = {"power_db": power_db, "burst": disturbed.burst[0].astype(int).tolist(), "relevance": maps}
        on_seed(seed)
    return {"accuracy": accuracy, "by_chance": by_chance, "hits": hits, "example": example}


def trained(settings: Settings, seed: int) -> tuple[Any, Grids, Grids]:
    """Return the detector of a seed, a Keras model that gives the log-odds of a burst, and its grids."""
    import keras
    from keras import layers

    generator = np.random.default_rng(seed)
    training = draw_grids(settings.grids, settings.training, generator)
    test = draw_grids(settings.grids, settings.test, generator)
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input(training.power.shape[1:]),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(training.power, training.is_disturbed.astype(np.float32), 64, settings.epochs, verbose=0)
    return model, training, test


def hit_rate(relevance: np.ndarray, burst: np.ndarray) -> float:
    """Return how many of a grid's most relevant cells, as many as its burst has, lie in the burst; the mean over grids.

    Args:
        relevance: [n, subcarriers, symbols].
        burst: bool [n, subcarriers, symbols], True somewhere in each grid.
    """
    shares = []
    for values, covered in zip(relevance.reshape(len(burst), -1), burst.reshape(len(burst), -1), strict=True):
        most = np.argsort(-values, kind="stable")[: covered.sum()]
        shares.append(covered[most].mean())
    return float(np.mean(shares))
