"""The generator's physics a second time: one sample at a time, plain Python, constants written again."""

import math

# 3GPP TS 36.213, Table 7.2.3-1
EFFICIENCY = {
    1: 0.1523,
    2: 0.2344,
    3: 0.3770,
    4: 0.6016,
    5: 0.8770,
    6: 1.1758,
    7: 1.4766,
    8: 1.9141,
    9: 2.4063,
    10: 2.7305,
    11: 3.3223,
    12: 3.9023,
    13: 4.5234,
    14: 5.1152,
    15: 5.5547,
}


def efficiency(cqi):
    below = min(math.floor(cqi), 14)
    part = cqi - below
    return EFFICIENCY[below] * (1 - part) + EFFICIENCY[below + 1] * part


def prb_percent(traffic_mbps, cqi, full_rank_percent):
    bits_per_second = efficiency(cqi) * 0.6 * 20e6 * (1 + 0.3 * full_rank_percent / 100)
    usage = 100 * traffic_mbps * 1e6 / bits_per_second
    return usage if usage < 100 else 100.0


def cpu_percent(traffic_mbps, prb):
    return 1.5 + 0.06 * traffic_mbps + 0.018 * prb


def cut(value, low, high):
    return low if value < low else high if value > high else value


def sample(profile, diurnal, hour, z):
    """One row: three OTTs [Mbps], CQI, full-rank [%], CPU [%] from the hour and six standard normal draws."""
    z = [cut(float(value), -3.0, 3.0) for value in z]
    traffic = []
    for application in range(3):
        swing = max(abs(value - 1) for value in diurnal)
        factor = 1 + 0.7 * (diurnal[(hour + int(profile.shift_hours[application])) % 24] - 1) / swing
        residual = math.exp(0.35 * z[application]) / math.exp(0.35**2 / 2)
        traffic.append(float(profile.app_level_mbps[application]) * factor * residual)
    cqi = cut(profile.cqi_mean + 1.8 * z[3], 1.0, 15.0)
    share = profile.full_rank_mean + 0.08 * (0.5 * z[3] + math.sqrt(0.75) * z[4])
    full_rank = cut(100 * share, 0.0, 100.0)
    cpu = cpu_percent(sum(traffic), prb_percent(sum(traffic), cqi, full_rank)) + 0.05 * z[5]
    return [*traffic, cqi, full_rank, cut(cpu, 0.0, 100.0)]
