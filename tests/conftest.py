"""What all tests share: one TensorFlow thread, the oracles on the path, and small closed loops.

One thread, because a worker process has one: `Here` in the test process must then give the workers' bits.
"""

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import settings as hypothesis_settings

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that `tests.oracles` imports under any import mode
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # the bits below are a CPU's

from reproduction.results.processes import single_thread  # noqa: E402
from reproduction.slicing.federation.in_process import Here  # noqa: E402

single_thread()  # before anything runs TensorFlow

from reproduction.slicing.closed_loop.client import Assignment, Samples  # noqa: E402
from reproduction.slicing.datasets.slice_data import ClientData, Feature, SliceData  # noqa: E402
from reproduction.slicing.laboratory import Laboratory, federations  # noqa: E402
from reproduction.slicing.settings import LocalSettings, ModelSettings, Settings, SliceSettings  # noqa: E402

# Derandomised: the same examples everywhere, so that a red test is red for everyone. No deadline: the first example
# of a compiled function compiles it.
hypothesis_settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=50, database=None)
hypothesis_settings.load_profile("repeatable")

SMALL_MODEL = ModelSettings(hidden=(6, 5))
SMALL_LOCAL = LocalSettings(epochs=4, tester_batch=16, integration_steps=3)
FEATURES = (
    ("A", "Mbps", "traffic"),
    ("B", "Mbps", "traffic"),
    ("C", "Mbps", "traffic"),
    ("CQI", "", "channel_quality"),
    ("MIMO full-rank", "%", "rank"),
)
"""Name, unit and role."""


def samples(seed, count):
    """Draw features [n, 5] in 0..1, some of them exactly 0, and a CPU load around the SLA's bounds 0 and 3 %."""
    random = np.random.default_rng(seed)
    features = random.uniform(0.05, 1.0, (count, 5))
    features[random.random((count, 5)) < 0.1] = 0.0
    target = 1.6 + features[:, :3] @ [1.2, 0.8, 0.5] - 2.2 * features[:, 3] + random.normal(0, 0.2, count)
    return features.astype(np.float32), target.astype(np.float32)


def client(seed=0, count=40, width=None, name=None):
    """Build a CL's `Samples`, `count` of them, padded with zeros of weight 0 to `width`."""
    features, target = samples(seed, count)
    padding = (width or count) - count
    return Samples(
        name=name or f"CL{seed:03}",
        features=np.pad(features.T, ((0, 0), (0, padding))),
        target=np.pad(target, (0, padding)),
        sample_weights=np.pad(np.ones(count, np.float32), (0, padding)),
    )


def assignment(**changes):
    """Build an `Assignment` for small closed loops."""
    fixed = {
        "slice_name": "eMBB",
        "scheme": "in-hoc",
        "explainer": "integrated_gradients",
        "sla": SliceSettings(confidence_threshold=0.82),
        "model": SMALL_MODEL,
        "local": SMALL_LOCAL,
        "baseline": np.zeros(5, np.float32),
        "seed": 7,
    }
    return Assignment(**(fixed | changes))


def slice_data(name="eMBB", counts=(40, 30, 35), maxima=(4.0, 2.0, 1.0, 15.0, 100.0)):
    """Build a slice in physical units, whose CLs have the numbers of training samples in `counts`."""
    features = tuple(
        Feature(name=feature, unit=unit, maximum=maximum, role=role)
        for (feature, unit, role), maximum in zip(FEATURES, maxima, strict=True)
    )
    maxima = np.array(maxima, np.float32)
    clients = []
    for number, count in enumerate(counts):
        train, train_target = samples(10 * number, count)
        test, test_target = samples(10 * number + 1, 12)
        arrays = {"train_features": train * maxima, "test_features": test * maxima}
        targets = {"train_target": train_target, "test_target": test_target}
        clients.append(ClientData(name=f"CL{number:03}", **arrays, **targets))
    return SliceData(
        name=name,
        features=features,
        target_name="CPU load",
        target_unit="%",
        clients=tuple(clients),
    )


@contextmanager
def unwatched(job):
    """Watch nothing."""
    yield lambda finished, result: None


def laboratory(folder, rounds=3, local=SMALL_LOCAL, **changes):
    """Build a `Laboratory` on `slice_data`, run in this process."""
    fixed = {
        "settings": Settings(name="test", clients=3, samples=40, rounds=rounds, model=SMALL_MODEL, local=local),
        "slices": ("eMBB",),
        "seeds": (0,),
        "data": lambda name, seed, clients: slice_data(name).subset(clients),
        "pool": Here(),
        "store": federations(Path(folder)),
        "watch": unwatched,
    }
    return Laboratory(**(fixed | changes))


@pytest.fixture(scope="session")
def build():
    """Hand out the builders above."""
    return SimpleNamespace(
        samples=samples, client=client, assignment=assignment, slice_data=slice_data, laboratory=laboratory
    )
