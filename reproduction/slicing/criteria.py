"""The paper's claims as criteria, fixed here before any run, on the numbers that the figures draw.

A statistic is computed per seed and slice (or K); a claim holds if its MEAN OVER THE SEEDS meets the criterion in every
slice (or for every K) that the claim speaks of.

Differs from the paper: it states its claims in words; the criteria are ours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reproduction.results.seed_statistics import lowest_over_rounds, mean_and_spread, rank_correlation
from reproduction.results.words import mean_and_sd

Results = Mapping[str, dict[str, Any]]

HOLDS, FAILS, UNDECIDABLE = "holds", "does not hold", "cannot be decided from the paper"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One line of the claims table.

    Attributes:
        claim, where, statement, paper: what is claimed, and where.
        criterion: ours, in words.
        ours: the statistics in words.
        numbers: the statistics that decide: name -> slice, K or scheme -> a value per seed.
        verdict: `HOLDS`, `FAILS` or `UNDECIDABLE`.
    """

    claim: str
    where: str
    statement: str
    criterion: str
    paper: str
    ours: str
    numbers: Mapping[str, Mapping[str, list[float]]]
    verdict: str


def _per_slice(numbers: Mapping[str, list[float]]) -> str:
    """Write mean ± sd over seeds per slice."""
    return "; ".join(f"{name} {mean_and_sd(values)}" for name, values in numbers.items())


def _all(numbers: Mapping[str, list[float]], meets: Callable[[float], bool]) -> bool:
    return all(meets(float(np.mean(values))) for values in numbers.values())


def _verdict(holds: bool) -> str:
    return HOLDS if holds else FAILS


def c1(results: Results) -> Verdict:
    """In-hoc MSE follows a convergence trend like post-hoc's."""
    correlation, ratio = {}, {}
    for name, schemes in results["fig4_convergence"]["slices"].items():
        pairs = list(zip(schemes["in-hoc IG"]["mse"], schemes["post-hoc"]["mse"], strict=True))
        correlation[name] = [rank_correlation(a, b) for a, b in pairs]
        ratio[name] = [(a[0] - a[-1]) / (b[0] - b[-1]) for a, b in pairs]
    both = _all(correlation, lambda r: r >= 0.9) and _all(ratio, lambda r: r >= 0.8)
    return Verdict(
        claim="C1",
        where="Fig. 4",
        statement="in-hoc MSE follows a convergence trend like post-hoc's",
        criterion="rank correlation of the two MSE curves at least 0.9, and in-hoc's drop at least 80 % of post-hoc's",
        paper="similar trend",
        ours=f"correlation: {_per_slice(correlation)}; drop ratio: {_per_slice(ratio)}",
        numbers={"rank correlation": correlation, "drop ratio": ratio},
        verdict=_verdict(both),
    )


def c2(results: Results) -> Verdict:
    """In-hoc confidence stays above 0.85."""
    slices = results["fig5_confidence"]["slices"]
    lowest, unconstrained = (
        {name: lowest_over_rounds(numbers["rounds"][label]["confidence"]) for name, numbers in slices.items()}
        for label in ("in-hoc IG", "post-hoc")
    )
    controls = [
        numbers["constant predictor"]["confidence"] for numbers in slices.values() if "constant predictor" in numbers
    ]
    control = f"; a constant predictor: {np.mean(np.asarray(controls, float)):.3g}" if controls else ""
    return Verdict(
        claim="C2",
        where="Fig. 5a",
        statement="in-hoc confidence stays above 0.85 in every slice",
        criterion="lowest confidence over the rounds above 0.85",
        paper="> 0.85",
        ours=f"{_per_slice(lowest)} (post-hoc, unconstrained: {_per_slice(unconstrained)}{control})",
        numbers={"lowest confidence": lowest},
        verdict=_verdict(_all(lowest, lambda value: value > 0.85)),
    )


