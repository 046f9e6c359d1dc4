"""The report's page: what its template needs to be filled in, and filling it in.

Nothing here knows a result; the same content gives the same bytes.

Differs from the paper: nothing.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.image import imread

HERE = Path(__file__).parent
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


@dataclass(frozen=True, kw_only=True)
class Lines:
    """A part of a long text as lines.

    Attributes:
        heading: what the lines are of, or "".
        lines: (name or "", value or the plain text).
    """

    heading: str
    lines: tuple[tuple[str, str], ...]


def picture(path: Path) -> Picture:
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


def in_lines(text: str) -> list[Lines]:
    """Lay out a claim's "ours" ("trend: eMBB 0.9 ± 0.1; Browsing 0.8 ± 0.1; ...") as headed lines; nothing is lost."""
    main, _, aside = text.removesuffix(")").partition(" (post-") if text.endswith(")") else (text, "", "")
    parts = [*re.split(r"\. (?=[A-Z])", main), *([f"post-{aside}"] if aside else [])]
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for part in parts:
        heading: str | None = None
        for item in part.split("; "):
            before, colon, after = item.rpartition(": ")
            if colon or heading is None:
                heading = before
                found.append((heading, []))
            found[-1][1].extend(map(_name_and_value, _at_commas(after)))
    return [_headed(heading, lines) for heading, lines in found]


def _headed(heading: str, lines: list[tuple[str, str]]) -> Lines:
    """Make the heading of a single value its name."""
    if heading and len(lines) == 1 and not lines[0][0]:
        return Lines(heading="", lines=((heading, lines[0][1]),))
    return Lines(heading=heading, lines=tuple(lines))


def _at_commas(item: str) -> list[str]:
    """Split where every piece has a number."""
    pieces = item.split(", ")
    return pieces if all(re.search(r"\d", piece) for piece in pieces) else [item]


def _name_and_value(item: str) -> tuple[str, str]:
    match = re.fullmatch(r"(\D.*?) ([-+]?(?:\d|nan).*)", item)
    return (match[1], match[2]) if match else ("", item)


def slug(text: str) -> str:
    """Return the text as the id of an element."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def render(content: Mapping[str, Any], template: str = "report.html.j2") -> bytes:
    """Fill in a template of this folder; an unknown name in it is an error."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"in_lines": in_lines, "slug": slug, "lower_first": lambda text: text[:1].lower() + text[1:]}
    return environment.get_template(template).render(content).encode()
