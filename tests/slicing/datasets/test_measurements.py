import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reproduction.slicing.datasets import load, measurements

FOLDER = os.environ.get("REPRODUCTION_MEASUREMENTS")
real = pytest.mark.skipif(FOLDER is None, reason="REPRODUCTION_MEASUREMENTS names no folder with the public sets")
TRACTOR_BOUNDS = {name: bound for name, (_, bound) in measurements.TRACTOR_SLA.items()}


def tractor(rows=100):
    """A table with TRACTOR's columns: one client of two runs per slice, and a client too small to keep."""
    rng = np.random.default_rng(0)
    every = [column for columns in measurements.TRACTOR_APPLICATIONS.values() for column in columns]
    parts = []
    for slice_name, columns in measurements.TRACTOR_APPLICATIONS.items():
        for client, run, size in (("S_1", "x", rows), ("S_1", "y", rows), ("S_2", "x", 79)):
            part = pd.DataFrame({"client": client, "run": run, "t_s": np.arange(size), "slice": slice_name})
            part[every] = np.float32(0)
            part[list(columns)] = rng.uniform(0, 5, (size, len(columns))).astype(np.float32)
            part["cqi"] = rng.uniform(5, 12, size).astype(np.float32)
            part["prb_load_pct"] = np.arange(size, dtype=np.float32)
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def ranalyzer(rows=100):
    rng = np.random.default_rng(0)
    started = pd.Timestamp("2024-02-11") + pd.to_timedelta(np.arange(rows), unit="h")
    table = pd.DataFrame({"client": "k@1", "run": started.strftime("%Y%m%d/%H%M%S")})
    table["recv_mbps"] = rng.uniform(5, 100, rows)
    table["dl_mcs"] = rng.uniform(0, 28, rows)
    table["ue_cpu_pct"] = np.arange(rows, dtype=float)
    return table.sample(frac=1, random_state=0)


def test_tractor_keeps_the_columns_of_the_slice(tmp_path):
    tractor().to_parquet(tmp_path / "t.parquet")
    data = measurements.load_tractor(tmp_path / "t.parquet", "mMTC")
    assert (data.name, data.feature_names, data.feature_units) == ("mMTC", ("Background", "CQI"), ("Mbps", ""))
    assert [feature.role for feature in data.features] == ["traffic", "channel_quality"]
    assert data.target_name == "radio-resource load"
    np.testing.assert_array_equal(data.feature_maxima, np.array([20, 15], np.float32))


def test_tractor_tests_on_the_end_of_each_run(tmp_path):
    tractor().to_parquet(tmp_path / "t.parquet")
    (client,) = measurements.load_tractor(tmp_path / "t.parquet", "eMBB").clients
    np.testing.assert_array_equal(np.unique(client.test_target), np.arange(80, 100))
    assert (len(client.train_target), len(client.test_target)) == (160, 40)


def test_tractor_counts_what_it_leaves_out(tmp_path):
    table = tractor()
    table.loc[[3, 4, 5], "cqi"] = np.nan
    table.loc[[6, 7], "prb_load_pct"] = 100.6
    table.to_parquet(tmp_path / "t.parquet")
    data = measurements.load_tractor(tmp_path / "t.parquet", "eMBB")
    assert data.notes == (
        "3 row(s) without cqi left out",
        "1 client(s) with fewer than 80 rows left out (79 rows)",
        "2 row(s) with a load of 100-101 % set to 100 %",
    )
    (client,) = data.clients
    assert len(client.train_target) + len(client.test_target) == 197
    assert np.sum(client.train_target == 100) == 2
    assert len(measurements.load_tractor(tmp_path / "t.parquet", "eMBB", minimum_rows=79).clients) == 2


def test_ranalyzer_splits_in_time(tmp_path):
    ranalyzer().to_parquet(tmp_path / "r.parquet")
    data = measurements.load_ranalyzer(tmp_path / "r.parquet")
    np.testing.assert_array_equal(data.clients[0].train_target, np.arange(80))
    np.testing.assert_array_equal(data.clients[0].test_target, np.arange(80, 100))
    assert data.feature_names == ("Traffic", "MCS")
    assert [feature.role for feature in data.features] == ["traffic", "channel_quality"]
    np.testing.assert_array_equal(data.feature_maxima, np.array([200, 28], np.float32))


