"""Every number in the README's prose about results, computed from the committed figures.

A new sentence with a number is added here with the statistic that it states; a number that no sentence here declares is
refused, and so is one that its figure does not give.
"""

import functools
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from reproduction.receiver.names import ALIKE, ASCENT, FRESH, ITSELF, PAPERS, RANDOM, SAME, SAME_LENGTH, SECOND_ORDER
from reproduction.results.seed_statistics import mean_and_interval, paired_interval
from reproduction.slicing import criteria
from reproduction.slicing.documents import LEAST_SQUARES
from reproduction.slicing.forecast.forecast import LOWEST_R_SQUARED
from reproduction.slicing.forecast.paragraph import MARGIN
from reproduction.slicing.regimes.agreement import GREATEST_ERROR, LEAST_CORRELATION
from reproduction.slicing.regimes.catalogue import REGIMES
from reproduction.slicing.settings import PAPER
from tests.helpers.committed import COMMITTED_FIGURES as FIGURES
from tests.helpers.prose import Said, plain, undeclared, wrong

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FEDJAX = ROOT / "tests" / "benchmarks" / "requirements-peers-fedjax.txt"

pytestmark = pytest.mark.skipif(
    not (FIGURES / "claims.md").exists(), reason="the figures are not drawn yet: figures/claims.md is missing"
)

IN_HOC, POST_HOC = "in-hoc IG", "post-hoc"


def between(start, end):
    """Return the README's text from one mark to the next other one, plain."""
    return plain(README[README.index(start) : README.index(end, README.index(start) + 1)])


PROSE = {
    "claims": lambda: between("Read them so", "## What the result depends on"),
    "sensitivity": lambda: between("`make sensitivity` varies", "The paper's data are private"),
    "scale": lambda: between("The scale of the features was changed", "## Differs from"),
    "TRACTOR": lambda: between("On TRACTOR (", "## When does in-hoc"),
    "forecast": lambda: between("A second-order polynomial, fitted", "## Attributions for any"),
    "comparison": lambda: between("In eMBB ([tables]", "## Speed"),
    "relevance": lambda: between("draws this (", "| DeepExplain | here"),
    "X-REFINE": lambda: between("Beside the claims, in units of", "## Influence for any"),
    "influence": lambda: between("Driving are the samples", "## A neural receiver"),
    "receiver": lambda: (
        between("Bits are not coded. At", "<!-- receiver claims")
        + " "
        + between("Influence teaches the target's", "A receiver of your own")
    ),
    "speed": lambda: between("Intel Xeon virtual", "## Layout"),
}


ONE_CEILING = "scale: one ceiling for all OTTs"
LOOSEST = ("threshold ν, multipliers kept", "0.5")
"""Rows of the sensitivity study."""


# ---- the figures' numbers


@functools.cache
def document(name):
    content = json.loads((FIGURES / f"{name}.json").read_text(encoding="utf-8"))
    return content.get("payload", content)


def result(name):
    return document(name)["result"]


def array(values):
    return np.asarray(values, float)  # JSON's null is NaN


def row(choice, value):
    """Return one row of the sensitivity study."""
    rows = result("sensitivity")["rows"]
    return next(one for one in rows if one["choice"] == choice and one["value"].startswith(value))


def default():
    return next(one for one in result("sensitivity")["rows"] if one["is_default"])


def rows_of(choice):
    return [one for one in result("sensitivity")["rows"] if one["choice"] == choice]


def least_fall(one):
    """Post-hoc's fall of C in the slice where it falls least, mean over the seeds."""
    return min(array(values).mean() for values in one["statistics"]["C3"]["fall"].values())


def kept_below_nine_tenths():
    """Rows with A kept and nu below 0.9: the paper's nu, and those of the sweep."""
    sweep = [one for one in rows_of("threshold ν, multipliers kept") if float(one["value"]) < 0.9]
    return [row("multipliers", "kept"), *sweep]


def lowest_at_any_count(one):
    """C8's lowest confidence for the K where it is least, mean over the seeds."""
    return min(array(values).mean() for values in one["statistics"]["C8"]["lowest confidence"].values())


def dearer(of_a_run):
    """In-hoc's MSE over post-hoc's in % more, by slice: the mean over the seeds of a quotient of two runs' numbers."""
    slices = result("fig4_convergence")["slices"]
    pairs = {name: [of_a_run(array(one[label]["mse"])) for label in (IN_HOC, POST_HOC)] for name, one in slices.items()}
    return {name: 100 * ((ours / theirs).mean() - 1) for name, (ours, theirs) in pairs.items()}


def over_rounds():
    return dearer(lambda runs: runs.mean(axis=1))


def at_the_end():
    return dearer(lambda runs: runs[:, -1])


def measured(name, label, quantity):
    return array(result(f"real/{name}/fig5_confidence")["slices"][name]["rounds"][label][quantity])


def lowest(slice_name, label):
    """A scheme's lowest C over the rounds, mean over the seeds."""
    curves = result("fig4_convergence")["slices"][slice_name][label]["confidence"]
    return np.nanmin(array(curves), axis=1).mean()


def xrefine(part):
    return document("benchmark_xrefine")[part]


def timed(what, who, quantity):
    """Median of what X-REFINE's benchmark took, in seconds or in units of ours."""
    return xrefine("measured")[what][who][quantity]["median"]


def rivals(name):
    """Errors of an X-REFINE rival, the mean over the seeds, in every case and at every budget that it has."""
    return [
        array(one["ratios"]).mean() for case in result("xrefine/trade_off")["cases"] for one in case["rivals"][name]
    ]


def over(name, other):
    """Least and greatest quotient of two rivals' errors over the cases and budgets."""
    quotients = array(rivals(name)) / array(rivals(other))
    return [quotients.min(), quotients.max()]


def reversed_loses(channel):
    """At how many budgets LRP makes fewer errors than LRP reversed, the interval without 0; and of how many."""
    found = []
    for case in result("xrefine/trade_off")["cases"]:
        if case["channel"] == channel:
            for ours, bad in zip(case["rivals"]["LRP"], case["rivals"]["LRP reversed"], strict=True):
                found.append(paired_interval(array(ours["ratios"]), array(bad["ratios"]))[1] < 0.0)
    return [sum(found), len(found)]


