"""The README is held to what the project is: its claims, commands, links and pictures."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from reproduction.figure_script import FIGURE
from reproduction.receiver import claims as receiver_claims
from reproduction.results import records
from reproduction.slicing.claims import CLAIMS_RECORD, read_figures, write_claims
from reproduction.slicing.comparison.account import COMPARISON
from reproduction.xrefine import claims as xrefine_claims
from tests.helpers.committed import COMMITTED_FIGURES as FIGURES
from tests.helpers.figure_scripts import NAMES

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CODE = "\n".join(
    re.findall(r"```(?:bash|sh|console)\n(.*?)```", README, re.DOTALL) + re.findall(r"`([^`\n]+)`", README)
)
DRAWN = (FIGURES / "claims.md").exists()

drawn = pytest.mark.skipif(not DRAWN, reason="the figures are not drawn yet: figures/claims.md is missing")


def committed(*patterns):
    """Return the figures' files of these names."""
    paths = [path for path in FIGURES.rglob("*") if not {"runs", "quick"} & set(path.parts)]
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


@drawn
@pytest.mark.parametrize(
    ("mark", "folder", "script", "figures"),
    [
        ("X-REFINE", "xrefine", xrefine_claims.SCRIPT, ("trade_off", "relevance")),
        ("receiver", "receiver", receiver_claims.SCRIPT, ("adaptation", "several")),
    ],
)
def test_the_claims_of_other_systems_are_their_figures(tmp_path, mark, folder, script, figures):
    """The README's table, and what the system's claims.py makes of the committed figures."""
    (text,) = re.findall(rf"<!-- {mark} claims -->\n(.*?)<!-- /{mark} claims -->", README, re.DOTALL)
    assert text.strip("\n") == (FIGURES / folder / "claims.md").read_text(encoding="utf-8").strip("\n")
    for name in figures:
        shutil.copy(FIGURES / folder / f"{name}.json", tmp_path)
    for path in script.write(tmp_path):
        assert path.read_bytes() == (FIGURES / folder / path.name).read_bytes()


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


STAND_IN = """#!/bin/sh
printf '%s\\t' "$@" >> "{log}"
echo >> "{log}"
case "$*" in *{fails}*) exit 3 ;; esac
[ "$1" != -m ] || exec "{python}" "$@"
"""
"""In Python's place: writes down what it is called with, and runs modules only, which are those that list."""


def made(folder, *arguments, fails="nothing of this name"):
    """Let make run its recipe, the environment taken as built; return its exit status and what it would have run."""
    stand_in, log = folder / "python", folder / "log"
    log.touch()
    stand_in.write_text(STAND_IN.format(log=log, fails=shlex.quote(fails), python=sys.executable))
    stand_in.chmod(0o755)
    command = ["make", "--old-file=.venv/core", f"RUN={stand_in}", *arguments]
    path = {"PATH": os.environ["PATH"]}  # alone: a make that runs the tests hands its variables down
    code = subprocess.run(command, cwd=ROOT, env=path, capture_output=True, timeout=120).returncode
    called = [line.removesuffix("\t").split("\t") for line in log.read_text().splitlines()]
    return code, [words for words in called if words[0] != "-m"]


def listed(*switches):
    """Return what the list of figures prints."""
    command = [sys.executable, "-m", "reproduction.slicing.figures", *switches]
    return tuple(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())


def switches_of(script, arguments):
    """Parse by the figure's own script."""
    return import_module(script.removesuffix(".py").replace("/", ".")).SCRIPT.parse(arguments)


def test_the_list_of_figures():
    """The measured ones are Figs. 4-6, which need none of the paper's settings."""
    assert listed() == NAMES
    assert listed("--measured") == NAMES[:3]