def c3(results: Results) -> Verdict:
    """Post-hoc confidence falls and ends well below in-hoc."""
    fall, gap = {}, {}
    for name, numbers in results["fig5_confidence"]["slices"].items():
        in_hoc = np.asarray(numbers["rounds"]["in-hoc IG"]["confidence"], float)
        post_hoc = np.asarray(numbers["rounds"]["post-hoc"]["confidence"], float)
        fall[name] = (post_hoc[:, 0] - post_hoc[:, -1]).tolist()
        gap[name] = (in_hoc[:, -1] - post_hoc[:, -1]).tolist()
    both = _all(fall, lambda value: value >= 0.1) and _all(gap, lambda value: value >= 0.1)
    return Verdict(
        claim="C3",
        where="Fig. 5a",
        statement="post-hoc confidence falls as the model converges, and ends well below in-hoc",
        criterion="falls by at least 0.1 from the first to the last round, and ends at least 0.1 below in-hoc",
        paper="falls",
        ours=f"fall: {_per_slice(fall)}; gap: {_per_slice(gap)}",
        numbers={"fall": fall, "gap": gap},
        verdict=_verdict(both),
    )


def c4(results: Results) -> Verdict:
    """In-hoc test confidence hardly depends on the explainer."""
    spread = {}
    for name, numbers in results["fig5_confidence"]["slices"].items():
        in_hoc = [entry["confidence"] for label, entry in numbers["test"].items() if label.startswith("in-hoc")]
        means = np.nanmean(np.asarray(in_hoc, float), axis=2)
        spread[name] = (means.max(0) - means.min(0)).tolist()
    return Verdict(
        claim="C4",
        where="Fig. 5b",
        statement="on test data in-hoc confidence is nearly the same with IG, Input x Gradient and SHAP",
        criterion="the three mean confidences lie within 0.05",
        paper="almost the same",
        ours=_per_slice(spread),
        numbers={"spread": spread},
        verdict=_verdict(_all(spread, lambda value: value <= 0.05)),
    )


C5_STATISTICS = ("CQI / largest OTT", "MIMO share", "least OTT")


def c5(results: Results) -> Verdict:
    """CQI has the largest attribution, the OTTs are positive, MIMO is negligible."""
    result = results["fig6_attributions"]
    units = np.array(result["feature_units"])

    def ratio(label: str, quantity: str) -> list[float]:
        sizes = [np.array(seed[quantity]) for seed in result["models"][label]]
        return [float(size[units == ""].max() / size[units == "Mbps"].max()) for size in sizes]

    in_hoc = result["models"]["in-hoc IG"]
    sizes = [np.array(seed["mean_abs_shap"]) for seed in in_hoc]
    share = [float(size[units == "%"].sum() / size.sum()) for size in sizes]
    lowest_ott = [float(np.array(seed["mean_shap"])[units == "Mbps"].min()) for seed in in_hoc]
    first = ratio("in-hoc IG", "mean_abs_shap")
    holds = np.mean(first) > 1 and np.mean(share) < 0.05 and np.mean(lowest_ott) > 0
    others = {
        "post-hoc": ratio("post-hoc", "mean_abs_shap"),
        "in-hoc, background of training samples": ratio("in-hoc IG", "mean_abs_shap_background"),
        "post-hoc, background": ratio("post-hoc", "mean_abs_shap_background"),
    }
    return Verdict(
        claim="C5",
        where="Fig. 6",
        statement="CQI has the largest attribution; OTT traffic small and positive; MIMO full-rank negligible",
        criterion="in-hoc model, zero baseline: mean |SHAP| of CQI above every OTT's, MIMO below 5 % of the sum, every "
        "OTT's mean SHAP above 0",
        paper="CQI first, MIMO negligible",
        ours="CQI is the strongest driver of the data by calibration, not by finding. "
        f"CQI / largest OTT {mean_and_sd(first)}, MIMO share {mean_and_sd(share)}, "
        f"least OTT {mean_and_sd(lowest_ott)} %. "
        f"CQI / largest OTT otherwise: {_per_slice(others)}",
        numbers={label: {"in-hoc IG": of} for label, of in zip(C5_STATISTICS, (first, share, lowest_ott), strict=True)},
        verdict=_verdict(bool(holds)),
    )