def least_and_greatest(values):
    return [min(values), max(values)]


def taken_away(name):
    """By what X-REFINE's errors grow as a fifth of the subcarriers is taken away, over the cases."""
    cases = result("xrefine/deletion")["cases"]
    return least_and_greatest([array(one["curves"][name])[:, one["shares"].index(0.2)].mean() for one in cases])


def refined_over_full(quantity):
    cases = [one["measured"] for one in result("xrefine/complexity")["cases"]]
    return least_and_greatest([one["refined"][quantity] / one["full"][quantity] for one in cases])


def over_sta(name, kind):
    """An estimate's errors where they count over STA's, over the cases."""
    least, found = document("xrefine/trade_off")["settings"]["counted_from_db"], []
    for one in result("xrefine/error_rate")["cases"]:
        counted = array(one["ebno_db"]) >= least
        found.append(array(one[kind][name])[:, counted].sum() / array(one[kind]["STA"])[:, counted].sum())
    return least_and_greatest(found)


def driven():
    return result("influence")["slices"].values()


def load_of(one, kind):
    """Mean load of the samples of a kind, by the lower edges of the bins."""
    counts = array(one[kind])
    return (counts * array(one["edges"])[:-1]).sum() / counts.sum()


def searches(name):
    """What a search of X-REFINE's sizes came to, of every case and seed."""
    return [one for case in result("xrefine/trade_off")["cases"] for one in case["searches"][name]]


def fine_tuned(kind, test=ALIKE):
    """Share of the gap that a selection closes, in %: mean, and its interval."""
    return [100 * value for value in mean_and_interval(shares_of(kind, test))]


def shares_of(kind, test):
    return array(result("receiver/adaptation")["selections"][kind]["closed"][test])


def several():
    """The most targets at once."""
    return max(result("receiver/several")["groups"], key=lambda one: one["targets"])


def by_snr():
    """Mean influence of each seed, [(dB, influence), ...]."""
    found = result("receiver/beneficial")["snr_db"]
    return [list(zip(found["middles"], scores, strict=True)) for scores in found["scores"]]


def of_receivers(mix, snr_db):
    """Errors at an SNR in units of the genie's, by receiver."""
    (one,) = [one for one in result("receiver/error_rate")["mixes"] if one["mix"] == mix]
    place = result("receiver/error_rate")["snr_db"].index(snr_db)
    rates = {name: array(of["rates"])[:, place].mean() for name, of in one["receivers"].items()}
    return [rates[name] / rates["genie"] for name in ("DeepRx", "LMMSE", "LS")]


def left_out(part):
    return [one[part] for one in result("receiver/left_out")["targets"]]


def forgotten():
    """By how many % the errors of the other targets change, by selection."""
    selections = result("receiver/adaptation")["selections"]
    return {kind: 100 * (array(one["others"]).mean() - 1) for kind, one in selections.items()}


def by_count(kind, count):
    return 100 * array(result("receiver/adaptation")["counts"][kind][str(count)]).mean()


MEASURED = ("eMBB", "URLLC")


def dips(name, label):
    """Lowest confidence on TRACTOR of each seed."""
    return np.nanmin(measured(name, label, "confidence"), axis=1)


def below_nu(name, label):
    """In how many seeds it lies below nu."""
    return (dips(name, label) < result(f"real/{name}/fig5_confidence")["slices"][name]["threshold"]).sum()


def measured_errors(name):
    """In-hoc's, post-hoc's and least squares' errors on TRACTOR."""
    fig4 = result(f"real/{name}/fig4_convergence")
    errors, least_squares = fig4["errors"][name], fig4["controls"][name][LEAST_SQUARES]
    return {IN_HOC: errors[IN_HOC], POST_HOC: errors[POST_HOC], LEAST_SQUARES: least_squares}


def clients_of(name):
    return document(f"real/{name}/fig5_confidence")["data"]["slices"][name]["clients"]


METHODS = ("FedAvg + SHAP", "FedProx", "Lagrangian", "NumPy only")
LOWEST = "margin over nu (lowest C - nu)"


def line(method, quantity, against=POST_HOC):
    """Return one line of the comparison in eMBB."""
    return next(
        one
        for one in result("comparison/comparison")["lines"]
        if (one["method"], one["against"], one["quantity"]) == (method, against, quantity)
    )


def compared(method, what="theirs", against=POST_HOC, quantity="final confidence"):
    """Mean and sample s.d. over the seeds of a method's quantity in eMBB, or of ours beside it."""
    values = array(line(method, quantity, against)[what])
    return [values.mean(), values.std(ddof=1)]


def commands():
    """Seconds of the README's commands on the machine that measured them last."""
    return json.loads((FIGURES / "benchmark_commands.json").read_text(encoding="utf-8"))["runs"][-1]["seconds"]


def processor_seconds(command):
    """Seconds of all processors together, where a machine did other work besides."""
    runs = json.loads((FIGURES / "benchmark_commands.json").read_text(encoding="utf-8"))["runs"]
    (found,) = [one["processor_seconds"][command] for one in runs if command in one.get("processor_seconds", {})]
    return found


def agreed(kind):
    return result("regimes")["agreement"][kind]


def on_the_bound():
    return [one for one in result("regimes")["rows"] if one["regime"] == "CQI's effect positive, SLA to 2.5 %"]


def spread(values):
    return max(values) - min(values)


def farthest_below():
    """Return the point whose lowest confidence lies farthest below the forecast."""
    return max(result("regimes")["rows"], key=lambda one: np.mean(one["forecast"]) - np.mean(one["lowest"]))


def beside(*slices):
    """Return TRACTOR's points of the study."""
    rows = {one["slice"]: one for one in result("regimes")["rows"] if one["kind"] == "measured"}
    return [rows[name] for name in slices]


def benchmark(what, digits=1.0):
    return digits * next(one["median"] for one in document("benchmark")["measured"] if one["what"] == what)


def aim(what):
    return float(next(one["aim"] for one in document("benchmark")["measured"] if one["what"] == what).split()[1])


