"""Every regime forecast from its data, and measured: an unconstrained federation, explained afterwards."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from reproduction.results.seed_statistics import at_round, lowest_over_rounds
from reproduction.slicing.data_source import from_tables
from reproduction.slicing.forecast.forecast import forecast
from reproduction.slicing.laboratory import Laboratory
from reproduction.slicing.open_choices.choices import Choice
from reproduction.slicing.open_choices.study import laboratory_of
from reproduction.slicing.regimes.agreement import agreement, holds
from reproduction.slicing.regimes.catalogue import REGIMES, Kind
from reproduction.slicing.regimes.form import RegimesResult, Row
from reproduction.slicing.schemes import POST_HOC, SCHEMES


def study(
    lab: Laboratory, regimes: Mapping[Kind, Sequence[Choice]] = REGIMES, tables: Sequence[tuple[Path, str]] = ()
) -> RegimesResult:
    """Run every regime in every slice.

    Args:
        lab: its settings are what the regimes vary.
        regimes: by how they came in.
        tables: measured data sets beside them, table and schema.
    """
    rows = [
        row(laboratory_of(regime, lab), name, regime.value, kind)
        for kind, several in regimes.items()
        for regime in several
        for name in lab.slices
    ]
    rows += [measured for table, schema in tables for measured in rows_of_table(lab, table, schema)]
    found = {kind: agreement([one for one in rows if one["kind"] == kind]) for kind in get_args(Kind)}
    return {"rows": rows, "agreement": found, "holds": holds(found["random"])}


def rows_of_table(lab: Laboratory, table: Path, schema: str) -> list[Row]:
    """Return a row per slice of anyone's table."""
    settings, source = from_tables(lab.settings, [table], schema, lab.seeds[0])
    here = dataclasses.replace(lab, settings=settings, data=source)
    return [row(here, name, schema, "measured") for name in settings.slices]


def row(lab: Laboratory, slice_name: str, regime: str, kind: Kind) -> Row:
    """Return what is forecast of one slice, and what its post-hoc federations come to."""
    settings, sla = lab.settings, lab.settings.slices[slice_name]
    data = [lab.data(slice_name, seed, settings.clients) for seed in lab.seeds]
    found = [forecast(one, sla, settings.local, seed) for one, seed in zip(data, lab.seeds, strict=True)]
    losses = [one.costliest if one.losses else None for one in found]
    rounds = [lab.federation(slice_name, *SCHEMES[POST_HOC], seed)["rounds"] for seed in lab.seeds]

    def curves(name: str) -> list[list[Any]]:
        return [[entry[name] for entry in entries] for entries in rounds]

    return {
        "regime": regime,
        "kind": kind,
        "slice": slice_name,
        "clients": len(data[0].clients),
        "threshold": sla.confidence_threshold,
        "forecast": [one.confidence for one in found],
        "r_squared": [one.r_squared_test for one in found],
        "inside": [one.inside for one in found],
        "costliest": [loss.feature if loss else None for loss in losses],
        "probability": [loss.probability if loss else None for loss in losses],
        "harm": [loss.harm if loss else None for loss in losses],
        "last": at_round(curves("confidence"), -1),
        "lowest": lowest_over_rounds(curves("confidence")),
        "mse": at_round(curves("mse"), -1),
    }
