"""Table IV as text, ours beside the paper's: what its script writes and the page shows."""

import numpy as np

from reproduction.results.words import mean_and_sd
from reproduction.slicing.documents import OverheadResult
from reproduction.slicing.schemes import IN_HOC, POST_HOC

PAPER = {IN_HOC: ((13, 16510), (12, 16778)), POST_HOC: ((20, 77714), (17, 77776))}
"""Scheme -> (round, KB) in the paper's table, and in its text."""

COLUMNS = ("Scheme", "Convergence round", "KB per round", "KB to convergence", "Paper, Table IV", "Paper, text")


def rows(result: OverheadResult) -> tuple[tuple[str, ...], ...]:
    """Return a row per scheme under `COLUMNS`, ours as mean ± standard deviation over the seeds."""
    written = []
    for label, curves in result["schemes"].items():
        rounds = np.asarray(curves["convergence_round"], float)
        per_round = curves["kb_per_round"]
        ours = mean_and_sd(rounds, ".1f", ".1f"), f"{per_round:,.1f}", mean_and_sd(rounds * per_round, ",.0f", ",.0f")
        written.append((label, *ours, *(f"{number}; {kilobytes:,} KB" for number, kilobytes in PAPER[label])))
    return tuple(written)
