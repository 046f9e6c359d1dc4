"""Physical generator of the three slices' data (paper, Sec. II and Table II; Sec. IV-C for the sign of CQI).

Per closed loop (CL) and hour, in this order:

    traffic_i  = level * share_i * diurnal(hour + shift_i) * exp(sigma z_i - sigma^2 / 2)       [Mbps]
    diurnal    = 1 + 0.7 (shape - 1) / max |shape - 1|                                          shape: Xu et al.
    CQI        = clip(mean_CQI + 1.8 z, 1, 15)                                                  hourly mean, fractional
    efficiency = TS 36.213 Table 7.2.3-1 at CQI, linear in between                              [bit/s/Hz]
    full_rank  = clip(100 (mean_rank + 0.08 (rho z_CQI + sqrt(1 - rho^2) z)), 0, 100)           [%]
    PRB        = min(100, 100 sum_i traffic_i / (efficiency * usable * bandwidth * gain))       [%]
    gain       = 1 + 0.3 full_rank / 100
    CPU        = clip(idle + a sum_i traffic_i + b PRB + 0.05 z, 0, 100)                        [%]

with independent z ~ N(0, 1) cut at +-3, so that every value has a bound that does not depend on the draw. CLs differ
(non-IID) in tower kind, traffic level, application shares, diurnal shifts, mean CQI and mean full-rank share.

Differs from the paper: its data are private ("synthesizing data of OTT applications"), so all of this is ours, and what
the sources leave open was calibrated, without any model and twice, to what the paper tells of its own. The order of
Fig. 6 is therefore a property put into the data, not a finding. `data/README.md`, "Calibration", has the criteria, both
calibrations, and the sourced figures that they did not take as they are.
"""

from dataclasses import dataclass

import numpy as np

from reproduction import seeds
from reproduction.slicing.datasets.physics import CALIBRATED, Physics, cpu_percent, prb_percent
from reproduction.slicing.datasets.slice_data import ClientData, Feature, Role, SliceData

# fmt: off
DIURNAL = {
    "residential": np.array([
        0.87, 0.56, 0.41, 0.32, 0.27, 0.31, 0.53, 0.73, 0.83, 0.93, 1.02, 1.05,
        1.06, 1.07, 1.09, 1.12, 1.17, 1.30, 1.47, 1.57, 1.65, 1.70, 1.63, 1.33,
    ]),
    "office": np.array([
        0.33, 0.23, 0.17, 0.13, 0.11, 0.14, 0.24, 0.70, 1.48, 1.92, 1.99, 1.99,
        1.99, 1.98, 1.93, 1.80, 1.55, 1.16, 0.88, 0.78, 0.74, 0.69, 0.60, 0.48,
    ]),
    "transport": np.array([
        0.06, 0.05, 0.05, 0.05, 0.05, 0.10, 0.86, 2.51, 2.20, 1.37, 1.05, 0.97,
        0.99, 1.02, 1.11, 1.25, 1.71, 2.32, 2.11, 1.42, 1.13, 0.85, 0.60, 0.17,
    ]),
    "entertainment": np.array([
        0.33, 0.27, 0.21, 0.16, 0.15, 0.17, 0.26, 0.57, 0.89, 1.21, 1.59, 1.64,
        1.63, 1.61, 1.63, 1.65, 1.68, 1.71, 1.69, 1.54, 1.32, 1.01, 0.65, 0.44,
    ]),
}
"""Factor of the daily mean at hours 0..23, float64 [24]. Source: Xu et al. 2017, four kinds of tower, digitised."""
# fmt: on

DIURNAL_SWING = 0.7  # calibrated; see "Depth of the day" in data/README.md
TRAFFIC_LOG_SD = 0.35  # calibrated; see "Spread of traffic" in data/README.md
TRAFFIC_LEVEL_RANGE = (0.7, 1.3)  # assumption: a CL's level over the slice's
SHARE_EXPONENT = 0.25  # calibrated; see "Application shares" in data/README.md
SHARE_JITTER_RANGE = (0.85, 1.15)  # assumption: a CL's taste for an application, before normalising
SHIFT_HOURS = 2  # assumption: an application's day is shifted by -2..2 h at a CL
CQI_MEAN_RANGE = (7.0, 12.0)  # calibrated; see "Spread of CQI" in data/README.md
CQI_SD = 1.8  # calibrated; see "Spread of CQI" in data/README.md
FULL_RANK_MEAN_RANGE = (0.1, 0.4)  # assumption; no data set has it, full 4-layer rank is rare (arXiv 2312.00957)
FULL_RANK_SD = 0.08  # assumption: hour to hour
FULL_RANK_CQI_CORRELATION = 0.5  # assumption
CPU_NOISE_SD_PERCENT = 0.05  # assumption
NORMAL_CUT = 3.0  # assumption: bounds every draw


