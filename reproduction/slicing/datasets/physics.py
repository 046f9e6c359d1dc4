"""From traffic and radio to CPU load: the formulas of `generator` that have no randomness.

    efficiency = TS 36.213 Table 7.2.3-1 at CQI, linear in between                          [bit/s/Hz]
    gain       = 1 + 0.3 full_rank / 100
    PRB        = min(100, 100 traffic / (efficiency * usable * bandwidth * gain))           [%]
    CPU        = idle + a traffic + b PRB                                                   [%]

Differs from the paper: it says both that better radio raises CPU load (Sec. II) and that it lowers it (Sec. IV-C); the
data follow the latter, `Physics.cqi_effect` has the former.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

# fmt: off
CQI_EFFICIENCY = np.array([
    0.1523, 0.2344, 0.3770, 0.6016, 0.8770, 1.1758, 1.4766, 1.9141,
    2.4063, 2.7305, 3.3223, 3.9023, 4.5234, 5.1152, 5.5547,
])
"""Spectral efficiency [bit/s/Hz] at CQI 1..15, float64 [15]. Source: 3GPP TS 36.213, Table 7.2.3-1."""
# fmt: on

FULL_RANK_GAIN = 0.3  # assumption: power is split over more layers, so the gain is far below the number of layers
BANDWIDTH_MHZ = 20.0  # assumption: one 20 MHz carrier (100 PRB) per CL
# TRACTOR's medians: % PRB per Mbps on 10 MHz is 43, 17, 10.5, 7.8, 6.2 at CQI 3, 5, 7, 9, 10, so efficiency as measured
# is .62, .67, .65, .53, .59 of the table's: the rest goes to control channels, pilots and retransmissions.
USABLE_SHARE = 0.6
MIDDLE_CQI = 9.5  # of the range of the TRPs' means, `generator.CQI_MEAN_RANGE`


@dataclass(frozen=True, kw_only=True)
class Physics:
    """How traffic and radio become CPU load; the sensitivity study varies it, the figures do not.

    Attributes:
        idle_percent: assumption: a "high idle floor" (the srsENB fit's is 71 % of its full load), half of the SLA.
        percent_per_mbps: calibrated; linear in rate: Tran et al., arXiv 1706.06251.
        percent_per_prb_percent: calibrated; linear in airtime: srsENB fit of jaayala/power_ul_dataset (ICC'21).
        cqi_effect: "negative" is Sec. IV-C, better radio needs fewer PRBs; "none" takes every sample's efficiency at
            the mean CQI; "positive" (Sec. II) at the CQI mirrored about that mean, so that loads are spread alike.
    """

    idle_percent: float = 1.5
    percent_per_mbps: float = 0.06
    percent_per_prb_percent: float = 0.018
    cqi_effect: Literal["negative", "none", "positive"] = "negative"

    def __post_init__(self) -> None:
        for name in ("idle_percent", "percent_per_mbps", "percent_per_prb_percent"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)!r}")
        if self.cqi_effect not in ("negative", "none", "positive"):
            raise ValueError(f"cqi_effect must be negative, none or positive, got {self.cqi_effect!r}")

    def radio_cqi(self, cqi: np.ndarray) -> np.ndarray:
        """Return the CQI, float64 [samples], 1..15, at which a sample of the given CQI uses the radio."""
        if self.cqi_effect == "none":
            return np.full_like(cqi, MIDDLE_CQI)
        return np.clip(2 * MIDDLE_CQI - cqi, 1.0, 15.0) if self.cqi_effect == "positive" else cqi


CALIBRATED = Physics()
"""What every figure's data are made with."""


def prb_percent(traffic_mbps: np.ndarray, cqi: np.ndarray, full_rank_percent: np.ndarray) -> np.ndarray:
    """Return the share of physical resource blocks that carry the traffic, float64 [samples], percent, at most 100.

    Args:
        traffic_mbps: float64 [samples], all applications together.
        cqi: float64 [samples], 1..15, fractional.
        full_rank_percent: float64 [samples].
    """
    efficiency = np.interp(cqi, np.arange(1, 16), CQI_EFFICIENCY)
    gain = 1 + FULL_RANK_GAIN * full_rank_percent / 100
    capacity_mbps = efficiency * USABLE_SHARE * BANDWIDTH_MHZ * gain
    return np.minimum(100.0, 100.0 * traffic_mbps / capacity_mbps)


def cpu_percent(traffic_mbps: np.ndarray, prb_percent: np.ndarray, physics: Physics = CALIBRATED) -> np.ndarray:
    """Return the noise-free CPU load, float64 [samples], percent."""
    by_rate = physics.idle_percent + physics.percent_per_mbps * traffic_mbps
    return by_rate + physics.percent_per_prb_percent * prb_percent
