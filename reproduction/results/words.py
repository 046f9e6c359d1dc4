"""From numbers to text, in one way everywhere: means with their spread, differences, proportions, Markdown."""

from collections.abc import Sequence

import numpy as np

from reproduction.results.seed_statistics import mean, mean_and_spread

NOT_DEFINED = "not defined"
"""In a sentence."""
NO_NUMBER = "–"
"""In a table of numbers."""


def mean_and_sd(values: Sequence[float | None] | np.ndarray, form: str = ".3g", spread_form: str = ".2g") -> str:
    """Write "mean ± sd" over the seeds; the mean alone for one seed; how many are not defined, or that none is."""
    spread = mean_and_spread(values)
    if np.isnan(spread["mean"]):
        return NOT_DEFINED
    text = f"{spread['mean']:{form}}"
    if not np.isnan(spread["sd"]):
        text += f" ± {spread['sd']:{spread_form}}"
    missing = int(np.isnan(np.asarray(values, float)).sum())
    return text + (f" ({missing} of {len(values)} seeds {NOT_DEFINED})" if missing else "")


def number(value: float | None, form: str = ".3g") -> str:
    """Write one number, or `NO_NUMBER`."""
    return NO_NUMBER if value is None or np.isnan(value) else f"{value:{form}}"


def difference(value: float, digits: int = 2) -> str:
    """Write a difference: signed, and without an exponent where it is large."""
    return f"{value:+,.0f}" if abs(value) >= 100 else f"{value:+.{digits}g}"


def thousandths(values: Sequence[float | None]) -> str:
    """Write a mean proportion over the seeds with three decimals, but no 1 that is not exactly 1; or `NOT_DEFINED`."""
    value = mean(values)
    if np.isnan(value):
        return NOT_DEFINED
    return "1" if value == 1 else "above 0.999" if value > 0.9995 else f"{value:.3f}"


def proportion(values: Sequence[float | None]) -> str:
    """Write a proportion over the seeds, mean ± sd, finely enough to tell 0.99996 from 1."""
    value = mean(values)
    if value == 1:
        return "1"
    return mean_and_sd(values, ".5f" if value > 0.99995 else ".4f", ".1g")


def which_seeds(seeds: Sequence[int]) -> str:
    """Write "5 seeds", or "seed 0" where there is one."""
    return f"{len(seeds)} seeds" if len(seeds) > 1 else f"seed {seeds[0]}"


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, tight_rule: bool = False) -> str:
    """Write a table of text in Markdown, a line per row, each ended; the rule below the columns may be tight."""
    head, *body = ("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n" for cells in (columns, *rows))
    rule = "|---" * len(columns) + "|\n" if tight_rule else "| --- " * len(columns) + "|\n"
    return head + rule + "".join(body)
