"""Tidy curves: what is written reads back exactly, and every other table is refused in one line."""

import numpy as np
import pandas as pd
import pytest

from reproduction.slicing.comparison import curves
from reproduction.slicing.comparison.curves import COLUMNS, CONDITIONS, CurvesError

HEADER = ",".join(COLUMNS)
GOOD = """\
scheme,explainer,slice,seed,round,metric,value,unit
FedProx,IG,eMBB,0,1,mse,0.5,%^2
FedProx,IG,eMBB,0,2,mse,0.25,%^2
FedProx,IG,eMBB,0,1,confidence,undefined,1
FedProx,IG,eMBB,0,2,confidence,1,1
"""


def table(tmp_path, text):
    path = tmp_path / "theirs.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_read(tmp_path):
    frame = curves.read(table(tmp_path, GOOD))
    assert tuple(frame.columns) == (*COLUMNS, *CONDITIONS)
    assert frame["seed"].dtype == frame["round"].dtype == np.int64
    np.testing.assert_array_equal(frame["value"], [0.5, 0.25, np.nan, 1.0])
    assert frame["round"].tolist() == [1, 2, 1, 2]


MADE = f",10,1000,50,2,{'0a' * 32}\n"
SAYING = GOOD.replace("unit\n", "unit,clients,samples,epochs,rounds,data\n").replace("%^2\n", "%^2" + MADE)
SAYING = SAYING.replace("undefined,1\n", "undefined,1" + MADE).replace("confidence,1,1\n", "confidence,1,1" + MADE)


def test_how_a_run_was_made(tmp_path):
    """Said, partly said and not said at all; what is not said is 0 or empty, and stays so."""
    columns = list(CONDITIONS)
    frame = curves.read(table(tmp_path, SAYING))
    assert frame[columns].drop_duplicates().to_numpy().tolist() == [[10, 1000, 50, 2, "0a" * 32]]
    assert [frame[name].dtype.kind for name in columns[:-1]] == ["i"] * 4
    nothing = curves.read(table(tmp_path, GOOD))
    assert nothing[columns].drop_duplicates().to_numpy().tolist() == [[0, 0, 0, 0, ""]]
    partly = curves.read(table(tmp_path, SAYING.replace(",10,1000,", ",,1000.0,")))
    assert partly[columns].drop_duplicates().to_numpy().tolist() == [[0, 1000, 50, 2, "0a" * 32]]
    two = pd.concat([frame.assign(scheme="A"), nothing[list(COLUMNS)].assign(scheme="B")])  # 0 is NaN then
    curves.write(tmp_path / "two.csv", two)
    back = curves.read(tmp_path / "two.csv").set_index("scheme")
    assert back.loc["A", columns].drop_duplicates().to_numpy().tolist() == [[10, 1000, 50, 2, "0a" * 32]]
    assert back.loc["B", columns].drop_duplicates().to_numpy().tolist() == [[0, 0, 0, 0, ""]]


def test_what_other_programs_write_reads_the_same(tmp_path):
    """A byte-order mark, CRLF, blanks, whole numbers with a point, a blank last line, other orders."""
    expected = curves.read(table(tmp_path, GOOD))
    windows = ("\ufeff" + GOOD.replace("\n", "\r\n") + "\r\n").encode()
    pd.testing.assert_frame_equal(curves.read(table(tmp_path, windows)), expected)
    pd.testing.assert_frame_equal(curves.read(table(tmp_path, GOOD.replace(",0,2,", ", 0.0, 2.0, "))), expected)
    turned = expected[list(COLUMNS[::-1])].to_csv(index=False, na_rep="undefined")
    pd.testing.assert_frame_equal(curves.read(table(tmp_path, turned)), expected)


def test_write_then_read_is_exact_and_ignores_the_order(tmp_path):
    frame = curves.read(table(tmp_path, GOOD))
    frame["value"] = [1 / 3, 5e-324, np.nan, 0.1 + 0.2 - 0.2]  # what only repr's digits bring back
    curves.write(tmp_path / "a.csv", frame)
    curves.write(tmp_path / "b.csv", frame.iloc[::-1])
    content = (tmp_path / "a.csv").read_bytes()
    assert content == (tmp_path / "b.csv").read_bytes()
    assert b"\r" not in content
    assert content.startswith(HEADER.encode())
    order = ["metric", "round"]
    back = curves.read(tmp_path / "a.csv")
    pd.testing.assert_frame_equal(back, frame.sort_values(order).reset_index(drop=True), check_exact=True)


