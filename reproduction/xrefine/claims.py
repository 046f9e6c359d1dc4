"""What is claimed of X-REFINE, held to the saved numbers of its figures.

python reproduction/xrefine/claims.py          # reads figures/xrefine, writes claims.json and claims.md there
"""

from reproduction.claims_script import ClaimsScript
from reproduction.figure_script import Document
from reproduction.results.verdicts import Verdict
from reproduction.xrefine import criteria, fig_relevance, fig_trade_off
from reproduction.xrefine.script import FOLDER


def verdicts(trade_off: Document, relevance: Document) -> list[Verdict]:
    """Judge the two figures."""
    return criteria.verdicts(trade_off["result"], relevance["result"], trade_off["settings"]["target"])


SCRIPT = ClaimsScript(
    about=__doc__.splitlines()[0],
    figures=(fig_trade_off.SCRIPT, fig_relevance.SCRIPT),
    verdicts=verdicts,
    folder=FOLDER,
)

if __name__ == "__main__":
    SCRIPT.main()
