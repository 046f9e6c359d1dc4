"""The paper's claims as criteria, on the numbers that the figures draw.

The thresholds were fixed before any run; the notes, and what C5 says beside its verdict (of the post-hoc model, of
another background), were added after them and decide nothing.

A statistic is computed per seed and slice (or K); a claim holds if its MEAN OVER THE SEEDS meets the criterion in every
slice (or for every K) that the claim speaks of. A criterion takes the quantity that it judges, from wherever it comes;
`claims` takes it from the figures.

Differs from the paper: it states its claims in words; the criteria are ours.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from reproduction.results.seed_statistics import at_round, lowest_over_rounds, mean, mean_and_spread, rank_correlation
from reproduction.results.verdicts import Finding, Statistic
from reproduction.slicing.datasets import feature_roles
from reproduction.slicing.documents import AttributionResult, Curves, TestScores
from reproduction.slicing.schemes import IN_HOC, POST_HOC, SCHEMES

CurvesBySlice = Mapping[str, Mapping[str, Curves]]
"""Slice -> scheme's label -> its curves."""

C1_CORRELATION, C1_DROP = 0.9, 0.8
C2_CONFIDENCE = 0.85
C3_FALL = 0.1
C4_SPREAD = 0.05
C5_RANK_SHARE = 0.05
C6_NEAR = 0.25
C7_STANDARD_ERRORS = 2
C8_CONFIDENCE, C8_TREND = 0.9, -0.9
"""Fixed before any run."""


def _all(values: Mapping[str, Sequence[float]], meets: Callable[[float], bool]) -> bool:
    return all(meets(float(np.mean(one))) for one in values.values())


def c1(slices: CurvesBySlice) -> Finding:
    """In-hoc MSE follows a convergence trend like post-hoc's; a post-hoc MSE that does not move has none."""
    correlation, ratio = {}, {}
    for name, schemes in slices.items():
        pairs = np.asarray([schemes[IN_HOC]["mse"], schemes[POST_HOC]["mse"]], float)
        correlation[name] = [rank_correlation(*pair) for pair in pairs.swapaxes(0, 1)]
        in_hoc, post_hoc = pairs[:, :, 0] - pairs[:, :, -1]
        ratio[name] = np.divide(in_hoc, post_hoc, out=np.full(len(post_hoc), np.nan), where=post_hoc != 0).tolist()
    trend = _all(correlation, lambda value: value >= C1_CORRELATION)
    return Finding(
        holds=trend and _all(ratio, lambda value: value >= C1_DROP),
        statistics=(
            Statistic(name="rank correlation", values=correlation, heading="correlation"),
            Statistic(name="drop ratio", values=ratio, heading="drop ratio"),
        ),
    )


def c2(slices: CurvesBySlice, constant: Mapping[str, Sequence[float | None]] | None = None) -> Finding:
    """In-hoc confidence stays high; beside it stand post-hoc's and, if given, that of a constant predictor."""
    lowest, unconstrained = (
        {name: lowest_over_rounds(schemes[label]["confidence"]) for name, schemes in slices.items()}
        for label in (IN_HOC, POST_HOC)
    )
    beside = [Statistic(name="lowest confidence, post-hoc", values=unconstrained, heading="post-hoc, unconstrained")]
    if constant:
        everywhere = float(np.mean(np.asarray(list(constant.values()), float)))
        values = {"": [everywhere]}
        beside.append(Statistic(name="confidence of a constant", values=values, heading="a constant predictor"))
    return Finding(
        holds=_all(lowest, lambda value: value > C2_CONFIDENCE),
        statistics=(Statistic(name="lowest confidence", values=lowest),),
        beside=tuple(beside),
    )


def c3(slices: CurvesBySlice) -> Finding:
    """Post-hoc confidence falls and ends well below in-hoc."""
    fall, gap = {}, {}
    for name, schemes in slices.items():
        ends = {label: at_round(schemes[label]["confidence"], -1) for label in (IN_HOC, POST_HOC)}
        first = at_round(schemes[POST_HOC]["confidence"], 0)
        fall[name] = [a - b for a, b in zip(first, ends[POST_HOC], strict=True)]
        gap[name] = [a - b for a, b in zip(ends[IN_HOC], ends[POST_HOC], strict=True)]
    return Finding(
        holds=_all(fall, lambda value: value >= C3_FALL) and _all(gap, lambda value: value >= C3_FALL),
        statistics=(
            Statistic(name="fall", values=fall, heading="fall"),
            Statistic(name="gap", values=gap, heading="gap"),
        ),
        note="The scale is calibrated to the paper's description of this baseline, so the fall is not a finding",
    )


def c4(tests: Mapping[str, Mapping[str, TestScores]]) -> Finding:
    """In-hoc test confidence hardly depends on the explainer."""
    spread = {}
    for name, schemes in tests.items():
        in_hoc = [scores["confidence"] for label, scores in schemes.items() if SCHEMES[label][0] == "in-hoc"]
        means = np.ma.masked_invalid(np.asarray(in_hoc, float)).mean(axis=2).filled(np.nan)
        spread[name] = (means.max(0) - means.min(0)).tolist()
    return Finding(
        holds=_all(spread, lambda value: value <= C4_SPREAD), statistics=(Statistic(name="spread", values=spread),)
    )


