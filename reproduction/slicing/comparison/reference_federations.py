"""The federations behind the reference curves: every slice, scheme and explainer over the seeds.

The quick preset has a slice more, whose CLs have unequal numbers of samples: only there does eq. (1) differ from a
plain mean. Federations are those of the figures, trained once for both.
"""

import dataclasses

import pandas as pd

from reproduction.slicing.comparison import curves
from reproduction.slicing.data_source import generated
from reproduction.slicing.datasets.slice_data import SliceData
from reproduction.slicing.laboratory import Laboratory
from reproduction.slicing.schemes import SCHEMES
from reproduction.slicing.settings import Settings

UNEQUAL = "eMBB unequal D"
"""The slice eMBB with the first D (k + 1) / K training rows of CL k, counted from 0."""


def reference_settings(preset: Settings) -> Settings:
    """Return a preset with the slice that its reference has beside the paper's."""
    if preset.name != "quick":
        return preset
    return dataclasses.replace(preset, slices=preset.slices | {UNEQUAL: preset.slices["eMBB"]})


def reference_data(settings: Settings, name: str, seed: int, clients: int) -> SliceData:
    """Return a slice's generated data."""
    if name == UNEQUAL:
        return unequal(generated(settings, "eMBB", seed, clients))
    return generated(settings, name, seed, clients)


def unequal(data: SliceData) -> SliceData:
    """Return `UNEQUAL` made of a slice whose CLs have equally many samples; the test rows stay."""
    count, clients = len(data.clients), []
    for number, client in enumerate(data.clients):
        kept = max(2, len(client.train_target) * (number + 1) // count)
        features, target = client.train_features[:kept], client.train_target[:kept]
        clients.append(dataclasses.replace(client, train_features=features, train_target=target))
    return dataclasses.replace(data, name=UNEQUAL, clients=tuple(clients))


def tidy_curves(lab: Laboratory) -> tuple[pd.DataFrame, dict[str, dict[str, str]]]:
    """Return the curves of all federations, and the SHA-256 of the data by slice and seed."""
    frames: list[pd.DataFrame] = []
    digests: dict[str, dict[str, str]] = {name: {} for name in lab.slices}
    for name in lab.slices:
        for seed in lab.seeds:
            samples = lab.data(name, seed, lab.settings.clients).training_samples
            for scheme, explainer in SCHEMES.values():
                payload = lab.federation(name, scheme, explainer, seed)
                frames.append(curves.from_federation(payload, samples))
                digests[name][str(seed)] = payload["identity"]["data"]
    return pd.concat(frames, ignore_index=True), digests
