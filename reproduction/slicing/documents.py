"""The figures' saved documents, field by field: what `experiment` gives, what drawing, claims and report read.

A number that is not defined is null in the file, so None here. The types are also the check of what is read from disk.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NotRequired

from typing_extensions import TypedDict

from reproduction.figure_script import FIGURE, Document
from reproduction.results.records import read_record, require_form
from reproduction.slicing import figures

__all__ = ["Document", "check_document", "read_figure"]

PerSeed = Sequence[float | None]
PerRound = Sequence[Sequence[float | None]]
"""[seeds, rounds]."""


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

    slices: dict[str, dict[str, Curves]]


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
        "rounds": dict[str, Curves],
        "test": dict[str, TestScores],
        "constant predictor": Constant,
    },
)
"""Fig. 5 in one slice: nu_n, scheme -> curves, scheme -> test scores, and the control."""


class ConfidenceResult(TypedDict):
    """Fig. 5."""

    slices: dict[str, SliceConfidence]


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
    models: dict[str, list[ModelAttributions]]


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
    schemes: dict[str, SchemeTime]


class ScalabilityResult(TypedDict):
    """Fig. 8: K, as text -> curves."""

    slice: str
    clients: dict[str, Curves]


class OverheadResult(TypedDict):
    """Table IV: scheme -> curves."""

    slice: str
    schemes: dict[str, Curves]


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
    slices: dict[str, dict[str, Ends]]
    numbers: dict[str, float | None]


class SensitivityResult(TypedDict):
    """What the paper left open, varied."""

    rows: list[SensitivityRow]


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
    """Check a figure's result field by field.

    Raises:
        ValueError: naming the field.
    """
    require_form(document["result"], RESULTS[document["figure"]], inside=("result",))


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
