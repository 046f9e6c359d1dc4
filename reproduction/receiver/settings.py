"""What is simulated, trained and compared.

DeepRx: Honkala, Korpi and Huttunen, arXiv 2005.01494. The study of influence: Tuononen, Penttinen and Hautamäki, arXiv
2509.15950. What the papers do not print, or is not to be had, is our choice: the size of the grid, the pilots, one
receive antenna, the training's length and rate, the small network.
"""

from dataclasses import dataclass, field

from reproduction.ofdm.conditions import Mix
from reproduction.ofdm.grid import Grid
from reproduction.receiver.names import COSINE, PAPERS, PLAIN


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Of DeepRx.

    Attributes:
        first: channels that the first convolution gives.
        widths: channels that each residual block gives.
        dilations: of each block's convolutions, over symbols and over subcarriers.
    """

    first: int = 64
    widths: tuple[int, ...] = (64, 64, 128, 128, 256, 256, 256, 128, 128, 64, 64)
    dilations: tuple[tuple[int, int], ...] = (
        *((1, 1), (1, 1), (2, 3), (2, 3), (2, 3), (3, 6)),
        *((2, 3), (2, 3), (2, 3), (1, 1), (1, 1)),
    )

    def __post_init__(self) -> None:
        if len(self.widths) != len(self.dilations):
            raise ValueError(
                f"dilations must be one for each width, got {len(self.widths)} widths and {len(self.dilations)} "
                "dilations; give both for every block."
            )


SMALL = Architecture(first=16, widths=(16, 32, 64, 32, 16), dilations=((1, 1), (2, 3), (3, 6), (2, 3), (1, 1)))
"""A quarter as wide, with a block of each kind: 37,668 parameters at 16QAM."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a network is trained: Adam, whose rate falls from its greatest to 0 along half a cosine.

    Small batches learn sooner, for a frame has hundreds of cells: at equal work, in batches of 32 the small network has
    not begun to tell levels apart when in batches of 8 it is at linear interpolation.

    Attributes:
        frames: that it learns from.
        epochs: passes over them, each in another order.
        batch: frames per step; what is left of an epoch behind its last whole batch is left out.
        learning_rate: Adam's greatest.
    """

    frames: int = 10_000
    epochs: int = 10
    batch: int = 8
    learning_rate: float = 3e-3

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= self.frames:
            raise ValueError(f"batch must be from 1 to frames, {self.frames}, got {self.batch}; 8 is usual.")


@dataclass(frozen=True, kw_only=True)
class Influences:
    """How influence is computed, and what a network is fine-tuned on by it.

    Attributes:
        candidates: training frames, the first ones, that are scored and selected from.
        curvature_frames: candidates, the first ones, over which the Hessian is the mean.
        iterations: dimension of Arnoldi's space.
        damping_over_curvature: damping, in units of the Hessian's greatest eigenvalue.
        pool: frames of unseen channels that targets are chosen from.
        targets: how many; those with the most bit errors above the genie's.
        selected: frames that a target is fine-tuned on.
        other_counts: of frames, in place of `selected`.
        kinds_of_other_counts: selections that are tried with those, for the first `targets_of_other_counts` targets.
        targets_of_other_counts: how many.
        random_draws: random selections for each target.
        draws_of_other_counts: random selections with the other counts.
        steps: of fine-tuning.
        told_at: steps after which bit errors are counted.
        step_times_curvature: length of a step over the gradient's, times the Hessian's greatest eigenvalue; below 2.
        same_frames: of the target's own channel, with other bits and noise, that a network is held to.
        alike_frames: of fresh channels under the target's conditions.
        other_frames: of each other target's channel.
        together: how many targets are adapted to at once.
        targets_left_out: targets whose influences are held to trainings without frames.
        groups_left_out: groups of candidates, each left out in turn.
        random_groups_left_out: random groups as large, each left out in turn, for each of these targets.
        last_epochs: that are trained again without them.
    """

    candidates: int = 2000
    curvature_frames: int = 500
    iterations: int = 50
    damping_over_curvature: float = 0.01
    pool: int = 1000
    targets: int = 20
    selected: int = 50
    other_counts: tuple[int, ...] = (10, 200)
    kinds_of_other_counts: tuple[str, ...] = (PAPERS, PLAIN, COSINE)
    targets_of_other_counts: int = 6
    random_draws: int = 10
    draws_of_other_counts: int = 3
    steps: int = 10
    told_at: tuple[int, ...] = (1, 2, 5, 10)
    step_times_curvature: float = 0.5
    same_frames: int = 40
    alike_frames: int = 80
    other_frames: int = 2
    together: tuple[int, ...] = (5, 20)
    targets_left_out: int = 2
    groups_left_out: int = 10
    random_groups_left_out: int = 4
    last_epochs: int = 2

    def __post_init__(self) -> None:
        for name, value, least, most in (
            ("curvature_frames", self.curvature_frames, 1, self.candidates),
            ("selected", max(self.selected, *self.other_counts, 1), 1, self.candidates),
            ("targets", self.targets, 2, self.pool),
            ("targets_of_other_counts", self.targets_of_other_counts, 1, self.targets),
            ("together", min(self.together, default=0), 1, self.targets),
            ("together", max(self.together, default=0), 1, self.targets),
            ("targets_left_out", self.targets_left_out, 1, self.targets),
            ("groups_left_out", self.groups_left_out, 2, self.candidates),
            ("random_groups_left_out", self.random_groups_left_out, 1, self.candidates),
            ("draws_of_other_counts", self.draws_of_other_counts, 1, self.random_draws),
            ("other_counts", min(self.other_counts, default=0), 1, self.candidates),
            *((name, getattr(self, name), 1, 1_000_000) for name in ("same_frames", "alike_frames", "other_frames")),
        ):
            if not least <= value <= most:
                raise ValueError(f"{name} must be from {least} to {most}, got {value}; change it, or its bound.")
        if self.steps not in self.told_at or max(self.told_at) > self.steps or min(self.told_at) < 1:
            raise ValueError(f"told_at must be steps up to the last, {self.steps}, got {self.told_at}; end with it.")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One study.

    Attributes:
        name: of the preset.
        modulation: one of `ofdm.link.MODULATIONS`.
        grid: of a frame.
        learned: conditions of the training.
        unseen: conditions on whose channels nothing was trained.
        architecture: of the network.
        training: how it is trained.
        statistics_frames: conditions of the training over which the LMMSE receiver's covariance is the mean.
        snr_db: of the test.
        test_frames: per SNR.
        influences: what is fine-tuned, and on what.
    """

    name: str
    modulation: str = "16QAM"
    grid: Grid = field(default_factory=Grid)
    learned: Mix = field(default_factory=lambda: Mix(channels=("TDL-B", "TDL-C", "TDL-D")))
    unseen: Mix = field(default_factory=lambda: Mix(channels=("TDL-A", "TDL-E")))
    architecture: Architecture = SMALL
    training: Training = field(default_factory=Training)
    statistics_frames: int = 1000
    snr_db: tuple[float, ...] = tuple(float(value) for value in range(-4, 33, 4))
    test_frames: int = 400
    influences: Influences = field(default_factory=Influences)

    def require_influences(self) -> None:
        """Refuse, before hours are spent, a training that cannot be what influences are computed of.

        Raises:
            ValueError: so.
        """
        how, training = self.influences, self.training
        if how.candidates > training.frames:
            raise ValueError(
                f"candidates must be at most the training's {training.frames} frames, got {how.candidates}; take fewer."
            )
        if not 1 <= how.last_epochs < training.epochs:
            raise ValueError(
                f"last_epochs must be from 1 to one less than the training's {training.epochs} epochs, got "
                f"{how.last_epochs}; take fewer."
            )

    @property
    def late_epoch(self) -> int:
        """The epoch after which a training is kept, to be ended again without some frames."""
        return self.training.epochs - self.influences.last_epochs