def test_write_refuses_what_read_would(tmp_path):
    frame = curves.read(table(tmp_path, GOOD))
    frame.loc[0, "value"] = np.nan
    with pytest.raises(CurvesError, match=r"bad\.csv, row 2: mse must be a finite number, got 'undefined'"):
        curves.write(tmp_path / "bad.csv", frame)
    assert not (tmp_path / "bad.csv").exists()


BAD = {
    "empty file": ("", r": the file is empty; write the header scheme,"),
    "no rows": (HEADER + "\n", r": a header and no rows"),
    "missing column": (GOOD.replace(",unit", "", 1).replace(",%^2", "").replace(",1\n", "\n"), "'unit' is missing"),
    "extra column": ("\n".join(line + ",x" for line in GOOD.split()), r"row 1: column 'x' is one too many"),
    "column twice": ("\n".join(line + ",seed" for line in GOOD.split()), r"row 1: column 'seed' is one too many"),
    "semicolons": (GOOD.replace(",", ";"), r"row 1: column 'scheme' is missing; the columns are scheme,"),
    "ragged": (GOOD + "a,b,c,d,e,f,g,h,i\n", r"not readable as CSV \(.*line 6"),
    "not text": (b"\xff\xfe\x00", r"not text in UTF-8"),
    "empty name": (GOOD.replace("eMBB,0,2", ",0,2", 1), r"row 3: slice is empty; name it"),
    "unknown metric": (GOOD.replace("1,mse", "1,rmse"), r"row 2: metric must be one of mse, confidence, kb, seconds"),
    "wrong unit": (GOOD.replace("%^2", "1"), r"row 2: the unit of mse must be %\^2, got '1'"),
    "mixed unit": (GOOD.replace("0.25,%^2", "0.25,%"), r"row 3: the unit of mse must be %\^2, got '%'"),
    "duplicate": (GOOD.replace("2,mse", "1,mse"), r"row 3: the same run, metric and round as row 2; drop one"),
    "missing round": (GOOD.replace("2,mse", "3,mse"), r"run FedProx, IG, eMBB, seed 0: mse lacks round 2 of 1\.\.3"),
    "other T": (GOOD + "FedProx,IG,eMBB,0,3,mse,0.1,%^2\n", r"confidence lacks round 3 of 1\.\.3"),
    "round 0": (GOOD.replace("0,1,mse", "0,0,mse"), r"row 2: round must be a whole number from 1, got '0'"),
    "seed": (GOOD.replace("0,1,mse", "0.5,1,mse"), r"row 2: seed must be a whole number from 0, got '0\.5'"),
    "negative seed": (GOOD.replace("0,1,mse", "-1,1,mse"), r"row 2: seed must be a whole number from 0, got '-1'"),
    "huge seed": (GOOD.replace("0,1,mse", "1e30,1,mse"), r"row 2: seed must be a whole number from 0"),
    "no seed": (GOOD.replace("0,1,mse", ",1,mse"), r"row 2: seed must be a whole number from 0, got ''"),
    "NaN": (GOOD.replace("0.5", "NaN"), r"row 2: mse must be a finite number, got 'NaN'"),
    "infinite": (GOOD.replace("0.5", "inf"), r"row 2: mse must be a finite number, got 'inf'"),
    "no value": (GOOD.replace("0.5", ""), r"row 2: mse must be a finite number, got ''"),
    "a word": (GOOD.replace("0.5", "low"), r"row 2: mse must be a finite number, got 'low'"),
    "undefined mse": (GOOD.replace("0.5", "undefined"), r"row 2: mse must be a finite number, got 'undefined'"),
    "NaN confidence": (GOOD.replace("undefined", "NaN"), r"row 4: confidence must be a finite number, or undefined"),
    "no number of CLs": (
        SAYING.replace(",10,1000", ",0,1000", 1),
        r"row 2: clients must be a whole number from 1, got '0'",
    ),
    "epochs in words": (
        SAYING.replace(",50,", ",fifty,", 1),
        r"row 2: epochs must be a whole number from 1, got 'fifty'",
    ),
    "no digest": (SAYING.replace("0a" * 32, "0a" * 8, 1), r"row 2: data must be a SHA-256, 64 hex digits .*got '0a0a"),
    "made twice": (
        SAYING.replace(",50,", ",60,", 1),
        r"run FedProx, IG, eMBB, seed 0, 10 CLs: epochs must be the same in",
    ),
    "cut off": (
        SAYING.replace(",50,2,", ",50,3,"),
        r"run FedProx, IG, eMBB, seed 0, 10 CLs: says rounds 3 and ends at round 2; complete it",
    ),
    "condition twice": ("\n".join(line + ",clients" for line in SAYING.split()), r"column 'clients' is one too many"),
    "negative": (GOOD.replace("0.5", "-0.5"), r"row 2: mse must be at least 0, got -0\.5"),
    "per cent": (GOOD.replace("confidence,1,", "confidence,85,"), r"row 5: confidence must be in \[0, 1\], got 85"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_a_bad_table_is_refused_in_one_line(tmp_path, text, message):
    with pytest.raises(CurvesError, match=message) as caught:
        curves.read(table(tmp_path, text))
    assert "\n" not in str(caught.value)
    assert "theirs.csv" in str(caught.value)


def test_no_file(tmp_path):
    with pytest.raises(CurvesError, match=r"none\.csv: no such file"):
        curves.read(tmp_path / "none.csv")
    with pytest.raises(CurvesError, match=r"cannot be read \(Is a directory\)"):
        curves.read(tmp_path)


def test_from_federation(build, tmp_path):
    lab = build.laboratory(tmp_path)
    payload = lab.federation("eMBB", "in-hoc", "shapley_exact", 0)
    payload["rounds"][1]["confidence"] = None  # what a record holds where every U is empty
    frame = curves.from_federation(payload, samples=120)
    curves.write(tmp_path / "ours.csv", frame)  # so it is in the form
    assert set(map(tuple, frame[["scheme", "explainer", "slice", "seed"]].to_numpy())) == {
        ("in-hoc", "SHAP", "eMBB", 0)
    }
    data = lab.data("eMBB", 0, 3)
    made = frame[list(CONDITIONS)].drop_duplicates()
    assert made.to_dict("records") == [
        {"clients": 3, "samples": 120, "epochs": lab.settings.local.epochs, "rounds": 3, "data": data.digest()}
    ]
    wide = frame.pivot(index="round", columns="metric", values="value")
    assert wide.index.tolist() == [1, 2, 3]
    assert wide["mse"].tolist() == [entry["mse"] for entry in payload["rounds"]]
    assert np.isnan(wide["confidence"][2])
    parameters = 5 * 6 + 6 + 6 * 5 + 5 + 5 + 1
    assert wide["kb"].tolist() == [3 * 2 * 4 * parameters / 1000] * 3  # 3 CLs, up and down, float32
    assert wide["seconds"].tolist() == [entry["seconds"] for entry in payload["rounds"]]


def test_summary():
    def row(seed, metric, value):
        return ("a", "IG", "eMBB", seed, 1, metric, value, curves.METRICS[metric])

    values = [("mse", [1.0, 2.0, 4.0]), ("confidence", [np.nan, 0.5, np.nan]), ("kb", [np.nan] * 3)]
    rows = [row(seed, metric, value) for metric, per_seed in values for seed, value in enumerate(per_seed)]
    table = curves.summary(pd.DataFrame(rows, columns=list(COLUMNS)))
    assert list(table) == ["scheme", "explainer", "slice", "round", "metric", "mean", "sd", "n", "unit"]
    table = table.set_index("metric")
    np.testing.assert_allclose(table.loc["mse", ["mean", "sd"]].tolist(), [7 / 3, np.sqrt(7 / 3)], rtol=1e-15)
    assert table["n"].to_dict() == {"mse": 3, "confidence": 1, "kb": 0}
    np.testing.assert_array_equal(table.loc["confidence", ["mean", "sd"]].tolist(), [0.5, np.nan])
    np.testing.assert_array_equal(table.loc["kb", ["mean", "sd"]].tolist(), [np.nan, np.nan])


def test_a_time_stamp_as_round_is_refused_at_once(tmp_path):
    path = tmp_path / "theirs.csv"
    path.write_text(",".join(curves.COLUMNS) + "\nmine,IG,eMBB,0,1726000000,mse,0.1,%^2\n")
    with pytest.raises(curves.CurvesError, match=r"mse lacks round 1 of 1\.\.1726000000"):
        curves.read(path)
