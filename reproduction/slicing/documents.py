"""The figures' saved documents, field by field: what `experiment` gives, what drawing, claims and report read.

A number that is not defined is null in the file, so None here. The types are also the check of what is read from disk.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, NotRequired, TypeVar

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from reproduction.figure_script import FIGURE, Document
from reproduction.results.records import read_record, require_form
from reproduction.slicing import figures
from reproduction.slicing.schemes import IN_HOC, POST_HOC, SCHEMES

__all__ = ["Document", "check_document", "read_figure"]

Some = TypeVar("Some")

NotEmpty = Annotated[Some, Field(min_length=1)]

PerSeed = NotEmpty[Sequence[float | None]]
PerRound = NotEmpty[Sequence[PerSeed]]
"""[seeds, rounds]."""


def _known(label: str) -> str:
    if label not in SCHEMES:
        raise ValueError(f"no scheme is called so; there are {', '.join(SCHEMES)}")
    return label


def _with_both(by_scheme: dict[str, Some]) -> dict[str, Some]:
    for label in (IN_HOC, POST_HOC):
        if label not in by_scheme:
            raise ValueError(f"{label} is missing")
    return by_scheme


Label = Annotated[str, AfterValidator(_known)]
"""A scheme's, of `schemes.SCHEMES`."""

ByScheme = Annotated[dict[Label, Some], AfterValidator(_with_both)]
"""Label -> what is known of the scheme; in-hoc with IG and post-hoc are always among them."""


class Curves(TypedDict):
    """A scheme's curves over the seeds, and what follows from them.

    mse [%^2], confidence, inside (share of the samples predicted inside the SLA), undefined_clients, empty_epochs,
    multiplier (lambda_1) and seconds are of each round; see `federation.server.Round`.
    """

    mse: PerRound
    confidence: PerRound
    inside: PerRound
    undefined_clients: PerRound
    empty_epochs: PerRound
    multiplier: PerRound
    seconds: PerRound
    convergence_round: PerSeed
    kb_per_round: float


class ConvergenceResult(TypedDict):
    """Fig. 4: slice -> scheme -> curves."""

    slices: NotEmpty[dict[str, ByScheme[Curves]]]


class TestScores(TypedDict):
    """The final model on test data: confidence per CL [seeds, K], MSE [seeds]."""

    confidence: PerRound
    mse: PerSeed


class Constant(TypedDict):
    """A predictor of the mean load, [seeds] each."""

    mse: PerSeed
    confidence: PerSeed


SliceConfidence = TypedDict(
    "SliceConfidence",
    {
        "threshold": float,
        "rounds": ByScheme[Curves],
        "test": ByScheme[TestScores],
        "constant predictor": Constant,
    },
)
"""Fig. 5 in one slice: nu_n, scheme -> curves, scheme -> test scores, and the control."""


class ConfidenceResult(TypedDict):
    """Fig. 5."""

    slices: NotEmpty[dict[str, SliceConfidence]]


class ModelAttributions(TypedDict):
    """One final model explained: means per feature [Q]; for one seed also every sample's values [n, Q]."""

    seed: int
    mean_abs_shap: list[float]
    mean_abs_ig: list[float]
    mean_shap: list[float]
    rank_correlation: float | None
    mean_abs_shap_background: list[float]
    features: NotRequired[list[list[float]]]
    shap: NotRequired[list[list[float]]]
    ig: NotRequired[list[list[float]]]


class AttributionResult(TypedDict):
    """Fig. 6: scheme -> a model per seed."""

    slice: str
    target: str
    feature_names: list[str]
    feature_units: list[str]
    models: ByScheme[NotEmpty[list[ModelAttributions]]]


class SchemeTime(TypedDict):
    """Rounds to convergence [seeds], the timed rounds' seconds, their median, and the products [seeds]."""

    rounds: PerSeed
    timed_seconds: list[float]
    seconds_per_round: float
    seconds: PerSeed


class TimeResult(TypedDict):
    """Fig. 7."""

    slice: str
    clients: int
    schemes: ByScheme[SchemeTime]


class ScalabilityResult(TypedDict):
    """Fig. 8: K, as text -> curves."""

    slice: str
    clients: NotEmpty[dict[str, Curves]]


class OverheadResult(TypedDict):
    """Table IV: scheme -> curves."""

    slice: str
    schemes: ByScheme[Curves]


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


class SensitivityRow(TypedDict):
    """One choice: its verdicts (null: confidence is not defined), the statistics that decide, numbers per scheme."""

    choice: str
    value: str
    is_default: bool
    verdicts: dict[str, bool | None]
    statistics: dict[str, dict[str, dict[str, PerSeed]]]
    slices: dict[str, dict[Label, Ends]]
    numbers: dict[str, float | None]


class SensitivityResult(TypedDict):
    """What the paper left open, varied."""

    rows: NotEmpty[list[SensitivityRow]]


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


def check_document(document: Document) -> None:
    """Check a figure's result field by field, and of its settings the number of rounds.

    Raises:
        ValueError: naming the field.
    """
    name, result = document["figure"], document["result"]
    require_form(document["settings"].get("rounds"), int, inside=("settings", "rounds"))
    require_form(result, RESULTS[name], inside=("result",))
    if name == figures.ATTRIBUTIONS.name:
        for label, models in result["models"].items():
            for field in sorted({"features", "shap", "ig"} - set(models[0])):
                raise ValueError(f"field result.models.{label}.0.{field}: field required for the first seed")


def read_figure(path: Path, name: str) -> Document:
    """Read a saved figure and see that it is that figure's, field by field.

    Raises:
        ValueError, OSError: if it is missing, torn, another's, or a field is wrong; in one line with the remedy.
    """
    command = f"python reproduction/{name}.py"
    if not path.exists():
        raise FileNotFoundError(f"{path}: missing; make it with {command}")
    document = read_record(path, FIGURE)
    try:
        if document["figure"] != name:
            raise ValueError(f"holds the numbers of {document['figure']}")
        check_document(document)
    except ValueError as error:
        raise ValueError(f"{path}: {error}; make it with {command}") from error
    return document
