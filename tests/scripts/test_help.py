"""`--help` of every figure script: quick, and in the same words."""

import os
import re
import resource
import subprocess
import sys
from importlib import import_module
from types import SimpleNamespace

import pytest

from tests.helpers.figure_scripts import NAMES
from tests.helpers.running import ROOT


@pytest.fixture(scope="module")
def helps():
    """The help of every script, the modules it imported, and the seconds of CPU it took."""
    outcome = {}
    for name in NAMES:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        child = subprocess.run(
            [sys.executable, "-X", "importtime", str(ROOT / "reproduction" / f"{name}.py"), "--help"],
            capture_output=True,
            text=True,
            timeout=120,
            env=os.environ | {"COLUMNS": "200", "PYTHONPATH": str(ROOT)},
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert child.returncode == 0, child.stderr
        modules = {line.rsplit("|", 1)[-1].strip() for line in child.stderr.splitlines() if line.startswith("import")}
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        outcome[name] = SimpleNamespace(text=child.stdout, modules=modules, seconds=seconds)
    return outcome


@pytest.mark.parametrize("name", NAMES)
def test_help_is_quick(helps, name):
    assert helps[name].seconds < 3  # of CPU; TensorFlow alone would take longer
    assert "reproduction.figure_script" in helps[name].modules
    packages = {module.split(".")[0] for module in helps[name].modules}
    assert not packages & {"tensorflow", "keras", "tensorflow_constrained_optimization", "shap", "tensorboard"}


def test_every_script_has_the_same_switches_in_the_same_words(helps):
    def switches(name):
        text = helps[name].text.split("options:")[1]
        return re.sub(r"slices to run \(.*\)", "slices to run (...)", text)

    assert len({switches(name) for name in NAMES}) == 1
    listed = re.findall(r"^  (?:-h, )?(--[\w-]+)", switches(NAMES[0]), re.MULTILINE)
    assert listed == [
        "--help",
        *("--preset", "--out", "--log", "--redraw"),  # the last goes with those before it alone
        *("--seeds", "--seed", "--slices", "--data", "--schema", "--workers", "--log-dir"),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_help_says_what_the_script_draws(helps, name):
    script = import_module(f"reproduction.{name}").SCRIPT
    assert helps[name].text.startswith(f"usage: {name}.py ")
    assert script.about in helps[name].text
    assert script.about.startswith("Table IV" if name.startswith("table") else f"Fig. {name[3]}:")
    assert f"slices to run ({', '.join(script.wing.slices)})" in helps[name].text


@pytest.mark.parametrize("path", sorted(ROOT.glob("reproduction/*/fig_*.py")), ids=lambda path: path.stem)
def test_help_of_a_wings_script_names_its_file_and_its_folder(path, monkeypatch, capsys):
    script = import_module(f"reproduction.{path.parent.name}.{path.stem}").SCRIPT
    monkeypatch.setattr(sys, "argv", [str(path)])
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as stop:
        script.main(["--help"])
    said = capsys.readouterr().out
    assert stop.value.code == 0
    assert said.startswith(f"usage: {path.name} ")
    below = f"/{script.folder}" if script.folder else ""
    assert f"(figures{below}, or figures/quick{below})" in said
