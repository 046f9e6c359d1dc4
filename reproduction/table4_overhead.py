"""Table IV: FL rounds and kilobytes to convergence, browsing, in-hoc and post-hoc.

KB = 1,000 bytes of weights really serialised, down to and up from every CL; the same rule for both schemes.

Differs from the paper: its table (13 rounds, 16,510 KB; 20, 77,714) and its text (12, 16,778; 17, 77,776) disagree, and
the same network cannot cost 1,270 KB a round in one scheme and 3,886 in the other: not derivable from the paper.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from reproduction.figure_script import Document
from reproduction.results.plotting import new_figure
from reproduction.results.words import markdown_table
from reproduction.slicing import experiment, figures
from reproduction.slicing.reporting.overhead_table import COLUMNS, PAPER, rows
from reproduction.slicing.schemes import LOOKS
from reproduction.slicing.script import paper_script


def tables(document: Document) -> dict[str, str]:
    """Return the table as CSV, Markdown and LaTeX."""
    frame = pd.DataFrame(rows(document["result"]), columns=COLUMNS)
    markdown = markdown_table(frame.columns.tolist(), frame.to_numpy().tolist())
    return {".csv": frame.to_csv(index=False), ".md": markdown, ".tex": latex(frame)}


def latex(frame: pd.DataFrame) -> str:
    """Return the table as a LaTeX tabular (booktabs)."""
    rows = [" & ".join(frame.columns), *(" & ".join(row) for row in frame.to_numpy().tolist())]
    rows = [row.replace("±", "$\\pm$") + r" \\" for row in rows]
    lines = [r"\begin{tabular}{" + "l" * len(frame.columns) + "}", r"\toprule", rows[0], r"\midrule", *rows[1:]]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def draw(document: Document) -> Figure:
    """Draw KB spent against the round, with the convergence rounds marked and the paper's numbers beside."""
    figure, grid = new_figure(1, width=4.6)
    axes = grid[0, 0]
    for label, curves in document["result"]["schemes"].items():
        rounds = np.asarray(curves["convergence_round"], float)
        look = {"color": LOOKS[label]["color"], "linestyle": ""}
        ours = {"marker": LOOKS[label]["marker"], "markersize": 9 if label == "post-hoc" else 4}
        megabytes = rounds * curves["kb_per_round"] / 1000
        axes.plot(rounds, megabytes, label=f"{label}, ours", markerfacecolor="none", **ours, **look)
        for (round_number, kilobytes), where in zip(PAPER[label], ("table", "text"), strict=True):
            fill = {} if where == "table" else {"markerfacecolor": "none"}
            axes.plot(round_number, kilobytes / 1000, marker="*", label=f"{label}, paper's {where}", **fill, **look)
    axes.set_xlabel("Convergence round")
    axes.set_ylabel("MB to convergence, up and down")
    axes.margins(0.1)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


SCRIPT = paper_script(figures.OVERHEAD, compute=experiment.overhead, draw=draw, tables=tables)

if __name__ == "__main__":
    SCRIPT.main()
