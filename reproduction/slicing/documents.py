"""The figures' saved documents, field by field: what `experiment` gives, what drawing, claims and report read.

A number that is not defined is null in the file, so None here. The types are also the check of what is read from disk,
the rules beside them (`results.forms`) that of the lengths and names that a type does not say.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, NotRequired

from typing_extensions import TypedDict

from reproduction.figure_script import Document, read_document
from reproduction.results.forms import Rule, alike, as_many_as, named, named_by, not_empty, one_of
from reproduction.results.records import require_form
from reproduction.slicing import figures
from reproduction.slicing.description import Description
from reproduction.slicing.schemes import IN_HOC, MAIN_SCHEMES, SCHEMES

__all__ = ["Document", "check_document", "read_figure"]

PerSeed = Annotated[Sequence[float | None], as_many_as("seeds")]
PerRound = Annotated[Sequence[Annotated[Sequence[float | None], as_many_as("rounds")]], as_many_as("seeds")]
"""[seeds, rounds]."""
EveryRound = Annotated[Sequence[Annotated[Sequence[float], as_many_as("rounds")]], as_many_as("seeds")]
"""[seeds, rounds], always defined."""
PerClient = Annotated[Sequence[Annotated[Sequence[float | None], not_empty()]], alike(), as_many_as("seeds")]
"""[seeds, K]."""
PerFeature = Annotated[list[float], as_many_as("features")]
"""[Q]."""
PerSample = Annotated[list[PerFeature], not_empty()]
"""[n, Q]."""
OneSlice = Annotated[str, one_of("slices")]

CONSTANT, LEAST_SQUARES = CONTROLS = ("constant predictor", "least squares")
"""What Fig. 4 shows beside the schemes, by label; see `controls`."""


class Curves(TypedDict):
    """A scheme's curves over the seeds, and what follows from them.

    mse [%^2], confidence, inside (share of the samples predicted inside the SLA), undefined_clients, empty_epochs,
    multiplier (lambda_1) and seconds are of each round; see `federation.server.Round`.
    """

    mse: EveryRound
    confidence: PerRound
    inside: EveryRound
    undefined_clients: EveryRound
    empty_epochs: EveryRound
    multiplier: EveryRound
    seconds: EveryRound
    convergence_round: PerSeed
    kb_per_round: float


CurvesByScheme = Annotated[dict[str, Curves], named(*MAIN_SCHEMES)]


class Errors(TypedDict):
    """MSE [%^2] on all training samples and on all test samples of the CLs, and R^2 on test samples, [seeds] each."""

    mse: PerSeed
    test_mse: PerSeed
    test_r_squared: PerSeed


class ConvergenceResult(TypedDict):
    """Fig. 4: slice -> scheme -> curves; slice -> scheme, or what is fitted beside them -> errors in the end."""

    slices: Annotated[dict[str, CurvesByScheme], named_by("slices")]
    errors: Annotated[dict[str, Annotated[dict[str, Errors], named(*MAIN_SCHEMES)]], named_by("slices")]
    controls: Annotated[dict[str, Annotated[dict[str, Errors], named(*CONTROLS)]], named_by("slices")]


class TestScores(TypedDict):
    """The final model on test data: confidence per CL [seeds, K], MSE over all samples of all CLs [seeds]."""

    confidence: PerClient
    mse: PerSeed


class Constant(TypedDict):
    """A predictor of the mean load, [seeds] each."""

    mse: PerSeed
    confidence: PerSeed


SliceConfidence = TypedDict(
    "SliceConfidence",
    {
        "threshold": float,
        "rounds": CurvesByScheme,
        "test": Annotated[dict[str, TestScores], named(*SCHEMES)],
        "constant predictor": Constant,
    },
)
"""Fig. 5 in one slice: nu_n, scheme -> curves, scheme -> test scores, and the control."""


class ConfidenceResult(TypedDict):
    """Fig. 5."""

    slices: Annotated[dict[str, SliceConfidence], named_by("slices")]


class ModelAttributions(TypedDict):
    """One final model explained: means per feature [Q]; for one seed also every sample's values [n, Q]."""

    seed: int
    mean_abs_shap: PerFeature
    mean_abs_ig: PerFeature
    mean_shap: PerFeature
    rank_correlation: float | None
    mean_abs_shap_background: PerFeature
    features: NotRequired[PerSample]
    shap: NotRequired[PerSample]
    ig: NotRequired[PerSample]


def _without_samples(models: Sequence[ModelAttributions], context: Mapping[str, Any]) -> str:
    """Complain if the first seed's model does not have every sample's values."""
    samples = [len(models[0].get(name, ())) for name in ("features", "shap", "ig")]  # type: ignore[arg-type]
    return "" if len(set(samples)) == 1 and samples[0] else "lacks features, shap and ig of the first seed's samples"


class AttributionResult(TypedDict):
    """Fig. 6: scheme -> a model per seed."""

    slice: OneSlice
    target: str
    feature_names: Annotated[list[str], named_by("feature names"), as_many_as("features")]
    feature_units: Annotated[list[str], as_many_as("features")]
    models: Annotated[
        dict[str, Annotated[list[ModelAttributions], as_many_as("seeds"), Rule(_without_samples)]], named(*MAIN_SCHEMES)
    ]