def peer(what, quantity):
    return next(one[quantity]["median"] for one in document("benchmark_peers")["peers"] if one["what"] == what)


NETS = {"small": ("small net", 3), "conv": ("convolutional net", 1)}
EXPLAINED = {
    "integrated_gradients": ("integrated gradients, {} steps", ("shap GradientExplainer",)),
    "epsilon_lrp": ("epsilon-LRP", ()),
    "deeplift": ("DeepLIFT", ("shap DeepExplainer",)),
}
"""The rows of the table of attributions: how a net and a method are called, the aim, and what shap has."""


def attributed(net, method, who):
    measured = document("benchmark_attribution")["measured"]
    return next(one for one in measured if (one["net"], one["method"], one["who"]) == (net, method, who))


def attribution_row(net, method):
    """Return the sentence that a row is."""
    (called, of_shap), (label, aim) = EXPLAINED[method], NETS[net]
    peers = ["captum float32", "captum float64", *of_shap]
    cells = "{} ({} x) | " * len(peers) + ("" if of_shap else "has none | ")

    def ratios():
        return [attributed(net, method, who)["over_ours"]["median"] for who in peers]

    def values():
        steps = [document("benchmark_attribution")["settings"]["steps"]] if "{}" in called else []
        taken = [1e3 * attributed(net, method, who)["seconds"]["median"] for who in ("ours", *peers)]
        return [*steps, taken[0], *itertools.chain(*zip(taken[1:], ratios(), strict=True)), aim]

    def missed():
        return min(ratios()) < aim

    verdict = " x: missed |" if missed() else " x |"
    return Said(text=f"{label}: {called} | {{}} | {cells}{{}}{verdict}", values=values)


INFLUENCE_NETS = {"small": "small net, {} samples", "receiver": "receiver's net, {} grids"}
INFLUENCE_TASKS = {
    "gradients": ("the gradient of each", None),
    "scores": ("scores for {} targets", "targets"),
    "arnoldi": ("the same through {} of Arnoldi's iterations", "iterations"),
}
INFLUENCE_PEERS = ("plain loop", "captum", "captum in batches")
"""The rows and columns of the table of influence: how a net is called, a task, and which setting its number is."""


def influences(net, task, who):
    """What was measured of influence, or None."""
    measured = document("benchmark_influence")["measured"]
    return next((one for one in measured if (one["net"], one["task"], one["who"]) == (net, task, who)), None)


def influence_row(net, task):
    """Return the sentence that a row is."""
    what, number = INFLUENCE_TASKS[task]
    peers = [influences(net, task, who) for who in INFLUENCE_PEERS]
    loop = peers[0]
    cells = "".join("- | " if one is None else "{} ({} x) | " for one in peers)
    aim = "none |" if loop is None else "{} x |" if loop["over_ours"]["median"] >= 20 else "{} x: missed |"

    def values():
        settings = document("benchmark_influence")["settings"]
        taken = [
            value
            for one in peers
            if one is not None
            for value in (1e3 * one["seconds"]["median"], one["over_ours"]["median"])
        ]
        ours = 1e3 * influences(net, task, "ours")["seconds"]["median"]
        given = [settings["samples"][net], *([] if number is None else [settings[number]])]
        return [*given, ours, *taken, *([] if loop is None else [20])]

    return Said(text=f"{INFLUENCE_NETS[net]}: {what} | {{}} | {cells}{aim}", values=values)


def furthest_scores():
    """By how much captum's scores differ from ours, as shares of the greatest."""
    found = [influences(net, "scores", who) for net in INFLUENCE_NETS for who in INFLUENCE_PEERS[1:]]
    return max(one["largest_difference"] for one in found if one is not None)


def influence_machine():
    return document("benchmark_influence")["provenance"]["machine"]


def deeprx(task):
    """What the two networks take for a task, in milliseconds, and the full one over the small one."""
    one = document("benchmark_receiver")["measured"][task]
    taken = [1e3 * one[name]["seconds"]["median"] for name in ("small", "full")]
    return [*taken, one["full"]["over_small"]["median"]]


def of_networks(value):
    networks = document("benchmark_receiver")["networks"]
    return [value(networks[name]) for name in ("small", "full")]


def furthest(methods, who):
    return max(attributed(net, method, who)["largest_difference"] for net in NETS for method in methods)


# ---- the sentences