@dataclass(frozen=True)
class Case:
    """What is looked at.

    Attributes:
        settings: of the study.
        seed: of everything random.
    """

    settings: Settings
    seed: int


PACKAGES = ("tensorflow", "keras", "numpy", "sionna-no-rt")
"""Those whose versions decide the numbers."""

PAPER = Settings(name="paper")
"""On two cores."""

FULL = Settings(
    name="full", architecture=Architecture(), training=Training(frames=50_000, epochs=30, batch=64, learning_rate=1e-3)
)
"""The network of the paper, for a GPU."""

QUICK = Settings(
    name="quick",
    training=Training(frames=1000, epochs=4),
    statistics_frames=100,
    snr_db=(0.0, 8.0, 16.0, 24.0, 32.0),
    test_frames=60,
    influences=Influences(
        candidates=100,
        curvature_frames=16,
        iterations=5,
        pool=100,
        targets=2,
        selected=20,
        other_counts=(10,),
        targets_of_other_counts=1,
        random_draws=2,
        draws_of_other_counts=1,
        steps=3,
        told_at=(1, 3),
        same_frames=10,
        alike_frames=20,
        together=(2,),
        targets_left_out=1,
        groups_left_out=3,
        random_groups_left_out=2,
        last_epochs=1,
    ),
)