C5_STATISTICS = ("CQI / largest OTT", "MIMO share", "least OTT")


def c5(result: AttributionResult) -> Finding:
    """CQI has the largest attribution, the OTTs are positive, MIMO is negligible."""
    roles = feature_roles(result["slice"])
    named = np.array([roles[name] for name in result["feature_names"]])

    def ratio(label: str, quantity: Literal["mean_abs_shap", "mean_abs_shap_background"]) -> list[float]:
        sizes = [np.array(model[quantity]) for model in result["models"][label]]
        return [float(size[named == "channel_quality"].max() / size[named == "traffic"].max()) for size in sizes]

    sizes = [np.array(model["mean_abs_shap"]) for model in result["models"][IN_HOC]]
    share = [float(size[named == "rank"].sum() / size.sum()) for size in sizes]
    lowest_ott = [float(np.array(model["mean_shap"])[named == "traffic"].min()) for model in result["models"][IN_HOC]]
    first = ratio(IN_HOC, "mean_abs_shap")
    others = {
        POST_HOC: ratio(POST_HOC, "mean_abs_shap"),
        "in-hoc, background of training samples": ratio(IN_HOC, "mean_abs_shap_background"),
        "post-hoc, background": ratio(POST_HOC, "mean_abs_shap_background"),
    }
    deciding = dict(zip(C5_STATISTICS, (first, share, lowest_ott), strict=True))
    return Finding(
        holds=bool(np.mean(first) > 1 and np.mean(share) < C5_RANK_SHARE and np.mean(lowest_ott) > 0),
        statistics=(Statistic(name=IN_HOC, values=deciding, unit=" %", between=", "),),
        beside=(Statistic(name=C5_STATISTICS[0], values=others, heading=f"{C5_STATISTICS[0]} otherwise"),),
        note="CQI is the strongest driver of the data by calibration, not by finding",
    )


def c6(seconds: Mapping[str, Sequence[float | None]]) -> Finding:
    """In-hoc IG converges in less time than the other explainers, close to post-hoc."""
    means = {label: mean(values) for label, values in seconds.items()}
    ig, post_hoc = means[IN_HOC], means[POST_HOC]
    others = [value for label, value in means.items() if label not in (IN_HOC, POST_HOC)]
    below_both = all(ig < value or np.isnan(value) for value in others)
    against = {"IG against post-hoc": [100 * (ig / post_hoc - 1)]}
    return Finding(
        holds=bool(below_both and abs(ig - post_hoc) <= C6_NEAR * post_hoc),
        statistics=(
            Statistic(name="seconds", values=seconds, unit=" s"),
            Statistic(name="IG against post-hoc", values=against, unit=" %", forms=("+.0f", ".0f")),
        ),
    )


def c7(rounds: Mapping[str, Sequence[float | None]]) -> Finding:
    """In-hoc converges in fewer rounds."""
    post_hoc, in_hoc = (np.asarray(rounds[label], float) for label in (POST_HOC, IN_HOC))
    saved = post_hoc - in_hoc
    saved = saved[~np.isnan(saved)]
    spread = mean_and_spread(saved)
    error = spread["sd"] / np.sqrt(len(saved)) if len(saved) else float("nan")
    beyond_noise = spread["mean"] > C7_STANDARD_ERRORS * error  # never so for one seed: its sd is NaN
    return Finding(
        holds=bool(beyond_noise),
        statistics=(
            Statistic(name="rounds", values=rounds),
            Statistic(name="rounds saved", values={"saved": saved.tolist()}),
        ),
    )


def c7_kilobytes(per_round: Mapping[str, float]) -> Finding:
    """The paper's kilobytes."""
    values = {label: [kilobytes] for label, kilobytes in per_round.items()}
    return Finding(
        holds=None,
        statistics=(Statistic(name="KB per round", values=values, heading="KB per round", forms=(",.1f", ",.1f")),),
    )


def c8(by_count: Mapping[str, Curves]) -> Finding:
    """Stable convergence and confidence whatever the number of CLs."""
    lowest, trend = {}, {}
    for count, curves in by_count.items():
        rounds = range(len(curves["mse"][0]))
        lowest[f"K={count}"] = lowest_over_rounds(curves["confidence"])
        trend[f"K={count}"] = [rank_correlation(rounds, run) for run in curves["mse"]]
    confident = _all(lowest, lambda value: value > C8_CONFIDENCE)
    return Finding(
        holds=confident and _all(trend, lambda value: value <= C8_TREND),
        statistics=(
            Statistic(name="lowest confidence", values=lowest, heading="lowest"),
            Statistic(name="rank correlation with the round", values=trend, heading="trend"),
        ),
    )
