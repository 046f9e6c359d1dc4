"""From the records of all cases to the numbers of each figure: one function per figure.

Numbers stay per seed, in the order of the seeds. An interval is Wilson's of the seeds together, with a frame for a
draw: bits of a frame share their channel, so that the errors of n frames are as sure as those of n / deff bits, deff
being how much more the frames' errors spread than independent bits would.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reproduction.ofdm.error_rate import ErrorRate
from reproduction.receiver.settings import Settings
from reproduction.results.store import Payload

Result = dict[str, Any]


@dataclass(frozen=True)
class Records:
    """All cases of a study.

    Attributes:
        settings: of the study.
        seeds: in their order.
        records: of the tests, one per seed.
    """

    settings: Settings
    seeds: tuple[int, ...]
    records: Sequence[Payload]


def error_rates(study: Records) -> Result:
    """Return the bit error rate of every receiver against SNR, on the channels of the training and on unseen ones."""
    bits = study.records[0]["bits"]

    def curve(mix: str, name: str) -> Result:
        errors = np.array([record["errors"][mix][name] for record in study.records])
        return {
            "rates": (errors.mean(axis=2) / bits).tolist(),
            "intervals": [interval(errors[:, place].reshape(-1), bits) for place in range(errors.shape[1])],
        }

    return {
        "snr_db": list(study.settings.snr_db),
        "bits": bits,
        "frames": study.settings.test_frames,
        "mixes": [
            {
                "mix": mix,
                "channels": list(getattr(study.settings, mix).channels),
                "receivers": {name: curve(mix, name) for name in receivers},
            }
            for mix, receivers in study.records[0]["errors"].items()
        ],
    }


def interval(errors: np.ndarray, bits: int) -> list[float]:
    """Return Wilson's 95 % interval of the error rate of frames, for as many independent bits as they are worth.

    Kish 1965 (Survey Sampling) for the design effect.

    Args:
        errors: of each frame, int [frames].
        bits: of a frame.
    """
    rate = errors.mean() / bits
    independent = rate * (1.0 - rate) * bits
    effect = max(1.0, errors.var(ddof=1) / independent) if independent and len(errors) > 1 else 1.0
    worth = max(1, round(errors.size * bits / effect))
    return list(ErrorRate(round(rate * worth), worth).interval())
