"""Settings: Table III of the paper, and what the paper leaves open, each with a reason.

A variation is a `dataclasses.replace` of `PAPER` or `QUICK`; every check stands in `__post_init__`.

Differs from the paper: what Table III does not print is chosen here and says why.
"""

from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

Explainer = Literal["integrated_gradients", "input_x_gradient", "shapley_exact"]
Scheme = Literal["in-hoc", "post-hoc"]
ConfidenceReading = Literal["interval", "literal"]
Normalisation = Literal["softmax", "linear"]

EXPLAINERS: tuple[Explainer, ...] = ("integrated_gradients", "input_x_gradient", "shapley_exact")


def _explained(text: str, *, constraint: bool = False, **options: Any) -> Any:
    """Return a field with its explanation; `constraint` marks what a post-hoc federation never reads."""
    return field(metadata={"help": text, "constraint": constraint}, **options)


def explanations(kind: type) -> dict[str, str]:
    """Return what the fields of a settings class mean, by name."""
    return {entry.name: entry.metadata["help"] for entry in fields(kind)}


def without_constraint(values: "SliceSettings | LocalSettings") -> dict[str, Any]:
    """Return settings as a dictionary, without those that only the constraint reads."""
    return {entry.name: getattr(values, entry.name) for entry in fields(values) if not entry.metadata["constraint"]}


def _require_choices(values: Any) -> None:
    """Check every field that is a `Literal`."""
    for name, hint in get_type_hints(type(values)).items():
        if get_origin(hint) is Literal:
            *others, last = choices = get_args(hint)
            _require(getattr(values, name) in choices, name, f"{', '.join(others)} or {last}", getattr(values, name))


def _require(holds: bool, name: str, rule: str, got: object) -> None:
    if not holds:
        raise ValueError(f"{name} must be {rule}, got {got!r}; correct the setting")


@dataclass(frozen=True, kw_only=True)
class SliceSettings:
    """What the SLA of one slice asks for."""

    lower_percent: float = _explained("alpha_n of eq. (4), the least CPU load inside the SLA.", default=0.0)
    upper_percent: float = _explained(
        'beta_n of eq. (4), the greatest. Printed "3333%" in Table III, read as 3 like N.', default=3.0
    )
    confidence_threshold: float = _explained("nu_n of eq. (7b).", constraint=True)

    def __post_init__(self) -> None:
        _require(self.lower_percent < self.upper_percent, "lower_percent", "below upper_percent", self.lower_percent)
        _require(0 < self.confidence_threshold < 1, "confidence_threshold", "in (0, 1)", self.confidence_threshold)

    @property
    def interval(self) -> str:
        """The SLA's bounds in words."""
        return f"{self.lower_percent:g} to {self.upper_percent:g} %"


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """The client's network; the paper says only "fully connected layers activated by the leaky ReLU"."""

    hidden: tuple[int, ...] = _explained(
        "units per hidden layer. Ours: 1,587 parameters, whose float32 traffic up and down for 100 CLs is "
        "1,269.6 KB a round; Table IV's 16,510 KB / 13 rounds = 1,270.0 KB is the paper's only trace of "
        "the network's size.",
        default=(26, 26, 26),
    )
    leaky_slope: float = _explained(
        "slope below 0; 0.2 is the default of TensorFlow 1, the paper's framework.", default=0.2
    )

    def __post_init__(self) -> None:
        _require(len(self.hidden) > 0 and all(units > 0 for units in self.hidden), "hidden", "units > 0", self.hidden)
        _require(0 <= self.leaky_slope < 1, "leaky_slope", "in [0, 1)", self.leaky_slope)


