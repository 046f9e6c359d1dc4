"""What fine-tuning on each selection of frames comes to: the gap to the genie that it closes, and what it forgets.

The gap is that of the bit errors, the mean over a seed's targets; negative is worse than before. Points are means over
targets and seeds, bars their 95 % bootstrap intervals. "Same length": the weights go as far as by the paper's choice.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reproduction.figure_script import Document
from reproduction.receiver import experiment
from reproduction.receiver.documents import Adaptation, form
from reproduction.receiver.looks import look
from reproduction.receiver.names import ALIKE, SAME
from reproduction.receiver.script import INFLUENCES, figure
from reproduction.results.plotting import new_figure
from reproduction.results.seed_statistics import mean_and_interval
from reproduction.results.words import markdown_table

TESTS = {SAME: ("o", "the target's own channel, other noise"), ALIKE: ("s", "fresh channels, its conditions")}


def draw(document: Document) -> Figure:
    """Draw the gap that is closed, what becomes of other targets, and more and fewer frames."""
    result = document["result"]
    kinds = list(result["selections"])
    height = 1.4 + 0.2 * len(kinds)
    figure, ((left, middle, right),) = new_figure(3, width=10.0, height=height, gridspec_kw={"width_ratios": [3, 2, 2]})
    places = np.arange(len(kinds))[::-1]
    for number, (test, (marker, label)) in enumerate(TESTS.items()):
        shares = [mean_and_interval(result["selections"][kind]["closed"][test]) for kind in kinds]
        colour = "#0072B2" if test == SAME else "#D55E00"
        _points(left, shares, places + 0.15 * (0.5 - number) * 2, marker, colour, label)
    left.set_xlabel("gap to the genie closed (%)")
    left.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), fontsize="small")
    others = [mean_and_interval(np.array(result["selections"][kind]["others"]) - 1.0) for kind in kinds]
    _points(middle, others, places, "o", "black", "")
    middle.set_xlabel("errors of other targets (change, %)")
    for axes in (left, middle):
        axes.axvline(0.0, color="black", linewidth=0.6, linestyle=":")
        axes.set_yticks(places, kinds if axes is left else [""] * len(kinds))
        axes.set_ylim(-0.7, len(kinds) - 0.3)
    for kind, by_count in result["counts"].items():
        counts = sorted(map(int, by_count))
        means, low, high = zip(*(mean_and_interval(by_count[str(count)]) for count in counts), strict=True)
        right.plot(counts, 100 * np.array(means), label=kind, marker="o", markersize=3, **look(kind))
        right.fill_between(
            counts, 100 * np.array(low), 100 * np.array(high), color=look(kind)["color"], alpha=0.15, linewidth=0
        )
    right.set_xscale("log")
    right.set_xticks(counts, [f"{count}" for count in counts])
    right.minorticks_off()
    right.set_xlabel("frames selected")
    right.set_ylabel("gap closed on fresh channels (%)")
    right.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), fontsize="small")
    return figure


def _points(
    axes: Axes, shares: list[tuple[float, float, float]], places: np.ndarray, marker: str, colour: str, label: str
) -> None:
    mean, low, high = 100.0 * np.array(shares).T
    error = np.maximum([mean - low, high - mean], 0.0)
    axes.errorbar(mean, places, xerr=error, fmt=marker, color=colour, markersize=3.5, elinewidth=0.8, label=label)


def tables(document: Document) -> dict[str, str]:
    """Return each selection's shares with intervals, a line each."""
    rows = []
    for kind, one in document["result"]["selections"].items():
        cells = []
        for values in (*(one["closed"][test] for test in TESTS), np.array(one["others"]) - 1.0):
            mean, low, high = (100.0 * value for value in mean_and_interval(values))
            cells.append(f"{mean:.1f} [{low:.1f}, {high:.1f}]")
        distances = np.array(one["distance"], float)
        better = 100.0 * np.mean(np.array(one["closed"][ALIKE]) > 0.0)
        rows.append((kind, *cells, f"{better:.0f}", f"{distances.mean():.3f}"))
    columns = ("selection", *(f"gap closed, {test} (%)" for test in TESTS), "errors of other targets (%)")
    return {".md": markdown_table((*columns, "targets improved (%)", "way of the weights"), rows)}


SCRIPT = figure(
    "adaptation",
    __doc__.splitlines()[0],
    INFLUENCES,
    compute=experiment.adaptation,
    draw=draw,
    check=form(Adaptation),
    tables=tables,
)

if __name__ == "__main__":
    SCRIPT.main()
