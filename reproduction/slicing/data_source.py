"""Where a study's data come from: the generator, or anyone's tables, with the settings that the tables bring along."""

import dataclasses
import functools
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from reproduction.slicing.datasets import SliceData, generate_slice, load
from reproduction.slicing.settings import Settings, SliceSettings

log = logging.getLogger(__name__)

DataSource = Callable[[str, int, int], SliceData]
"""(slice name, seed, clients) -> data; it holds fewer clients than asked for where there are no more."""

STRICTEST_THRESHOLD = 0.85
"""nu_n of a slice that the paper does not have: the strictest of its three."""


def generated(settings: Settings, name: str, seed: int, clients: int) -> SliceData:
    """Return a slice from the generator, in the settings' size."""
    return generate_slice(
        name, seed=seed, clients=clients, samples=settings.samples, test_samples=settings.test_samples
    )


def from_generator(settings: Settings) -> DataSource:
    """Return the generator as a source; each slice is generated once."""
    return functools.cache(functools.partial(generated, settings))


def from_tables(settings: Settings, tables: Sequence[Path], schema: str, seed: int) -> tuple[Settings, DataSource]:
    """Return the settings with the tables' slices in place of the paper's, and the source of their data.

    Args:
        settings: the preset.
        tables: CSV or Parquet files.
        schema: of `datasets.load`.
        seed: of the split that tells which slices and clients there are.
    """

    @functools.cache
    def read(seed: int) -> dict[str, SliceData]:
        return {data.name: data for data in load(tables, schema, seed=seed)}

    @functools.cache
    def source(name: str, seed: int, clients: int) -> SliceData:
        data = read(seed)[name]
        return data.subset(min(clients, len(data.clients)))

    slices = {}
    for name, data in read(seed).items():
        lower, upper = data.sla_percent
        ours = settings.slices.get(name, SliceSettings(confidence_threshold=STRICTEST_THRESHOLD))
        slices[name] = dataclasses.replace(ours, lower_percent=lower, upper_percent=upper)
        log.info("%s: %d clients; %s", name, len(data.clients), "; ".join(data.notes) or "nothing left out")
    most = max(len(data.clients) for data in read(seed).values())
    clients = min(settings.clients, most) if settings.name == "quick" else most
    return dataclasses.replace(settings, slices=slices, clients=clients), source


def describe(data: SliceData) -> dict[str, Any]:
    """Return what a figure's document says of a slice's data."""
    return {
        "target": f"{data.target_name} [{data.target_unit}]",
        "features": list(data.feature_names),
        "clients": len(data.clients),
        "training_samples": data.training_samples,
        "test_samples": sum(len(client.test_target) for client in data.clients),
        "left_out": list(data.notes),
        "sha256": data.digest(),
    }