EPOCH = "constrained epoch, IG: "
SAID = {
    "claims": [
        Said(
            text="on average below nu in {} slices of {}",
            values=lambda: [
                sum(lowest(name, POST_HOC) < one.confidence_threshold for name, one in PAPER.slices.items()),
                len(PAPER.slices),
            ],
        ),
        Said(
            text="with it C stays near {},",
            values=lambda: [np.mean([lowest(name, IN_HOC) for name in PAPER.slices])],
        ),
        Said(
            text="in eMBB and Social Media in-hoc converges later ({} against {} rounds, {} against {}).",
            values=lambda: [
                np.mean(result("fig4_convergence")["slices"][name][label]["convergence_round"])
                for name in ("eMBB", "Social Media")
                for label in (IN_HOC, POST_HOC)
            ],
        ),
        Said(
            text="in-hoc with IG takes {} times the time per round.",
            values=lambda: [
                result("fig7_convergence_time")["schemes"][IN_HOC]["seconds_per_round"]
                / result("fig7_convergence_time")["schemes"][POST_HOC]["seconds_per_round"]
            ],
        ),
    ],
    "sensitivity": [
        Said(
            text="({} CLs per slice, {} seeds;",
            values=lambda: [document("sensitivity")["settings"]["clients"], len(document("sensitivity")["seeds"])],
        ),
        Said(
            text="stays above {} under every choice that leaves it defined, but for nu = {} with A kept ({}, as that "
            "nu allows), and a predictor of the mean, which has learnt nothing, has confidence {};",
            values=lambda: [
                criteria.C2_CONFIDENCE,
                float(row(*LOOSEST)["value"]),
                min(array(values).mean() for values in row(*LOOSEST)["statistics"]["C2"]["lowest confidence"].values()),
                row("control", "constant predictor")["numbers"][f"{IN_HOC}: confidence"],
            ],
            holds=lambda: (
                [one for one in result("sensitivity")["rows"] if one["verdicts"]["C2"] is False] == [row(*LOOSEST)]
            ),
        ),
        Said(
            text="falls least) by {} with our choices, {}, {} and {} if all OTTs are scaled by {}, {} or {} Mbps, {} "
            "with {} hidden layer of {}, {} if CQI costs twice as much at the same mean load, {} if pi is linear, and "
            "not at all if CQI has no or a positive effect on CPU, or if the SLA is {} % or wider.",
            values=lambda: [
                least_fall(default()),
                *(least_fall(row(ONE_CEILING, f"x / {ceiling:g} ")) for ceiling in (8.5, 17, 34)),
                *(8.5, 17, 34),
                least_fall(row("hidden layers", "16")),
                1,
                16,
                least_fall(row("data: CPU per PRB %", "double, idle")),
                least_fall(row("probability π", "linear")),
                5,
            ],
            holds=lambda: all(
                abs(least_fall(one)) < 0.005
                for one in [*rows_of("data: CQI's effect on CPU"), row("SLA bound β", "5"), row("SLA bound β", "10")]
            ),
        ),
        Said(
            text="lambda_1 only moves from {} to {} while nu goes from {} to {}, a fixed penalty that gives C above {} "
            "at any nu;",
            values=lambda: [
                row("threshold ν", "0.5")["numbers"][f"{IN_HOC}: multiplier"],
                row("threshold ν", "0.99")["numbers"][f"{IN_HOC}: multiplier"],
                float(rows_of("threshold ν")[0]["value"]),
                float(rows_of("threshold ν")[-1]["value"]),
                0.99,
            ],
            holds=lambda: all(one["numbers"][f"{IN_HOC}: lowest confidence"] > 0.99 for one in rows_of("threshold ν")),
        ),
        Said(
            text="at the paper's settings ({} seeds, Fig. {}) in-hoc's is {} to {} % higher on average over the "
            "rounds, and at the end {} % higher in eMBB, {} % in Browsing, and {} % lower in Social Media; over nu "
            "(below, {} seeds) noise",
            values=lambda: [
                len(document("fig4_convergence")["seeds"]),
                4,
                min(over_rounds().values()),
                max(over_rounds().values()),
                at_the_end()["eMBB"],
                at_the_end()["Browsing"],
                -at_the_end()["Social Media"],
                len(document("sensitivity")["seeds"]),
            ],
        ),
        Said(
            text="correlation and trend lie around {} and flip with choices",
            values=lambda: [criteria.C1_CORRELATION],
            holds=lambda: (
                len({one["verdicts"]["C1"] for one in result("sensitivity")["rows"]}) > 1
                and len({one["verdicts"]["C8"] for one in result("sensitivity")["rows"]} - {None}) > 1
            ),
        ),
        Said(
            text="but with A kept and nu below {} ({}-{}).",
            values=lambda: [
                criteria.C8_CONFIDENCE,
                min(map(lowest_at_any_count, kept_below_nine_tenths())),
                max(map(lowest_at_any_count, kept_below_nine_tenths())),
            ],
        ),
    ],
    "scale": [
        Said(
            text="In version {} all OTTs shared one ceiling, {} Mbps, that hardly a sample comes near: post-hoc's "
            "lowest confidence was {} to {}, above every nu",
            values=lambda: [0.1, 17, 0.908, 0.922],  # the lowest and the highest of that version's claims.json
        ),
        Said(
            text="the lowest is {} in eMBB, {} in Social Media, {} in Browsing.",
            values=lambda: [lowest(name, POST_HOC) for name in PAPER.slices],
        ),
    ],
    "TRACTOR": [
        Said(text="a model predicts some of them just below {}, outside the SLA", values=lambda: [0]),
        Said(
            text="On TRACTOR ({} seeds, {} and {} base-station runs, SLA bound at the 90th percentile",
            values=lambda: [
                len(document("real/eMBB/fig5_confidence")["seeds"]),
                clients_of("eMBB"),
                clients_of("URLLC"),
            ],
        ),
        Said(
            text="Post-hoc confidence dips to {} (eMBB) and {} (URLLC), below nu in all {} seeds; in-hoc dips less, to "
            "{} and {}, but below nu too, in {} and {} of them.",
            values=lambda: [
                *(dips(name, POST_HOC).mean() for name in MEASURED),
                {below_nu(name, POST_HOC) for name in MEASURED}.pop(),
                *(dips(name, IN_HOC).mean() for name in MEASURED),
                *(below_nu(name, IN_HOC) for name in MEASURED),
            ],
            holds=lambda: {below_nu(name, POST_HOC) for name in MEASURED} == {5},
        ),
        Said(
            text="These dips come in the first half, and both recover, in-hoc to {} and {}, post-hoc to {} and {}:",
            values=lambda: [
                measured(name, label, "confidence")[:, -1].mean() for label in (IN_HOC, POST_HOC) for name in MEASURED
            ],
            holds=lambda: all(
                np.nanargmin(run) < len(run) / 2 for name in MEASURED for run in measured(name, POST_HOC, "confidence")
            ),
        ),
        Said(
            text="training MSE {} in-hoc and {} post-hoc against {} in eMBB, {} and {} against {} in URLLC, and behind "
            "it on test data too.",
            values=lambda: [
                np.mean(errors["mse"]) for name in ("eMBB", "URLLC") for errors in measured_errors(name).values()
            ],
            holds=lambda: all(
                np.mean(errors[LEAST_SQUARES][what]) < np.mean(errors[label][what])
                for errors in map(measured_errors, ("eMBB", "URLLC"))
                for label in (IN_HOC, POST_HOC)
                for what in ("mse", "test_mse")
            ),
        ),
        Said(
            text="U holds {} and {} % of the samples in the last round (in-hoc {} and {} %)",
            values=lambda: [
                100 * measured(name, label, "inside")[:, -1].mean()
                for label in (POST_HOC, IN_HOC)
                for name in ("eMBB", "URLLC")
            ],
        ),
    ],
    "forecast": [
        Said(text="eqs. ({})-({}) are computed for it exactly", values=lambda: [2, 6]),
        Said(text="R^2; below {} it says", values=lambda: [LOWEST_R_SQUARED]),
        Said(
            text="federations over {} kinds of data, {} of them drawn at random",
            values=lambda: [sum(map(len, REGIMES.values())), len(REGIMES["random"])],
        ),
        Said(
            text="On the random kinds ({} points, each a slice and the mean of {} seeds) the forecast lies {} from the "
            "last confidence on average and {} from the lowest, with rank correlations of {} and {}.",
            values=lambda: [
                agreed("random")["points"],
                len(document("regimes")["seeds"]),
                *agreed("random")["mean_error"].values(),
                *agreed("random")["rank_correlation"].values(),
            ],
            holds=lambda: agreed("random")["left_out"] == 0,
        ),
        Said(
            text="asked for {} and {} at the least: it holds.",
            values=lambda: [GREATEST_ERROR, LEAST_CORRELATION],
            holds=lambda: result("regimes")["holds"],
        ),
        Said(
            text="Where the forecast was farther than {} from nu, the federation came to the same side of nu in {} of "
            "{} cases, in {} of {} among the {} chosen kinds, where the errors are {} and {}",
            values=lambda: [
                MARGIN,
                *(agreed(kind)[what] for kind in ("random", "chosen") for what in ("right", "called")),
                len(REGIMES["chosen"]),
                *agreed("chosen")["mean_error"].values(),
            ],
        ),
        Said(
            text="the SLA up to {} % the polynomial without CQI sits on the very bound",
            values=lambda: [2.5],
            holds=lambda: {"eMBB", "Browsing"} <= {one["slice"] for one in on_the_bound() if spread(one["harm"]) > 0.8},
        ),
        Said(
            text="it expects {} in Browsing where federations keep {}.",
            values=lambda: next(
                [np.mean(one["forecast"]), np.mean(one["lowest"])]
                for one in on_the_bound()
                if one["slice"] == "Browsing"
            ),
        ),
        Said(
            text="where confidence is below {}, its lowest is lower than forecast, down to {} for {}:",
            values=lambda: [
                0.7,
                *(np.mean(farthest_below()[what]) for what in ("lowest", "forecast")),
            ],
            holds=lambda: all(
                np.mean(one["lowest"]) < np.mean(one["forecast"])
                for one in result("regimes")["rows"]
                if np.mean(one["lowest"]) < 0.7
            ),
        ),
        Said(
            text="On TRACTOR, which none of it was made for, the last confidence is {} in eMBB and {} in URLLC for a "
            "forecast of {} and {}, but the lowest is {} and {}: for URLLC, the one that is called, the forecast is "
            "refuted.",
            values=lambda: [
                np.mean(one[what]) for what in ("last", "forecast", "lowest") for one in beside("eMBB", "URLLC")
            ],
            holds=lambda: (
                (agreed("measured")["called"], agreed("measured")["right"]) == (1, 0)
                and abs(np.mean(beside("eMBB")[0]["forecast"]) - beside("eMBB")[0]["threshold"]) <= MARGIN
            ),
        ),
        Said(text="than the nets do after {} rounds", values=lambda: [document("regimes")["settings"]["rounds"]]),
        Said(
            text="the forecast of {} is near to what came, {} in the last round and {} at its lowest, on average: from "
            "seed to seed, with {} of its {} clients drawn, the one goes from {} to {} and the other does not follow.",
            values=lambda: [
                *(np.mean(beside("RANalyzer")[0][what]) for what in ("forecast", "last", "lowest")),
                beside("RANalyzer")[0]["clients"],
                25,
                *(of(beside("RANalyzer")[0]["forecast"]) for of in (min, max)),
            ],
            holds=lambda: (
                abs(np.mean(beside("RANalyzer")[0]["forecast"]) - np.mean(beside("RANalyzer")[0]["lowest"])) < MARGIN
                and np.corrcoef(beside("RANalyzer")[0]["forecast"], beside("RANalyzer")[0]["lowest"])[0, 1] < 0
            ),
        ),
        Said(
            text="one seed's confidence goes from {} to {} and back.",
            values=lambda: [1, min(beside("eMBB")[0]["lowest"])],
            holds=lambda: beside("eMBB")[0]["last"][int(np.argmin(beside("eMBB")[0]["lowest"]))] == pytest.approx(1),
        ),
    ],
    "comparison": [
        Said(
            text="Our in-hoc ends at {} and our post-hoc at {} ± {}, near nu = {}.",
            values=lambda: [
                compared("FedProx", "ours", IN_HOC)[0],
                *compared("FedProx", "ours"),
                PAPER.slices["eMBB"].confidence_threshold,
            ],
        ),
        Said(
            text="FedProx falls to {} ± {}, below post-hoc in all {} seeds and still falling;",
            values=lambda: [*compared("FedProx"), len(line("FedProx", "final confidence")["seeds"])],
            holds=lambda: (
                max(line("FedProx", "final confidence")["differences"]) < 0
                and np.allclose(  # its last confidence is its lowest
                    array(line("FedProx", "final confidence")["theirs"]) - PAPER.slices["eMBB"].confidence_threshold,
                    line("FedProx", LOWEST)["theirs"],
                    atol=0.01,
                )
            ),
        ),
        Said(
            text="ends at {} ± {}, above post-hoc in all {} and above nu in every round.",
            values=lambda: [*compared("Lagrangian"), len(line("Lagrangian", "final confidence")["seeds"])],
            holds=lambda: (
                min(line("Lagrangian", "final confidence")["differences"]) > 0
                and min(line("Lagrangian", LOWEST)["theirs"]) >= 0
            ),
        ),
        Said(
            text="the {} has its very MSE, and {} more confidence because SHAP scores it;",
            values=lambda: [1, line("FedAvg + SHAP", "final confidence")["difference"]],
            holds=lambda: (
                line("FedAvg + SHAP", "area between the MSE curves")["difference"] == 0
                and line("NumPy only", "final confidence")["verdict"].startswith("no difference")
            ),
        ),
        Said(
            text="No final MSE, from {} to {}, is told apart from in-hoc's.",
            values=lambda: [of(compared(method, quantity="final MSE")[0] for method in METHODS) for of in (min, max)],
            holds=lambda: all(
                line(method, "final MSE", IN_HOC)["verdict"].startswith(("no difference", "final MSE against"))
                for method in METHODS
            ),
        ),
    ],
    "speed": [
        Said(
            text="machine, {} GFLOP/s per core;", values=lambda: [benchmark("one core's peak, float32 matrix product")]
        ),
        Said(
            text="eager TFCO + Keras / ours, {} worker | {} x ({} ms / {} ms) | {} x |",
            values=lambda: [
                1,
                benchmark(f"{EPOCH}a / c"),
                benchmark(f"{EPOCH}(a) eager Keras + TFCO"),
                benchmark(f"{EPOCH}(c) ours, 1 worker"),
                aim(f"{EPOCH}a / c"),
            ],
        ),
        Said(
            text="the same in tf.function / ours, {} worker | {} x | {} x |",
            values=lambda: [1, benchmark(f"{EPOCH}b / c"), aim(f"{EPOCH}b / c")],
        ),
        Said(
            text="| ours, {} worker / both cores | {} x (unconstrained {} x) | {} x: missed",
            values=lambda: [
                1,
                benchmark(f"{EPOCH}c / d"),
                benchmark("unconstrained epoch: c / d"),
                aim(f"{EPOCH}c / d"),
            ],
            holds=lambda: benchmark(f"{EPOCH}c / d") < aim(f"{EPOCH}c / d"),
        ),
        Said(
            text="share of one core's float32 matrix peak | {} | {} at {} GFLOP/s: missed |",
            values=lambda: [
                benchmark(f"{EPOCH}(c)'s share of one core's peak"),
                aim(f"{EPOCH}(c)'s share of one core's peak"),
                236,
            ],
        ),
        Said(
            text="FedJAX 0.0.17 / ours, unconstrained round of {} CLs x {} epochs | {} x ({} s / {} s) | {} x |",
            values=lambda: [
                document("benchmark_peers")["clients"],
                document("benchmark")["settings"]["epochs"],
                peer("FedJAX, jit", "over_ours"),
                peer("FedJAX, jit", "seconds"),
                peer("ours, all cores", "seconds"),
                3.5,
            ],
            holds=lambda: "fedjax==0.0.17\n" in FEDJAX.read_text(),
        ),
        Said(
            text="hand-written JAX scan on {} devices / ours, the same round | {} x | {} x: missed",
            values=lambda: [2, peer("JAX by hand, 2 devices", "over_ours"), 1.05],
        ),
        Said(
            text="make figures at the paper's settings, one seed | {} min | {} min: missed |",
            values=lambda: [commands()["make figures"] / 60, 10],
        ),
        Said(text="weight gradients of {} columns are slower", values=lambda: PAPER.model.hidden[:1]),
        Said(
            text="time per CL at K = {} / at K = {} | {} x | linear |",
            values=lambda: [1000, 100, benchmark("time per CL at K = 1000 over that at K = 100")],
        ),
        Said(
            text="interpreter start to the first finished round, K = {} | {} s | {} s |",
            values=lambda: [
                document("benchmark")["plan"]["clients"],
                benchmark("interpreter start to first finished round"),
                aim("interpreter start to first finished round"),
            ],
        ),
        Said(
            text="peak memory of a worker | {} GB | {} GB |",
            values=lambda: [benchmark("peak memory of a worker"), aim("peak memory of a worker")],
        ),
        Said(
            text="{} samples, median ms (over ours)",
            values=lambda: [document("benchmark_attribution")["settings"]["samples"]],
        ),
        *(attribution_row(net, method) for net in NETS for method in EXPLAINED),
        Said(
            text="captum's in float64 differ from ours by {} of the greatest at most with integrated gradients",
            values=lambda: [furthest(["integrated_gradients"], "captum float64")],
        ),
        Said(
            text="by less than a millionth with LRP and DeepLIFT; in float32 captum's LRP differs by {}.",
            values=lambda: [furthest(["epsilon_lrp"], "captum float32")],
            holds=lambda: furthest(["epsilon_lrp", "deeplift"], "captum float64") < 1e-6,
        ),
        Said(
            text="{} symbols x {} epochs: Keras's fit / ours | {} x ({} s / {} s) | {} s |",
            values=lambda: [
                xrefine("settings")["training_symbols"],
                xrefine("settings")["epochs"],
                timed("training", "Keras fit", "over_ours"),
                timed("training", "Keras fit", "seconds"),
                timed("training", "ours", "seconds"),
                2.5,
            ],
        ),
        *(
            Said(
                text=f"frames of 16QAM, {kind}: plain NumPy / ours | {{}} x ({{}} / {{}} frames a second) | none |",
                values=lambda kind=kind: [
                    timed(f"link, {kind}", "NumPy", "over_ours"),
                    1 / timed(f"link, {kind}", "NumPy", "seconds"),
                    1 / timed(f"link, {kind}", "compiled", "seconds"),
                ],
            )
            for kind in ("uncoded", "coded")
        ),
        *(
            Said(
                text=f"the same, {kind}: Sionna's blocks called eagerly / ours | {{}} x | none |",
                values=lambda kind=kind: [timed(f"link, {kind}", "uncompiled", "over_ours")],
            )
            for kind in ("uncoded", "coded")
        ),
        Said(
            text="relevance of {} samples, inputs and all neurons | {} s | {} s |",
            values=lambda: [xrefine("settings")["held_out_symbols"], timed("relevance", "ours", "seconds"), 0.2],
        ),
        Said(
            text="a case of the study, {} networks | {} s and {} GB | {} GB for both workers |",
            values=lambda: [
                xrefine("case")["networks"],
                xrefine("case")["seconds"],
                xrefine("case")["peak_bytes"] / 1e9,
                3,
            ],
        ),
        Said(
            text="make xrefine at the paper's settings, five seeds, processor time of two cores | {} min | {} min |",
            values=lambda: [processor_seconds("make xrefine") / 60, 120],
        ),
        Said(text="on another machine (AMD EPYC, {} cores;", values=lambda: [influence_machine()["cores"]]),
        *(influence_row(net, task) for net in INFLUENCE_NETS for task in INFLUENCE_TASKS),
        Said(
            text="takes {} of the time of all samples' gradients",
            values=lambda: [influences("receiver", "gradients", "sum alone")["over_ours"]["median"]],
        ),
        Said(
            text="The scores are captum's to {} of the greatest; through Arnoldi's iteration they differ by {} and {},",
            values=lambda: [
                furthest_scores(),
                *(influences(net, "arnoldi", "captum")["largest_difference"] for net in INFLUENCE_NETS),
            ],
        ),
        Said(
            text="DeepRx, one core (medians) | small, {} parameters | full, {} parameters |",
            values=lambda: of_networks(lambda one: one["parameters"]),
        ),
        *(
            Said(
                text=f"| {what} | {{}} ms | {{}} ms ({{}} x) |",
                values=lambda task=task, count=count: [*count, *deeprx(task)],
            )
            for task, (what, count) in {
                "training": ("a training step of {} frames", [8]),
                "fine-tuning": ("a fine-tuning step of {} frames", [48]),
                "gradients": ("gradients of {} frames, each for itself", [16]),
                "product": ("a Hessian product over {} frames", [16]),
                "reception": ("{} frames received", [48]),
            }.items()
        ),
        Said(
            text="| peak memory | {} GB | {} GB |",
            values=lambda: of_networks(lambda one: one["peak_bytes"] / 1e9),
        ),
        Said(
            text="| a seed of the study, by these | {} h | {} h |",
            values=lambda: of_networks(lambda one: sum(one["study_seconds"].values()) / 3600),
        ),
    ],
    "X-REFINE": [
        Said(
            text="the full network's errors at {} dB and above, over {} cases, {} budgets and {} seeds",
            values=lambda: [
                document("xrefine/trade_off")["settings"]["counted_from_db"],
                len(result("xrefine/trade_off")["cases"]),
                len(document("xrefine/trade_off")["settings"]["budgets"]),
                len(document("xrefine/trade_off")["seeds"]),
            ],
        ),
        Said(
            text="LRP of a ReLU network is input x gradient (Ancona et al. {}, Prop. {}), and the two choose the same",
            values=lambda: [2018, 3],
            holds=lambda: np.allclose(rivals("LRP"), rivals("gradient x input"), rtol=0.02),
        ),
        Said(
            text="LRP's choice makes {} to {} times the errors of random ones ({} draws), {} to {} times those of",
            values=lambda: [
                *over("LRP", "random"),
                document("xrefine/trade_off")["settings"]["random_draws"],
                *over("LRP", "evenly spaced"),
            ],
        ),
        Said(
            text="{} to {} times those of ablation's, and {} to {} times those of a network of its size",
            values=lambda: [*over("LRP", "ablation"), *over("LRP", "from scratch, evenly spaced")],
        ),
        Said(
            text="loses to LRP beyond chance at {} of {} budgets over VTV_SDWW, and at {} of {} over TDL_C",
            values=lambda: [*reversed_loses("VTV_SDWW"), *reversed_loses("TDL_C")],
        ),
        Said(
            text="in place of the mean of absolute values, makes {} to {} times LRP's",
            values=lambda: over("LRP, absolute mean", "LRP"),
        ),
        Said(
            text="the {} % of subcarriers that LRP ranks first make the errors grow by a factor of {} to {}, "
            "random ones of {} to {}, those that ablation ranks first of {} to {};",
            values=lambda: [20, *taken_away("LRP"), *taken_away("random"), *taken_away("ablation")],
        ),
        Said(
            text="a symbol takes the refined network {} to {} of the full one's time in TensorFlow Lite and {} to {} "
            "compiled",
            values=lambda: [*refined_over_full("microseconds"), *refined_over_full("microseconds_compiled")],
        ),
        Said(
            text="at {} dB and above the full one makes {} to {} times STA's errors, where TRFI makes {} to {} times",
            values=lambda: [
                document("xrefine/trade_off")["settings"]["counted_from_db"],
                *over_sta("full", "uncoded"),
                *over_sta("TRFI", "uncoded"),
            ],
        ),
        Said(
            text="with coded bits the network makes {} to {} times, TRFI {} to {} ",
            values=lambda: [*over_sta("full", "coded"), *over_sta("TRFI", "coded")],
        ),
        Said(
            text="search retrains {} networks at most, the exhaustive one {}, and finds the same size in {} of {}",
            values=lambda: [
                max(one["looked_at"] for one in searches("staircase")),
                max(one["looked_at"] for one in searches("exhaustive")),
                sum(
                    one["size"] == other["size"]
                    for one, other in zip(searches("staircase"), searches("exhaustive"), strict=True)
                ),
                len(searches("staircase")),
            ],
        ),
    ],
    "influence": [
        Said(
            text="is among the tenth of CLs that drive it most in {} to {} % of the cases, by chance in {} %",
            values=lambda: [
                *least_and_greatest([100 * one["own"] for several in driven() for one in several]),
                10,
            ],
            holds=lambda: all(load_of(one, "drivers") > load_of(one, "all") for several in driven() for one in several),
        ),
    ],
    "receiver": [
        Said(
            text="At {} dB the small DeepRx makes {} times the genie's errors on channels of the training and {} times "
            "on unseen ones, LMMSE {} and {} times, linear interpolation {} and {} times",
            values=lambda: [
                20,
                *np.ravel(list(zip(of_receivers("learned", 20.0), of_receivers("unseen", 20.0), strict=True))),
            ],
        ),
        Said(
            text="when {} of its {} targets had been looked at",
            values=lambda: [3, np.size(result("receiver/adaptation")["selections"]["random"]["others"])],
        ),
        Said(
            text="On that channel, with other bits and noise, the paper's selection closes {} % ({} to {}) of the gap "
            "to the genie, random frames {} % ({} to {}), and the target itself, whose bits influence knows, {} % "
            "({} to {}), or {} % where",
            values=lambda: [
                *fine_tuned(PAPERS, SAME),
                *fine_tuned(RANDOM, SAME),
                *fine_tuned(ITSELF, SAME),
                fine_tuned(f"{ITSELF}{SAME_LENGTH}", SAME)[0],
            ],
            holds=lambda: fine_tuned(PAPERS, SAME)[1] > fine_tuned(RANDOM, SAME)[2],
        ),
        Said(
            text="do harm: by {} %, and the target itself by {} %, while random frames close {} % ({} to {}) and fresh "
            "ones under the target's conditions {} % ({} to {})",
            values=lambda: [-fine_tuned(PAPERS)[0], -fine_tuned(ITSELF)[0], *fine_tuned(RANDOM), *fine_tuned(FRESH)],
            holds=lambda: all(fine_tuned(kind)[2] < 0 for kind in (PAPERS, ITSELF, f"{ITSELF}{SAME_LENGTH}")),
        ),
        Said(
            text="More frames do less harm: {} % with {} of them, {} % with {}, over the first {} targets of each seed",
            values=lambda: [
                *(-by_count(PAPERS, 10), 10, -by_count(PAPERS, 200), 200),
                len(result("receiver/adaptation")["counts"][PAPERS]["10"][0]),
            ],
        ),
        Said(
            text="and so they do for {} targets at once, {} %",
            values=lambda: [several()["targets"], -100 * array(several()["jointly"]).mean()],
            holds=lambda: array(several()["jointly"]).mean() > array(several()["singly"]).mean(),
        ),
        Said(
            text="Counted on the target's own channel, which the paper may have done, its selection is above random "
            "frames, the second-order update and the ascent, beyond chance",
            holds=lambda: all(
                mean_and_interval(shares_of(PAPERS, SAME) - shares_of(kind, SAME))[1] > 0.0
                and (shares_of(PAPERS, SAME).mean(axis=1) > shares_of(kind, SAME).mean(axis=1)).all()
                for kind in (RANDOM, f"{RANDOM}{SAME_LENGTH}", SECOND_ORDER, ASCENT)
            ),
        ),
        Said(
            text="Frames of {} dB and more have more influence than those of {} to {} dB",
            values=lambda: [16, 0, 12],
            holds=lambda: all(
                np.mean([score for middle, score in of_seed if middle > 16])
                > np.mean([score for middle, score in of_seed if 0 < middle < 12])
                for of_seed in by_snr()
            ),
        ),
        Said(
            text="The other targets' errors change by {} to {} %",
            values=lambda: [min(forgotten().values()), max(forgotten().values())],
        ),
        Said(
            text="left out of the last {} epochs, the tenth of the candidates with the greatest influence lets the "
            "losses of {} targets rise by {} and {} nats per bit (its influences say {} and {}), the tenth with the "
            "least lets them fall by {} and {} ({} and {}), and random tenths move them by {} at most",
            values=lambda: [
                result("receiver/left_out")["epochs"],
                len(result("receiver/left_out")["targets"]),
                *(one[what][0] for what in ("rises", "predicted") for one in left_out("sorted")),
                *(-one[what][-1] for what in ("rises", "predicted") for one in left_out("sorted")),
                max(np.abs(one["rises"]).max() for one in left_out("random")),
            ],
        ),
        Said(
            text="Over the {} tenths the rank correlation is {} and {}",
            values=lambda: [len(left_out("sorted")[0]["rises"]), *left_out("rank_correlation")],
        ),
    ],
    "relevance": [
        Said(
            text="{} subcarriers and {} symbols holds a burst of interference of {} dB, is right in {} % of grids",
            values=lambda: [
                document("relevance")["settings"]["grids"]["subcarriers"],
                document("relevance")["settings"]["grids"]["symbols"],
                document("relevance")["settings"]["grids"]["interference_db"],
                100 * np.mean(result("relevance")["accuracy"]),
            ],
        ),
        Said(
            text="a burst and {} seeds: {} to {}, for {} to {} before the net was trained, and {} by chance.",
            values=lambda: [
                len(document("relevance")["seeds"]),
                *(of(map(np.mean, result("relevance")["hits"].values())) for of in (min, max)),
                *(of(map(np.mean, result("relevance")["untrained"].values())) for of in (min, max)),
                np.mean(result("relevance")["by_chance"]),
            ],
        ),
        Said(
            text="power alone hits {}, and its mean over {} x {} cells {}:",
            values=lambda: [
                np.mean(result("relevance")["controls"]["power"]),
                *(3, 3),
                np.mean(result("relevance")["controls"]["mean power of 3 x 3 cells"]),
            ],
        ),
        Said(text="LRP is input x gradient (Ancona et al. {}, Prop. {})", values=lambda: [2018, 3]),
        Said(
            text="That saliency hits most",
            holds=lambda: (
                max(result("relevance")["hits"], key=lambda one: np.mean(result("relevance")["hits"][one]))
                == "saliency"
            ),
        ),
    ],
}


