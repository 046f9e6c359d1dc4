import csv
import dataclasses
import json
import re
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reproduction.slicing.datasets import load
from reproduction.slicing.datasets.table_schema import TableSchema, read_schema
from reproduction.slicing.datasets.tables import load_tables

SCHEMA = TableSchema(
    client="site",
    traffic_mbps=("web", "video"),
    cqi="cqi",
    mimo_percent="rank",
    target_percent="cpu",
    sla_percent=(0.0, 3.0),
)


def frame(clients=("a", "b"), rows=10, seed=0):
    rng = np.random.default_rng(seed)
    size = rows * len(clients)
    return pd.DataFrame(
        {
            "site": np.repeat(clients, rows),
            "hour": np.tile(np.arange(rows), len(clients)),
            "web": rng.uniform(0.1, 8, size).round(3),
            "video": rng.uniform(0.1, 8, size).round(3),
            "cqi": rng.uniform(1, 15, size).round(3),
            "rank": rng.uniform(0, 100, size).round(3),
            "cpu": rng.uniform(0, 5, size).round(3),
        }
    )


def written(table, path):
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path)
    return path


def schema_with(**changes):
    fields = {name: getattr(SCHEMA, name) for name in SCHEMA.__dataclass_fields__}
    return TableSchema(**(fields | changes))


@pytest.mark.parametrize("extension", ["csv", "parquet"])
def test_every_row_arrives_once_in_train_or_test(tmp_path, extension):
    table = frame(rows=20)
    (data,) = load_tables([written(table, tmp_path / f"t.{extension}")], SCHEMA, seed=0)
    assert [client.name for client in data.clients] == ["a", "b"]
    assert data.feature_names == ("web", "video", "cqi", "rank")
    assert data.feature_units == ("Mbps", "Mbps", "", "%")
    assert [feature.role for feature in data.features] == ["traffic", "traffic", "channel_quality", "rank"]
    for client in data.clients:
        assert len(client.test_target) == 4
        rows = np.column_stack(
            [
                np.concatenate([client.train_features, client.test_features]),
                np.concatenate([client.train_target, client.test_target]),
            ]
        )
        expected = table[table.site == client.name][["web", "video", "cqi", "rank", "cpu"]].to_numpy(np.float32)
        np.testing.assert_array_equal(rows[np.argsort(rows[:, 0])], expected[np.argsort(expected[:, 0])])


def test_csv_and_parquet_give_the_same_slice(tmp_path):
    digests = [
        load_tables([written(frame(), tmp_path / name)], SCHEMA, seed=3)[0].digest() for name in ("t.csv", "t.parquet")
    ]
    assert digests[0] == digests[1]


def test_random_split_follows_seed_and_client_only(tmp_path):
    both = written(frame(rows=30), tmp_path / "both.csv")
    table = frame(rows=30)
    alone = written(table[table.site == "b"], tmp_path / "alone.csv")
    (left,) = load_tables([both], SCHEMA, seed=1)
    (right,) = load_tables([alone], SCHEMA, seed=1)
    (other,) = load_tables([both], SCHEMA, seed=2)
    np.testing.assert_array_equal(left.clients[1].test_features, right.clients[0].test_features)
    assert left.digest() != other.digest()


