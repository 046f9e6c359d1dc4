"""Self-contained HTML pages: pictures that stand inside the page, and filling in a template."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.image import imread

SHOWN_PER_PIXEL = 0.6
"""CSS pixels per pixel of a picture: sharp on a screen with 1.7 pixels to the CSS pixel."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A PNG inside the page.

    Attributes:
        source: data URI.
        width, height: as shown where there is room, in CSS pixels.
    """

    source: str
    width: int
    height: int


def picture_of(path: Path) -> Picture:
    """Read a PNG.

    Raises:
        ValueError: if it is not there, or torn.
    """
    try:
        content = path.read_bytes()
        height, width = imread(path, format="png").shape[:2]
    except FileNotFoundError as error:
        raise ValueError(f"{path}: missing; draw it again with its script's --redraw") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{path}: not a whole PNG; draw it again with its script's --redraw") from error
    return Picture(
        source=f"data:image/png;base64,{base64.b64encode(content).decode()}",
        width=round(width * SHOWN_PER_PIXEL),
        height=round(height * SHOWN_PER_PIXEL),
    )


def slug(text: str) -> str:
    """Return the text as the id of an element."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def render(template: Path, content: Mapping[str, Any]) -> bytes:
    """Fill in a template; an unknown name in it is an error, and the same content gives the same bytes."""
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"slug": slug, "lower_first": lambda text: text[:1].lower() + text[1:]}
    return environment.get_template(template.name).render(content).encode()
