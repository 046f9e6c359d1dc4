"""Prose held to numbers: a sentence with a gap for each of its numbers, and what each is computed from."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WORDS = {"no": 0, "one": 1, "two": 2, "twice": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10}
NUMBER = r"(?<![\w.^])[+-]?\d+(?:,\d{3})*(?:\.\d+)?(?!\.?\w|\^)"
"""Neither a figure's panel (5a), nor a version (0.0.17), nor a power (2^Q, R^2)."""
GAP = rf"({NUMBER}|\b(?:{'|'.join(WORDS)})\b)"


@dataclass(frozen=True, kw_only=True)
class Said:
    """Part of a sentence.

    Attributes:
        text: as it stands there, plain (see `plain`), with {} in the place of every number, in digits or in words.
        values: gives what each number is, in the unit in which it is written.
        holds: gives whether what the words say is so; always, where they say nothing more.
    """

    text: str
    values: Callable[[], Sequence[float]] = tuple
    holds: Callable[[], bool] = lambda: True

    def found(self, prose: str) -> re.Match[str] | None:
        pattern = GAP.join(re.escape(part) for part in self.text.split("{}"))
        return re.search(pattern, prose)


def plain(markdown: str) -> str:
    """Return Markdown's text in one line, without its marks and the targets of its links."""
    return re.sub(r"\s+", " ", re.sub(r"[*`\[\]]", "", re.sub(r"\]\([^)]*\)", "]", markdown))).strip()


def wrong(said: Said, prose: str) -> list[str]:
    """Return a line for every number that is not what it is computed to be, to the digits written."""
    match = said.found(prose)
    if match is None:
        return [f"not in the text: {said.text!r}; write the sentence here as it is there now"]
    lines, values = [], said.values()
    if len(values) != len(match.groups()):
        return [f"{said.text!r} has {len(match.groups())} numbers, {len(values)} are computed"]
    for found, value in zip(match.groups(), values, strict=True):
        digits = found.replace(",", "")
        half_a_place = 0.5 * 10.0 ** -len(digits.partition(".")[2])
        if not abs(float(WORDS.get(digits, digits)) - value) <= half_a_place * (1 + 1e-9):
            lines.append(f"{match.group()!r}: says {found}, computed {value:.6g}")
    return lines + ([] if said.holds() else [f"{match.group()!r}: what the words say is not so"])


def undeclared(prose: str, sentences: Sequence[Said]) -> list[str]:
    """Return the numbers of a text, each with its surroundings, that stand in no gap of any of the sentences."""
    matches = [match for match in (said.found(prose) for said in sentences) if match]
    declared = {match.span(group) for match in matches for group in range(1, len(match.groups()) + 1)}
    return [
        prose[max(0, number.start() - 40) : number.end() + 20]
        for number in re.finditer(NUMBER, prose)
        if number.span() not in declared
    ]
