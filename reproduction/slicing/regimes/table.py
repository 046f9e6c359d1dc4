"""The study as tables: how well the forecast agrees, where it is farthest off, and a row per regime and slice."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from reproduction.results.seed_statistics import mean
from reproduction.results.words import markdown_table, mean_and_sd, number, which_seeds
from reproduction.slicing.documents import Document
from reproduction.slicing.regimes.agreement import GREATEST_ERROR, LEAST_CORRELATION, MEASURED, has_forecast
from reproduction.slicing.regimes.form import Agreement, Row

NAMED = 5
"""How many of the points farthest off are named."""


def farthest(rows: Sequence[Row]) -> list[Row]:
    """Return the points whose lowest confidence is farthest from the forecast, the farthest first."""
    known = [row for row in rows if has_forecast(row) and np.isfinite(mean(row["lowest"]))]
    return sorted(known, key=lambda row: -abs(mean(row["forecast"]) - mean(row["lowest"])))[:NAMED]


def tables(document: Document) -> dict[str, str]:
    """Return the rows as CSV, and all three tables as Markdown."""
    result = document["result"]
    rows = [_cells(row) for row in result["rows"]]
    verdict = "holds" if result["holds"] else "does not hold"
    text = (
        f"The forecast {verdict}: asked for was, on the random regimes and against the last confidence as against the "
        f"lowest, a mean error of at most {GREATEST_ERROR:g} and a rank correlation of at least {LEAST_CORRELATION:g}."
        f"\n\n{_agreement(result['agreement'])}\n"
        "Points are a slice in a regime, means over seeds. Right: of those whose forecast is farther from nu than the "
        "margin, where the lowest confidence is on the same side. The map's line, 1 - pi x (share outside without it), "
        f"is {number(_error_of_the_map(result['rows']))} from the forecast on average.\n\nFarthest off:\n\n"
        + "".join(
            f"{place}. {row['slice']}, {row['regime']}: {mean(row['forecast']):.3f}, lowest {mean(row['lowest']):.3f}\n"
            for place, row in enumerate(farthest(result["rows"]), start=1)
        )
        + f"\n{markdown_table(list(rows[0]), [list(row.values()) for row in rows])}"
        + f"\nMean ± sd, {which_seeds(document['seeds'])}. Last and lowest: the post-hoc federation's confidence over "
        f"{document['settings']['rounds']} rounds.\n"
    )
    return {".csv": pd.DataFrame(rows).to_csv(index=False), ".md": text}


def _error_of_the_map(rows: Sequence[Row]) -> float:
    """Return how far a confidence lies from the forecast that counts the loss of the costliest feature alone."""
    known = [row for row in rows if has_forecast(row)]
    return mean([abs(1 - mean(row["probability"]) * mean(row["harm"]) - mean(row["forecast"])) for row in known])


def check_in_words(row: Row, rounds: int) -> str:
    """Return what a run came to, beside the forecast for the CLs that it had."""
    expected = f"forecast {mean(row['forecast']):.2f}" if has_forecast(row) else "no prediction"
    return (
        f"Check, {row['slice']}: a post-hoc federation of {row['clients']} CLs over {rounds} rounds has confidence "
        f"{mean(row['last']):.2f} at the end and {mean(row['lowest']):.2f} at its lowest ({expected}; nu "
        f"{row['threshold']:g})."
    )


def _agreement(found: dict[str, Agreement]) -> str:
    columns = ["regimes", "points", "left out", *(f"mean error, {name}" for name in MEASURED)]
    columns += [*(f"rank correlation, {name}" for name in MEASURED), "right"]
    return markdown_table(columns, [[kind, *_statistics(one)] for kind, one in found.items() if one["points"]])


def _statistics(one: Agreement) -> list[str]:
    numbers = [number(one[statistic][name]) for statistic in ("mean_error", "rank_correlation") for name in MEASURED]
    return [str(one["points"]), str(one["left_out"]), *numbers, f"{one['right']} of {one['called']}"]


def _cells(row: Row) -> dict[str, str]:
    named = [name for name in row["costliest"] if name]
    return {
        "regimes": row["kind"],
        "regime": row["regime"],
        "slice": row["slice"],
        "K": str(row["clients"]),
        "forecast": mean_and_sd(row["forecast"], ".3f", ".3f") if has_forecast(row) else "none",
        "last": mean_and_sd(row["last"], ".3f", ".3f"),
        "lowest": mean_and_sd(row["lowest"], ".3f", ".3f"),
        "ν": f"{row['threshold']:g}",
        "R²": number(mean(row["r_squared"]), ".2f"),
        "costliest": max(named, key=named.count, default="–"),
        "π": number(mean(row["probability"]), ".2f"),
        "outside without it": number(mean(row["harm"]), ".2f"),
        "MSE [%²]": number(mean(row["mse"]), ".4f"),
    }
