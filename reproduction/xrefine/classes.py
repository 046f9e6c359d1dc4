"""The four classes of subcarriers, by a rule of ours: third parties name the classes, none says what divides them."""

from collections.abc import Sequence

import numpy as np

RELIABLE, CONTRIBUTING, NEUTRAL, HARMFUL = "reliable", "contributing", "neutral", "harmful"


def classes_of(by_ebno: Sequence[np.ndarray], rises: np.ndarray) -> list[str]:
    """Return each subcarrier's class.

    * harmful: the error falls when it is set to its mean;
    * reliable: its relevance is in the upper half at every Eb/N0;
    * neutral: its relevance is in the lower half at every Eb/N0;
    * contributing: the others.

    Args:
        by_ebno: the subcarriers' relevance [52] at each Eb/N0.
        rises: by how much the mean squared error rises when a subcarrier is set to its mean, float64 [52].
    """
    upper = np.array([scores >= np.median(scores) for scores in by_ebno])
    found = np.where(upper.all(axis=0), RELIABLE, np.where(~upper.any(axis=0), NEUTRAL, CONTRIBUTING))
    return np.where(rises < 0.0, HARMFUL, found).tolist()