@pytest.mark.parametrize("time", ["number", "text", "date"])
def test_time_split_tests_on_the_last_fifth(tmp_path, time):
    table = frame(clients=("a",), rows=10).sample(frac=1, random_state=0)
    in_time = table.sort_values("hour")
    path = tmp_path / ("t.parquet" if time == "date" else "t.csv")
    if time != "number":
        table["hour"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(table["hour"], unit="D")
    if time == "text":
        table["hour"] = table["hour"].dt.strftime("%Y-%m-%dT%H:%M:%S")
    (data,) = load_tables([written(table, path)], schema_with(time_column="hour"), seed=0)
    np.testing.assert_array_equal(data.clients[0].train_target, in_time.cpu.to_numpy(np.float32)[:8])
    np.testing.assert_array_equal(data.clients[0].test_target, in_time.cpu.to_numpy(np.float32)[8:])


def test_each_run_is_split_by_itself(tmp_path):
    table = frame(clients=("a",), rows=20)
    table["run"] = ["x"] * 5 + ["y"] * 15
    path = written(table, tmp_path / "t.csv")
    (data,) = load_tables([path], schema_with(time_column="hour", run_column="run"), seed=0)
    expected = table.cpu.to_numpy(np.float32)[[4, 17, 18, 19]]
    np.testing.assert_array_equal(np.sort(data.clients[0].test_target), np.sort(expected))


def test_runs_too_short_for_a_fifth_still_leave_a_test_sample(tmp_path):
    table = frame(clients=("a",), rows=4)
    table["run"] = ["x", "x", "y", "y"]
    path = written(table, tmp_path / "t.csv")
    (data,) = load_tables([path], schema_with(time_column="hour", run_column="run"), seed=0)
    np.testing.assert_array_equal(data.clients[0].test_target, table.cpu.to_numpy(np.float32)[-1:])


def test_maxima_come_from_the_training_part_or_the_schema(tmp_path):
    table = frame(clients=("a",), rows=10)
    table.loc[9, "web"] = 80.0  # the greatest value, in the test part
    path = written(table, tmp_path / "t.csv")
    (data,) = load_tables([path], schema_with(time_column="hour"), seed=0)
    expected = table[["web", "video", "cqi", "rank"]][:8].max()
    np.testing.assert_array_equal(data.feature_maxima, np.array(expected, np.float32))
    (data,) = load_tables([path], schema_with(maxima={"web": 90, "cqi": 15.5}), seed=0)
    np.testing.assert_array_equal(data.feature_maxima[[0, 2]], np.array([90, 15.5], np.float32))


def test_slices_and_several_files(tmp_path):
    first, second = frame(clients=("a", "b")), frame(clients=("c", "a"), seed=1)
    first["kind"] = np.where(first.site == "a", "gold", "iron")
    second["kind"] = np.where(second.site == "a", "iron", "gold")
    paths = [written(first, tmp_path / "1.csv"), written(second, tmp_path / "2.parquet")]
    gold, iron = load_tables(paths, schema_with(slice_column="kind"), seed=0)
    assert (gold.name, [client.name for client in gold.clients]) == ("gold", ["a", "c"])
    assert (iron.name, [client.name for client in iron.clients]) == ("iron", ["b", "a"])


def test_blank_lines_do_not_shift_line_numbers(tmp_path):
    path = tmp_path / "t.csv"
    lines = frame().to_csv(index=False).splitlines()
    path.write_text("\n".join([*lines[:3], "", *lines[3:], "", ""]))
    (data,) = load_tables([path], SCHEMA, seed=0)
    assert sum(len(c.train_target) + len(c.test_target) for c in data.clients) == 20
    path.write_text("\n".join([*lines[:3], "", "a,0,1,1,99,1,1"]))
    with pytest.raises(ValueError, match="line 5, column 'cqi': value 99"):
        load_tables([path], SCHEMA, seed=0)


def put(row, column, value):
    def change(table):
        table[column] = table[column].astype(object)
        table.loc[row, column] = value
        return table

    return change


REFUSALS = [
    (put(3, "cqi", 16.5), r"line 5, column 'cqi': value 16.5; must be between 0 and 15"),
    (put(3, "cqi", -1), r"line 5, column 'cqi': value -1; must be between 0 and 15"),
    (put(0, "web", -0.5), r"line 2, column 'web': value -0.5; must be at least 0"),
    (put(19, "cpu", 100.1), r"line 21, column 'cpu': value 100.1; must be between 0 and 100"),
    (put(19, "rank", 101), r"line 21, column 'rank': value 101; must be between 0 and 100"),
    (put(2, "video", "lots"), r"line 4, column 'video': value lots; must be a finite number"),
    (put(2, "video", "1,5"), r"line 4, column 'video': value 1,5; must be a finite number"),
    (put(2, "video", "nan"), r"line 4, column 'video': value nan; must be a finite number"),
    (put(2, "video", "inf"), r"line 4, column 'video': value inf; must be a finite number"),
    (put(2, "video", "1e300"), r"line 4, column 'video': value 1e300; must be a finite number"),
    (put(2, "video", ""), r"line 4, column 'video': empty; must be a finite number"),
    (put(2, "site", " "), r"line 4, column 'site': empty; name it or leave the row out"),
    (lambda t: t.drop(columns="cqi"), r"t.csv: column 'cqi' is missing; the table has site, hour"),
    (lambda t: t.rename(columns={"hour": "web"}), r"column 'web' stands more than once in the header; rename one"),
    (lambda t: t.head(0), r"t.csv: the table has no rows"),
    (lambda t: t.head(12), r"line 12: client 'b' of slice 'table' has 2 row\(s\), needs at least 3"),
    (lambda t: t.head(11), r"client 'b' of slice 'table' has 1 row\(s\)"),
    (lambda t: t.assign(video=0), r"slice 'table', column 'video': 0 in the whole training part.*`maxima`"),
]


@pytest.mark.parametrize(("change", "match"), REFUSALS)
def test_refuses_csv(tmp_path, change, match):
    path = written(change(frame()), tmp_path / "t.csv")
    with pytest.raises(ValueError, match=match) as refusal:
        load_tables([path], SCHEMA, seed=0)
    assert "\n" not in str(refusal.value)
    assert "t.csv" in str(refusal.value) or "slice 'table'" in str(refusal.value)


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("change", "match"), REFUSALS)
def test_lines_are_those_of_the_file_below_cells_of_two_lines(tmp_path, change, match, line_break):
    """A note of two lines in the header and in every row: what was line n begins at line 2n - 1."""
    table = change(frame())
    table[f"a{line_break}note"] = f"two{line_break}lines"
    path = tmp_path / "t.csv"
    table.to_csv(path, index=False, quoting=csv.QUOTE_ALL)
    with pytest.raises(ValueError, match=re.sub(r"line (\d+)", lambda n: f"line {2 * int(n[1]) - 1}", match)):
        load_tables([path], SCHEMA, seed=0)


