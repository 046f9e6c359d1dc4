"""Settings and clients that a table brings along, and those that a small preset leaves out."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from reproduction import seeds
from reproduction.slicing.data_source import describe, drawn, from_tables
from reproduction.slicing.settings import PAPER, QUICK

CLIENTS = [f"cell {number:02}" for number in range(14)]


@pytest.fixture
def table(tmp_path):
    """14 clients with 10, 11, ... rows, of which 8, 9, ... train."""
    sizes = np.arange(10, 24)
    count, rng = sizes.sum(), np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "cell": np.repeat(CLIENTS, sizes),
            "time": np.arange(count),
            "web": rng.uniform(1, 5, count),
            "cqi": rng.uniform(1, 15, count),
            "cpu": rng.uniform(1, 5, count),
        }
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    schema = {"client": "cell", "traffic_mbps": ["web"], "cqi": "cqi", "target_percent": "cpu", "time_column": "time"}
    (tmp_path / "s.json").write_text(json.dumps(schema | {"sla_percent": [0, 3], "slice_name": "cells"}))
    return [tmp_path / "t.csv"], str(tmp_path / "s.json")


def names(data):
    return [client.name for client in data.clients]


def test_the_papers_number_of_clients_takes_all(table, caplog):
    caplog.set_level("INFO")
    settings, source = from_tables(PAPER, *table, seed=0)
    assert settings.clients == 14
    assert names(source("cells", 0, settings.clients)) == CLIENTS
    assert caplog.messages == ["cells: 14 clients; no row left out"]


@pytest.mark.parametrize("preset", [QUICK, replace(QUICK, name="mine"), replace(PAPER, clients=10)], ids=str)
def test_fewer_clients_are_drawn_by_the_seed_and_the_others_named(table, caplog, preset):
    """Whatever the settings are called."""
    caplog.set_level("INFO")
    settings, source = from_tables(preset, *table, seed=3)
    assert settings.clients == 10
    data = source("cells", 3, settings.clients)
    order = seeds.generator(3, "clients", "cells").permutation(14)
    assert names(data) == [CLIENTS[number] for number in order[:10]]
    left_out = [CLIENTS[number] for number in sorted(order[10:])]
    note = f"4 of 14 clients left out, drawn by seed 3: {', '.join(left_out)}"
    assert describe(data)["left_out"] == [note]
    assert caplog.messages == ["cells: 14 clients; no row left out", f"cells: {note}"]
    assert names(source("cells", 4, 10)) != names(data)
    assert names(source("cells", 3, 4)) == names(data)[:4]


def test_a_wish_for_more_clients_than_there_are(table):
    settings, _ = from_tables(replace(PAPER, clients=50), *table, seed=0)
    assert settings.clients == 14


def test_samples_are_the_tables(table):
    """Rounded means per client: 20 % of each client's rows, rounded, are the test part."""
    sizes = np.arange(10, 24)
    test = np.round(0.2 * sizes)
    settings, _ = from_tables(PAPER, *table, seed=0)
    assert settings.samples == round((sizes - test).mean())
    assert settings.test_samples == round(test.mean())
    few, source = from_tables(QUICK, *table, seed=0)
    described = describe(source("cells", 0, 10))
    assert few.samples == round(described["training_samples"] / 10)
    assert few.test_samples == round(described["test_samples"] / 10)


def test_the_slice_itself_where_nothing_is_drawn(build):
    data = build.slice_data()
    assert drawn(data, 3, seed=0) is data
    assert drawn(data, 2, seed=0).digest() != data.digest()
