"""Whether runs may be held against each other at all: what is refused, and what is said loudly in text and picture.

Refused is another problem: another number of CLs, other samples, other data. What only makes a comparison unfair, or
what nobody can check, is a caution.
"""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from reproduction.slicing.comparison.curves import CONDITIONS, RUN_KEY, CurvesError, run_in_words
from reproduction.slicing.comparison.pairs import OURS, methods
from reproduction.slicing.comparison.reference_curves import Reference

SAID = {
    "clients": "the number of closed loops",
    "samples": "training samples",
    "epochs": "local epochs a round",
    "rounds": "rounds",
    "data": "data",
}
"""Condition -> in words."""

SAME_TRAFFIC = 0.1
"""Share by which the KB per round of runs that do not say their number of CLs may differ before one must ask."""


def comparable(theirs: pd.DataFrame, reference: Reference) -> pd.DataFrame:
    """Return their runs of the reference's number of CLs; those of other numbers are shown, and not compared.

    Raises:
        CurvesError: for a method without a run of that number, or with a run of other samples or data, or with one
            seed twice; or if there is neither mse nor confidence.
    """
    if not {"mse", "confidence"} & set(theirs["metric"]):
        only = ", ".join(sorted(theirs["metric"].unique()))
        raise CurvesError(f"nothing can be compared: there is only {only}; add mse or confidence per round")
    theirs = theirs.reset_index(drop=True)
    of_our_count = theirs["clients"].isin([0, reference.clients])
    runs = theirs.drop_duplicates(RUN_KEY)
    for _, several in runs.groupby(["scheme", "explainer", "slice"], sort=False):
        if not of_our_count[several.index].any():
            other = f"not of {reference.clients} closed loops, as the reference is"
            raise CurvesError(_refusal(several.iloc[0], other, reference))
    runs = runs[of_our_count[runs.index]]
    for _, run in runs.iterrows():
        _require_our_data(run, reference)
    for _, run in runs[runs.duplicated(["scheme", "explainer", "slice", "seed"])].iterrows():
        raise CurvesError(f"{_name(run)}: there twice, once without its number of closed loops; drop one")
    return theirs[of_our_count]


def cautions(theirs: pd.DataFrame, reference: Reference) -> list[str]:
    """Say in a sentence each what makes curves hardly comparable.

    That is: nothing said of how they were made, other rounds or epochs, another explainer, another traffic per round.

    Args:
        theirs: as `comparable` gave them.
        reference: ours.
    """
    by_method = methods(theirs)
    remarks = [*_unsaid(by_method, reference), *_other_lengths(by_method, reference)]
    for explainers, labels in _grouped({label: _foreign_explainers(frame) for label, frame in by_method.items()}):
        remarks.append(
            f"the confidence of {labels} is scored with {explainers}, ours with IG; it differs by that alone, even for "
            "the same model"
        )
    return remarks


def _require_our_data(run: pd.Series, reference: Reference) -> None:
    """Refuse a run that says other samples or data than the reference's of its slice and seed."""
    frame = reference.frame
    ours = frame[(frame["slice"] == run["slice"]) & (frame["seed"] == run["seed"])]
    for name in ("samples", "data"):
        if run[name] and not ours.empty and run[name] != ours[name].iloc[0]:
            other = f"other {SAID[name]} ({run[name]}) than the reference's ({ours[name].iloc[0]})"
            raise CurvesError(_refusal(run, other, reference))


def _refusal(run: pd.Series, why: str, reference: Reference) -> str:
    return (
        f"{_name(run)}: {why}; give --against the reference of its settings, or run it with the settings and the data "
        f"of {reference.preset!r}"
    )


def _name(run: pd.Series) -> str:
    return run_in_words(tuple(run[RUN_KEY]))


def _unsaid(by_method: Mapping[str, pd.DataFrame], reference: Reference) -> Iterable[str]:
    """Say what is not said, in one caution; and whether the traffic gives another number of CLs away."""
    unsaid = {label: [name for name in CONDITIONS if not frame[name].all()] for label, frame in by_method.items()}
    silent = [label for label, names in unsaid.items() if names]
    if not silent:
        return
    names = [SAID[name] for name in CONDITIONS if any(name in unsaid[label] for label in silent)]
    whose = f"the curves of {_and(silent)}" if len(silent) < len(by_method) else "their curves"
    yield (
        f"{whose} do not say {_and(names, 'or')}; taken, unchecked, to be the reference's ({reference.preset}: "
        f"{reference.clients} closed loops)"
    )
    traffic = reference.frame.loc[reference.frame["metric"] == "kb", "value"].median()
    for label in silent:
        rows = by_method[label]
        theirs = rows.loc[(rows["metric"] == "kb") & (rows["clients"] == 0), "value"].median()
        if abs(theirs - traffic) > SAME_TRAFFIC * traffic:
            yield (
                f"{label} sends {theirs:,.0f} KB per round, ours {traffic:,.0f}; is it the same number of closed loops?"
            )


def _other_lengths(by_method: Mapping[str, pd.DataFrame], reference: Reference) -> Iterable[str]:
    """Say whose rounds, and whose local epochs, are not as many as ours."""
    ours = int(reference.frame["round"].max())
    for rounds, labels in _grouped({label: int(frame["round"].max()) for label, frame in by_method.items()}):
        if rounds != ours:
            yield f"{labels}: {rounds} rounds, ours {ours}; only {min(rounds, ours)} are compared. One preset?"
    epochs = int(reference.frame["epochs"].max())
    for count, labels in _grouped({label: int(frame["epochs"].max()) for label, frame in by_method.items()}):
        if count not in (0, epochs):
            yield f"{labels}: {count} local epochs a round, ours {epochs}; more training costs no traffic"


def _foreign_explainers(frame: pd.DataFrame) -> str:
    return ", ".join(sorted(set(frame["explainer"]) - {explainer for _, explainer in OURS.values()}))


def _grouped(values: Mapping[str, int | str]) -> Iterable[tuple]:
    """Yield each value but an empty text, and the labels that have it."""
    for value in dict.fromkeys(values.values()):
        if value != "":
            yield value, _and([label for label, one in values.items() if one == value])


def _and(words: Sequence[str], last: str = "and") -> str:
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
