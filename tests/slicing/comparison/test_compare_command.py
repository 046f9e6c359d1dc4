"""`compare.py` as it is typed: what it prints and writes, and every refusal."""

import re
import subprocess
import sys
from pathlib import Path

import html5lib
import numpy as np
import pandas as pd
import pytest

from reproduction import compare
from reproduction.results import records
from reproduction.slicing.comparison import account, curves
from reproduction.slicing.comparison.quantities import BY_NAME
from tests.helpers.comparisons import (
    exit_of,
    frame,
    write_reference,
)

ROOT = Path(__file__).resolve().parents[3]


WRITTEN = (".png", ".pdf", ".json", ".md", ".html", ".csv")


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """The command as typed, once."""
    folder = tmp_path_factory.mktemp("compare")
    write_reference(folder / "reference")
    theirs = frame([("Fed<Prox>|2", "IG"), ("other", "SHAP")], level=1.5)
    theirs.loc[theirs["scheme"] == "other", "value"] *= 0.99
    curves.write(folder / "theirs.csv", theirs)
    options = ["--against", folder / "reference", "--out", folder / "out"]
    command = [sys.executable, "reproduction/compare.py", folder / "theirs.csv", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done, folder / "out"


def test_command(outcome):
    done, folder = outcome
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"comparison{suffix}" for suffix in WRITTEN)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("CAUTION: the confidence of other is scored with SHAP, ours with IG;")
    start = [line.strip() for line in lines].index("Fed<Prox>|2 in eMBB against post-hoc")
    row = next(line for line in lines[start:] if line.startswith(" final MSE [%^2] "))
    assert re.search(r" higher: \+0\.02 \[\+0\.02, \+0\.02\]", row)
    assert [line.endswith(suffix) for line, suffix in zip(lines[-6:], WRITTEN, strict=True)] == [True] * 6
    assert max(map(len, lines[:-6])) <= 100
    assert "tensorflow" not in done.stderr.lower()


def test_html_is_valid_and_readable_without_the_picture(outcome):
    page = (outcome[1] / "comparison.html").read_bytes()
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)  # strict: an error raises
    assert tree.get("lang") == "en"
    assert tree.find("head/title").text == "Fed<Prox>|2, other against ours"
    assert [heading.text for heading in tree.iter("h1")] == ["Fed<Prox>|2, other against ours"]
    assert [heading.text for heading in tree.iter("h2")] == ["Fed<Prox>|2", "other"]
    (image,) = tree.iter("img")
    assert image.get("src").startswith("data:image/png;base64,")
    assert "in-hoc IG, post-hoc, Fed<Prox>|2, other" in image.get("alt")
    tables = list(tree.iter("table"))
    assert [table.find("caption").text for table in tables] == ["Fed<Prox>|2 in eMBB", "other in eMBB"]
    assert all(cell.get("scope") in ("col", "row") for cell in tree.iter("th"))
    assert b"http" not in page  # self-contained
    assert len(list(tables[0].iter("tr"))) == 1 + 2 * len(BY_NAME)


def test_files_hold_the_same_numbers(outcome):
    folder = outcome[1]
    document = records.read_record(folder / "comparison.json", account.COMPARISON)
    lines = document["result"]["lines"]
    table = pd.read_csv(folder / "comparison.csv")
    assert len(lines) == len(table) == 2 * 2 * len(BY_NAME)
    np.testing.assert_array_equal(table["difference"], [line["difference"] for line in lines])
    assert table["verdict"].tolist() == [line["verdict"] for line in lines]
    written = (folder / "comparison.md").read_text()
    assert all(line["verdict"].replace("|", r"\|") in written for line in lines)
    assert written.startswith("# Fed<Prox>|2, other against ours\n")
    assert document["theirs"]["file"] == "theirs.csv"
    assert document["against"] == {"preset": "small", "clients": 10, "tolerance": 0.05}
    assert "10 closed loops" in written


def test_bad_files_are_one_line_and_exit_2(folders, capsys):
    folder, theirs = folders
    arguments = [theirs, "--against", folder, "--out", theirs.parent]
    assert exit_of(arguments, capsys) == (2, f"error: {theirs}: no such file; give the path of a CSV of curves")
    theirs.write_text("a,b\n1,2\n")
    code, line = exit_of(arguments, capsys)
    assert code == 2
    assert line.startswith(f"error: {theirs}, row 1: column 'scheme' is missing")
    curves.write(theirs, frame([("mine", "IG")], seeds=(7,)))
    assert "no seed in common" in exit_of(arguments, capsys)[1]
    code, line = exit_of([theirs, "--against", theirs.parent / "none"], capsys)
    assert code == 2
    assert "give --against" in line
    own = theirs.with_name("comparison.csv")
    own.write_bytes(theirs.read_bytes())
    assert "would be overwritten" in exit_of([own, "--against", folder, "--out", theirs.parent], capsys)[1]
    (theirs.parent / "file").touch()
    curves.write(theirs, frame([("mine", "IG")]))
    code, line = exit_of([theirs, "--against", folder, "--out", theirs.parent / "file"], capsys)
    assert code == 2
    assert "cannot be written" in line


def test_the_default_reference_is_the_projects(folders, monkeypatch, capsys, tmp_path):
    """In the current folder, else beside the package."""
    folder, theirs = folders
    curves.write(theirs, frame([("mine", "IG")]))
    monkeypatch.chdir(tmp_path)
    folder.rename(tmp_path / "away")
    monkeypatch.setattr(compare, "data_folder", lambda: ROOT / "nowhere")
    assert "no reference 'paper': there is no manifest.json in it; give --against" in exit_of([theirs], capsys)[1]
    (tmp_path / "data/reference").mkdir(parents=True)
    (tmp_path / "away").rename(tmp_path / "data/reference/paper")
    compare.main([str(theirs)])
    assert (tmp_path / "figures/comparison/comparison.html").exists()
    assert "mine in eMBB" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["quick", "data/reference/quick", str(ROOT / "data/reference/quick")])
def test_a_reference_is_named_from_anywhere(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quick").mkdir()  # a folder of that name which is none
    assert compare.reference_folder(name).resolve() == ROOT / "data" / "reference" / "quick"


def test_a_folder_of_ones_own_is_a_reference_too(folders, monkeypatch):
    folder, _ = folders
    monkeypatch.chdir(folder.parent)
    assert compare.reference_folder("reference").resolve() == folder
    with pytest.raises(FileNotFoundError, match=r"no reference 'data': .*give --against paper or quick, or a folder"):
        compare.reference_folder("data")
