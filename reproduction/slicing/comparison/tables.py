"""A comparison in words: a table per method and slice, and what one must know to read it."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from reproduction.results.words import markdown_table
from reproduction.slicing.comparison import differences
from reproduction.slicing.comparison.differences import OURS, Line
from reproduction.slicing.comparison.quantities import BY_NAME
from reproduction.slicing.comparison.reference_curves import Reference

COLUMNS = ("quantity", "against", "theirs", "ours", "difference [95 % interval]", "in words")
ENOUGH_PAIRS = 6
"""Pairs below which a comparison says what chance does: all n differences have one sign once in 2^(n-1) times."""


def cells(line: Line) -> tuple[str, ...]:
    """Write one line of the tables, under `COLUMNS`."""
    unit = "" if line.unit in ("1", "rounds") else f" [{line.unit}]"
    quantity = BY_NAME[line.quantity]
    span = "not defined" if np.isnan(line.difference) else quantity.write_difference(line.difference, 3)
    if not np.isnan(line.low):
        span += f" [{quantity.write_difference(line.low, 3)}, {quantity.write_difference(line.high, 3)}]"
    values = (quantity.write_values(line.theirs), quantity.write_values(line.ours))
    return (line.quantity + unit, line.against, *values, span, line.verdict)


def tables(lines: Sequence[Line]) -> dict[str, dict[str, list[tuple[str, ...]]]]:
    """Return the rows by method and slice."""
    found: dict[str, dict[str, list[tuple[str, ...]]]] = {}
    for line in sorted(lines, key=lambda line: list(BY_NAME).index(line.quantity)):
        found.setdefault(line.method, {}).setdefault(line.slice, []).append(cells(line))
    return {method: found[method] for method in dict.fromkeys(line.method for line in lines)}


def notes(name: str, theirs: pd.DataFrame, reference: Reference, lines: Sequence[Line]) -> list[str]:
    """Say what was compared and how to read it."""
    seeds = sorted({len(line.seeds) for line in lines})
    rounds = sorted({line.rounds for line in lines})
    remarks = [
        f"{name} against our reference curves ({reference.preset} preset, {reference.clients} closed loops), over "
        f"{' or '.join(map(str, rounds))} rounds and {' or '.join(map(str, seeds))} common seed(s). It is taken to be "
        f"of {reference.clients} closed loops too.",
        "A difference is theirs minus ours, seed by seed; in brackets the 95 % bootstrap interval of its mean over the "
        "seeds. From few seeds such an interval is too narrow (from five it leaves out 0 in one of six comparisons of "
        'equals), so that "lower" or "higher" is said only if all seeds agree too.',
        "A run has converged at the first round from which its MSE stays within "
        f"{reference.tolerance:.0%} (of its drop) of its best. A seed where a number is not defined is left out.",
    ]
    if any(line.unit == "s" for line in lines):
        remarks.append("Seconds compare only what ran on the same machine.")
    if max(seeds) < ENOUGH_PAIRS:
        remarks.append(
            f"With {max(seeds)} seeds even that shows little: equals have all differences of one sign once in "
            f"{2 ** (max(seeds) - 1)} times, and there are many lines here."
        )
    partly = differences.partly_there(theirs, reference)
    if partly:
        remarks.append(
            f"Compared for no seed, because some lack it: {'; '.join(partly)}, and what is computed from it."
        )
    return remarks + cautions(theirs, reference)


def cautions(theirs: pd.DataFrame, reference: Reference) -> list[str]:
    """Say what makes curves hardly comparable: another explainer, fewer rounds, another traffic per round."""
    remarks = []
    for label, frame in differences.methods(theirs).items():
        explainers = sorted(set(frame["explainer"]) - {explainer for _, explainer in OURS.values()})
        if explainers:
            remarks.append(
                f"Caution: the confidence of {label} is scored with {', '.join(explainers)}, ours with IG; it "
                "differs by that alone, even for the same model."
            )
    last, ours = int(theirs["round"].max()), int(reference.frame["round"].max())
    if last < ours:
        remarks.append(
            f"Caution: theirs end at round {last}, ours at {ours}; only {last} rounds are compared. One preset?"
        )
    traffic = [table.loc[table["metric"] == "kb", "value"].median() for table in (theirs, reference.frame)]
    if traffic[0] < 0.9 * traffic[1] or traffic[0] > 1.1 * traffic[1]:
        remarks.append(
            f"Caution: theirs send {traffic[0]:,.0f} KB per round, ours {traffic[1]:,.0f}; is it the same number of "
            "closed loops?"
        )
    return remarks


def markdown(
    title: str,
    remarks: Sequence[str],
    by_method: Mapping[str, Mapping[str, list[tuple[str, ...]]]],
    picture: str,
    caption: str,
) -> str:
    """Return the comparison as Markdown, with the picture beside it."""
    parts = [f"# {title}", *remarks, f"![Curves of all methods]({picture})", caption]
    for method, by_slice in by_method.items():
        for slice_name, rows in by_slice.items():
            parts += [f"## {method} in {slice_name}", markdown_table(COLUMNS, rows).rstrip("\n")]
    return "\n\n".join(parts) + "\n"