@dataclass(frozen=True, kw_only=True)
class SliceProfile:
    """What distinguishes one slice from another.

    Attributes:
        applications: the three OTT applications (paper, Sec. II).
        shares: their traffic shares, any positive unit, before flattening.
        level_mbps: mean of the slice's total traffic at a CL.
        towers: probability of each kind of tower, in the order of `DIURNAL`: an assumption.
        maxima: what each feature is divided by, in the order of `slice_features`, as `datasets.maxima` finds them. A
            declared value and not a federation's own, so that CL k is the same whatever the number of CLs; a value
            above it is above 1.
    """

    applications: tuple[str, str, str]
    shares: tuple[float, float, float]
    level_mbps: float
    towers: tuple[float, float, float, float]
    maxima: tuple[float, float, float, float, float]


PROFILES = {
    # Shares: Sandvine, Mobile Internet Phenomena (about 2020), as quoted by telecompetitor.com.
    "eMBB": SliceProfile(
        applications=("Netflix", "YouTube", "Facebook Video"),
        shares=(4.0, 25.5, 17.5),
        level_mbps=6.0,
        towers=(0.5, 0.15, 0.1, 0.25),
        maxima=(8.5, 14.0, 13.0, 15.0, 69.0),
    ),
    "Social Media": SliceProfile(
        applications=("Facebook", "WhatsApp", "Instagram"),
        shares=(5.2, 2.8, 7.1),
        level_mbps=5.8,
        towers=(0.35, 0.2, 0.2, 0.25),
        maxima=(12.0, 10.0, 12.0, 15.0, 67.0),
    ),
    "Browsing": SliceProfile(
        applications=("Apple", "HTTP", "QUIC"),
        shares=(1.0, 1.0, 1.0),  # assumption: no source
        level_mbps=5.8,
        towers=(0.3, 0.4, 0.15, 0.15),
        maxima=(12.0, 12.0, 11.0, 15.0, 68.0),
    ),
}

SLICES = tuple(PROFILES)


@dataclass(frozen=True, kw_only=True, eq=False)
class ClientProfile:
    """What is drawn once per CL, and makes the CLs differ.

    Attributes:
        tower: a key of `DIURNAL`.
        app_level_mbps: float64 [3], mean traffic per application.
        shift_hours: int64 [3], shift of each application's day.
        cqi_mean: mean CQI of the TRP.
        full_rank_mean: mean share of full-rank transmissions, 0..1.
    """

    tower: str
    app_level_mbps: np.ndarray
    shift_hours: np.ndarray
    cqi_mean: float
    full_rank_mean: float


def generate_slice(
    slice_name: str,
    *,
    seed: int,
    clients: int = 100,
    samples: int = 1000,
    test_samples: int = 250,
    physics: Physics = CALIBRATED,
) -> SliceData:
    """Generate one slice; every CL is a pure function of (seed, slice, its index, its number of samples).

    CL k is the same whatever the number of CLs, and its training rows do not depend on `test_samples`. Test rows
    are other random hours of the same CL.

    Args:
        slice_name: one of `SLICES`.
        seed: the root seed, >= 0.
        clients: number of CLs, K >= 1 (paper, Table III: 100).
        samples: training samples per CL, D >= 2 (paper, Table III: 1000).
        test_samples: test samples per CL, >= 1.
        physics: how traffic and radio become CPU load; the draws are the same for all.

    Raises:
        ValueError: an unknown slice, or a number below its lowest.
    """
    features = slice_features(slice_name)
    for argument, value, lowest in (
        ("seed", seed, 0),
        ("clients", clients, 1),
        ("samples", samples, 2),
        ("test_samples", test_samples, 1),
    ):
        if value < lowest:
            raise ValueError(f"{argument} must be at least {lowest}, got {value}")
    return SliceData(
        name=slice_name,
        features=features,
        target_name="CPU load",
        target_unit="%",
        clients=tuple(_client(slice_name, seed, k, samples, test_samples, physics) for k in range(clients)),
    )