@pytest.mark.parametrize(
    ("given", "preset", "folder"), [((), "paper", "figures"), (("PRESET=quick",), "quick", "figures/quick")]
)
def test_make_figures_draws_all_of_them_in_order_and_then_judges(tmp_path, given, preset, folder):
    code, called = made(tmp_path, "figures", *given, "SEEDS=2")
    assert code == 0
    *figures, claims = called
    assert [script for script, *_ in figures] == [f"reproduction/{name}.py" for name in NAMES]
    for script, *arguments in figures:
        options = switches_of(script, arguments)
        assert (options.preset, options.seeds, options.out) == (preset, (0, 1), Path(folder))
    assert claims == ["reproduction/claims.py", "--out", folder]


def test_make_real_draws_the_measured_figures_of_both_slices(tmp_path):
    code, called = made(tmp_path, "real", "TRACTOR=my table.csv", "SEEDS=2")
    assert code == 0
    slices = ("eMBB", "URLLC")
    assert [script for script, *_ in called] == [f"reproduction/{name}.py" for name in NAMES[:3]] * len(slices)
    for number, (script, *arguments) in enumerate(called):
        name, options = slices[number // 3], switches_of(script, arguments)
        assert (options.data, options.schema, options.seeds) == ([Path("my table.csv")], f"tractor:{name}", (0, 1))
        assert options.out == Path("figures/real") / name


@pytest.mark.parametrize(
    ("given", "preset", "folder"),
    [((), "sensitivity", "figures"), (("PRESET=quick", "SEEDS=1"), "quick", "figures/quick")],
)
@pytest.mark.parametrize(("target", "seeds"), [("sensitivity", 2), ("regimes", 5)])
def test_make_of_a_study_varies_what_its_folder_says(tmp_path, target, seeds, given, preset, folder):
    code, ((script, *arguments),) = made(tmp_path, target, *given)
    options = switches_of(script, arguments)
    assert (code, script, options.preset, options.out) == (0, f"reproduction/{target}.py", preset, Path(folder))
    assert options.seeds == ((0,) if "SEEDS=1" in given else tuple(range(seeds)))


@pytest.mark.parametrize(
    ("target", "fails", "drawn_before"),
    [
        ("figures", NAMES[1], NAMES[:2]),
        ("figures", "slicing.figures", ()),
        ("real", NAMES[1], NAMES[:2]),
        ("real", "--measured", ()),
    ],
)
def test_make_stops_where_a_figure_or_the_list_fails(tmp_path, target, fails, drawn_before):
    """No claims are judged on a figure of another day, and an empty list is no success."""
    code, called = made(tmp_path, target, "TRACTOR=table.csv", fails=fails)
    assert code != 0
    assert [script for script, *_ in called] == [f"reproduction/{name}.py" for name in drawn_before]


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


def test_the_ten_lines_to_paste_run_as_they_stand(tmp_path):
    """They print what their comments say: the four pixels stand out, and what is attributed adds up."""
    (block,) = re.findall(r"lines to paste:\n\n```python\n(.*?)```", README, re.DOTALL)
    run = subprocess.run(
        [sys.executable, "-c", block],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    *picture, gap = run.stdout.splitlines()
    values = np.array([[float(value) for value in line.strip(" []").split()] for line in picture])
    counts = np.zeros((8, 8), bool)
    counts[2:4, 5:7] = True
    assert values[counts].min() > 5 * values[~counts].mean()
    assert float(gap) < 1e-5


def test_the_influence_to_paste_runs_as_it_stands(tmp_path):
    """Most of the greatest self-influences are wrong labels, of which there is a tenth."""
    (block,) = re.findall(r"```python\n(import keras\n[^`]*influence import Influence.*?)```", README, re.DOTALL)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", block]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, env=environment)
    assert float(run.stdout) > 0.5


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
def test_the_verdicts_follow_from_the_numbers(tmp_path):
    """The committed table and record are what `claims.py` makes of the committed figures, to the last line."""
    write_claims(tmp_path, read_figures(FIGURES))
    made_now, saved = (records.read_record(of / "claims.json", CLAIMS_RECORD) for of in (tmp_path, FIGURES))
    assert made_now == saved
    assert (tmp_path / "claims.md").read_bytes() == (FIGURES / "claims.md").read_bytes()


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
