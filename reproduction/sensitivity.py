"""Does the claim depend on what the paper left open? C1-C3 and C8 under every choice of `slicing/open_choices`.

    python reproduction/sensitivity.py --seeds 2

Writes the summary (claims x choices), the Pareto front of MSE against confidence over the threshold nu, and a table.
"""

from reproduction.figure_script import FigureScript
from reproduction.slicing.documents import check_document
from reproduction.slicing.open_choices.picture import draw, draw_pareto
from reproduction.slicing.open_choices.study import study
from reproduction.slicing.open_choices.table import tables
from reproduction.slicing.script import Slicing
from reproduction.slicing.settings import QUICK, SENSITIVITY

SCRIPT = FigureScript(
    name="sensitivity",
    about="What becomes of C1-C3 and C8 under every choice that the paper left open.",
    wing=Slicing(takes_tables=False),
    presets={preset.name: preset for preset in (SENSITIVITY, QUICK)},
    compute=study,
    draw=draw,
    tables=tables,
    further={"_pareto": draw_pareto},
    check=check_document,
)

if __name__ == "__main__":
    SCRIPT.main()
