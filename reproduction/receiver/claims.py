"""What is claimed of influence for a neural receiver, held to the saved numbers of its figures.

python reproduction/receiver/claims.py         # reads figures/receiver, writes claims.json and claims.md there
"""

from reproduction.claims_script import ClaimsScript
from reproduction.figure_script import Document
from reproduction.receiver import criteria, fig_adaptation, fig_several
from reproduction.receiver.script import FOLDER
from reproduction.results.verdicts import Verdict


def verdicts(adaptation: Document, several: Document) -> list[Verdict]:
    """Judge the two figures."""
    return criteria.verdicts(adaptation["result"], several["result"])


SCRIPT = ClaimsScript(
    about=__doc__.splitlines()[0],
    figures=(fig_adaptation.SCRIPT, fig_several.SCRIPT),
    verdicts=verdicts,
    folder=FOLDER,
)

if __name__ == "__main__":
    SCRIPT.main()