EACH = [(room, said) for room, sentences in SAID.items() for said in sentences]


@pytest.mark.parametrize(("room", "said"), EACH, ids=[said.text[:40] for _, said in EACH])
def test_a_sentence_states_what_the_figures_give(room, said):
    lines = wrong(said, PROSE[room]())
    assert not lines, "\n".join(["README.md against figures/:", *lines])


@pytest.mark.parametrize("room", PROSE)
def test_no_number_is_without_its_statistic(room):
    lines = undeclared(PROSE[room](), SAID[room])
    assert not lines, "\n".join(["README.md states numbers that this file does not compute:", *lines])


def test_what_is_wrong_is_said_with_sentence_and_numbers():
    said = Said(text="it falls by {} in {} slices", values=lambda: [0.0537, 3])
    assert wrong(said, "Here it falls by 0.05 in three slices.") == []
    assert wrong(said, "Here it falls by 0.06 in 3 slices.") == [
        "'it falls by 0.06 in 3 slices': says 0.06, computed 0.0537"
    ]
    assert wrong(said, "It rises.")[0].startswith("not in the text: 'it falls by {} in {} slices'")
    (left,) = undeclared("In Fig. 5a it falls by 0.05 in 3 slices, by 1,234.5 in C8", [said])
    assert left.endswith("1,234.5 in C8")
