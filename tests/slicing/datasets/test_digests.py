"""The digests of data, recorded before features had roles: they name the records of trained federations."""

import os
from pathlib import Path

import numpy as np
import pytest

from reproduction.slicing.datasets import ClientData, Feature, SliceData, generate_slice, load

SAMPLE = Path(__file__).resolve().parents[3] / "data" / "sample"
FOLDER = os.environ.get("REPRODUCTION_MEASUREMENTS")

GENERATED = {
    ("eMBB", 0): (
        "eac251d8f8e16784ae91bcb7dc04a027f22085477b20027f6d7926a4b6bd7360",
        "c6ed3b2a06e47e0cc74fed22b65dbaaa20b6ff33206830812e00bde6742af7ad",
    ),
    ("Social Media", 0): (
        "a3161d131063ed97d7e2ae86d7a91c0868ddaf6e44cc8b9c4b91cda525019da6",
        "b8870ad4676035b5e8cc854bdc67b68641c18e72a8110a57ed7d92af42279cf4",
    ),
    ("Browsing", 5): (
        "a4fab6592cf15917d028ba68fd6eb2351bec0508e0748264957c133ffb3ecc99",
        "59cd1dc0595264092cc915a8ebcb5c7f16e7b4c432d7359a3f4a2a8adf00fd01",
    ),
}
"""Slice, seed -> as generated, and scaled."""

TABLES = {
    "embb": (
        "a6dd4ece0ae0597d5ffeb5865c22a580026c140347c35cfa5f3ca840e4dea62c",
        "9891f7f71ebbcad8cbbd46c606ec00fb44ed7935ecb8b199906f96400403a264",
    ),
    "social_media": (
        "60d69b3da0135da54bcb7daf50ce5617033b5a8c13fee1b298fa5f2fa43ecf27",
        "8713f93fdb9b27fca95b77efffaaf4335f85ba03a3ebcf9550d100ccc20917b9",
    ),
    "browsing": (
        "c7c138704c49757498687df619a4f551715b290b77353eab6fd1daed3bc9189b",
        "3cdbdf85f6ecfc5ba56cc5ac4a858ae36ad0faf5adfaf012f1a9185d915f3bb0",
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
