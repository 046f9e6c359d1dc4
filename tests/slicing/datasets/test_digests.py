"""The digests of data: they name the records of trained federations, so a change makes all of them anew."""

import os
from pathlib import Path

import numpy as np
import pytest

from reproduction.slicing.datasets import ClientData, Feature, SliceData, generate_slice, load

SAMPLE = Path(__file__).resolve().parents[3] / "data" / "sample"
FOLDER = os.environ.get("REPRODUCTION_MEASUREMENTS")

GENERATED = {
    ("eMBB", 0): (
        "d9dd1eda6acce9791631e46f96108c023cd428d00223876b7ffb6e2137292cde",
        "103068e2b848ae14446477d0a2310c5844c87b6afeaaf02fef8f1ac9e38ad87d",
    ),
    ("Social Media", 0): (
        "5c3543e4f7ac006556934177145e06bb29375a643d731793109dddafca72683d",
        "0b9828ae8632ba927b23c23eb663c87f25d6485a9a9bbce39c5bbb9409d22308",
    ),
    ("Browsing", 5): (
        "bd6d5af86c76210d85225c0b36a6601094820c967db4eacacb3744517097c99e",
        "1d789f515b85b65612a5f0bd4160f3ae2ba5a673d649acfd49d161eceb3af7a0",
    ),
}
"""Slice, seed -> as generated, and scaled."""

TABLES = {
    "embb": (
        "e2daad0797c7d8ec0e45067704f5162ada50e5f0d9bf7acf41ea52b2f7df3241",
        "66a68421bfac109242817b5650c8b4b762ebf8f2c54585b7649af82ce34b9404",
    ),
    "social_media": (
        "5dbd0dfc15b6bbbdc9346217578b6495efdf7b12315ef6a560270ca916e4b891",
        "0c70d3405c66116365abead1994c277a4871cc009ca248feaecf8ff6b48e4314",
    ),
    "browsing": (
        "c043816585e3824211e57ba2f8c984d5c2d0b1478cf58914fec42ddcce7121e6",
        "ae0f5ae3fc620fde0f0d021e88c3cf0b4e0943a96a835973b5950ac63d3cb9da",
    ),
}
"""Sample table -> as read, and scaled."""

MEASURED = {
    "tractor:eMBB": "ed2efce146b23b5393192d60cf79f75e5264a478150a4dd843ab4fa7fb691bc7",
    "tractor:URLLC": "0fc48fe391c4e27f95adf2dd29a493198e84137778c9439528a3d937d8196dbb",
    "tractor:mMTC": "5cb89e8539da9634370400e191b9b9861aac505123a3bd8914868a8e1cc80a88",
    "ranalyzer": "3637dc1c690821e621b605659e47e2dbed10ec6e0a44ad3f1d3eb8b99ed63f58",
}


@pytest.mark.parametrize(("slice_name", "seed"), GENERATED)
def test_generated_slices(slice_name, seed):
    data = generate_slice(slice_name, seed=seed, clients=3, samples=40, test_samples=10)
    assert (data.digest(), data.scaled().digest()) == GENERATED[slice_name, seed]


@pytest.mark.parametrize("table", TABLES)
def test_sample_tables(table):
    (data,) = load([SAMPLE / f"{table}.csv"], SAMPLE / f"{table}.schema.json", seed=0)
    assert (data.digest(), data.scaled().digest()) == TABLES[table]


@pytest.mark.skipif(FOLDER is None, reason="REPRODUCTION_MEASUREMENTS names no folder with the public sets")
@pytest.mark.parametrize("schema", MEASURED)
def test_real_measurements(schema):
    table = "ranalyzer_runs" if schema == "ranalyzer" else "tractor_slices"
    (data,) = load([Path(FOLDER) / f"{table}.parquet"], schema, seed=0)
    assert data.digest() == MEASURED[schema]


def test_a_slice_by_hand():
    """Eighths and quarters only, so that no machine rounds them otherwise."""
    eighths = (np.arange(24, dtype=np.float32) / 8).reshape(8, 3)
    client = ClientData(
        name="CL ä",
        train_features=eighths[:5],
        train_target=eighths[:5, 0],
        test_features=eighths[5:],
        test_target=eighths[5:, 0],
    )
    data = SliceData(
        name="s",
        features=(
            Feature(name="web", unit="Mbps", maximum=4.0, role="traffic"),
            Feature(name="CQI", unit="", maximum=16.0, role="channel_quality"),
            Feature(name="RSRQ", unit="dB", maximum=0.25, role="other"),
        ),
        target_name="CPU load",
        target_unit="%",
        clients=(client,),
    )
    assert data.digest() == "2044a73bf54c7e1da212fffee15ad1e2629add8bb635fd3a2797e9c3be9fd0b3"
    assert data.scaled().digest() == "cee0f56cf0bea6219360b0c7e54a66cd1fa159a0ff9fb65bce19b1c7c0732992"
