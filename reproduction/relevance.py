"""Where does a convolutional net look? The relevance of a resource grid, held to where its interference is.

    python reproduction/relevance.py --seeds 5
    python reproduction/relevance.py --redraw

A picture of what `reproduction.attribution` does on images; no figure of a paper.
"""

from reproduction.figure_script import FigureScript
from reproduction.interference.picture import check, draw
from reproduction.interference.script import Interference
from reproduction.interference.study import FULL, QUICK

SCRIPT = FigureScript(
    name="relevance",
    about=__doc__.splitlines()[0],
    wing=Interference(),
    presets={preset.name: preset for preset in (FULL, QUICK)},
    compute=lambda study: study(),
    draw=draw,
    check=check,
)

if __name__ == "__main__":
    SCRIPT.main()
