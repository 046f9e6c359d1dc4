"""A comparison in words: a table per method and slice, and what one must know to read it."""

from collections.abc import Mapping, Sequence

import numpy as np

from reproduction.results.words import NOT_DEFINED, markdown_table
from reproduction.slicing.comparison.differences import Comparison, Line
from reproduction.slicing.comparison.quantities import QUANTITIES
from reproduction.slicing.comparison.verdict import ENOUGH_SEEDS

COLUMNS = ("quantity", "against", "theirs", "ours", "difference [95 % interval]", "in words")
TRUSTED_SEEDS = 6
"""Pairs below which a comparison says what chance does: all n differences have one sign once in 2^(n-1) times."""

Row = tuple[str, ...]


def cells(line: Line) -> Row:
    """Write one line of the tables, under `COLUMNS`."""
    quantity, found = line.quantity, line.found
    span = NOT_DEFINED if np.isnan(found.mean) else quantity.write_difference(found.mean, 3)
    if not np.isnan(found.low):
        span += f" [{quantity.write_difference(found.low, 3)}, {quantity.write_difference(found.high, 3)}]"
    values = (quantity.write_values(found.theirs.tolist()), quantity.write_values(found.ours.tolist()))
    return (heading(line), line.pairs.against, *values, span, line.verdict)


def heading(line: Line) -> str:
    """Return a quantity with its unit."""
    unit = line.quantity.unit
    return line.quantity.name + ("" if unit in ("1", "rounds") else f" [{unit}]")


def tables(lines: Sequence[Line]) -> dict[str, dict[str, list[Row]]]:
    """Return the rows by method and slice."""
    found: dict[str, dict[str, list[Row]]] = {line.pairs.method: {} for line in lines}
    for line in sorted(lines, key=lambda line: QUANTITIES.index(line.quantity)):
        found[line.pairs.method].setdefault(line.pairs.slice, []).append(cells(line))
    return found


def notes(name: str, comparison: Comparison) -> list[str]:
    """Say what was compared and how to read it, what makes it hardly comparable first."""
    reference, lines, pairs = comparison.reference, comparison.lines, comparison.pairs
    rounds = sorted({one.rounds for one in pairs})
    counts = sorted({len(one.theirs) for one in pairs})
    remarks = [
        *(f"CAUTION: {caution}." for caution in comparison.cautions),
        f"{name} against our reference curves ({reference.preset} preset, {reference.clients} closed loops), over "
        f"{' or '.join(map(str, rounds))} rounds and {' or '.join(map(str, counts))} common seed(s).",
        "A difference is theirs minus ours, seed by seed; in brackets the 95 % bootstrap interval of its mean over the "
        'seeds. "Lower" or "higher" is said only if the interval leaves out 0 and all seeds agree: from five seeds '
        "such an interval leaves out 0 in one of six comparisons of equals. With fewer than "
        f"{ENOUGH_SEEDS} nothing is decided.",
        "A run has converged at the first round from which its MSE stays within "
        f"{reference.tolerance:.0%} (of its drop) of its best; one whose MSE never falls has not. A seed where a "
        "number is not defined is left out.",
    ]
    if any(line.quantity.unit == "s" for line in lines):
        remarks.append("Seconds compare only what ran on the same machine.")
    if ENOUGH_SEEDS <= max(counts) < TRUSTED_SEEDS:
        remarks.append(
            f"Even {max(counts)} seeds show little: equals have all differences of one sign once in "
            f"{2 ** (max(counts) - 1)} times, and there are many lines here."
        )
    if lacking := list(dict.fromkeys(lack for one in pairs for lack in one.lacking)):
        remarks.append(f"Not compared: {'; '.join(lacking)}.")
    return remarks + [one.sentence for one in comparison.scalings]


def markdown(
    title: str,
    remarks: Sequence[str],
    by_method: Mapping[str, Mapping[str, list[Row]]],
    picture: str,
    caption: str,
) -> str:
    """Return the comparison as Markdown, with the picture beside it."""
    parts = [f"# {title}", *remarks, f"![Curves of all methods]({picture})", caption]
    for method, by_slice in by_method.items():
        for slice_name, rows in by_slice.items():
            parts += [f"## {method} in {slice_name}", markdown_table(COLUMNS, rows).rstrip("\n")]
    return "\n\n".join(parts) + "\n"
