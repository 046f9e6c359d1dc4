"""The README is held to what the project is: its claims, commands, links and pictures."""

import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from reproduction.figure_script import FIGURE
from reproduction.results import records
from reproduction.results.verdicts import as_json, as_markdown
from reproduction.slicing.claims import CLAIMS_RECORD, judge, read_figures
from reproduction.slicing.comparison.account import COMPARISON
from tests.helpers.figure_scripts import NAMES

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CODE = "\n".join(
    re.findall(r"```(?:bash|sh|console)\n(.*?)```", README, re.DOTALL) + re.findall(r"`([^`\n]+)`", README)
)
FIGURES = ROOT / "figures"
DRAWN = (FIGURES / "claims.md").exists()

drawn = pytest.mark.skipif(not DRAWN, reason="the figures are not drawn yet: figures/claims.md is missing")


def committed(*patterns):
    """Return the files of the figures that belong to the project: those that git has, or all where there is no git."""
    listed = subprocess.run(["git", "ls-files", "figures"], cwd=ROOT, capture_output=True, text=True)
    paths = [ROOT / line for line in listed.stdout.splitlines()] if listed.returncode == 0 else []
    paths = paths or [path for path in FIGURES.rglob("*") if not {"runs", "quick"} & set(path.parts)]
    return sorted(path for path in paths if any(path.match(pattern) for pattern in patterns))


def links():
    """Return the relative targets of links and pictures, without their anchors."""
    targets = re.findall(r"\]\(([^)\s]+)\)", README)
    return sorted({target.split("#")[0] for target in targets if not target.startswith(("http", "mailto", "#"))})


# ---- claims


@drawn
def test_the_claims_are_the_figures():
    (text,) = re.findall(r"<!-- claims -->\n(.*?)<!-- /claims -->", README, re.DOTALL)
    assert text.strip("\n") == (FIGURES / "claims.md").read_text(encoding="utf-8").strip("\n")


def test_the_claims_have_one_place():
    assert README.count("<!-- claims -->") == README.count("<!-- /claims -->") == 1
    assert README.index("<!-- claims -->") < README.index("<!-- /claims -->")


@drawn
def test_nothing_is_left_to_fill_in():
    assert not re.findall(r"@[A-Z_]+@|TODO|TBD|placeholder", README)


# ---- commands


