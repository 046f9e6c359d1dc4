"""Every network of a case that is cut: who chooses what is kept, and at which size."""

from collections.abc import Iterator
from dataclasses import dataclass

from reproduction.ofdm.frame import PILOTS
from reproduction.xrefine.network import Kept, all_of
from reproduction.xrefine.pruning import Size, best, evenly_spaced, inputs_alone, neurons_alone
from reproduction.xrefine.relevance import Scores
from reproduction.xrefine.settings import Settings

X_REFINE = "X-REFINE"
"""What the paper's choice is called: LRP's, the pilots always kept."""


@dataclass(frozen=True)
class Choice:
    """A network that is cut.

    Attributes:
        chosen_by: what chose.
        budget: the size at whose FLOPs it is compared.
        kept: what is left.
        from_scratch: whether it is trained from new weights, as long as the others are in all.
    """

    chosen_by: str
    budget: Size
    kept: Kept
    from_scratch: bool = False

    @property
    def key(self) -> str:
        """Its name in a record."""
        return key_of(self.chosen_by, self.budget)


def key_of(chosen_by: str, budget: Size) -> str:
    """Return the name of a network in a record."""
    return f"{chosen_by}, {budget.subcarriers} x {budget.neurons[0]}"


def choices(settings: Settings, scores: dict[str, Scores]) -> Iterator[Choice]:
    """Yield every network that is cut: X-REFINE's over the grid, and all others at the budgets.

    Args:
        settings: the grid and the budgets.
        scores: of each ranking; "XAI-CHEST" has none for neurons.
    """
    for row in settings.grid:
        for size in row:
            if size != settings.full:
                yield Choice(X_REFINE, size, best(scores["LRP"], size, PILOTS.tolist()))
    for budget in settings.budgets:
        size = settings.size(*budget)
        for name, one in scores.items():
            if name != "XAI-CHEST":
                yield Choice(name, size, best(one, size))
        yield Choice("LRP reversed", size, best(_reversed(scores["LRP"]), size))
        yield Choice("evenly spaced", size, evenly_spaced(size))
        yield Choice("from scratch, LRP's choice", size, best(scores["LRP"], size), from_scratch=True)
        yield Choice("from scratch, evenly spaced", size, evenly_spaced(size), from_scratch=True)
        yield from _of_one_kind(settings, size, scores)


def _of_one_kind(settings: Settings, size: Size, scores: dict[str, Scores]) -> Iterator[Choice]:
    """Yield what keeps all neurons, or all subcarriers, at a budget's FLOPs."""
    if filtered := inputs_alone(size.flops, settings.hidden):
        draws = [f"random {number}" for number in range(settings.random_draws)]
        for name in ("LRP", "XAI-CHEST", *draws):
            kept = best(Scores(scores[name].subcarriers, ()), Size(filtered.subcarriers, ()))
            whole = all_of(settings.hidden)
            yield Choice(f"{name}, inputs alone", size, Kept(kept.subcarriers, whole.neurons))
    if pruned := neurons_alone(size.flops, settings.hidden):
        yield Choice("LRP, neurons alone", size, best(scores["LRP"], pruned))


def _reversed(scores: Scores) -> Scores:
    return Scores(-scores.subcarriers, tuple(-layer for layer in scores.neurons))
