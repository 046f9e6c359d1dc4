"""Write data/reference/quick/portability.json: how far machine and versions move the numbers of the quick reference.

The federations of `tests/test_reference_curves.py` are trained again under each of `VARIATIONS`, each in a process of
its own, and compared, round by round, with the first of them. Another Python, with other versions of the libraries, is
named on the command line (it needs those of requirements.txt, in any version that setup.py allows):

    python tests/golden/measure_portability.py --python "Python 3.12, TensorFlow 2.18" /path/to/python

What no machine here has is stood for by a start that is off by one unit in the last place of every weight: an error of
rounding, as another order of summation gives, in front of the first epoch.
"""

import argparse
import functools
import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from reproduction.files import write_atomically

ROOT = Path(__file__).resolve().parents[2]
SEEDS = (0, 1)
NOT_COMPARED = "seconds"

VARIATIONS = {  # how the CLs are run, environment
    "one thread, in this process": ("here", {}),
    "start off by one unit in the last place": ("nudged", {}),
    "XLA for SSE4.2": ("here", {"XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2"}),
    "XLA for AVX": ("here", {"XLA_FLAGS": "--xla_cpu_max_isa=AVX"}),
    "XLA for AVX2": ("here", {"XLA_FLAGS": "--xla_cpu_max_isa=AVX2"}),
    "NumPy without AVX2 and AVX-512": ("here", {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"}),
    "2 workers": ("2", {}),
    "default threads, in this process": ("threads", {}),
    "oneDNN off": ("here", {"TF_ENABLE_ONEDNN_OPTS": "0"}),
    "oneDNN on": ("here", {"TF_ENABLE_ONEDNN_OPTS": "1"}),
}


def train(how):
    """Return the federations' tidy rows, the digests of their data and the versions."""
    from reproduction.results import records
    from reproduction.results.processes import single_thread
    from reproduction.slicing import laboratory
    from reproduction.slicing.comparison import curves
    from reproduction.slicing.comparison.reference_federations import reference_data, reference_settings
    from reproduction.slicing.federation import server
    from reproduction.slicing.federation.in_process import Here
    from reproduction.slicing.federation.record import PACKAGES
    from reproduction.slicing.federation.workers import Workers
    from reproduction.slicing.settings import QUICK
    from tests.helpers.reference_curves import FEDERATIONS

    if how == "nudged":
        exact = server.initial_weights
        server.initial_weights = lambda *arguments: np.nextafter(exact(*arguments), np.float32(np.inf))
    if how in ("here", "nudged"):
        single_thread()
    settings = reference_settings(QUICK)
    data = functools.cache(functools.partial(reference_data, settings))
    with tempfile.TemporaryDirectory() as folder, Workers(int(how) if how.isdigit() else 1) as workers:
        lab = laboratory.Laboratory(
            settings=settings,
            slices=tuple(settings.slices),
            seeds=SEEDS,
            data=data,
            pool=workers if how.isdigit() else Here(),
            store=laboratory.federations(Path(folder)),
            watch=unwatched,
        )
        payloads = [lab.federation(*federation, seed) for federation in FEDERATIONS for seed in SEEDS]
    frame = pd.concat([curves.from_federation(payload, samples=1) for payload in payloads])
    return {
        "rows": frame[frame["metric"] != NOT_COMPARED].to_dict("list"),
        "data": [payload["identity"]["data"] for payload in payloads],
        "provenance": records.provenance(PACKAGES),
    }


@contextmanager
def unwatched(job):
    yield lambda finished, entry: None


def run_child(python, how, environment):
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "numbers.json"
        command = [python, str(Path(__file__)), "--child", how, str(out)]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)} | environment)
        return json.loads(out.read_text())


def deviations(ours, baseline):
    """Return the largest deviation per metric and round: of the MSE relative, of the others absolute."""
    keys = ["scheme", "explainer", "slice", "seed", "metric", "round"]
    both = pd.DataFrame(ours["rows"]).merge(pd.DataFrame(baseline["rows"]), on=keys, validate="1:1")
    assert len(both) == len(baseline["rows"]["value"])
    assert (both["value_x"].isna() == both["value_y"].isna()).all()
    size = np.where(both["metric"] == "mse", both["value_y"], 1.0)
    both["deviation"] = ((both["value_x"] - both["value_y"]).abs() / size).fillna(0.0)
    largest = both.groupby(["metric", "round"])["deviation"].max()
    return {metric: [float(f"{value:.2g}") for value in largest[metric]] for metric in largest.index.unique(0)}


def main():
    parser = argparse.ArgumentParser(description="Measure how far machine and versions move the quick reference.")
    parser.add_argument("--python", nargs=2, action="append", metavar=("LABEL", "PATH"), default=[])
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        how, out = options.child
        Path(out).write_text(json.dumps(train(how)))
        return
    variations = {label: (sys.executable, *variation) for label, variation in VARIATIONS.items()}
    variations |= {label: (path, "here", {}) for label, path in options.python}
    measured, baseline = {}, None
    for label, (python, how, environment) in variations.items():
        numbers = run_child(python, how, environment)
        baseline = baseline or numbers
        measured[label] = {
            "environment": environment,
            "versions": numbers["provenance"]["versions"],
            "same_data": numbers["data"] == baseline["data"],
            "largest": deviations(numbers, baseline),
        }
        write(measured, baseline["provenance"]["machine"])
        print(f"{label}: same data {measured[label]['same_data']}, {measured[label]['largest']}", flush=True)


def write(measured, machine):
    """Write what is measured so far."""
    largest = {
        metric: np.max([entry["largest"][metric] for entry in measured.values()], axis=0).tolist()
        for metric in ("mse", "confidence", "kb")
    }
    document = {
        "written_by": "tests/golden/measure_portability.py",
        "what": "largest deviation per round 1, 2, ... from the first variation: of the MSE as a share, C, KB",
        "seeds": list(SEEDS),
        "machine": machine,
        "largest": largest,
        "variations": measured,
    }
    path = ROOT / "data" / "reference" / "quick" / "portability.json"
    write_atomically(path, (json.dumps(document, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
