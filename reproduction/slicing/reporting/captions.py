"""Figures 4-8 and Table IV in words and tables, for the report: every number is read from the figure's record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from reproduction.results.seed_statistics import at_round, lowest_over_rounds, mean
from reproduction.results.words import NO_NUMBER, NOT_DEFINED, mean_and_sd, number, proportion, thousandths, which_seeds
from reproduction.slicing import figures
from reproduction.slicing.documents import Document, Errors
from reproduction.slicing.reporting import overhead_table

Row = tuple[str, ...]

NEVER = "converged in no seed"


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """A table of text.

    Attributes:
        title: what it shows, unlike any other table's on the page.
        columns: their headings, the first that of the rows' headings.
        groups: (heading or "", rows); each row begins with its heading.
    """

    title: str
    columns: Row
    groups: tuple[tuple[str, tuple[Row, ...]], ...]


@dataclass(frozen=True, kw_only=True)
class Caption:
    """A picture in words.

    Attributes:
        title: what the figure is called.
        alt: what is seen, with its numbers, for who cannot see the picture.
        text: how to read it.
        table: the numbers behind it.
    """

    title: str
    alt: str
    text: str
    table: TextTable


def _spread(document: Document) -> str:
    several = len(document["seeds"]) > 1
    return (
        f"mean of {which_seeds(document['seeds'])}, band ± 1 standard deviation"
        if several
        else which_seeds(document["seeds"])
    )


def _rows(groups: Mapping[str, Sequence[Row]]) -> tuple[tuple[str, tuple[Row, ...]], ...]:
    return tuple((heading, tuple(rows)) for heading, rows in groups.items())


def convergence(document: Document) -> Caption:
    """Put Fig. 4 in words."""
    seen: list[str] = []
    groups: dict[str, list[Row]] = {}
    result = document["result"]
    for name, schemes in result["slices"].items():
        rows = groups.setdefault(name, [])
        for label, curves in schemes.items():
            first, last = (at_round(curves["mse"], index) for index in (0, -1))
            seen.append(f"{name}, {label}: from {mean(first):.3g} to {mean(last):.3g} %²")
            seconds = float(np.median(np.asarray(curves["seconds"], float)))
            converged = mean_and_sd(curves["convergence_round"])
            rows.append(
                (label, mean_and_sd(first), *_in_the_end(result["errors"][name][label]), converged, f"{seconds:.2f}")
            )
        for label, errors in result["controls"][name].items():
            seen.append(f"{name}, {label}: {number(mean(errors['mse']))} %²")
            rows.append((label, NO_NUMBER, *_in_the_end(errors), NO_NUMBER, NO_NUMBER))
    return Caption(
        title="Training error against FL round",
        alt=f"Line plots, a panel per slice: training MSE on a logarithmic axis over "
        f"{document['settings']['rounds']} FL rounds. {'; '.join(seen)}.",
        text=f"Training MSE of the global model against the FL round, {_spread(document)}. Dotted vertical lines: the "
        "mean convergence round, from which on the MSE stays near its best. Grey: a constant predictor and least "
        "squares on the pooled training samples.",
        table=TextTable(
            title="Training error",
            columns=(
                "Slice, scheme",
                "MSE, first round [%²]",
                "MSE, last round [%²]",
                "MSE, test data [%²]",
                "R², test data",
                "Converged in round",
                "Median seconds per round",
            ),
            groups=_rows(groups),
        ),
    )


def _in_the_end(errors: Errors) -> Row:
    """Write the errors on training and on test samples, and R^2 on these."""
    return tuple(mean_and_sd(errors[quantity]) for quantity in ("mse", "test_mse", "test_r_squared"))


def confidence(document: Document) -> Caption:
    """Put Fig. 5 in words."""
    seen: list[str] = []
    groups: dict[str, list[Row]] = {}
    for name, numbers in document["result"]["slices"].items():
        rows = groups.setdefault(name, [])
        ends, tests = [], []
        for label, test in numbers["test"].items():
            per_seed = [mean(over_clients) for over_clients in test["confidence"]]
            tests.append(f"{label} {thousandths(per_seed)}")
            over_rounds: Row = (NO_NUMBER, NO_NUMBER, NO_NUMBER)
            if label in numbers["rounds"]:
                curves = numbers["rounds"][label]
                last = at_round(curves["confidence"], -1)
                ends.append(
                    f"{label} lowest {thousandths(lowest_over_rounds(curves['confidence']))}, last {thousandths(last)}"
                )
                inside = [100 * value for value in lowest_over_rounds(curves["inside"])]
                over_rounds = (
                    proportion(lowest_over_rounds(curves["confidence"])),
                    proportion(last),
                    mean_and_sd(inside),
                )
            rows.append((label, *over_rounds, proportion(per_seed), mean_and_sd(test["mse"])))
        constant = numbers["constant predictor"]
        control = f"constant predictor (training MSE {mean_and_sd(constant['mse'])} %²)"
        rows.append((control, NO_NUMBER, proportion(constant["confidence"]), NO_NUMBER, NO_NUMBER, NO_NUMBER))
        threshold = numbers["threshold"]
        seen.append(f"{name}, threshold ν {threshold:g}: {'; '.join(ends)}; on test data {', '.join(tests)}")
    return Caption(
        title="Confidence against FL round, and on test data",
        alt="Two rows of panels, a column per slice. Above, line plots of the confidence C over "
        f"{document['settings']['rounds']} FL rounds; below, box plots of C per CL on test data. {'. '.join(seen)}.",
        text=f"(a) Confidence C of the global model on the training samples, {_spread(document)}. (b) C of the final "
        "models per CL on test data; boxes: quartiles over CLs and seeds, points: the seeds' means. Dotted: the "
        "threshold ν. A constant predictor inside the SLA has C = 1, so the MSE stands beside C.",
        table=TextTable(
            title="Confidence",
            columns=(
                "Slice, scheme",
                "Lowest C of a round",
                "C, last round",
                "Least share inside the SLA [%]",
                "C, test data",
                "MSE, test data [%²]",
            ),
            groups=_rows(groups),
        ),
    )


def attributions(document: Document) -> Caption:
    """Put Fig. 6 in words."""
    result = document["result"]
    seen: list[str] = []
    groups: dict[str, list[Row]] = {}
    for label, models in result["models"].items():
        quantities = ("mean_abs_shap", "mean_shap", "mean_abs_ig", "mean_abs_shap_background")
        sizes = {quantity: np.asarray([model[quantity] for model in models], float) for quantity in quantities}
        order = np.argsort(-sizes["mean_abs_shap"].mean(0))
        names = [result["feature_names"][feature] for feature in order]
        strengths = [f"{name} {sizes['mean_abs_shap'][:, j].mean():.2g}" for name, j in zip(names, order, strict=True)]
        agreement = mean_and_sd([mean([model["rank_correlation"] for model in models])], ".2f")
        seen.append(f"{label}: {', '.join(strengths)}; rank agreement of SHAP and IG {agreement}")
        groups[f"{label} model"] = [
            (name, *(mean_and_sd(sizes[quantity][:, j]) for quantity in quantities))
            for name, j in zip(names, order, strict=True)
        ]
    return Caption(
        title=f"Attributions of the {result['slice']} models",
        alt="Beeswarm plots, a row per model: SHAP values left, integrated gradients right, coloured by feature value. "
        f"Mean |SHAP| in % of {result['target']}, largest first. {'. '.join(seen)}.",
        text=f"How each feature moves the predicted {result['target']} of the {result['slice']} models on test samples "
        f"against the zero baseline: a point per sample (seed {document['seeds'][0]}), its colour the feature's value. "
        "The table holds the means over the seeds, and the SHAP values against a background of training samples.",
        table=TextTable(
            title="Attributions",
            columns=("Feature", "Mean |SHAP| [%]", "Mean SHAP [%]", "Mean |IG| [%]", "Mean |SHAP|, background [%]"),
            groups=_rows(groups),
        ),
    )


def convergence_time(document: Document) -> Caption:
    """Put Fig. 7 in words."""
    result = document["result"]
    seen, rows = [], []
    for label, scheme in result["schemes"].items():
        rounds, seconds = mean_and_sd(scheme["rounds"]), mean_and_sd(scheme["seconds"])
        per_round = f"{scheme['seconds_per_round']:.2f}"
        spent = f"{mean(scheme['rounds']):.3g} rounds of {per_round} s, {mean(scheme['seconds']):.3g} s"
        seen.append(f"{label}: {f'{NEVER}, rounds of {per_round} s' if rounds == NOT_DEFINED else spent}")
        rows.append((label, rounds, per_round, seconds))
    return Caption(
        title="Time to convergence",
        alt="Three bar charts, a bar per scheme: rounds to convergence, seconds per round, and their product. "
        f"{'; '.join(seen)}.",
        text=f"{result['slice']}, {result['clients']} CLs: FL rounds to convergence, seconds per round (the schemes "
        "timed in turn, so that the machine's drift hits all alike) and their product. Bars: means, of timed rounds "
        "the median; points: seeds, or timed rounds.",
        table=TextTable(
            title="Time to convergence",
            columns=("Scheme", "Rounds to convergence", "Median seconds per round", "Seconds to convergence"),
            groups=(("", tuple(rows)),),
        ),
    )


def scalability(document: Document) -> Caption:
    """Put Fig. 8 in words."""
    result = document["result"]
    seen, rows = [], []
    for count, curves in result["clients"].items():
        lowest, last = lowest_over_rounds(curves["confidence"]), at_round(curves["mse"], -1)
        seconds = float(np.median(np.asarray(curves["seconds"], float)))
        kilobytes = curves["kb_per_round"]
        seen.append(f"K = {count}: lowest C {thousandths(lowest)}, MSE {mean(last):.3g} %², {seconds:.2g} s per round")
        rows.append((f"K={count}", proportion(lowest), mean_and_sd(last), f"{seconds:.2f}", f"{kilobytes:,.1f}"))
    return Caption(
        title="Any number of closed loops",
        alt=f"Four panels: MSE and confidence over FL rounds, a line per number K of CLs; seconds and KB per round "
        f"against K. {'; '.join(seen)}.",
        text=f"{result['slice']}, in-hoc with IG, for several numbers K of CLs: training MSE and confidence against "
        f"the FL round ({_spread(document)}), and seconds and KB per round against K.",
        table=TextTable(
            title="Number of closed loops",
            columns=("CLs", "Lowest C of a round", "MSE, last round [%²]", "Median seconds per round", "KB per round"),
            groups=(("", tuple(rows)),),
        ),
    )


def overhead(document: Document) -> Caption:
    """Put Table IV in words."""
    result = document["result"]
    seen = []
    for label, curves in result["schemes"].items():
        rounds, per_round = mean(curves["convergence_round"]), curves["kb_per_round"]
        spent = NEVER if np.isnan(rounds) else f"round {rounds:.3g}, {rounds * per_round:,.0f} KB"
        seen.append(f"{label}: {spent} at {per_round:,.1f} KB per round")
    return Caption(
        title="Overhead to convergence",
        alt="Scatter plot of MB to convergence against the convergence round, ours and the paper's. Ours, mean: "
        f"{'; '.join(seen)}.",
        text=f"{result['slice']}: convergence round and kilobytes (1,000 bytes of weights really serialised, down "
        "to and up from every CL) until then, a marker per seed. Stars: the paper's, from its table and its text.",
        table=TextTable(title="Overhead", columns=overhead_table.COLUMNS, groups=(("", overhead_table.rows(result)),)),
    )


CAPTIONS: Mapping[str, Callable[[Document], Caption]] = MappingProxyType(
    {
        figures.CONVERGENCE.name: convergence,
        figures.CONFIDENCE.name: confidence,
        figures.ATTRIBUTIONS.name: attributions,
        figures.CONVERGENCE_TIME.name: convergence_time,
        figures.SCALABILITY.name: scalability,
        figures.OVERHEAD.name: overhead,
    }
)


def describe(document: Document) -> Caption:
    """Put a figure in words."""
    return CAPTIONS[document["figure"]](document)
