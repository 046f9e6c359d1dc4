"""Where a study's data come from: the generator, or anyone's tables, with the settings that the tables bring along.

Differs from the paper: K and D of a table are the table's.
"""

import dataclasses
import functools
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from reproduction import seeds
from reproduction.slicing.datasets import SliceData, generate_slice, load
from reproduction.slicing.settings import PAPER, Settings, SliceSettings

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
    """Return the settings with what the tables bring in place of the paper's, and the source of their data.

    That is the slices, their SLA, the number of clients and their samples. Settings with the paper's K take every
    client; any other K is a wish: where a table has more clients, so many of them are drawn (`drawn`).

    Args:
        settings: the preset.
        tables: CSV or Parquet files.
        schema: of `datasets.load`.
        seed: of the split that tells which slices, clients and samples there are.
    """

    @functools.cache
    def read(seed: int) -> dict[str, SliceData]:
        return {data.name: data for data in load(tables, schema, seed=seed)}

    @functools.cache
    def source(name: str, seed: int, clients: int) -> SliceData:
        whole = read(seed)[name]
        data = drawn(whole, clients, seed)
        if data is not whole:
            log.info("%s: %s", name, data.notes[-1])
        return data

    slices = {}
    for name, data in read(seed).items():
        lower, upper = data.sla_percent
        ours = settings.slices.get(name, SliceSettings(confidence_threshold=STRICTEST_THRESHOLD))
        slices[name] = dataclasses.replace(ours, lower_percent=lower, upper_percent=upper)
        log.info("%s: %d clients; %s", name, len(data.clients), "; ".join(data.notes) or "no row left out")
    clients = max(len(data.clients) for data in read(seed).values())
    if settings.clients != PAPER.clients:
        clients = min(clients, settings.clients)
    used = [client for name in slices for client in source(name, seed, clients).clients]
    settings = dataclasses.replace(
        settings,
        slices=slices,
        clients=clients,
        samples=round(sum(len(client.train_target) for client in used) / len(used)),
        test_samples=round(sum(len(client.test_target) for client in used) / len(used)),
    )
    return settings, source


def drawn(data: SliceData, clients: int, seed: int) -> SliceData:
    """Return a slice with `clients` of its CLs, drawn by the seed; the slice itself if it has no more.

    The notes name those that are left out. Fewer CLs of one seed are among the more.
    """
    count = len(data.clients)
    if clients >= count:
        return data
    order = seeds.generator(seed, "clients", data.name).permutation(count)
    few = dataclasses.replace(data, clients=tuple(data.clients[number] for number in order)).subset(clients)
    left_out = sorted({client.name for client in data.clients} - {client.name for client in few.clients})
    note = f"{len(left_out)} of {count} clients left out, drawn by seed {seed}: {', '.join(left_out)}"
    return dataclasses.replace(few, notes=(*data.notes, note))


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
