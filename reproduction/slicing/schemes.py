"""The schemes that are compared, each said once: its label in the paper's words, what it is, and its look.

Colours are Okabe and Ito's, told apart in grey by line style and marker too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reproduction.slicing.settings import Explainer, Scheme

EXPLAINER_LABELS: dict[Explainer, str] = {
    "integrated_gradients": "IG",
    "input_x_gradient": "Input x Gradient",
    "shapley_exact": "SHAP",
}


@dataclass(frozen=True, kw_only=True)
class ComparedScheme:
    """One line of a picture.

    Attributes:
        label: in legends, tables and figure records.
        short: the same where there is little room.
        scheme: "in-hoc", trained with the constraint, or "post-hoc".
        explainer: in the loop of "in-hoc"; "post-hoc" is explained with it afterwards.
        look: matplotlib's line properties.
    """

    label: str
    short: str
    scheme: Scheme
    explainer: Explainer
    look: Mapping[str, Any]


def label_of(scheme: Scheme, explainer: Explainer) -> str:
    """Return the label of a scheme; which explainer looks at a post-hoc model afterwards is not part of it."""
    return "post-hoc" if scheme == "post-hoc" else f"in-hoc {EXPLAINER_LABELS[explainer]}"


def _in_hoc(explainer: Explainer, short: str, **look: str) -> ComparedScheme:
    return ComparedScheme(
        label=label_of("in-hoc", explainer), short=f"in-hoc\n{short}", scheme="in-hoc", explainer=explainer, look=look
    )


ALL = (
    _in_hoc("integrated_gradients", "IG", color="#0072B2", linestyle="-", marker="o"),
    _in_hoc("input_x_gradient", "IxG", color="#009E73", linestyle="-.", marker="^"),
    _in_hoc("shapley_exact", "SHAP", color="#E69F00", linestyle=":", marker="D"),
    ComparedScheme(
        label=label_of("post-hoc", "integrated_gradients"),
        short="post-hoc",
        scheme="post-hoc",
        explainer="integrated_gradients",
        look={"color": "#D55E00", "linestyle": "--", "marker": "s"},
    ),
)

SCHEMES: dict[str, tuple[Scheme, Explainer]] = {one.label: (one.scheme, one.explainer) for one in ALL}
LOOKS: dict[str, dict[str, Any]] = {one.label: dict(one.look) for one in ALL}
SHORT_LABELS = {one.label: one.short for one in ALL}

IN_HOC, POST_HOC = ALL[0].label, ALL[-1].label
"""The labels of the two that every figure of the paper shows: in-hoc guided by IG, and the unconstrained baseline."""

MAIN_SCHEMES = (IN_HOC, POST_HOC)

NEWCOMER_LOOKS = (
    {"color": "#000000", "linestyle": (0, (1, 1)), "marker": "v"},
    {"color": "#CC79A7", "linestyle": (0, (3, 1, 1, 1)), "marker": "P"},
    {"color": "#56B4E9", "linestyle": (0, (6, 1)), "marker": "X"},
    {"color": "#009E73", "linestyle": (0, (3, 1, 1, 1, 1, 1)), "marker": "^"},
    {"color": "#E69F00", "linestyle": (0, (1, 3)), "marker": "D"},
    {"color": "#7F7F7F", "linestyle": (0, (9, 2)), "marker": "*"},
)
"""Looks of others' methods beside "in-hoc IG" and "post-hoc"."""