def test_lines_are_those_of_the_file_in_what_cannot_be_read(tmp_path):
    path = tmp_path / "t.csv"
    for content, match in (
        ('a,b\n"x\ny",1\n1,2,3\n', r"Expected 2 fields in line 4, saw 3"),
        ('a,b\n"x\n\n\ny",1\n\n1,2\n"u\nv",2,3\n', r"Expected 2 fields in line 8, saw 3"),
        ('a,b\n"x\ny",1\n1,2\n"x,1\n2,3\n', r"EOF inside string starting at line 5"),
        ('a,"b\n2,3\n', r"EOF inside string starting at line 1"),
    ):
        path.write_text(content)
        with pytest.raises(ValueError, match=rf"t.csv: not readable as csv .*{match}\); correct the file"):
            load_tables([path], SCHEMA, seed=0)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            lambda t: t.assign(web=t.web.mask(t.index == 3)),
            r"t.parquet, row 4, column 'web': value nan; must be a finite",
        ),
        (lambda t: t.assign(web=t.web.astype(str)).assign(web="x"), r"row 1, column 'web': value x"),
        (lambda t: t.assign(web=True), r"row 1, column 'web': value True; must be a finite number"),
        (lambda t: t.assign(web=pd.Timestamp("2024-01-01")), r"row 1, column 'web': value 2024-01-01"),
        (lambda t: t.assign(web=t.hour.astype("Int64").mask(t.index == 5)), r"row 6, column 'web': value <NA>"),
        (lambda t: t.assign(cqi=t.cqi.mask(t.index == 7, 20)), r"row 8, column 'cqi': value 20"),
        (lambda t: t.assign(site=t.site.mask(t.index == 7)), r"row 8, column 'site': empty"),
    ],
)
def test_refuses_parquet(tmp_path, change, match):
    with pytest.raises(ValueError, match=match):
        load_tables([written(change(frame()), tmp_path / "t.parquet")], SCHEMA, seed=0)


def test_a_value_above_a_declared_maximum_is_above_one_and_ten_times_as_much_is_another_unit(tmp_path):
    path = written(put(4, "web", 90.0)(frame()), tmp_path / "t.csv")
    (data,) = load_tables([path], schema_with(maxima={"web": 9}), seed=0)
    parts = [part for client in data.scaled().clients for part in (client.train_features, client.test_features)]
    assert np.concatenate(parts)[:, 0].max() == 10
    with pytest.raises(
        ValueError, match=r"line 6, column 'web': value 90.0; must be between 0 and 89, .*declared maximum"
    ):
        load_tables([path], schema_with(maxima={"web": 8.9}), seed=0)


NUMBERS = [str(hour) for hour in range(20)]
DATES = [f"2024-01-{day:02d}" for day in range(1, 21)]


