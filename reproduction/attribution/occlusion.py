"""Occlusion: how the prediction changes when a window of features is switched off.

Zeiler and Fergus 2014 (arXiv 1311.2901), Sec. 4.2, on a vector of features. DeepExplain's conventions kept: the
attribution is f(input) - f(input with the window at the baseline), shared evenly over the window; a feature under
several windows gets the mean of its shares.
"""

from dataclasses import dataclass

import numpy as np

from reproduction.attribution.method import Method, require_whole_number
from reproduction.attribution.scalar_function import ScalarFunction


@dataclass(frozen=True, kw_only=True)
class Occlusion(Method):
    """Occlusion by a sliding window.

    Attributes:
        window: how many neighbouring features are switched off together, 1 .. features.
        step: how far the window moves, >= 1.
    """

    window: int = 1
    step: int = 1

    def __post_init__(self) -> None:
        require_whole_number("window", self.window, minimum=1)
        require_whole_number("step", self.step, minimum=1)

    def attributions(self, function: ScalarFunction, inputs: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        """Return the attributions, float64 [n, features].

        Raises:
            ValueError: the windows do not fit, or leave features uncovered.
        """
        starts = self._starts(inputs.shape[1])
        original = function.values(inputs)
        shares = np.zeros(inputs.shape)
        windows_over = np.zeros(inputs.shape[1])
        for start in starts:
            covered = slice(start, start + self.window)
            occluded = inputs.copy()
            occluded[:, covered] = baseline[:, covered]
            shares[:, covered] += ((original - function.values(occluded)) / self.window)[:, None]
            windows_over[covered] += 1.0
        return shares / windows_over

    def _starts(self, features: int) -> range:
        if self.window > features:
            raise ValueError(f"window must be at most the {features} features, got {self.window}; make it smaller.")
        starts = range(0, features - self.window + 1, self.step)
        if (len(starts) > 1 and self.step > self.window) or starts[-1] + self.window < features:
            raise ValueError(
                f"window and step must cover all {features} features, got window={self.window}, step={self.step}; "
                "step=1 always covers."
            )
        return starts
