"""The two public measurement sets that stand in for the paper's private data; the user gives the path.

Neither has a MIMO rank that varies, so neither has a MIMO feature, and neither has the CPU of a base station:

* TRACTOR (J. Groen et al., "TRACTOR: Traffic Analysis and Classification Tool for Open RAN", IEEE ICC 2024; MIT): an
  srsLTE/SCOPE cell of 10 MHz on the Colosseum testbed, replaying traffic captured on a commercial 5G network. Target:
  granted downlink PRBs of the slice, a *radio-resource load*, never a CPU load. Rows: 1 s x slice. Client: one
  base-station run.
* RANalyzer (R. Shirkhani, R. Prasad, L. Bonati, T. Melodia, M. Polese, "RANalyzer", IEEE NetSoft 2026; CC BY 4.0,
  changes: aggregated per run): automated over-the-air tests of an OpenAirInterface gNB. Target: CPU of the traffic's
  *end point* (UE host), not of the RAN. Rows: one test run. Client: UE host and epoch.

Rows without a logged CQI are left out, clients with fewer than `MINIMUM_ROWS` rows too; both are counted in
`SliceData.notes`. TRACTOR's idle seconds (no traffic, no PRB, but a CQI) are measurements and stay.

Features are named and scaled as the sets allow; the SLA bounds are ours (`TRACTOR_SLA`, `RANALYZER_SLA`).
"""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from reproduction.slicing.datasets.slice_data import SliceData
from reproduction.slicing.datasets.table_files import Table, read_table, without_rows
from reproduction.slicing.datasets.table_schema import TableSchema
from reproduction.slicing.datasets.tables import build_slices

MINIMUM_ROWS = 80
"""Clients below this are left out: 64 training rows are too few for a network of its own."""

SLA_PERCENTILE = 90.0
"""The paper's share of samples within its SLA is 85-96 %; the middle of it."""

TRACTOR_SLA = {"eMBB": (0.0, 36.0), "URLLC": (0.0, 20.0), "mMTC": (0.0, 0.096)}
"""SLA interval of the radio-resource load [%]: its upper bound is `sla_bound` of the slice's training part, and nothing
else chose it. Idle seconds dominate: no traffic in 50 % of the training rows of eMBB and URLLC and 62 % of mMTC's. They
lie within the SLA with a load near 0, so it is the busy seconds that leave it; in mMTC the bound is so low that it
parts idle from not idle. Runs fade out, so of eMBB's test part, the ends of the runs, 97 % lie within."""

RANALYZER_SLA = (0.0, 8.2)
"""SLA interval of the end point's CPU load [%], by the same rule."""

TRACTOR_APPLICATIONS = {
    "eMBB": {
        "ott_youtube_mbps": "YouTube",
        "ott_netflix_mbps": "Netflix",
        "ott_onedrive_mbps": "OneDrive",
        "ott_pandora_mbps": "Pandora",
        "ott_web_mbps": "Web",
        "ott_embb_mixed_mbps": "eMBB mixed",
    },
    "URLLC": {
        "ott_meet_mbps": "Meet",
        "ott_messenger_mbps": "Messenger",
        "ott_teams_mbps": "Teams",
        "ott_maps_ar_mbps": "Maps AR",
        "ott_urllc_mixed_mbps": "URLLC mixed",
    },
    "mMTC": {"ott_background_mbps": "Background"},
}
"""The applications of each slice: column -> name. `*_mixed` replays several applications at once."""

TRACTOR_MAXIMUM_MBPS = 20.0
"""Declared maximum of an application's traffic, downlink plus uplink; the set's greatest is 18.3 (10 MHz, SISO)."""

RANALYZER_MAXIMUM_MBPS = 200.0
"""Declared maximum of the traffic: the greatest rate that the tests offer."""

CQI_MAXIMUM = 15.0
"""Greatest CQI (3GPP TS 36.213, Table 7.2.3-1)."""

MCS_MAXIMUM = 28.0
"""Greatest MCS index (3GPP TS 38.214, Table 5.1.3.1-1: 0..28)."""


