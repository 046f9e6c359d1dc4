"""Run the four examples on our data, and write their curves into one table.

A finished federation (method, slice, seed) is stored under what decides its numbers and not run again.
"""

import inspect
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from reproduction.files import sha256_of
from reproduction.results import records
from reproduction.results.processes import single_thread
from reproduction.results.progress import watch
from reproduction.results.store import path_of
from reproduction.slicing.comparison import curves
from reproduction.slicing.comparison.method import FederatedMethod, run_method
from reproduction.slicing.data_source import generated
from reproduction.slicing.datasets import SliceData
from reproduction.slicing.federation.in_process import Pool
from reproduction.slicing.federation.record import DECIDING, FEDERATION
from reproduction.slicing.settings import Explainer, Settings


def methods(settings: Settings) -> list[tuple[FederatedMethod, Explainer]]:
    """Return the four methods under these settings, each with the explainer that scores it."""
    single_thread()
    from reproduction.slicing.examples import fedavg_shap, fedprox, lagrangian, numpy_only

    given: dict[str, Any] = {"local": settings.local, "model": settings.model}
    return [
        (fedprox.FedProx(**given), "integrated_gradients"),
        (fedavg_shap.FedAvg(**given), fedavg_shap.EXPLAINER),
        (lagrangian.Lagrangian(**given), "integrated_gradients"),
        (numpy_only.NumpyOnly(**given), "integrated_gradients"),
    ]


def run_all(settings: Settings, slices: Sequence[str], seeds: Sequence[int], pool: Pool, folder: Path) -> pd.DataFrame:
    """Run, or read from `folder`, every method on every slice and seed."""
    frames = []
    for method, explainer in methods(settings):
        for name in slices:
            for seed in seeds:
                data = generated(settings, name, seed, settings.clients)
                name_of_run = f"{method.name}-{data.name}-seed{seed}"
                path = path_of(folder, _identity(method, explainer, settings, data), name_of_run, ".csv")
                if not path.exists():
                    curves.write(
                        path, run_method(method, data, settings, seed=seed, explainer=explainer, pool=pool, watch=watch)
                    )
                frames.append(curves.read(path))
    return pd.concat(frames, ignore_index=True)


def _identity(method: FederatedMethod, explainer: Explainer, settings: Settings, data: SliceData) -> dict[str, Any]:
    """Return what decides a federation's numbers, the method's source among it."""
    versions = records.provenance(DECIDING)["versions"]
    return {
        "method": repr(method),
        "source": sha256_of(Path(inspect.getfile(type(method)))),
        "explainer": explainer,
        "settings": asdict(settings),
        "data": data.digest(),
        "version": FEDERATION.version,
        "columns": [*curves.COLUMNS, *curves.CONDITIONS],
        "packages": {name: versions[name] for name in DECIDING},
    }