@pytest.mark.parametrize("row", [0, 7, 19])
@pytest.mark.parametrize(
    ("times", "value"),
    [
        *((NUMBERS, value) for value in ("", "-", "nan", "inf", "2024-01-08", "08:00")),
        *((DATES, value) for value in ("", "-", "soon", "2024-13-01", "8", "45299")),
    ],
)
def test_the_one_bad_time_is_blamed(tmp_path, times, value, row):
    """Numbers among dates and dates among numbers: the form that more cells have is the column's."""
    path = written(put(row, "hour", value)(frame().assign(hour=times)), tmp_path / "t.csv")
    said = f"value {value}" if value else "empty"
    with pytest.raises(ValueError, match=rf"line {row + 2}, column 'hour': {said}; must be a number or an ISO 8601"):
        load_tables([path], schema_with(time_column="hour"), seed=0)


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (pd.array([*range(20)], "Int64"), "<NA>"),
        (np.arange(20.0), "nan"),
        (pd.to_datetime(DATES), "NaT"),
        (pd.to_datetime(DATES, utc=True), "NaT"),
        (pd.to_timedelta(range(20), unit="h"), "NaT"),
        ([date.fromisoformat(day) for day in DATES], "None"),
        (DATES, "nan"),
        (NUMBERS, "nan"),
    ],
    ids=["integers", "floats", "times", "times of a zone", "durations", "dates", "texts of dates", "texts of numbers"],
)
def test_a_null_among_times_is_blamed_in_parquet(tmp_path, times, said):
    table = frame().assign(hour=times)
    table.loc[7, "hour"] = None
    path = written(table, tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=rf"row 8, column 'hour': value {said}; must be a number or an ISO 8601 time"):
        load_tables([path], schema_with(time_column="hour"), seed=0)


def test_refuses_a_client_in_two_files(tmp_path):
    paths = [written(frame(), tmp_path / name) for name in ("1.csv", "2.csv")]
    with pytest.raises(ValueError, match=r"2.csv: client 'a' of slice 'table' stands in .*1.csv too; rename one"):
        load_tables(paths, SCHEMA, seed=0)


def test_refuses_files_with_unequal_features(tmp_path):
    other = frame(clients=("c",)).drop(columns="video")
    paths = [written(frame(), tmp_path / "1.csv"), written(other, tmp_path / "2.csv")]
    with pytest.raises(ValueError, match=r"2.csv: column 'video' is missing"):
        load_tables(paths, SCHEMA, seed=0)