def load_tractor(path: Path, slice_name: str, *, minimum_rows: int = MINIMUM_ROWS) -> SliceData:
    """Read one slice of TRACTOR. The last 20 % of every replayed run is the test part.

    Args:
        path: the Parquet table, 1 s x slice; see `data/README.md`.
        slice_name: `"eMBB"`, `"URLLC"` or `"mMTC"`.
        minimum_rows: clients with fewer rows are left out and counted.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: an unknown slice, a table without rows of it, or anything that `tables` refuses.
    """
    if slice_name not in TRACTOR_APPLICATIONS:
        raise ValueError(f"slice_name must be one of {', '.join(TRACTOR_APPLICATIONS)}, got {slice_name!r}")
    applications = TRACTOR_APPLICATIONS[slice_name]
    schema = TableSchema(
        client="client",
        traffic_mbps=tuple(applications),
        cqi="cqi",
        target_percent="prb_load_pct",
        target_name="radio-resource load",
        slice_name=slice_name,
        time_column="t_s",
        run_column="run",
        sla_percent=TRACTOR_SLA[slice_name],
        maxima=dict.fromkeys(applications, TRACTOR_MAXIMUM_MBPS) | {"cqi": CQI_MAXIMUM},
    )
    table = _require(read_table(path), ("slice", *schema.columns))
    table = without_rows(table, table.frame["slice"] != slice_name)
    # A bin's PRBs are counted over 250 ms reports whose clock jitters: a full cell reads up to 100.7 %.
    target = table.frame["prb_load_pct"]
    full = pd.to_numeric(target, errors="coerce").between(100, 101, inclusive="neither")
    table = dataclasses.replace(table, frame=table.frame.assign(prb_load_pct=target.mask(full, 100.0)))
    note = f"{int(full.sum())} row(s) with a load of 100-101 % set to 100 %"
    return _build(table, schema, (*applications.values(), "CQI"), minimum_rows, note)


def load_ranalyzer(path: Path, *, minimum_rows: int = MINIMUM_ROWS) -> SliceData:
    """Read RANalyzer: traffic and mean downlink MCS against the UE host's CPU.

    The last 20 % of a client's test runs in time are the test part. RSRP is left out: it is negative (dBm) and has no 0
    that means "absent", which the method's baseline needs.

    Args:
        path: the Parquet table, one row per test run; see `data/README.md`.
        minimum_rows: clients with fewer rows are left out and counted.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a date that is not YYYYMMDD/HHMMSS, or anything that `tables` refuses.
    """
    schema = TableSchema(
        client="client",
        traffic_mbps=("recv_mbps",),
        cqi="dl_mcs",
        target_percent="ue_cpu_pct",
        target_name="CPU load of the traffic end point",
        slice_name="RANalyzer",
        time_column="run",
        cqi_maximum=MCS_MAXIMUM,
        sla_percent=RANALYZER_SLA,
        maxima={"recv_mbps": RANALYZER_MAXIMUM_MBPS, "dl_mcs": MCS_MAXIMUM},
    )
    table = _require(read_table(path), schema.columns)
    started = pd.to_datetime(table.frame["run"], format="%Y%m%d/%H%M%S", errors="coerce")
    if started.isna().any():
        row = table.frame[started.isna()].iloc[0]
        raise ValueError(
            f"{table.where(int(row.name))}, column 'run': value {row['run']}; must be YYYYMMDD/HHMMSS, "
            "give the original table"
        )
    table = dataclasses.replace(table, frame=table.frame.assign(run=started))
    return _build(table, schema, ("Traffic", "MCS"), minimum_rows, "")


def sla_bound(data: SliceData) -> float:
    """Return the upper SLA bound [%] by our rule: `SLA_PERCENTILE` of the training target, two significant digits."""
    _, target = data.pooled("train")
    return float(f"{np.percentile(target.astype(np.float64), SLA_PERCENTILE):.2g}")


def _require(table: Table, columns: tuple[str, ...]) -> Table:
    """Refuse a table that is not the set it is said to be."""
    for column in columns:
        if column not in table.frame.columns:
            raise ValueError(f"{table.path}: column {column!r} is missing; this is not the table that the schema names")
    return table


def _build(
    table: Table, schema: TableSchema, feature_names: tuple[str, ...], minimum_rows: int, note: str
) -> SliceData:
    """Leave out what has no channel quality or too few rows, count it, and go through the common door."""
    no_quality = table.frame[schema.cqi].isna()
    table = without_rows(table, no_quality)
    rows = table.frame.groupby(schema.client)[schema.client].transform("size")
    small = rows < minimum_rows
    small_clients = sorted(table.frame[schema.client][small].unique())
    table = without_rows(table, small)
    if table.frame.empty:
        raise ValueError(f"{table.path}: no client of {schema.slice_name!r} has {minimum_rows} rows; check the table")
    notes = (
        f"{int(no_quality.sum())} row(s) without {schema.cqi} left out",
        f"{len(small_clients)} client(s) with fewer than {minimum_rows} rows left out ({int(small.sum())} rows)",
        *([note] if note else []),
    )
    # The split is in time, so the seed has nothing to decide.
    (data,) = build_slices([table], schema, seed=0)
    renamed = zip(data.features, feature_names, strict=True)
    features = tuple(dataclasses.replace(feature, name=name) for feature, name in renamed)
    return dataclasses.replace(data, features=features, notes=notes)