@dataclass(frozen=True, kw_only=True)
class LocalSettings:
    """One CL's local training, Algorithm 1's inner loop."""

    epochs: int = _explained("L, Table III.", default=100)
    learning_rate: float = _explained("eta_lambda of Table III; Sec. IV gives Adam the same rate.", default=0.02)
    multiplier_radius: float = _explained(
        "R_lambda, Table III; a floor of R_lambda / (M + 1) on A's entries.", default=1e-5, constraint=True
    )
    steepness_per_percent: float = _explained(
        "mu of eq. (10). Not printed; 3 makes the logistic cross 5-95 % in 2 % of CPU.", default=3.0, constraint=True
    )
    tester_batch: int = _explained(
        "samples that the Tester draws per epoch. Not printed; a quarter of D.", default=250, constraint=True
    )
    integration_steps: int = _explained("midpoint nodes of IG. Not printed; 8 and 100 give the same curves.", default=8)
    confidence: ConfidenceReading = _explained(
        '"interval" asks for both bounds of eq. (4); "literal" keeps eq. (6)\'s max, which is always 1.',
        default="interval",
    )
    surrogate: Literal["printed", "product"] = _explained(
        '"printed" is eq. (9); "product" is S1 * S2, a proportion.', default="printed", constraint=True
    )
    normalisation: Normalisation = _explained(
        'what turns |alpha| into the mutation probability pi: "softmax" is eq. (2); "linear" divides by '
        "the sum, as Jha et al. (2019) do, from whom eq. (3) stems.",
        default="softmax",
    )
    mutations: int = _explained(
        "mutated copies of each sample; 1 is the paper's, Jha et al. average over many.", default=1
    )
    multipliers: Literal["reset", "keep"] = _explained(
        '"reset" starts A anew each round as Algorithm 1 does; "keep" carries it over.',
        default="reset",
        constraint=True,
    )
    returned_iterate: Literal["mean", "last"] = _explained(
        '"mean" of the L iterates as in Algorithm 1; "last" as eq. (1) reads.', default="mean"
    )
    baseline_traffic_mbps: float = _explained(
        '"absent" for an OTT traffic; the paper\'s baseline is zero.', default=0.0
    )
    baseline_cqi: float = _explained('"absent" for the CQI.', default=0.0)
    baseline_mimo_percent: float = _explained('"absent" for the MIMO full-rank usage.', default=0.0)

    def __post_init__(self) -> None:
        for name in ("epochs", "tester_batch", "integration_steps", "mutations"):
            _require(getattr(self, name) >= 1, name, "at least 1", getattr(self, name))
        _require(self.learning_rate > 0, "learning_rate", "positive", self.learning_rate)
        _require(0 < self.multiplier_radius < 1, "multiplier_radius", "in (0, 1)", self.multiplier_radius)
        _require(self.steepness_per_percent > 0, "steepness_per_percent", "positive", self.steepness_per_percent)
        _require_choices(self)
        for name in ("baseline_traffic_mbps", "baseline_cqi", "baseline_mimo_percent"):
            _require(getattr(self, name) >= 0, name, "non-negative", getattr(self, name))


def _paper_slices() -> dict[str, SliceSettings]:
    """Return nu = [0.82, 0.83, 0.85] in the order of Sec. II (the paper does not print the order)."""
    thresholds = {"eMBB": 0.82, "Social Media": 0.83, "Browsing": 0.85}
    return {name: SliceSettings(confidence_threshold=threshold) for name, threshold in thresholds.items()}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A whole experiment."""

    name: str = _explained("the preset, part of no key.", default="paper")
    clients: int = _explained("K, CLs per slice, Table III.", default=100)
    samples: int = _explained("D, training samples per CL, Table III.", default=1000)
    test_samples: int = _explained("held-out samples per CL, for Fig. 5b. Not printed; a quarter of D.", default=250)
    rounds: int = _explained("T, FL rounds, Table III.", default=30)
    slices: dict[str, SliceSettings] = _explained("the N slices by name.", default_factory=_paper_slices)
    model: ModelSettings = _explained("the network.", default=ModelSettings())
    local: LocalSettings = _explained("Algorithm 1's inner loop.", default=LocalSettings())
    client_counts: tuple[int, ...] = _explained("K of Fig. 8, not printed.", default=(10, 25, 50, 100, 200))
    timed_rounds: int = _explained("rounds per scheme that Fig. 7 times, interleaved.", default=9)
    convergence_tolerance: float = _explained(
        "a run has converged at the first round from which its MSE stays within this share (of the drop "
        "from first to best) of its best. The paper names no criterion.",
        default=0.05,
    )

    def __post_init__(self) -> None:
        for name in ("clients", "test_samples", "rounds", "timed_rounds"):
            _require(getattr(self, name) >= 1, name, "at least 1", getattr(self, name))
        _require(self.samples >= 2, "samples", "at least 2", self.samples)
        _require(0 < self.convergence_tolerance < 1, "convergence_tolerance", "in (0, 1)", self.convergence_tolerance)
        counts = self.client_counts
        _require(len(counts) > 0 and min(counts) >= 1, "client_counts", "one or more counts, each at least 1", counts)


PAPER = Settings()
"""Table III."""

QUICK = Settings(
    name="quick",
    clients=10,
    rounds=10,
    local=LocalSettings(epochs=50),
    client_counts=(2, 5, 10, 20),
    timed_rounds=3,
)
"""The whole house in under two minutes; its numbers are not the paper's."""

SENSITIVITY = Settings(name="sensitivity", clients=8, client_counts=(2, 4, 8))
"""Table III with few CLs: for many federations, compared with one another."""

PRESETS = {preset.name: preset for preset in (PAPER, QUICK)}