def test_every_make_command_is_a_target():
    wanted = set(re.findall(r"\bmake ([a-z][\w-]*)", CODE))
    assert {"figures", "test"} <= wanted
    targets = set(re.findall(r"^([\w./-]+):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert wanted <= targets


def test_every_variable_given_to_make_is_one():
    makefile = (ROOT / "Makefile").read_text()
    given = set(re.findall(r"\bmake [^`\n]*?\b([A-Z]+)=", CODE))
    assert given
    assert given <= set(re.findall(r"\$\(([A-Z]+)\)", makefile))


def python_commands():
    """Return the README's commands that run our Python, without comments and what the shell does around them."""
    return [re.split("#|&&|2>&1", line)[0].strip() for line in CODE.splitlines() if line.strip().startswith("python ")]


def test_every_script_named_exists():
    scripts = {word for line in python_commands() for word in shlex.split(line) if word.endswith(".py")}
    scripts |= set(re.findall(r"`(reproduction/[\w/]+\.py)`", README))
    assert {f"reproduction/{name}.py" for name in NAMES} <= scripts
    assert not [script for script in scripts if not (ROOT / script).is_file()]


@pytest.mark.parametrize("command", [line for line in python_commands() if ".py" in line or "-m reproduction" in line])
def test_every_command_has_switches_that_the_script_knows(command):
    """Parsed by the script itself, and not run."""
    _, script, *arguments = shlex.split(command)
    if script == "-m":
        script, *arguments = arguments
        script = f"{script.replace('.', '/')}.py"
    module = import_module(script.removesuffix(".py").replace("/", "."))
    if hasattr(module, "SCRIPT"):
        options = module.SCRIPT.parse(arguments)
        assert options.redraw == ("--redraw" in arguments)
    else:
        shown = subprocess.run([sys.executable, script, "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
        assert {argument for argument in arguments if argument.startswith("--")} <= set(
            re.findall(r"--[\w-]+", shown.stdout)
        )


def test_continuous_integration_runs_the_tests():
    run = ROOT / ".ci" / "run"
    assert os.access(run, os.X_OK)
    lines = [line.strip() for line in run.read_text().splitlines()]
    assert "make test" in lines
    assert any(line.startswith("set -e") for line in lines)


def test_make_test_runs_linters_types_and_tests():
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^test: lint\n\t.*pytest", makefile, re.MULTILINE)
    assert all(tool in makefile for tool in ("ruff check", "ruff format --check", "mypy"))


def recipe(*arguments):
    """Return what make would run, from a folder without an environment that would have to be built first."""
    command = ["make", "--dry-run", "--old-file=.venv/core", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("arguments", "switch", "names"),
    [(("figures",), (), NAMES), (("real", "TRACTOR=table.csv"), ("--measured",), NAMES[:3])],
    ids=["figures", "real"],
)
def test_make_draws_the_figures_of_the_list_in_its_order(arguments, switch, names):
    """`real`: Figs. 4-6, which need none of the paper's settings."""
    listed = ["-m", "reproduction.slicing.figures", *switch]
    shown = subprocess.run([sys.executable, *listed], cwd=ROOT, capture_output=True, text=True, check=True)
    assert tuple(shown.stdout.split()) == names
    run = recipe(*arguments)
    assert f"figures=$(.venv/bin/python {' '.join(listed)});" in run
    assert "for figure in $figures; do" in run
    assert ".venv/bin/python reproduction/$figure.py" in run


def test_every_figure_script_is_in_the_list():
    scripts = {path.stem for path in (ROOT / "reproduction").glob("*.py") if re.match(r"(fig|table)\d", path.stem)}
    assert scripts == set(NAMES)


# ---- Python


def test_what_the_readme_imports_is_there():
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    imports = re.findall(r"^from (reproduction[\w.]*) import ([\w, ]+)$", "\n".join(blocks), re.MULTILINE)
    assert len(imports) >= 5
    for module, names in imports:
        for name in names.split(", "):
            assert hasattr(import_module(module), name) or import_module(f"{module}.{name}")


# ---- links and pictures


@pytest.mark.parametrize("target", [target for target in links() if not target.startswith("figures/")])
def test_link_resolves(target):
    assert (ROOT / target).exists()


def test_anchors_resolve():
    headings = {
        re.sub(r"[^\w -]", "", line.strip("# ").lower()).replace(" ", "-")
        for line in README.splitlines()
        if line.startswith("#")
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= headings


@drawn
@pytest.mark.parametrize("target", [target for target in links() if target.startswith("figures/")] or [None])
def test_picture_resolves(target):
    assert target is not None, "the README shows no figure"
    assert (ROOT / target).exists()


def test_one_heading_and_closed_fences():
    assert len(re.findall(r"^# ", re.sub(r"```.*?```", "", README, flags=re.DOTALL), re.MULTILINE)) == 1
    assert README.count("```") % 2 == 0


# ---- committed figures


@drawn
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_its_picture_and_its_numbers(name):
    for suffix in (".png", ".pdf", ".json"):
        assert (FIGURES / f"{name}{suffix}").is_file()
    document = records.read_record(FIGURES / f"{name}.json", FIGURE)
    assert (document["figure"], document["preset"]) == (name, "paper")
    claims = records.read_record(FIGURES / "claims.json", CLAIMS_RECORD)
    assert document["seeds"] == claims["seeds"]
    assert document["settings"] == claims["settings"]
    assert all(key in document for key in ("data", "trained_with", "drawn_with", "result"))


@drawn
def test_the_readme_states_the_seeds_of_the_figures():
    seeds = records.read_record(FIGURES / "claims.json", CLAIMS_RECORD)["seeds"]
    assert f"SEEDS={len(seeds)}" in README
    assert seeds == list(range(len(seeds)))


@drawn
def test_the_verdicts_follow_from_the_numbers():
    """The committed table is what `claims.py` makes of the committed figures."""
    verdicts = judge(read_figures(FIGURES))
    saved = records.read_record(FIGURES / "claims.json", CLAIMS_RECORD)
    assert [as_json(verdict) for verdict in verdicts] == saved["verdicts"]
    assert (FIGURES / "claims.md").read_text(encoding="utf-8").startswith(as_markdown(verdicts))


def is_record(path):
    return path.read_bytes().lstrip()[:1] == b"{" and b'"explainable-fl-record"' in path.read_bytes()[:200]


def test_every_committed_record_is_whole():
    paths = [path for path in committed("*.json") if not path.name.startswith("benchmark")]
    for path in paths:
        assert is_record(path), path
        records.read_record(path, {"claims": CLAIMS_RECORD, "comparison": COMPARISON}.get(path.stem, FIGURE))
    assert paths or not DRAWN


def test_every_committed_picture_has_its_numbers():
    for path in committed("fig*.png", "table*.png"):
        document = records.read_record(path.with_suffix(".json"), FIGURE)
        assert document["figure"] == path.stem
        assert document["seeds"]
