"""Curves made by hand, a reference of them, and what comparing them says."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from reproduction import compare
from reproduction.slicing.comparison import curves, differences, tables
from reproduction.slicing.comparison.curves import COLUMNS, CONDITIONS, COUNTS, METRICS

ROUNDS, CLIENTS = 6, 10
SEEDS = (0, 1, 2, 3, 4)
BOTH = (("in-hoc", "IG"), ("post-hoc", "IG"))


def tidy(scheme, explainer, slice_name, seed, values, clients=CLIENTS, epochs=50):
    """Return one run's rows, on the reference's data; `values` is metric -> one value per round."""
    rounds = max(map(len, values.values()))
    data = hashlib.sha256(f"{slice_name} {seed} {clients}".encode()).hexdigest()
    made = (clients, 100 * clients, epochs, rounds, data)
    rows = [
        (scheme, explainer, slice_name, seed, number, metric, float(entry), METRICS[metric], *made)
        for metric, of_rounds in values.items()
        for number, entry in enumerate(of_rounds, start=1)
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, *CONDITIONS])


def bare(table):
    """Return curves that do not say how they were made, as they are when they are read."""
    return table.assign(**dict.fromkeys(COUNTS, 0), data="")


def run(seed, level=1.0, rounds=ROUNDS):
    """Make a run that converges: MSE falls to near its floor in round 4, confidence falls with it."""
    shape = np.array([1.0, 0.5, 0.2, 0.05, 0.04, 0.04])[:rounds]
    noise = 1 + 0.01 * np.random.default_rng(seed).random(rounds)
    return {
        "mse": level * shape * noise,
        "confidence": 1 - 0.05 * (1 - shape) * level * noise,
        "kb": np.full(rounds, 2.5),
        "seconds": np.full(rounds, 0.5),
    }


def frame(pairs, slices=("eMBB",), seeds=SEEDS, level=1.0, rounds=ROUNDS, metrics=METRICS, **made_with):
    made = [
        tidy(*pair, name, seed, {m: v for m, v in run(seed, level, rounds).items() if m in metrics}, **made_with)
        for pair in pairs
        for name in slices
        for seed in seeds
    ]
    return pd.concat(made, ignore_index=True)


def write_reference(folder, slices=("eMBB", "Browsing"), **options):
    folder.mkdir(parents=True, exist_ok=True)
    table = frame(BOTH, slices, **options)
    curves.write(folder / "curves.csv", table[table["metric"] != "seconds"])
    curves.write(folder / "seconds.csv", table[table["metric"] == "seconds"])
    settings = {"name": "small", "convergence_tolerance": 0.05}
    settings["slices"] = {name: {"confidence_threshold": 0.96} for name in slices}
    write_manifest(folder, settings)
    return folder


def write_manifest(folder, settings):
    """Write the manifest for the curves that are there."""
    digests = {file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in ("curves.csv", "seconds.csv")}
    (folder / "manifest.json").write_text(json.dumps({"settings": settings, "files_sha256": digests}))


def by_quantity(comparison, against="post-hoc"):
    return {line.quantity.name: line for line in comparison.lines if line.pairs.against == against}


def notes_of(theirs, reference):
    return tables.notes("x.csv", differences.compare(theirs, reference))


def cautions(theirs, reference):
    return differences.compare(theirs, reference).cautions


def exit_of(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        compare.main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    return exit_.value.code, line
