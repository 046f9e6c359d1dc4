"""What is claimed of X-REFINE, as its abstract and third parties have it, and what each claim is held to.

The criteria were written before the study was run. Errors are those at 20 dB and above in units of the full network's;
intervals are 95 % paired bootstraps over the seeds; a case is a channel and a modulation.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reproduction.results.seed_statistics import mean, paired_interval
from reproduction.results.verdicts import Finding, Statistic, Verdict
from reproduction.xrefine.choices import X_REFINE

CUT = 0.43
"""Of the FLOPs, in third-party summaries of the paper."""

PILOTS_RANK = 0.75
"""Above this share of all subcarriers the pilots' mean rank counts as high; by chance it is 0.5."""

Case = Mapping[str, Any]


def verdicts(trade_off: Mapping[str, Any], relevance: Mapping[str, Any], target: float) -> list[Verdict]:
    """Return the claims table.

    Args:
        trade_off: result of the figure of that name.
        relevance: likewise.
        target: how many times the full network's errors are comparable.
    """
    cases = trade_off["cases"]
    return [
        Verdict(
            claim="X1",
            where="third-party summaries",
            statement="FLOPs fall by up to 43 % at comparable BER",
            paper="43 %",
            criterion=f"in at least one case the cheapest size of at most {target:g} x the full network's errors, mean "
            f"over the seeds, saves {100 * CUT:g} % of the FLOPs",
            finding=_cut(cases, target, any),
        ),
        Verdict(
            claim="X2",
            where="third-party summaries",
            statement="the saving holds over channels and modulations",
            paper="two channels, QPSK and 64QAM",
            criterion="X1's in every case",
            finding=_cut(cases, target, all),
        ),
        Verdict(
            claim="X3",
            where="abstract, v2",
            statement="a better trade-off than perturbation-based XAI",
            paper="XAI-CHEST",
            criterion="inputs alone, at equal FLOPs: LRP's errors below XAI-CHEST's, the interval without 0, in more "
            "cases and budgets than the other way round, and in half of them at least",
            finding=_better(cases, "LRP, inputs alone", "XAI-CHEST, inputs alone"),
        ),
        Verdict(
            claim="X4",
            where="third-party summaries",
            statement="pilots are among the most relevant subcarriers",
            paper="the filter keeps them",
            criterion=f"mean rank of the four pilots above {PILOTS_RANK:g} (1 is the most relevant, 0 the least), in "
            "every case",
            finding=_pilots(relevance["cases"]),
        ),
        Verdict(
            claim="X5",
            where="ours: what the paper does not compare",
            statement="LRP chooses better than chance",
            paper="no number",
            criterion="at equal FLOPs: LRP's errors below those of random choices, the interval without 0, in half of "
            "the cases and budgets at least, and in more than the other way round",
            finding=_better(cases, "LRP", "random"),
        ),
        Verdict(
            claim="X6",
            where="ours: what the paper does not compare",
            statement="LRP chooses better than gradient x input, ablation or the weights' magnitude",
            paper="no number",
            criterion="X5's, against each of them",
            finding=_better_than_all(cases, "LRP", ("gradient x input", "ablation", "magnitude")),
        ),
    ]


def _named(case: Case) -> str:
    return f"{case['channel']} {case['modulation']}"


def _cut(cases: Sequence[Case], target: float, how: Any) -> Finding:
    """Return by how much the FLOPs of the cheapest comparable size are below the full network's, a value per case."""
    values = {}
    for case in cases:
        met = [one["flops"] for one in case[X_REFINE] if mean(one["ratios"]) <= target]
        values[_named(case)] = [1.0 - min(met, default=case["full_flops"]) / case["full_flops"]]
    holds = how(value[0] >= CUT for value in values.values())
    return Finding(holds=holds, statistics=(Statistic(name="saved", values=values, heading="saved share of FLOPs"),))


def _better(cases: Sequence[Case], one: str, other: str) -> Finding:
    """Return in how many cases and budgets each of two makes fewer errors than the other beyond chance."""
    wins, losses, count, differences = 0, 0, 0, {}
    for case in cases:
        for first, second in zip(case["rivals"][one], case["rivals"][other], strict=True):
            pair = np.array(first["ratios"], float), np.array(second["ratios"], float)
            if first["flops"] is None or second["flops"] is None or np.isnan(pair).any():
                continue
            low, high = paired_interval(*pair)
            count += 1
            wins += bool(high < 0.0)
            losses += bool(low > 0.0)
            budget = "x".join(map(str, first["budget"]))
            differences[f"{_named(case)} {budget}"] = (pair[0] - pair[1]).tolist()
    holds = None if count == 0 else wins > losses and wins >= count / 2
    note = f"{one} better in {wins}, {other} in {losses} of {count} cases and budgets, undecided in the others"
    spread = [mean(values) for values in differences.values()]
    statistic = Statistic(
        name=f"{one} minus {other}",
        values={"least": [min(spread, default=np.nan)], "greatest": [max(spread, default=np.nan)]},
        heading="mean difference of errors",
        forms=("+.2g", ".1g"),
    )
    return Finding(holds=holds, statistics=(statistic,), note=note)


def _better_than_all(cases: Sequence[Case], one: str, others: Sequence[str]) -> Finding:
    """Return whether one is better than each of several, as `_better` has it."""
    found = [_better(cases, one, other) for other in others]
    return Finding(
        holds=all(finding.holds for finding in found),
        statistics=tuple(statistic for finding in found for statistic in finding.statistics),
        note="; ".join(finding.note for finding in found),
    )


def _pilots(cases: Sequence[Case]) -> Finding:
    """Return the pilots' mean rank among the subcarriers."""
    values = {_named(case): case["pilot_ranks"] for case in cases}
    holds = all(mean(ranks) > PILOTS_RANK for ranks in values.values())
    return Finding(holds=holds, statistics=(Statistic(name="rank", values=values, heading="rank of the pilots"),))
