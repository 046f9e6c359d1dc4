import json

import numpy as np
import pytest

from reproduction.ofdm.taps import LONGEST_DELAY_NS, PROFILES, Taps, read_taps


def test_powers_add_up_and_keep_their_differences():
    taps = Taps((0, 100, 200), (3.0, 0.0, -7.0))
    assert taps.powers.sum() == pytest.approx(1.0, abs=1e-15)
    np.testing.assert_allclose(10 * np.log10(taps.powers / taps.powers[0]), [0.0, -3.0, -10.0], atol=1e-12)
    assert Taps((0, 1), (5000.0, 5000.0)).powers.tolist() == [0.5, 0.5]  # 10^500 would overflow


def test_the_profiles_fit_into_the_prefix_and_tdl_c_is_the_most_selective():
    spreads = {}
    for name, taps in PROFILES.items():
        assert max(taps.delays_ns) <= LONGEST_DELAY_NS == 1600.0
        mean = taps.powers @ taps.delays_ns
        spreads[name] = np.sqrt(taps.powers @ (np.array(taps.delays_ns) - mean) ** 2)
    assert max(spreads, key=spreads.get) == "TDL_C"
    assert spreads["TDL_C"] == pytest.approx(153.0, rel=1e-3)  # the standard rounds its delays to four places


def test_tdl_c_is_sionnas_table():
    resources = pytest.importorskip("importlib_resources", reason="the package importlib_resources is not installed")
    pytest.importorskip("sionna", reason="the package sionna-no-rt is not installed")
    folder = resources.files("sionna") / "phy" / "channel" / "tr38901" / "models"
    table = json.loads((folder / "TDL-C.json").read_text())
    np.testing.assert_allclose(PROFILES["TDL_C"].delays_ns, 153.0 * np.array(table["delays"]), rtol=1e-12)
    assert list(PROFILES["TDL_C"].powers_db) == table["powers"]


@pytest.mark.parametrize(
    ("delays_ns", "powers_db", "message"),
    [
        ((), (), "taps must have a power for each delay, got 0 delays and 0 powers; give both"),
        ((0, 1), (0,), "got 2 delays and 1 powers"),
        ((0, np.nan), (0, 0), r"taps\[1\]: delay_ns must be a finite number, got nan; correct it"),
        ((0, 1), (0, -np.inf), r"taps\[1\]: power_db must be a finite number, got -inf"),
        ((-1, 1), (0, 0), r"taps\[0\]: delay_ns must be at least 0, got -1; count delays from the first path"),
        ((0, 1601), (0, 0), r"taps\[1\]: delay_ns must be at most 1600, the cyclic prefix, got 1601; check the unit"),
    ],
)
def test_refused_taps(delays_ns, powers_db, message):
    with pytest.raises(ValueError, match=message):
        Taps(delays_ns, powers_db)


@pytest.mark.parametrize(
    "text",
    [
        "delay_ns,power_db\n0,0\n100.5,-3\n",
        "power_db, delay_ns\r\n0, 0\r\n-3, 1.005e2\r\n",
        "\ufeffdelay_ns,power_db\n0,0\n\n100.5,-3",
    ],
)
def test_read(tmp_path, text):
    path = tmp_path / "taps.csv"
    path.write_text(text, encoding="utf-8", newline="")
    assert read_taps(str(path)) == Taps((0.0, 100.5), (0.0, -3.0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "taps.csv: empty; write the line delay_ns,power_db and then a tap a row"),
        ("\n", "taps.csv: empty; write"),
        ("delay_ns,power_db\n", "taps.csv: there is no tap under the columns; write a tap a row"),
        ("delay,power\n0,0\n", "taps.csv: columns must be delay_ns,power_db, got delay,power; rename them"),
        ("delay_ns,power_db,phase\n0,0,0\n", "taps.csv: columns must be .* got delay_ns,power_db,phase"),
        ("0,0\n100,-3\n", "taps.csv: columns must be delay_ns,power_db, got 0,0; rename"),
        ("delay_ns,power_db\n0,0\n100,loud\n", "taps.csv, row 3: power_db must be a number, got 'loud'; correct it"),
        ("delay_ns,power_db\n0\n", "taps.csv, row 2: must have 2 numbers, got 1; correct it or leave the row out"),
        ("delay_ns,power_db\n0,0\n\n,-3\n", "taps.csv, row 4: delay_ns must be a number, got ''; correct it or"),
        ("delay_ns,power_db\nnan,0\n", "taps.csv, row 2: delay_ns must be a finite number, got nan; correct it"),
        ("delay_ns,power_db\n0,inf\n", "taps.csv, row 2: power_db must be a finite number, got inf"),
        ("delay_ns,power_db\n-5,0\n", "taps.csv, row 2: delay_ns must be at least 0, got -5; count delays"),
        (
            "delay_ns,power_db\n0,0\n1700,0\n",
            "taps.csv, row 3: delay_ns must be at most 1600, the cyclic prefix, got 17",
        ),
        ('delay_ns,power_db\n0,"0\n', "taps.csv: not a CSV file in UTF-8; write"),
        ("delay_ns,power_db\n0,0\n1,2,3\n", "taps.csv, row 3: must have 2 numbers, got 3; correct"),
        ("delay_ns,delay_ns\n0,0\n", "taps.csv: columns must be delay_ns,power_db, got delay_ns,delay_ns"),
    ],
)
def test_refused_tables(tmp_path, text, message):
    path = tmp_path / "taps.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message) as refusal:
        read_taps(path)
    assert "\n" not in str(refusal.value)


def test_refused_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none.csv: no such file; give a CSV file with the columns delay_ns"):
        read_taps(tmp_path / "none.csv")
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_taps(tmp_path)
    picture = tmp_path / "picture.csv"
    picture.write_bytes(b"\xff\xfe\x80\x00")
    with pytest.raises(ValueError, match=r"picture.csv: not a CSV file in UTF-8"):
        read_taps(picture)
