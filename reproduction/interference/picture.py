"""The picture: a disturbed grid, and each method's relevance over it."""

from typing import Annotated, Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from pydantic import Field
from typing_extensions import TypedDict

from reproduction.interference.study import CONTROLS, METHODS
from reproduction.results.forms import as_many_as, named, not_empty
from reproduction.results.plotting import new_figure
from reproduction.results.records import require_form
from reproduction.results.words import mean_and_sd

LABELS = {
    "saliency": "saliency",
    "input_x_gradient": "input x gradient",
    "epsilon_lrp": "epsilon-LRP",
    "integrated_gradients": "integrated gradients",
    "deeplift": "DeepLIFT",
    "occlusion": "occlusion, 3 x 3",
}


Share = Annotated[float, Field(ge=0.0, le=1.0)]
PerSeed = Annotated[list[Share], not_empty(), as_many_as("seeds")]
Grid = Annotated[list[Annotated[list[float], as_many_as("symbols")]], as_many_as("subcarriers")]
Cells = Annotated[list[Annotated[list[Literal[0, 1]], as_many_as("symbols")]], as_many_as("subcarriers")]


class Size(TypedDict):
    """Of a grid."""

    subcarriers: int
    symbols: int


class Shown(TypedDict):
    """What drawing reads of the settings."""

    grids: Size


class Example(TypedDict):
    """One disturbed grid of the first seed."""

    power_db: Grid
    burst: Cells
    relevance: Annotated[dict[str, Grid], named(*METHODS)]


class RelevanceResult(TypedDict):
    """What `study` gives."""

    accuracy: PerSeed
    by_chance: PerSeed
    hits: Annotated[dict[str, PerSeed], named(*METHODS)]
    untrained: Annotated[dict[str, PerSeed], named(*METHODS)]
    controls: Annotated[dict[str, PerSeed], named(*CONTROLS)]
    example: Example


def check(document: dict[str, Any]) -> None:
    """Refuse (ValueError) a saved document that is not this picture's."""
    require_form(document["settings"], Shown, inside=("settings",))
    grids = document["settings"]["grids"]
    context = {"seeds": len(document["seeds"]), **{name: grids[name] for name in ("subcarriers", "symbols")}}
    require_form(document["result"], RelevanceResult, inside=("result",), context=context)
    example = document["result"]["example"]
    for name, values in {"burst": example["burst"], **example["relevance"]}.items():
        if not np.any(values):
            raise ValueError(f"the example's {name} must not be 0 everywhere")


def draw(document: dict[str, Any]) -> Figure:
    """Draw the example's grid and its relevance by method, each with the hit rate over all grids and seeds."""
    result = document["result"]
    example = result["example"]
    figure, axes = new_figure(len(METHODS) + 1, width=9.6, height=3.1, sharex=True, sharey=True)
    burst = np.array(example["burst"], bool)
    image = axes[0, 0].imshow(example["power_db"], aspect="auto", cmap="viridis", origin="lower")
    hits = mean_and_sd(result["controls"]["power"], ".2f", ".2f")
    axes[0, 0].set_title(f"power, burst framed\nhits {hits}", fontsize=7.5)
    axes[0, 0].set_ylabel("subcarrier")
    _frame(axes[0, 0], burst, "white")
    for place, method in enumerate(METHODS, start=1):
        values = np.array(example["relevance"][method])
        values = values / np.abs(values).max()
        relevance = axes[0, place].imshow(values, aspect="auto", cmap="RdBu_r", vmin=-1.0, vmax=1.0, origin="lower")
        hits = mean_and_sd(result["hits"][method], ".2f", ".2f")
        axes[0, place].set_title(f"{LABELS[method]}\nhits {hits}", fontsize=7.5)
        _frame(axes[0, place], burst, "black")
    for one in axes[0]:
        one.set_xlabel("symbol")
        one.grid(visible=False)
    figure.colorbar(image, ax=axes[0, 0], location="bottom", label="dB", aspect=8, pad=0.02)
    label = "relevance, in units of the greatest of its method; hits: mean ± standard deviation over the seeds"
    figure.colorbar(relevance, ax=axes[0, 1:], location="bottom", label=label, aspect=60, pad=0.02)
    return figure


def _frame(axes: Axes, burst: np.ndarray, colour: str) -> None:
    (top, bottom), (left, right) = (np.flatnonzero(burst.any(axis=axis))[[0, -1]] for axis in (1, 0))
    size = right - left + 1, bottom - top + 1
    axes.add_patch(Rectangle((left - 0.5, top - 0.5), *size, fill=False, edgecolor=colour, linewidth=1.2))