def c6(results: Results) -> Verdict:
    """In-hoc IG converges in less time than SHAP and Input x Gradient, close to post-hoc."""
    result = results["fig7_convergence_time"]
    seconds = {label: np.array(entry["seconds"], float) for label, entry in result["schemes"].items()}
    ours = {label: mean_and_spread(values)["mean"] for label, values in seconds.items()}
    in_seconds = {label: values.tolist() for label, values in seconds.items()}
    ig, post_hoc = ours["in-hoc IG"], ours["post-hoc"]
    others = [ours[label] for label in ("in-hoc SHAP", "in-hoc Input x Gradient")]
    holds = all(ig < seconds or np.isnan(seconds) for seconds in others) and abs(ig - post_hoc) <= 0.25 * post_hoc
    return Verdict(
        claim="C6",
        where="Fig. 7",
        statement="time to convergence: in-hoc IG below in-hoc SHAP and Input x Gradient, close to post-hoc",
        criterion="mean seconds of IG below both, and within 25 % of post-hoc's",
        paper="IG 16.67 % below post-hoc (text)",
        ours=_per_slice(in_seconds) + f" s; IG against post-hoc {100 * (ig / post_hoc - 1):+.0f} %",
        numbers={"seconds": in_seconds},
        verdict=_verdict(bool(holds)),
    )


def c7(results: Results) -> Verdict:
    """In-hoc converges in fewer rounds."""
    schemes = results["table4_overhead"]["schemes"]
    rounds = {label: np.array(entry["convergence_round"], float) for label, entry in schemes.items()}
    in_rounds = {label: values.tolist() for label, values in rounds.items()}
    saved = rounds["post-hoc"] - rounds["in-hoc IG"]
    saved = saved[~np.isnan(saved)]
    spread = mean_and_spread(saved)
    beyond_noise = spread["mean"] > 2 * spread["sd"] / np.sqrt(len(saved))  # never so for one seed: its sd is NaN
    return Verdict(
        claim="C7",
        where="Table IV",
        statement="in-hoc converges in fewer rounds than post-hoc, so with fewer KB",
        criterion="rounds saved, mean over at least two seeds, more than two standard errors above 0",
        paper="13 against 20 rounds (table), 12 against 17 (text)",
        ours=f"{_per_slice(in_rounds)}; saved {mean_and_sd(saved)}",
        numbers={"rounds": in_rounds},
        verdict=_verdict(bool(beyond_noise)),
    )


def c7_kilobytes(results: Results) -> Verdict:
    """The paper's kilobytes."""
    schemes = results["table4_overhead"]["schemes"]
    per_round = "; ".join(f"{label} {entry['kb_per_round']:,.1f}" for label, entry in schemes.items())
    return Verdict(
        claim="C7 (KB)",
        where="Table IV",
        statement="16,510 KB in-hoc against 77,714 KB post-hoc",
        criterion="none possible: the same network costs the same per round in both schemes",
        paper="1,270 KB per round in-hoc, 3,886 post-hoc",
        ours=f"KB per round: {per_round}",
        numbers={"KB per round": {label: [entry["kb_per_round"]] for label, entry in schemes.items()}},
        verdict=UNDECIDABLE,
    )


def c8(results: Results) -> Verdict:
    """Stable convergence and confidence above 0.90 for any number of CLs."""
    lowest, trend = {}, {}
    for count, curves in results["fig8_scalability"]["clients"].items():
        rounds = range(len(curves["mse"][0]))
        lowest[f"K={count}"] = lowest_over_rounds(curves["confidence"])
        trend[f"K={count}"] = [rank_correlation(rounds, run) for run in curves["mse"]]
    both = _all(lowest, lambda value: value > 0.9) and _all(trend, lambda value: value <= -0.9)
    return Verdict(
        claim="C8",
        where="Fig. 8",
        statement="convergence is stable and confidence above 0.90 whatever the number of CLs",
        criterion="lowest confidence above 0.90, and rank correlation of MSE with the round at most -0.9, for every K",
        paper="> 0.90",
        ours=f"lowest: {_per_slice(lowest)}; trend: {_per_slice(trend)}",
        numbers={"lowest confidence": lowest, "rank correlation with the round": trend},
        verdict=_verdict(both),
    )


CLAIMS = (c1, c2, c3, c4, c5, c6, c7, c7_kilobytes, c8)
