"""Settings: Table III of the paper, and what the paper leaves open, each with a reason.

A variation is a `dataclasses.replace` of `PAPER` or `QUICK`; every check stands in `__post_init__`.

Differs from the paper: what Table III does not print is chosen here and says why.
"""

from dataclasses import dataclass, field
from typing import Literal

Explainer = Literal["integrated_gradients", "input_x_gradient", "shapley_exact"]
Scheme = Literal["in-hoc", "post-hoc"]
ConfidenceReading = Literal["interval", "literal"]
Normalisation = Literal["softmax", "linear"]

EXPLAINERS: tuple[Explainer, ...] = ("integrated_gradients", "input_x_gradient", "shapley_exact")


def _require(holds: bool, name: str, rule: str, got: object) -> None:
    if not holds:
        raise ValueError(f"{name} must be {rule}, got {got!r}; correct the setting")


@dataclass(frozen=True, kw_only=True)
class SliceSettings:
    """What the SLA of one slice asks for.

    Attributes:
        lower_percent: alpha_n of eq. (4), the least CPU load inside the SLA.
        upper_percent: beta_n of eq. (4), the greatest. Printed "3333%" in Table III, read as 3 like N.
        confidence_threshold: nu_n of eq. (7b).
    """

    lower_percent: float = 0.0
    upper_percent: float = 3.0
    confidence_threshold: float

    def __post_init__(self) -> None:
        _require(self.lower_percent < self.upper_percent, "lower_percent", "below upper_percent", self.lower_percent)
        _require(0 < self.confidence_threshold < 1, "confidence_threshold", "in (0, 1)", self.confidence_threshold)


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """The client's network; the paper says only "fully connected layers activated by the leaky ReLU".

    Attributes:
        hidden: units per hidden layer. Ours: 1,587 parameters, whose float32 traffic up and down for
            100 CLs is 1,269.6 KB a round; Table IV's 16,510 KB / 13 rounds = 1,270.0 KB is the paper's
            only trace of the network's size.
        leaky_slope: slope below 0; 0.2 is the default of TensorFlow 1, the paper's framework.
    """

    hidden: tuple[int, ...] = (26, 26, 26)
    leaky_slope: float = 0.2

    def __post_init__(self) -> None:
        _require(len(self.hidden) > 0 and all(units > 0 for units in self.hidden), "hidden", "units > 0", self.hidden)
        _require(0 <= self.leaky_slope < 1, "leaky_slope", "in [0, 1)", self.leaky_slope)


@dataclass(frozen=True, kw_only=True)
class LocalSettings:
    """One CL's local training, Algorithm 1's inner loop.

    Attributes:
        epochs: L, Table III.
        learning_rate: eta_lambda of Table III; Sec. IV gives Adam the same rate.
        multiplier_radius: R_lambda, Table III; a floor of R_lambda / (M + 1) on A's entries.
        steepness_per_percent: mu of eq. (10). Not printed; 3 makes the logistic cross 5-95 % in 2 % of CPU.
        tester_batch: samples that the Tester draws per epoch. Not printed; a quarter of D.
        integration_steps: midpoint nodes of IG. Not printed; 8 and 100 give the same curves.
        confidence: "interval" asks for both bounds of eq. (4); "literal" keeps eq. (6)'s max, which is always 1.
        surrogate: "printed" is eq. (9); "product" is S1 * S2, a proportion.
        normalisation: what turns |alpha| into the mutation probability pi: "softmax" is eq. (2); "linear" divides by
            the sum, as Jha et al. (2019) do, from whom eq. (3) stems.
        mutations: mutated copies of each sample; 1 is the paper's, Jha et al. average over many.
        multipliers: "reset" starts A anew each round as Algorithm 1 does; "keep" carries it over.
        returned_iterate: "mean" of the L iterates as in Algorithm 1; "last" as eq. (1) reads.
        baseline_traffic_mbps: "absent" for an OTT traffic; the paper's baseline is zero.
        baseline_cqi: "absent" for the CQI.
        baseline_mimo_percent: "absent" for the MIMO full-rank usage.
    """

    epochs: int = 100
    learning_rate: float = 0.02
    multiplier_radius: float = 1e-5
    steepness_per_percent: float = 3.0
    tester_batch: int = 250
    integration_steps: int = 8
    confidence: ConfidenceReading = "interval"
    surrogate: Literal["printed", "product"] = "printed"
    normalisation: Normalisation = "softmax"
    mutations: int = 1
    multipliers: Literal["reset", "keep"] = "reset"
    returned_iterate: Literal["mean", "last"] = "mean"
    baseline_traffic_mbps: float = 0.0
    baseline_cqi: float = 0.0
    baseline_mimo_percent: float = 0.0

    def __post_init__(self) -> None:
        for name in ("epochs", "tester_batch", "integration_steps", "mutations"):
            _require(getattr(self, name) >= 1, name, "at least 1", getattr(self, name))
        _require(self.learning_rate > 0, "learning_rate", "positive", self.learning_rate)
        _require(0 < self.multiplier_radius < 1, "multiplier_radius", "in (0, 1)", self.multiplier_radius)
        _require(self.steepness_per_percent > 0, "steepness_per_percent", "positive", self.steepness_per_percent)
        _require(self.confidence in ("interval", "literal"), "confidence", "interval or literal", self.confidence)
        _require(self.surrogate in ("printed", "product"), "surrogate", "printed or product", self.surrogate)
        _require(self.normalisation in ("softmax", "linear"), "normalisation", "softmax or linear", self.normalisation)
        _require(self.multipliers in ("reset", "keep"), "multipliers", "reset or keep", self.multipliers)
        _require(self.returned_iterate in ("mean", "last"), "returned_iterate", "mean or last", self.returned_iterate)
        for name in ("baseline_traffic_mbps", "baseline_cqi", "baseline_mimo_percent"):
            _require(getattr(self, name) >= 0, name, "non-negative", getattr(self, name))


def _paper_slices() -> dict[str, SliceSettings]:
    """Return nu = [0.82, 0.83, 0.85] in the order of Sec. II (the paper does not print the order)."""
    thresholds = {"eMBB": 0.82, "Social Media": 0.83, "Browsing": 0.85}
    return {name: SliceSettings(confidence_threshold=threshold) for name, threshold in thresholds.items()}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A whole experiment.

    Attributes:
        name: the preset, part of no key.
        clients: K, CLs per slice, Table III.
        samples: D, training samples per CL, Table III.
        test_samples: held-out samples per CL, for Fig. 5b. Not printed; a quarter of D.
        rounds: T, FL rounds, Table III.
        slices: the N slices by name.
        model: the network.
        local: Algorithm 1's inner loop.
        client_counts: K of Fig. 8, not printed.
        timed_rounds: rounds per scheme that Fig. 7 times, interleaved.
        convergence_tolerance: a run has converged at the first round from which its MSE stays within this
            share (of the drop from first to best) of its best. The paper names no criterion.
    """

    name: str = "paper"
    clients: int = 100
    samples: int = 1000
    test_samples: int = 250
    rounds: int = 30
    slices: dict[str, SliceSettings] = field(default_factory=_paper_slices)
    model: ModelSettings = ModelSettings()
    local: LocalSettings = LocalSettings()
    client_counts: tuple[int, ...] = (10, 25, 50, 100, 200)
    timed_rounds: int = 9
    convergence_tolerance: float = 0.05

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