def test_refuses_files_that_are_no_tables(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none.csv: no such file; give the path"):
        load_tables([tmp_path / "none.csv"], SCHEMA, seed=0)
    for name, content, match in (
        ("t.txt", b"a", r"extension must be .csv or .parquet, got '.txt'"),
        ("t.parquet", b"no parquet at all", "t.parquet: not readable as parquet"),
        ("t.csv", b"\xff\xfe\x00", "t.csv: not readable as csv"),
        ("long.csv", b"a,b\n1,2\n1,2,3\n", "long.csv: not readable as csv .*line 3, saw 3"),
        ("empty.csv", b"", "empty.csv: the table has no rows"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=match) as refusal:
            load_tables([tmp_path / name], SCHEMA, seed=0)
        assert "\n" not in str(refusal.value)
    with pytest.raises(ValueError, match="at least one table"):
        load_tables([], SCHEMA, seed=0)


GOOD = {
    "client": "site",
    "traffic_mbps": ["web", "video"],
    "cqi": "cqi",
    "target_percent": "cpu",
    "sla_percent": [0, 3],
}


def test_load_reads_the_schema_from_json(tmp_path):
    (tmp_path / "s.json").write_text(json.dumps(GOOD | {"mimo_percent": "rank"}))
    path = written(frame(), tmp_path / "t.csv")
    (data,) = load([path], tmp_path / "s.json", seed=4)
    assert data.digest() == load_tables([path], SCHEMA, seed=4)[0].digest()
    (data,) = load([path], str(tmp_path / "s.json"), seed=4)
    assert data.target_name == "CPU load"


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("{", "s.json: not readable as JSON"),
        ("[]", "must hold a JSON object, got list"),
        (GOOD | {"cqy": "x"}, "unknown key 'cqy'; known keys are client, traffic_mbps"),
        (
            {"client": "site"},
            r"key 'traffic_mbps' is missing; add it, e.g. \"traffic_mbps\": \[\"Netflix\", \"YouTube\"\]",
        ),
        (
            {name: value for name, value in GOOD.items() if name != "sla_percent"},
            r"s.json: key 'sla_percent' is missing; add it, e.g. \"sla_percent\": \[0, 3\]$",
        ),
        (GOOD | {"client": None}, "client must be a name, a text that is not empty, got null"),
        (GOOD | {"cqi": None}, "cqi must be a name, a text that is not empty, got null"),
        (GOOD | {"target_percent": None}, "target_percent must be a name, .*, got null"),
        (GOOD | {"slice_name": ""}, 'slice_name must be a name, .*, got the text ""'),
        (GOOD | {"traffic_mbps": "web"}, 'traffic_mbps must be a list of column names, got the text "web"'),
        (GOOD | {"traffic_mbps": []}, "at least one column"),
        (GOOD | {"client": 3}, "client must be a name, a text that is not empty, got 3"),
        (GOOD | {"cqi": "web"}, r"one role, got 'web' as traffic_mbps\[0\] and as cqi"),
        (GOOD | {"time_column": "web"}, r"one role, got 'web' as time_column and as traffic_mbps\[0\]"),
        (GOOD | {"traffic_mbps": ["a", "b", "a"]}, r"got 'a' as traffic_mbps\[0\] and as traffic_mbps\[2\]"),
        (GOOD | {"traffic_mbps": ["a", ["b"]]}, r'traffic_mbps\[1\] must be a name, .*, got the list \["b"\]'),
        (GOOD | {"mimo_percent": {"a": [1, None]}}, r'mimo_percent must be a name, .*, got {"a": \[1, null\]}'),
        (GOOD | {"cqi": "x" * 99 + "\n"} | {"client": ["y" * 99]}, r'client must be a name, .* \["y{58}\.\.\.$'),
        (GOOD | {"run_column": "run"}, "run_column needs time_column"),
        (GOOD | {"maxima": {"wob": 3}}, "maxima must name feature columns, got 'wob'"),
        (GOOD | {"maxima": {"web": 0}}, r"maxima\['web'\] must be a positive number, got 0"),
        (GOOD | {"maxima": {"web": "5"}}, r"maxima\['web'\] must be a positive number, got the text \"5\""),
        (GOOD | {"maxima": 5}, "maxima must map feature columns to numbers, got 5"),
        (GOOD | {"cqi_maximum": -1}, "cqi_maximum must be a positive number, got -1"),
        (GOOD | {"cqi_maximum": 1e39}, r"s.json: cqi_maximum must be positive and finite as a float32, got 1e\+39"),
        (GOOD | {"maxima": {"web": 10**400}}, r"s.json: maxima\['web'\] must be positive and finite as a float32"),
        (GOOD | {"maxima": {"web": 1e-46}}, r"s.json: maxima\['web'\] must be positive and finite as a float32"),
        (
            GOOD | {"sla_percent": "03"},
            'sla_percent must be two bounds within 0..100, the lower first, got the text "03"',
        ),
        (GOOD | {"sla_percent": 5}, "sla_percent must be two bounds within 0..100, the lower first, got 5"),
        (GOOD | {"sla_percent": ["0", "3"]}, r"sla_percent must be two bounds .*, got the list \[\"0\", \"3\"\]"),
        (GOOD | {"sla_percent": [0, None]}, r"sla_percent must be two bounds .*, got the list \[0, null\]"),
        (GOOD | {"sla_percent": [0, True]}, r"sla_percent must be two bounds .*, got the list \[0, true\]"),
        (GOOD | {"sla_percent": [3, 3]}, r"sla_percent must be two bounds .*, got the list \[3, 3\]"),
        (GOOD | {"sla_percent": [0, 101]}, r"sla_percent must be two bounds .*, got the list \[0, 101\]"),
    ],
)
def test_refuses_schemas(tmp_path, content, match):
    (tmp_path / "s.json").write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(ValueError, match=match):
        read_schema(tmp_path / "s.json")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("key", [field.name for field in dataclasses.fields(TableSchema)])
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(value=JSON_VALUES)
def test_a_schema_is_read_or_refused_in_one_line_that_names_the_key(tmp_path_factory, key, value):
    """Whatever JSON stands under a key."""
    path = tmp_path_factory.mktemp("schemas") / "s.json"
    path.write_text(json.dumps(GOOD | {"time_column": "t"} | {key: value}))
    try:
        schema = read_schema(path)
    except ValueError as error:
        line = str(error)
        assert line.isprintable()
        assert line.startswith(f"{path}: ")
        assert key in line
        assert " must " in line or " needs " in line
        assert not re.search(r"Error|NoneType|object has|unhashable|iterable|argument", line)
    else:
        assert all(isinstance(column, str) and column for column in schema.columns)
        assert all(feature.highest > 0 for feature in schema.features)


def test_refuses_a_schema_that_does_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"s.json: no such schema file"):
        load([tmp_path / "t.csv"], tmp_path / "s.json", seed=0)


def test_reads_what_spreadsheets_write(tmp_path):
    """A byte-order mark before the header, and lines that end in CR LF."""
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbf" + frame().to_csv(index=False, lineterminator="\r\n").encode())
    plain = written(frame(), tmp_path / "plain.csv")
    assert load_tables([path], SCHEMA, seed=0)[0].digest() == load_tables([plain], SCHEMA, seed=0)[0].digest()
