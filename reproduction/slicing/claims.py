"""The paper's claims in its order, each with its criterion, judged on the figures' saved numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reproduction.files import write_atomically
from reproduction.results.records import Kind, write_record
from reproduction.results.verdicts import ClaimsRecord, Finding, Verdict, as_json, as_markdown
from reproduction.slicing import criteria
from reproduction.slicing.criteria import (
    C1_CORRELATION,
    C1_DROP,
    C2_CONFIDENCE,
    C3_FALL,
    C4_SPREAD,
    C5_RANK_SHARE,
    C6_NEAR,
    C7_STANDARD_ERRORS,
    C8_CONFIDENCE,
    C8_TREND,
)
from reproduction.slicing.datasets import feature_roles
from reproduction.slicing.documents import Document, read_figure
from reproduction.slicing.figures import (
    ATTRIBUTIONS,
    CONFIDENCE,
    CONVERGENCE,
    CONVERGENCE_TIME,
    FIGURES,
    OVERHEAD,
    SCALABILITY,
)

CLAIMS_RECORD = Kind(fields=ClaimsRecord, remedy="make it with python reproduction/claims.py")

Results = Mapping[str, Any]
"""Figure's name -> its result."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim of the paper.

    Attributes:
        name, where, statement, paper: what is claimed, and where.
        criterion: ours, in words.
        judge: the figures' results -> what the criterion finds in the quantity that is claimed of.
    """

    name: str
    where: str
    statement: str
    paper: str
    criterion: str
    judge: Callable[[Results], Finding]

    def verdict(self, results: Results) -> Verdict:
        """Judge the numbers of the figures."""
        return Verdict(
            claim=self.name,
            where=self.where,
            statement=self.statement,
            paper=self.paper,
            criterion=self.criterion,
            finding=self.judge(results),
        )


def _slices(results: Results, part: str) -> dict[str, Any]:
    """Return a part of Fig. 5 by slice."""
    return {name: numbers[part] for name, numbers in results[CONFIDENCE.name]["slices"].items() if part in numbers}


def _by_scheme(results: Results, figure: str, quantity: str) -> dict[str, Any]:
    """Return a quantity of a figure of one slice, by scheme."""
    return {label: numbers[quantity] for label, numbers in results[figure]["schemes"].items()}


def _c2(results: Results) -> Finding:
    constant = {name: numbers["confidence"] for name, numbers in _slices(results, "constant predictor").items()}
    return criteria.c2(_slices(results, "rounds"), constant)


IN_WORDS = {1: "one", 2: "two", 3: "three"}

CLAIMS = (
    Claim(
        name="C1",
        where="Fig. 4",
        statement="in-hoc MSE follows a convergence trend like post-hoc's",
        paper="similar trend",
        criterion=f"rank correlation of the two MSE curves at least {C1_CORRELATION:g}, and in-hoc's drop at least "
        f"{100 * C1_DROP:.0f} % of post-hoc's",
        judge=lambda results: criteria.c1(results[CONVERGENCE.name]["slices"]),
    ),
    Claim(
        name="C2",
        where="Fig. 5a",
        statement="in-hoc confidence stays above 0.85 in every slice",
        paper="> 0.85",
        criterion=f"lowest confidence over the rounds above {C2_CONFIDENCE:.2f}",
        judge=_c2,
    ),
    Claim(
        name="C3",
        where="Fig. 5a",
        statement="post-hoc confidence falls as the model converges, and ends well below in-hoc",
        paper="falls",
        criterion=f"falls by at least {C3_FALL:g} from the first to the last round, and ends at least {C3_FALL:g} "
        "below in-hoc",
        judge=lambda results: criteria.c3(_slices(results, "rounds")),
    ),
    Claim(
        name="C4",
        where="Fig. 5b",
        statement="on test data in-hoc confidence is nearly the same with IG, Input x Gradient and SHAP",
        paper="almost the same",
        criterion=f"the three mean confidences lie within {C4_SPREAD:g}",
        judge=lambda results: criteria.c4(_slices(results, "test")),
    ),
    Claim(
        name="C5",
        where="Fig. 6",
        statement="CQI has the largest attribution; OTT traffic small and positive; MIMO full-rank negligible",
        paper="CQI first, MIMO negligible",
        criterion="in-hoc model, zero baseline: mean |SHAP| of CQI above every OTT's, MIMO below "
        f"{100 * C5_RANK_SHARE:.0f} % of the sum, every OTT's mean SHAP above 0",
        judge=lambda results: criteria.c5(results[ATTRIBUTIONS.name]),
    ),
    Claim(
        name="C6",
        where="Fig. 7",
        statement="time to convergence: in-hoc IG below in-hoc SHAP and Input x Gradient, close to post-hoc",
        paper="IG 16.67 % below post-hoc (text)",
        criterion=f"mean seconds of IG below both, and within {100 * C6_NEAR:.0f} % of post-hoc's",
        judge=lambda results: criteria.c6(_by_scheme(results, CONVERGENCE_TIME.name, "seconds")),
    ),
    Claim(
        name="C7",
        where="Table IV",
        statement="in-hoc converges in fewer rounds than post-hoc, so with fewer KB",
        paper="13 against 20 rounds (table), 12 against 17 (text)",
        criterion="rounds saved, mean over at least two seeds, more than "
        f"{IN_WORDS[C7_STANDARD_ERRORS]} standard errors above 0",
        judge=lambda results: criteria.c7(_by_scheme(results, OVERHEAD.name, "convergence_round")),
    ),
    Claim(
        name="C7 (KB)",
        where="Table IV",
        statement="16,510 KB in-hoc against 77,714 KB post-hoc",
        paper="1,270 KB per round in-hoc, 3,886 post-hoc",
        criterion="none possible: the same network costs the same per round in both schemes",
        judge=lambda results: criteria.c7_kilobytes(_by_scheme(results, OVERHEAD.name, "kb_per_round")),
    ),
    Claim(
        name="C8",
        where="Fig. 8",
        statement="convergence is stable and confidence above 0.90 whatever the number of CLs",
        paper="> 0.90",
        criterion=f"lowest confidence above {C8_CONFIDENCE:.2f}, and rank correlation of MSE with the round at most "
        f"{C8_TREND:g}, for every K",
        judge=lambda results: criteria.c8(results[SCALABILITY.name]["clients"]),
    ),
)


def read_figures(folder: Path) -> dict[str, Document]:
    """Read all of the paper's figures, and see that they are of one experiment that the claims can be judged on.

    Raises:
        ValueError, OSError: if one is missing, torn, another's, of another experiment, or not on the generated data and
            the slices that the claims speak of; naming its file.
    """
    documents = {name: read_figure(folder / f"{name}.json", name) for name in FIGURES}
    first = documents[CONVERGENCE.name]
    for name, document in documents.items():
        for what in ("preset", "seeds", "settings"):
            if document[what] != first[what]:
                raise ValueError(
                    f"{folder / name}.json: other {what} than {CONVERGENCE.name}'s; draw all figures alike"
                )
        slices, only = list(document["data"]["slices"]), FIGURES[name].only_slice
        wanted = [only] if only else list(first["settings"]["slices"])
        if document["data"]["source"] != "generator" or slices != wanted:
            raise ValueError(f"{folder / name}.json: other data or slices ({slices}); draw it without switches")
        for one, about in document["data"]["slices"].items():
            if about["features"] != list(feature_roles(one)):
                raise ValueError(f"{folder / name}.json: other features of {one} than the generator's; draw it anew")
    return documents


def judge(documents: Mapping[str, Document]) -> list[Verdict]:
    """Judge every claim on the figures' documents."""
    results = {name: document["result"] for name, document in documents.items()}
    return [claim.verdict(results) for claim in CLAIMS]


def write_claims(folder: Path, documents: Mapping[str, Document]) -> list[Verdict]:
    """Judge, and write claims.json and claims.md beside the figures."""
    verdicts, first = judge(documents), documents[CONVERGENCE.name]
    about = {name: first[name] for name in ("preset", "settings", "seeds", "trained_with")}
    write_record(folder / "claims.json", CLAIMS_RECORD, about | {"verdicts": [as_json(line) for line in verdicts]})
    seeds = ", ".join(map(str, first["seeds"]))
    decide = f"Means over the seeds {seeds} decide; {first['preset']} preset."
    write_atomically(folder / "claims.md", f"{as_markdown(verdicts)}\n{decide}\n".encode())
    return verdicts
