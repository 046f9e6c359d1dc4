"""From a slice's data to CLs that can be computed with: what they are told, and their samples, scaled and padded."""

import numpy as np

from reproduction.slicing.closed_loop.client import Assignment, Samples
from reproduction.slicing.datasets.slice_data import SliceData
from reproduction.slicing.settings import Explainer, LocalSettings, Scheme, Settings


def assign(data: SliceData, scheme: Scheme, explainer: Explainer, seed: int, settings: Settings) -> Assignment:
    """Return what the CLs of one federation are told."""
    return Assignment(
        slice_name=data.name,
        scheme=scheme,
        explainer=explainer,
        sla=settings.slices[data.name],
        model=settings.model,
        local=settings.local,
        baseline=scaled_baseline(data, settings.local),
        seed=seed,
    )


def scaled_baseline(data: SliceData, local: LocalSettings) -> np.ndarray:
    """Return "absent" per feature by its role, scaled; 0 for a role that has no setting; float32 [Q]."""
    absent = {
        "traffic": local.baseline_traffic_mbps,
        "channel_quality": local.baseline_cqi,
        "rank": local.baseline_mimo_percent,
        "other": 0.0,
    }
    values = [absent[feature.role] for feature in data.features]
    return np.asarray(values, np.float32) / data.feature_maxima


def clients_of(data: SliceData) -> tuple[list[Samples], list[Samples]]:
    """Return the CLs' training and test samples, by name, scaled and padded to ONE common number of samples."""
    scaled = sorted(data.scaled().clients, key=lambda client: client.name)
    width = max(max(len(client.train_target), len(client.test_target)) for client in scaled)

    def pad(name: str, features: np.ndarray, target: np.ndarray) -> Samples:
        padding = width - len(target)
        return Samples(
            name=name,
            features=np.pad(features.T, ((0, 0), (0, padding))).astype(np.float32),
            target=np.pad(target, (0, padding)).astype(np.float32),
            sample_weights=np.pad(np.ones(len(target), np.float32), (0, padding)),
        )

    training = [pad(client.name, client.train_features, client.train_target) for client in scaled]
    return training, [pad(client.name, client.test_features, client.test_target) for client in scaled]
