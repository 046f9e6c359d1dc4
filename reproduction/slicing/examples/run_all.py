"""Run the four examples on our data, and write their curves into one table.

    python -m reproduction.examples --preset quick --seeds 2
    python reproduction/compare.py figures/quick/comparison/examples.csv --against data/reference/quick

A finished federation (method, slice, seed) is stored under what decides its numbers and not run again.

Differs from the paper: none of these methods is in it.
"""

import argparse
import hashlib
import inspect
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from reproduction.figure_script import generated, one_line_errors
from reproduction.results import records
from reproduction.results.progress import watch
from reproduction.slicing.comparison import curves
from reproduction.slicing.comparison.run_method import Method, evaluate
from reproduction.slicing.datasets import SliceData
from reproduction.slicing.federation.in_process import Pool
from reproduction.slicing.federation.workers import Workers, single_thread
from reproduction.slicing.laboratory import NUMERIC_PACKAGES
from reproduction.slicing.settings import PRESETS, Explainer, Settings


def methods(settings: Settings) -> list[tuple[Method, Explainer]]:
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
                path = folder / f"{_key(method, explainer, settings, data, seed)}.csv"
                if not path.exists():
                    curves.write(
                        path, evaluate(method, data, settings, seed=seed, explainer=explainer, pool=pool, watch=watch)
                    )
                frames.append(curves.read(path))
    return pd.concat(frames, ignore_index=True)


def _key(method: Method, explainer: Explainer, settings: Settings, data: SliceData, seed: int) -> str:
    """Name a federation by what decides its numbers, the method's source among it."""
    source = Path(inspect.getfile(type(method))).read_bytes()
    versions = records.provenance()["versions"]
    known = {
        "method": repr(method),
        "source": hashlib.sha256(source).hexdigest(),
        "explainer": explainer,
        "settings": asdict(settings),
        "data": data.digest(),
        "version": records.VERSION,
        "packages": {name: versions[name] for name in NUMERIC_PACKAGES},
    }
    readable = f"{method.name}-{data.name}-seed{seed}".replace(" ", "_")
    return f"{readable}-{records.digest(known)[:16]}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run with command-line arguments; exits with 2 (one line on standard error) or 130 if it does not end well."""
    parser = argparse.ArgumentParser(prog="python -m reproduction.examples", description="Run the four examples.")
    add = parser.add_argument
    add("--preset", choices=list(PRESETS), default="paper", help="settings: the paper's, or a quick look (paper)")
    add("--seeds", type=int, metavar="N", default=1, help="run the seeds 0..N-1 (1)")
    add("--slices", nargs="+", metavar="NAME", help="slices to run (all)")
    add("--workers", type=int, metavar="N", help="processes that train (one per core); no effect on the numbers")
    add("--out", type=Path, metavar="DIR", help="where examples.csv and runs go (figures/comparison)")
    options = parser.parse_args(arguments)
    settings = PRESETS[options.preset]
    out = options.out or Path("figures") / ("quick" if options.preset == "quick" else "") / "comparison"
    if options.seeds < 1 or (options.workers is not None and options.workers < 1):
        parser.error("--seeds and --workers must be at least 1")
    unknown = [name for name in options.slices or () if name not in settings.slices]
    if unknown:
        parser.error(f"--slices: no slice {unknown[0]!r}; there are {', '.join(settings.slices)}")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for the workers' NumPy: one thread each, as TensorFlow's
    with one_line_errors():
        (out / "runs").mkdir(parents=True, exist_ok=True)
        with Workers(options.workers) as pool:
            slices = options.slices or tuple(settings.slices)
            frame = run_all(settings, slices, range(options.seeds), pool, out / "runs")
        curves.write(out / "examples.csv", frame)
        print(out / "examples.csv")
