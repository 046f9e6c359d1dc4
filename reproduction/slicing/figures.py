"""The paper's figures and its table, each said once: script and file name, what the paper calls it, slices, subject.

`python -m reproduction.slicing.figures` lists the scripts in their order (`--measured`: those that measured data can
give), for the Makefile.
"""

import sys
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PaperFigure:
    """One figure or table of the paper.

    Attributes:
        name: of the script and of the files that it writes.
        called: as the paper calls it.
        about: one line, for `--help`.
        only_slice: the slice that it shows, where it shows one.
        measured: whether measured data without the paper's settings can give it.
    """

    name: str
    called: str
    about: str
    only_slice: str | None = None
    measured: bool = False


CONVERGENCE = PaperFigure(
    name="fig4_convergence",
    called="Fig. 4",
    about="training MSE against FL round, in-hoc and post-hoc.",
    measured=True,
)
CONFIDENCE = PaperFigure(
    name="fig5_confidence",
    called="Fig. 5",
    about="confidence against FL round, and its distribution over the CLs on test data.",
    measured=True,
)
ATTRIBUTIONS = PaperFigure(
    name="fig6_attributions",
    called="Fig. 6",
    about="distribution of SHAP values and integrated gradients of the eMBB models.",
    only_slice="eMBB",
    measured=True,
)
CONVERGENCE_TIME = PaperFigure(
    name="fig7_convergence_time",
    called="Fig. 7",
    about="time to convergence of in-hoc with SHAP, IG, Input x Gradient, and of post-hoc.",
    only_slice="Browsing",
)
SCALABILITY = PaperFigure(
    name="fig8_scalability",
    called="Fig. 8",
    about="convergence and confidence for several numbers of CLs; time and KB per round.",
    only_slice="eMBB",
)
OVERHEAD = PaperFigure(
    name="table4_overhead",
    called="Table IV",
    about="convergence round and overhead in KB, in-hoc and post-hoc.",
    only_slice="Browsing",
)

FIGURES = {
    figure.name: figure for figure in (CONVERGENCE, CONFIDENCE, ATTRIBUTIONS, CONVERGENCE_TIME, SCALABILITY, OVERHEAD)
}
MEASURED = tuple(name for name, figure in FIGURES.items() if figure.measured)

if __name__ == "__main__":
    print(*(MEASURED if sys.argv[1:] == ["--measured"] else FIGURES))