def slice_features(slice_name: str) -> tuple[Feature, ...]:
    """Return the five features of a generated slice: three OTTs, CQI and MIMO full-rank.

    Args:
        slice_name: one of `SLICES`.

    Raises:
        ValueError: an unknown slice.
    """
    if slice_name not in PROFILES:
        raise ValueError(f"slice_name must be one of {', '.join(SLICES)}, got {slice_name!r}")
    profile = PROFILES[slice_name]
    *of_traffic, of_cqi, of_rank = profile.maxima
    traffic = (
        Feature(name=application, unit="Mbps", maximum=maximum, role="traffic")
        for application, maximum in zip(profile.applications, of_traffic, strict=True)
    )
    cqi = Feature(name="CQI", unit="", maximum=of_cqi, role="channel_quality")
    full_rank = Feature(name="MIMO full-rank", unit="%", maximum=of_rank, role="rank")
    return (*traffic, cqi, full_rank)


def feature_roles(slice_name: str) -> dict[str, Role]:
    """Return what each of `slice_features` measures: name -> role, in their order.

    Args:
        slice_name: one of `SLICES`.

    Raises:
        ValueError: an unknown slice.
    """
    return {feature.name: feature.role for feature in slice_features(slice_name)}


def _client(slice_name: str, seed: int, index: int, samples: int, test_samples: int, physics: Physics) -> ClientData:
    """Draw one CL from its own streams."""

    def stream(purpose: str) -> np.random.Generator:
        return seeds.generator(seed, "data", slice_name, index, purpose)

    profile = draw_client_profile(PROFILES[slice_name], stream("profile"))
    train_features, train_target = draw_samples(profile, samples, stream("train"), physics)
    test_features, test_target = draw_samples(profile, test_samples, stream("test"), physics)
    return ClientData(
        name=f"CL {index:03d}",
        train_features=train_features,
        train_target=train_target,
        test_features=test_features,
        test_target=test_target,
    )


def draw_client_profile(profile: SliceProfile, rng: np.random.Generator) -> ClientProfile:
    """Draw what is constant at one CL."""
    tower = str(rng.choice(list(DIURNAL), p=profile.towers))
    weights = np.array(profile.shares) ** SHARE_EXPONENT * rng.uniform(*SHARE_JITTER_RANGE, size=3)
    level_mbps = profile.level_mbps * rng.uniform(*TRAFFIC_LEVEL_RANGE)
    return ClientProfile(
        tower=tower,
        app_level_mbps=level_mbps * weights / weights.sum(),
        shift_hours=rng.integers(-SHIFT_HOURS, SHIFT_HOURS, size=3, endpoint=True),
        cqi_mean=rng.uniform(*CQI_MEAN_RANGE),
        full_rank_mean=rng.uniform(*FULL_RANK_MEAN_RANGE),
    )


def draw_samples(
    profile: ClientProfile, samples: int, rng: np.random.Generator, physics: Physics = CALIBRATED
) -> tuple[np.ndarray, np.ndarray]:
    """Draw random hours of one CL.

    Returns:
        Features, float32 [samples, 5] (three OTTs in Mbps, CQI, full-rank in %), and CPU load, float32 [samples] in %.
    """
    hour = rng.integers(0, 24, size=samples)
    z = np.clip(rng.standard_normal((samples, 6)), -NORMAL_CUT, NORMAL_CUT)
    diurnal = diurnal_factor(profile.tower)[(hour[:, None] + profile.shift_hours) % 24]
    spread = np.exp(TRAFFIC_LOG_SD * z[:, :3] - TRAFFIC_LOG_SD**2 / 2)
    traffic_mbps = profile.app_level_mbps * diurnal * spread
    cqi = np.clip(profile.cqi_mean + CQI_SD * z[:, 3], 1.0, 15.0)
    rho = FULL_RANK_CQI_CORRELATION
    rank_deviation = FULL_RANK_SD * (rho * z[:, 3] + np.sqrt(1 - rho**2) * z[:, 4])
    full_rank_percent = np.clip(100 * (profile.full_rank_mean + rank_deviation), 0.0, 100.0)
    total_mbps = traffic_mbps.sum(axis=1)
    cpu = cpu_percent(total_mbps, prb_percent(total_mbps, physics.radio_cqi(cqi), full_rank_percent), physics)
    cpu = np.clip(cpu + CPU_NOISE_SD_PERCENT * z[:, 5], 0.0, 100.0)
    features = np.column_stack([traffic_mbps, cqi, full_rank_percent])
    return features.astype(np.float32), cpu.astype(np.float32)


def diurnal_factor(tower: str) -> np.ndarray:
    """Return the traffic's factor at hours 0..23, float64 [24], within 1 +- `DIURNAL_SWING`."""
    deviation = DIURNAL[tower] - 1
    return 1 + DIURNAL_SWING * deviation / np.abs(deviation).max()
