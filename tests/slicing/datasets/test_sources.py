"""The sourced tables a second time, written here by hand from their sources, not from the code."""

import numpy as np
import pytest

from reproduction.slicing.datasets import generator, physics

DIURNAL = {
    "residential": ".87 .56 .41 .32 .27 .31 .53 .73 .83 .93 1.02 1.05 1.06 1.07 1.09 1.12 1.17 1.30 1.47 1.57 1.65 1.70 1.63 1.33",
    "office": ".33 .23 .17 .13 .11 .14 .24 .70 1.48 1.92 1.99 1.99 1.99 1.98 1.93 1.80 1.55 1.16 .88 .78 .74 .69 .60 .48",
    "transport": ".06 .05 .05 .05 .05 .10 .86 2.51 2.20 1.37 1.05 .97 .99 1.02 1.11 1.25 1.71 2.32 2.11 1.42 1.13 .85 .60 .17",
    "entertainment": ".33 .27 .21 .16 .15 .17 .26 .57 .89 1.21 1.59 1.64 1.63 1.61 1.63 1.65 1.68 1.71 1.69 1.54 1.32 1.01 .65 .44",
}
"""Xu et al. 2017, read off the plots of four kinds of tower: factor of the daily mean at hours 0..23."""

SHARES = {
    "YouTube": 25.5,
    "Facebook Video": 17.5,
    "Instagram": 7.1,
    "Facebook": 5.2,
    "Netflix": 4.0,
    "WhatsApp": 2.8,
}
"""Sandvine, Mobile Internet Phenomena (about 2020), % of mobile traffic, in its own order."""

APPLICATIONS = {
    "eMBB": ["Netflix", "YouTube", "Facebook Video"],
    "Social Media": ["Facebook", "WhatsApp", "Instagram"],
    "Browsing": ["Apple", "HTTP", "QUIC"],
}
"""The paper, Sec. II."""

TOWERS = {
    "eMBB": {"residential": 0.5, "office": 0.15, "transport": 0.1, "entertainment": 0.25},
    "Social Media": {"residential": 0.35, "office": 0.2, "transport": 0.2, "entertainment": 0.25},
    "Browsing": {"residential": 0.3, "office": 0.4, "transport": 0.15, "entertainment": 0.15},
}
"""Assumed; by name, since the code has them in the order of the kinds."""

CODE_RATES = {
    2: (78, 120, 193, 308, 449, 602),  # QPSK
    4: (378, 490, 616),  # 16QAM
    6: (466, 567, 666, 772, 873, 948),  # 64QAM
}
"""3GPP TS 36.213, Table 7.2.3-1: bits per symbol -> code rate x 1024 of CQI 1..15."""


@pytest.mark.parametrize("tower", DIURNAL)
def test_the_towers_are_xu_et_als(tower):
    np.testing.assert_array_equal(generator.DIURNAL[tower], np.array(DIURNAL[tower].split(), float))


def test_the_kinds_of_tower_are_in_their_order():
    """Their probabilities are given in this order."""
    assert list(generator.DIURNAL) == list(DIURNAL)
    for name, profile in generator.PROFILES.items():
        assert dict(zip(generator.DIURNAL, profile.towers, strict=True)) == TOWERS[name]


def test_the_shares_are_sandvines():
    for name, profile in generator.PROFILES.items():
        assert list(profile.applications) == APPLICATIONS[name]
        assert list(profile.shares) == [SHARES.get(application, 1.0) for application in profile.applications]


def test_a_clients_traffic_is_in_the_ratio_of_the_shares():
    """Flattened by the exponent .25, on average over CLs: the jitter of +-15 % is the same for all three."""
    for name, profile in generator.PROFILES.items():
        rng = np.random.default_rng(0)
        levels = np.array([generator.draw_client_profile(profile, rng).app_level_mbps for _ in range(2000)])
        expected = np.array([SHARES.get(application, 1.0) for application in APPLICATIONS[name]]) ** 0.25
        # A jittered share has an s.d. of 9 % of itself, its mean over 2,000 CLs .2 %; 4 standard errors, and as much for
        # the curvature of the normalisation.
        np.testing.assert_allclose(levels.mean(0) / levels.mean(0).sum(), expected / expected.sum(), rtol=0.012)


def test_cqi_gives_the_efficiency_of_ts_36_213():
    """Bits per symbol times code rate, which the standard prints to four digits."""
    expected = [bits * rate / 1024 for bits, rates in CODE_RATES.items() for rate in rates]
    np.testing.assert_allclose(physics.CQI_EFFICIENCY, expected, rtol=0, atol=5.1e-5)


def test_the_slices_levels():
    """Calibrated, once; beside each other here so that none is another's."""
    assert {name: profile.level_mbps for name, profile in generator.PROFILES.items()} == {
        "eMBB": 6.0,
        "Social Media": 5.8,
        "Browsing": 5.8,
    }


CONSTANTS = {
    "DIURNAL_SWING": 0.7,
    "TRAFFIC_LOG_SD": 0.35,
    "TRAFFIC_LEVEL_RANGE": (0.7, 1.3),
    "SHARE_EXPONENT": 0.25,
    "SHARE_JITTER_RANGE": (0.85, 1.15),
    "SHIFT_HOURS": 2,
    "CQI_MEAN_RANGE": (7, 12),
    "CQI_SD": 1.8,
    "FULL_RANK_MEAN_RANGE": (0.1, 0.4),
    "FULL_RANK_SD": 0.08,
    "FULL_RANK_CQI_CORRELATION": 0.5,
    "CPU_NOISE_SD_PERCENT": 0.05,
    "NORMAL_CUT": 3,
}
"""`data/README.md` and the formulas at the head of the generator."""


@pytest.mark.parametrize("name", CONSTANTS)
def test_the_constants_are_those_that_were_fixed(name):
    assert getattr(generator, name) == CONSTANTS[name]


def test_a_clients_profile_is_drawn_from_the_ranges():
    """2,000 CLs fill each range to a hundredth of its width, and no more; towers come as often as they are likely."""
    rng = np.random.default_rng(1)
    name = "Social Media"
    profiles = [generator.draw_client_profile(generator.PROFILES[name], rng) for _ in range(2000)]
    drawn = {
        (5.8 * 0.7, 5.8 * 1.3): [profile.app_level_mbps.sum() for profile in profiles],
        (7, 12): [profile.cqi_mean for profile in profiles],
        (0.1, 0.4): [profile.full_rank_mean for profile in profiles],
    }
    for (low, high), values in drawn.items():
        slack = (high - low) / 100
        assert low <= min(values) < low + slack
        assert high - slack < max(values) <= high
    assert {int(hours) for profile in profiles for hours in profile.shift_hours} == {-2, -1, 0, 1, 2}
    for tower, probability in TOWERS[name].items():
        share = np.mean([profile.tower == tower for profile in profiles])
        assert abs(share - probability) < 4 * np.sqrt(probability * (1 - probability) / 2000)  # 4 standard errors
