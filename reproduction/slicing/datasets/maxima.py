"""Where the generator's declared maxima come from: one rule, x / maximum over the training part, as for any table.

A federation's own maxima would differ with its seed and its number of CLs, and CL k of 10 CLs would not be CL k of 100.
So the paper's federation is generated for five seeds, and the median of its maxima is declared to two digits.
"""

import numpy as np

from reproduction.slicing.datasets.generator import generate_slice

SEEDS = range(5)


def training_maxima(slice_name: str) -> np.ndarray:
    """Return the greatest training value of every feature over the paper's 100 CLs, float64 [seeds, Q]."""
    return np.array([_greatest(slice_name, seed) for seed in SEEDS])


def declared_maxima(found: np.ndarray) -> tuple[float, ...]:
    """Return the median over the seeds to two digits, one per feature, from `training_maxima`."""
    return tuple(float(f"{median:.2g}") for median in np.median(found, axis=0))


def _greatest(slice_name: str, seed: int) -> np.ndarray:
    features, _ = generate_slice(slice_name, seed=seed, test_samples=1).pooled("train")
    return features.max(axis=0)
