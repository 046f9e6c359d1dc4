"""Power-delay profiles of channels: four that are known, and anyone's from a table.

Sources: VTV_SDWW, VTV_UC and RTV_UC have the delays and powers of Acosta-Marum and Ingram 2007 (IEEE Vehicular
Technology Magazine, six empirical models for vehicular wireless LANs), as the literature of 802.11p channel estimation
quotes them; TDL_C is Table 7.7.2-3 of 3GPP TR 38.901 at a delay spread of 153 ns, the long one of rural macro cells at
6 GHz (Table 7.7.3-2).

Differs from the sources: the measured models give each tap a Doppler spectrum of its own and some a line of sight;
here every tap is Rayleigh (`channels`).
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from reproduction.ofdm.frame import PREFIX_SECONDS
from reproduction.ofdm.tdl import TDL

LONGEST_DELAY_NS = 1e9 * PREFIX_SECONDS
"""Beyond the cyclic prefix, symbols would run into each other, which the link leaves out."""

COLUMNS = ("delay_ns", "power_db")


@dataclass(frozen=True)
class Taps:
    """A power-delay profile.

    Attributes:
        delays_ns: of each tap, from 0 to `LONGEST_DELAY_NS`.
        powers_db: mean power of each; only their differences count.
    """

    delays_ns: tuple[float, ...]
    powers_db: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.delays_ns) != len(self.powers_db) or not self.delays_ns:
            raise ValueError(
                f"taps must have a power for each delay, got {len(self.delays_ns)} delays and {len(self.powers_db)} "
                "powers; give both for every tap."
            )
        for number, (delay_ns, power_db) in enumerate(zip(self.delays_ns, self.powers_db, strict=True)):
            wrong = _wrong(delay_ns, power_db)
            if wrong:
                raise ValueError(f"taps[{number}]: {wrong}")

    @property
    def powers(self) -> np.ndarray:
        """Mean power of each tap, float64 [taps], 1 in all."""
        linear = 10.0 ** ((np.array(self.powers_db, float) - max(self.powers_db)) / 10.0)
        return linear / linear.sum()


def _wrong(delay_ns: float, power_db: float) -> str:
    """Return what is wrong with a tap, or nothing."""
    for name, value in zip(COLUMNS, (delay_ns, power_db), strict=True):
        if not np.isfinite(value):
            return f"{name} must be a finite number, got {value}; correct it or leave the tap out."
    if delay_ns < 0.0:
        return f"delay_ns must be at least 0, got {delay_ns:g}; count delays from the first path."
    if delay_ns > LONGEST_DELAY_NS:
        return (
            f"delay_ns must be at most {LONGEST_DELAY_NS:g}, the cyclic prefix, got {delay_ns:g}; check the unit, or "
            "leave the tap out."
        )
    return ""


def read_taps(path: Path | str) -> Taps:
    """Read a power-delay profile.

    Args:
        path: a CSV file in UTF-8 with the columns `delay_ns` and `power_db`, a tap a row; empty rows do not count.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is empty, has other columns, or a row is not a tap; the line names file and row.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; give a CSV file with the columns {','.join(COLUMNS)}.")
    rows = _rows(path)
    if not rows:
        raise ValueError(f"{path}: empty; write the line {','.join(COLUMNS)} and then a tap a row.")
    (_, columns), *taps = rows
    if sorted(columns) != sorted(COLUMNS):
        raise ValueError(f"{path}: columns must be {','.join(COLUMNS)}, got {','.join(columns)}; rename them.")
    if not taps:
        raise ValueError(f"{path}: there is no tap under the columns; write a tap a row.")
    pairs = [_tap(f"{path}, row {number}", columns, row) for number, row in taps]
    return Taps(tuple(delay_ns for delay_ns, _ in pairs), tuple(power_db for _, power_db in pairs))


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return the rows that are not empty with their numbers, from 1, as an editor counts them.

    Raises:
        ValueError: it is not a CSV file.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text, strict=True)
            rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{path}: not a CSV file in UTF-8; write the line {','.join(COLUMNS)} and then a tap a row."
        ) from error
    return [(number, row) for number, row in rows if any(row)]


def _tap(where: str, columns: list[str], row: list[str]) -> tuple[float, float]:
    """Return delay and power of a row.

    Raises:
        ValueError: it is not a tap.
    """
    if len(row) != len(columns):
        raise ValueError(f"{where}: must have {len(columns)} numbers, got {len(row)}; correct it or leave the row out.")
    cells = dict(zip(columns, row, strict=True))
    numbers = []
    for name in COLUMNS:
        try:
            numbers.append(float(cells[name]))
        except ValueError as error:
            raise ValueError(
                f"{where}: {name} must be a number, got {cells[name]!r}; correct it or leave the row out."
            ) from error
    wrong = _wrong(*numbers)
    if wrong:
        raise ValueError(f"{where}: {wrong}")
    return numbers[0], numbers[1]


PROFILES = MappingProxyType(
    {
        "VTV_SDWW": Taps(
            (0, 1, 100, 101, 200, 300, 400, 401, 500, 600, 700, 701),
            (0, 0, -11.2, -11.2, -19, -21.9, -25.3, -25.3, -24.4, -28, -26.1, -26.1),
        ),
        "VTV_UC": Taps(
            (0, 1, 100, 101, 102, 200, 201, 202, 300, 301, 400, 401),
            (0, 0, -10, -10, -10, -17.8, -17.8, -17.8, -21.1, -21.1, -26.3, -26.3),
        ),
        "RTV_UC": Taps(
            (0, 1, 2, 100, 101, 102, 200, 201, 300, 301, 500, 501),
            (0, 0, 0, -11.5, -11.5, -11.5, -19, -19, -25.6, -25.6, -28.1, -28.1),
        ),
        "TDL_C": Taps(tuple(153.0 * delay for delay in TDL["TDL-C"].delays), TDL["TDL-C"].powers_db),
    }
)
"""Vehicle to vehicle, same direction with wall; vehicle to vehicle, urban canyon; roadside to vehicle, urban canyon;
and a more selective one without line of sight."""
