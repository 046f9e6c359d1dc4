"""The study as a table: a row per choice with its verdicts and the numbers that decide them."""

import numpy as np
import pandas as pd

from reproduction.results.words import markdown_table, number
from reproduction.slicing.documents import Document
from reproduction.slicing.schemes import IN_HOC, POST_HOC

VERDICTS = {True: ("✓", "#cfe5f5"), False: ("✗", "#f7d3bd"), None: ("–", "#eeeeee")}
"""Holds, does not hold, confidence not defined (U empty): sign and colour."""

MSE_TREND = "rank correlation with the round"
"""C8's statistic that has to be low; all others have to be high."""

SHOWN = {
    "C1": ("rank correlation",),
    "C2": ("lowest confidence",),
    "C3": ("fall",),
    "C8": ("lowest confidence", MSE_TREND),
}
"""The statistics shown of each claim, of the slice (or K) that is farthest from holding."""


def table(document: Document) -> pd.DataFrame:
    """Return the table: a row per choice with its verdicts, and means over slices and seeds."""
    rows = []
    for row in document["result"]["rows"]:
        numbers, cells = row["numbers"], {}
        for claim, statistics in row["statistics"].items():
            deciding = ", ".join(number(weakest(statistics, name), ".3f") for name in statistics)
            cells[claim] = f"{VERDICTS[row['verdicts'][claim]][0]} ({deciding})"
        rows.append(
            {
                "choice": row["choice"],
                "value": row["value"],
                **cells,
                "in-hoc MSE": number(numbers[f"{IN_HOC}: mse"], ".4f"),
                "in-hoc C lowest, last": _pair(numbers, IN_HOC),
                "post-hoc MSE": number(numbers[f"{POST_HOC}: mse"], ".4f"),
                "post-hoc C lowest, last": _pair(numbers, POST_HOC),
                "λ₁": number(numbers[f"{IN_HOC}: multiplier"], ".2f"),
                "inside the SLA, in-hoc": number(numbers[f"{IN_HOC}: inside"], ".2f"),
            }
        )
    return pd.DataFrame(rows)


def tables(document: Document) -> dict[str, str]:
    """Return the table as CSV and Markdown."""
    frame = table(document)
    markdown = markdown_table(frame.columns.tolist(), frame.to_numpy().tolist())
    seeds = ", ".join(map(str, document["seeds"]))
    note = (
        "\nIn brackets the statistics that decide, of the slice (or K) farthest from holding: C1 rank correlation and "
        "drop ratio; C2 lowest confidence; C3 fall and gap; C8 lowest confidence and trend. The other columns are "
        f"means over slices. K = {document['settings']['clients']}, seeds {seeds}. – confidence is not defined (U "
        "empty).\n"
    )
    return {".csv": frame.to_csv(index=False), ".md": markdown + note}


def weakest(statistics: dict[str, dict[str, list[float | None]]], name: str) -> float:
    """Return a statistic's mean over the seeds in the slice (or K) farthest from holding; NaN if one is not defined."""
    means = [np.mean(np.asarray(values, float)) for values in statistics[name].values()]
    return float(np.max(means) if name == MSE_TREND else np.min(means))


def _pair(numbers: dict[str, float], label: str) -> str:
    return f"{number(numbers[f'{label}: lowest confidence'], '.3f')}, {number(numbers[f'{label}: confidence'], '.3f')}"
