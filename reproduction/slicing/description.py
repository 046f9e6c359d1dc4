"""What a figure's document says of its runs: settings, data, seeds, and what trained and drew them."""

from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from reproduction.results.forms import not_empty
from reproduction.results.records import Provenance


class RecordedSla(TypedDict):
    """`settings.SliceSettings`."""

    lower_percent: float
    upper_percent: float
    confidence_threshold: float


class RecordedModel(TypedDict):
    """`settings.ModelSettings`."""

    hidden: list[int]
    leaky_slope: float


class RecordedLocal(TypedDict):
    """`settings.LocalSettings`; the first figures were drawn before two of its settings could be varied."""

    epochs: int
    learning_rate: float
    multiplier_radius: float
    steepness_per_percent: float
    tester_batch: int
    integration_steps: int
    confidence: str
    surrogate: str
    normalisation: NotRequired[str]
    mutations: NotRequired[int]
    multipliers: str
    returned_iterate: str
    baseline_traffic_mbps: float
    baseline_cqi: float
    baseline_mimo_percent: float


class RecordedSettings(TypedDict):
    """`settings.Settings`."""

    name: str
    clients: int
    samples: int
    test_samples: int
    rounds: int
    slices: Annotated[dict[str, RecordedSla], not_empty()]
    model: RecordedModel
    local: RecordedLocal
    client_counts: list[int]
    timed_rounds: int
    convergence_tolerance: float


class RecordedSlice(TypedDict):
    """The data of one slice, of the first seed."""

    target: str
    features: Annotated[list[str], not_empty()]
    clients: int
    training_samples: int
    test_samples: int
    left_out: list[str]
    sha256: str


class RecordedData(TypedDict):
    """Where the data are from, and each slice's."""

    source: str
    slices: Annotated[dict[str, RecordedSlice], not_empty()]


class Description(TypedDict):
    """All of a document but its result."""

    figure: str
    preset: str
    settings: RecordedSettings
    data: RecordedData
    seeds: Annotated[list[int], not_empty()]
    trained_with: list[Provenance]
    drawn_with: Provenance
