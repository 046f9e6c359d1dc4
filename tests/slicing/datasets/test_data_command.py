import errno
import hashlib
import json
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reproduction.datasets import main
from reproduction.slicing.datasets import SLICES, generate_slice, load
from reproduction.slicing.datasets.write_data import file_stem, write_sample

DATA = Path(__file__).resolve().parents[3] / "data"
SMALL = ["--clients", "2", "--samples", "30", "--test-samples", "5"]


def test_writes_every_slice_and_a_manifest_that_fits(tmp_path):
    main(["--out", str(tmp_path), "--seed", "9", *SMALL])
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    schemas = {name.replace(".parquet", ".schema.json") for name in manifest["files"]}
    assert {path.name for path in tmp_path.iterdir()} == {*manifest["files"], *schemas, "manifest.json"}
    assert manifest["settings"] == {"seed": 9, "clients": 2, "samples": 30, "test_samples": 5}
    assert [entry["slice"] for entry in manifest["files"].values()] == list(SLICES)
    for name, entry in manifest["files"].items():
        assert entry["sha256"] == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        data = generate_slice(entry["slice"], seed=9, clients=2, samples=30, test_samples=5)
        assert entry["arrays_sha256"] == data.digest()
        table = pd.read_parquet(tmp_path / name)
        rows = table[(table.client == "CL 001") & (table.split == "test")]
        np.testing.assert_array_equal(rows.iloc[:, 2:7].to_numpy(), data.clients[1].test_features)
        np.testing.assert_array_equal(rows["CPU_load_percent"].to_numpy(), data.clients[1].test_target)


def refusal(capsys, arguments):
    """Run what must be refused with status 2; return its standard error."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    return capsys.readouterr().err


def sorted_rows(client):
    """Return features and target of both parts, [35, 6], in an order that no split decides."""
    features = np.concatenate([client.train_features, client.test_features])
    target = np.concatenate([client.train_target, client.test_target])
    rows = np.column_stack([features, target])
    return rows[np.lexsort(rows.T)]


@pytest.mark.parametrize("slice_name", SLICES)
def test_what_is_written_reads_back(tmp_path, slice_name):
    """The same rows of the same closed loops on the same scale; the loader makes a split of its own."""
    main(["--out", str(tmp_path), *SMALL])
    stem = tmp_path / file_stem(slice_name)
    (data,) = load([stem.with_suffix(".parquet")], stem.with_suffix(".schema.json"), seed=0)
    generated = generate_slice(slice_name, seed=0, clients=2, samples=30, test_samples=5)
    for name in ("name", "feature_units", "target_name", "target_unit", "sla_percent"):
        assert getattr(data, name) == getattr(generated, name)
    np.testing.assert_array_equal(data.feature_maxima, generated.feature_maxima)
    assert [feature.role for feature in data.features] == [feature.role for feature in generated.features]
    for ours, theirs in zip(data.clients, generated.clients, strict=True):
        assert (ours.name, len(ours.train_target), len(ours.test_target)) == (theirs.name, 28, 7)
        np.testing.assert_array_equal(sorted_rows(ours), sorted_rows(theirs))
        assert not np.isin(ours.test_target, theirs.test_target).all()


def test_the_same_settings_write_the_same_bytes(tmp_path):
    for folder in ("a", "b"):
        main(["--out", str(tmp_path / folder), *SMALL])
    assert (tmp_path / "a" / "manifest.json").read_bytes() == (tmp_path / "b" / "manifest.json").read_bytes()


def test_an_interrupted_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, capsys):
    main(["--out", str(tmp_path), *SMALL])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def interrupted(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", interrupted)
    capsys.readouterr()
    assert refusal(capsys, ["--out", str(tmp_path), "--seed", "1", *SMALL]) == (
        f"error: {tmp_path}/embb.parquet: cannot be written (No space left on device); "
        "make room, or choose a folder that can be written\n"
    )
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_refuses_in_one_line_with_status_2(tmp_path, capsys):
    wrong = ["--out", str(tmp_path), "--clients", "0"]
    assert refusal(capsys, wrong) == "error: clients must be at least 1, got 0\n"
    (tmp_path / "file").write_text("")
    assert "file" in refusal(capsys, ["--out", str(tmp_path / "file")])


@pytest.mark.parametrize("slice_name", SLICES)
def test_the_committed_sample_is_what_the_generator_writes(tmp_path, slice_name):
    write_sample(tmp_path)
    stem = file_stem(slice_name)
    fresh, committed = (pd.read_csv(folder / f"{stem}.csv") for folder in (tmp_path, DATA / "sample"))
    assert list(fresh.columns) == list(committed.columns)
    # Vectorised exp may differ by one float64 unit between machines, which can move a float32 by one: 2**-23.
    np.testing.assert_allclose(committed.iloc[:, 1:], fresh.iloc[:, 1:], rtol=1.2e-7)
    schema = f"{stem}.schema.json"
    assert (tmp_path / schema).read_text() == (DATA / "sample" / schema).read_text()


@pytest.mark.parametrize("slice_name", SLICES)
def test_the_committed_sample_reads_back_as_the_generated_rows(slice_name):
    stem = DATA / "sample" / file_stem(slice_name)
    (data,) = load([stem.with_suffix(".csv")], stem.with_suffix(".schema.json"), seed=0)
    generated = generate_slice(slice_name, seed=0, clients=1)
    np.testing.assert_array_equal(data.feature_maxima, generated.feature_maxima)
    (client,) = data.clients
    assert (data.name, len(client.train_target), len(client.test_target)) == (slice_name, 160, 40)
    loads = np.sort(np.concatenate([client.train_target, client.test_target]))
    # As above: the CSV may stem from another machine.
    np.testing.assert_allclose(loads, np.sort(generated.clients[0].train_target[:200]), rtol=1.2e-7)


def test_the_readme_lists_the_sample_with_its_sums():
    listed = dict(re.findall(r"`sample/([\w.]+)` \| `([0-9a-f]{64})`", (DATA / "README.md").read_text()))
    actual = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (DATA / "sample").iterdir()}
    assert listed == actual