class SchemeTime(TypedDict):
    """Rounds to convergence [seeds], the timed rounds' seconds, their median, and the products [seeds]."""

    rounds: PerSeed
    timed_seconds: Annotated[list[float], not_empty()]
    seconds_per_round: float
    seconds: PerSeed


class TimeResult(TypedDict):
    """Fig. 7."""

    slice: OneSlice
    clients: int
    schemes: Annotated[dict[str, SchemeTime], named(*SCHEMES)]


def _no_counts(names: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    others = [name for name in names if not (name.isascii() and name.isdecimal() and int(name))]
    return f"has {others[0]!r}, which is no number of CLs" if others else ""


class ScalabilityResult(TypedDict):
    """Fig. 8: K, as text -> curves."""

    slice: OneSlice
    clients: Annotated[dict[str, Curves], not_empty(), Rule(_no_counts)]


class OverheadResult(TypedDict):
    """Table IV: scheme -> curves."""

    slice: OneSlice
    schemes: CurvesByScheme


Ends = TypedDict(
    "Ends",
    {
        "mse": PerSeed,
        "confidence": PerSeed,
        "multiplier": PerSeed,
        "inside": PerSeed,
        "lowest confidence": PerSeed,
    },
)
"""A scheme's last values and its lowest confidence in a row of the sensitivity study, [seeds]."""

VARIED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "C1": ("rank correlation", "drop ratio"),
        "C2": ("lowest confidence",),
        "C3": ("fall", "gap"),
        "C8": ("lowest confidence", "rank correlation with the round"),
    }
)
"""Claim in a row of the sensitivity study -> the statistics that decide it."""

_AVERAGED = (
    *((label, name) for label in MAIN_SCHEMES for name in ("mse", "confidence", "lowest confidence", "inside")),
    (IN_HOC, "multiplier"),
)
MEANS = MappingProxyType({f"{label}: {name}": (label, name) for label, name in _AVERAGED})
"""Numbers in a row of the sensitivity study, means over slices and seeds: name -> scheme and quantity."""


def _other_statistics(statistics: Mapping[str, Mapping[str, Any]], context: Mapping[str, Any]) -> str:
    same = {claim: tuple(names) for claim, names in statistics.items()} == dict(VARIED)
    return "" if same else f"must be those of {', '.join(VARIED)}"


def _defaults(rows: Sequence[Mapping[str, Any]], context: Mapping[str, Any]) -> str:
    defaults = sum(row["is_default"] for row in rows)
    return "" if defaults == 1 else f"must have one row of the figures' own choices, have {defaults}"


class SensitivityRow(TypedDict):
    """One choice: its verdicts (null: confidence is not defined), the statistics that decide, numbers per scheme."""

    choice: str
    value: str
    is_default: bool
    verdicts: Annotated[dict[str, bool | None], named(*VARIED)]
    statistics: Annotated[dict[str, dict[str, Annotated[dict[str, PerSeed], not_empty()]]], Rule(_other_statistics)]
    slices: Annotated[dict[str, Annotated[dict[str, Ends], named(*MAIN_SCHEMES)]], named_by("slices")]
    numbers: Annotated[dict[str, float | None], named(*MEANS)]


class SensitivityResult(TypedDict):
    """What the paper left open, varied; one row holds the figures' own choices."""

    rows: Annotated[list[SensitivityRow], Rule(_defaults)]


Bins = Annotated[list[int], not_empty()]


class Driven(TypedDict):
    """What drives a model out of its SLA; see `influences.drivers_of`."""

    seed: int
    violations: int
    falls: Annotated[list[float], not_empty()]
    own: float | None
    edges: Annotated[list[float], not_empty()]
    all: Bins
    drivers: Bins


class InfluenceResult(TypedDict):
    """Influence on SLA violations: slice -> a model per seed."""

    scheme: str
    slices: dict[str, Annotated[list[Driven], as_many_as("seeds")]]


RESULTS: Mapping[str, Any] = MappingProxyType(
    {
        figures.CONVERGENCE.name: ConvergenceResult,
        figures.CONFIDENCE.name: ConfidenceResult,
        figures.ATTRIBUTIONS.name: AttributionResult,
        figures.CONVERGENCE_TIME.name: TimeResult,
        figures.SCALABILITY.name: ScalabilityResult,
        figures.OVERHEAD.name: OverheadResult,
        "sensitivity": SensitivityResult,
    }
)
"""Document's name -> the form of its result."""


def check_document(document: Document, form: Any = None) -> None:
    """Check field by field what a figure's document says of its runs, and then its result.

    Args:
        document: what a script saved.
        form: of its result; the one in `RESULTS` if None.

    Raises:
        ValueError: naming the field.
    """
    require_form(document, Description)
    slices = document["data"]["slices"]
    features = next(iter(slices.values()))["features"]
    context = {
        "seeds": len(document["seeds"]),
        "rounds": document["settings"]["rounds"],
        "slices": list(slices),
        "feature names": features,
        "features": len(features),
    }
    require_form(document["result"], form or RESULTS[document["figure"]], inside=("result",), context=context)


def read_figure(path: Path, name: str) -> Document:
    """Read a saved figure and see that it is that figure's, field by field.

    Raises:
        ValueError, OSError: if it is missing, torn, another's, or a field is wrong; in one line with the remedy.
    """
    return read_document(path, name, check=check_document, remedy=f"make it with python reproduction/{name}.py")
