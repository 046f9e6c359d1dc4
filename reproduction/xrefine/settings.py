"""What is simulated, trained, pruned and compared.

What the papers do not print is our choice: widths and training (those of the authors' earlier estimators), the grid of
sizes, the stabiliser, the number of frames.
"""

from dataclasses import dataclass, field

from reproduction.xrefine.pruning import Size
from reproduction.xrefine.training import Training

EBNO_DB = tuple(float(value) for value in range(0, 41, 5))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One study.

    Attributes:
        name: of the preset.
        channels: names of `ofdm.channels.CHANNELS`.
        modulations: names of `ofdm.link.MODULATIONS`.
        doppler_hz: greatest Doppler shift.
        ebno_db: Eb/N0 of training, and of the test.
        hidden: widths of the hidden layers.
        training: how a network is trained, and retrained once it is cut.
        training_symbols: that it learns from, of all Eb/N0 alike.
        held_out_symbols: that rankings look at.
        test_frames: per Eb/N0, bits uncoded.
        coded_frames: per Eb/N0, bits coded; of the full network and the one that was found.
        counted_from_db: the errors of a comparison are those at this Eb/N0 and above, where the estimate decides.
        subcarriers: that are kept, row by row of the search.
        neurons: that are kept of each hidden layer, column by column.
        budgets: sizes at whose FLOPs the rankings are compared.
        random_draws: of random choices at every budget.
        target: how many times the full network's errors a smaller one may make.
    """

    name: str
    channels: tuple[str, ...] = ("VTV_SDWW", "TDL_C")
    modulations: tuple[str, ...] = ("QPSK", "16QAM", "64QAM")
    doppler_hz: float = 500.0
    ebno_db: tuple[float, ...] = EBNO_DB
    hidden: tuple[int, ...] = (15, 15, 15)
    training: Training = field(default_factory=Training)
    training_symbols: int = 20000
    held_out_symbols: int = 5000
    test_frames: int = 100
    coded_frames: int = 100
    counted_from_db: float = 20.0
    subcarriers: tuple[int, ...] = (52, 39, 26, 20, 12, 6)
    neurons: tuple[int, ...] = (4, 6, 8, 10, 12, 15)
    budgets: tuple[tuple[int, int], ...] = ((39, 12), (26, 10), (20, 8), (12, 6))
    random_draws: int = 10
    target: float = 1.1

    def size(self, subcarriers: int, neurons: int) -> Size:
        """Return the size that keeps so many subcarriers, and so many neurons of each hidden layer."""
        return Size(subcarriers, (neurons,) * len(self.hidden))

    @property
    def full(self) -> Size:
        """That of the whole network."""
        return Size(52, self.hidden)

    @property
    def grid(self) -> list[list[Size]]:
        """The sizes of the search."""
        return [[self.size(row, column) for column in self.neurons] for row in self.subcarriers]


PAPER = Settings(name="paper")
QUICK = Settings(
    name="quick",
    channels=("VTV_SDWW",),
    modulations=("QPSK",),
    training=Training(epochs=10),
    training_symbols=4500,
    held_out_symbols=900,
    test_frames=10,
    coded_frames=4,
    subcarriers=(52, 26, 12),
    neurons=(6, 10, 15),
    budgets=((26, 10), (12, 6)),
    random_draws=3,
)