def test_load_knows_the_sets_by_name(tmp_path):
    path = tmp_path / "t.parquet"
    tractor().to_parquet(path)
    assert [data.name for data in load([path], "tractor", seed=0)] == ["eMBB", "URLLC", "mMTC"]
    (data,) = load([path], "tractor:URLLC", seed=0)
    assert data.digest() == measurements.load_tractor(path, "URLLC").digest()
    ranalyzer().to_parquet(tmp_path / "r.parquet")
    (data,) = load([tmp_path / "r.parquet"], "ranalyzer", seed=0)
    assert data.name == "RANalyzer"


@pytest.mark.parametrize(
    ("schema", "change", "match"),
    [
        ("tractor:Voice", lambda t: t, "slice_name must be one of eMBB, URLLC, mMTC, got 'Voice'"),
        ("ranalyzer:eMBB", lambda t: t, "'ranalyzer' has no slices, got 'eMBB'"),
        ("ranalyzer", lambda t: t, "column 'recv_mbps' is missing; this is not the table that the schema names"),
        ("tractor:eMBB", lambda t: t.drop(columns="cqi"), "column 'cqi' is missing; this is not the table"),
        ("tractor:eMBB", lambda t: t[t.slice != "eMBB"], "no client of 'eMBB' has 80 rows"),
        ("tractor:eMBB", lambda t: t.assign(prb_load_pct=101.5), "row 1, column 'prb_load_pct': value 101.5; must be"),
        ("tractor:URLLC", lambda t: t.assign(cqi=-1.0), "row 280, column 'cqi': value -1.0; must be between 0 and 15"),
    ],
)
def test_refuses(tmp_path, schema, change, match):
    change(tractor()).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=match):
        load([tmp_path / "t.parquet"], schema, seed=0)


def test_refuses_several_tables_of_a_set_and_other_dates(tmp_path):
    with pytest.raises(ValueError, match="schema 'tractor' reads exactly one table, got 2"):
        load([tmp_path / "a.parquet", tmp_path / "b.parquet"], "tractor:eMBB", seed=0)
    table = ranalyzer().reset_index(drop=True)
    for value in ("yesterday", "20240230/120000", np.nan):
        table.loc[6, "run"] = value
        table.to_parquet(tmp_path / "r.parquet")
        with pytest.raises(ValueError, match=f"row 7, column 'run': value {value}; must be YYYYMMDD/HHMMSS"):
            load([tmp_path / "r.parquet"], "ranalyzer", seed=0)


def test_tractor_as_csv_is_the_same_table(tmp_path):
    table = tractor().dropna(subset="cqi")
    table.to_parquet(tmp_path / "t.parquet")
    table.to_csv(tmp_path / "t.csv", index=False)
    parquet, csv = (measurements.load_tractor(tmp_path / name, "eMBB") for name in ("t.parquet", "t.csv"))
    assert parquet.digest() == csv.digest()
    table.assign(prb_load_pct="much").to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(ValueError, match=r"line 2, column 'prb_load_pct': value much; must be a finite number"):
        measurements.load_tractor(tmp_path / "t.csv", "eMBB")


@real
@pytest.mark.parametrize(
    ("slice_name", "clients", "rows"), [("eMBB", 26, 42920), ("URLLC", 25, 34734), ("mMTC", 25, 49177)]
)
def test_real_tractor(slice_name, clients, rows):
    data = measurements.load_tractor(Path(FOLDER) / "tractor_slices.parquet", slice_name)
    assert len(data.clients) == clients
    assert sum(len(client.train_target) + len(client.test_target) for client in data.clients) == rows
    assert measurements.sla_bound(data) == TRACTOR_BOUNDS[slice_name]
    target = np.concatenate([client.train_target for client in data.clients])
    assert 0.85 <= (target <= TRACTOR_BOUNDS[slice_name]).mean() <= 0.96


@real
def test_real_ranalyzer():
    data = measurements.load_ranalyzer(Path(FOLDER) / "ranalyzer_runs.parquet")
    assert len(data.clients) == 25
    assert sum(len(client.train_target) + len(client.test_target) for client in data.clients) == 8422
    assert measurements.sla_bound(data) == measurements.RANALYZER_SLA[1]
