"""Data flows one way, and no module shadows what a script needs. Reads the sources; imports nothing of them."""

import ast
import shutil
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "reproduction"

FLOORS = (
    ("files", "seeds", "settings", "attribution"),
    ("closed_loop", "datasets", "results"),
    ("federation",),
    ("laboratory",),
    ("experiment", "criteria", "open_choices", "claims", "own_method", "compare"),
    ("figure_script",),
    ("sensitivity", "reference", "report", "examples"),  # and fig*, table*: what a user types
)
"""From the ground. A room is a module or a folder at the top of `reproduction`; within a room imports are free."""

NEIGHBOURS_DO_NOT_MEET = (0, 1, len(FLOORS) - 1)
"""Floors whose rooms import nothing of one another."""

LIBRARIES = frozenset(
    "absl filelock flwr google grpc h5py hypothesis jax jinja2 keras matplotlib ml_dtypes namex numba numpy optree "
    "packaging pandas PIL pyarrow pygments pytest ray requests rich scipy shap sklearn slicer tensorboard tensorflow "
    "tensorflow_constrained_optimization torch tqdm typing_extensions urllib3 wrapt yaml".split()
)
"""A script's own folder comes first on `sys.path`: a module of ours with such a name would be taken for the library."""


def floor(room):
    if room.startswith(("fig", "table")) and room != "figure_script":
        return len(FLOORS) - 1
    return next((number for number, rooms in enumerate(FLOORS) if room in rooms), None)


def modules(package):
    """Yield (dotted parts below the package, source file)."""
    for path in sorted(package.rglob("*.py")):
        yield path.relative_to(package).with_suffix("").parts, path


def imported(parts, tree, package_name):
    """Yield (line, dotted name) of every import, relative ones resolved, wherever in the file it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = [package_name, *parts][: -node.level] if node.level else []
            base = [*base, *(node.module or "").split(".")] if node.module else base
            for alias in node.names:
                yield node.lineno, ".".join([*base, alias.name])


def violations(package):
    """Return what breaks the rules, a line each."""
    found = []
    ours = {parts[0] for parts, _ in modules(package)} - {"__init__"}
    for parts, path in modules(package):
        for name in parts:
            if name in sys.stdlib_module_names | LIBRARIES:
                found.append(f"{path}: {name} shadows a library")
        room = parts[0]
        if room != "__init__" and floor(room) is None:
            found.append(f"{path}: {room} stands on no floor; give it one in FLOORS")
            continue
        for line, name in imported(parts, ast.parse(path.read_text(encoding="utf-8")), package.name):
            where = f"{path}:{line}"
            top, *rest = name.split(".")
            if top in ours:
                found.append(f"{where}: bare import of {top} makes a second copy of it; write {package.name}.{top}")
            if top != package.name:
                continue
            target = rest[0] if rest else None
            if target not in ours:
                if room != "__init__" and target is None:
                    found.append(f"{where}: imports the package as a whole")
                continue
            if room == "__init__":
                found.append(f"{where}: the package's own page imports {target}, and so would every script")
            elif target != room and floor(target) is not None:
                if floor(target) > floor(room):
                    found.append(f"{where}: {room} imports {target}, which stands above it")
                elif floor(target) == floor(room) and floor(room) in NEIGHBOURS_DO_NOT_MEET:
                    found.append(f"{where}: {room} imports its neighbour {target}")
    return found


def test_data_flows_one_way():
    assert violations(PACKAGE) == []


def test_every_room_is_seen():
    """The walk must not be empty: the rooms that make Algorithm 1 are there."""
    rooms = {parts[0] for parts, _ in modules(PACKAGE)}
    assert {*FLOORS[0], *FLOORS[1], *FLOORS[2], *FLOORS[3]} <= rooms
    edges = {
        (parts[0], name.split(".")[1])
        for parts, path in modules(PACKAGE)
        for _, name in imported(parts, ast.parse(path.read_text(encoding="utf-8")), "reproduction")
        if name.startswith("reproduction.")
    }
    assert {("closed_loop", "settings"), ("federation", "closed_loop"), ("laboratory", "federation")} <= edges


UP = "from reproduction.slicing.federation import server"
SIDEWAYS = "from reproduction.slicing.datasets.slice_data import SliceData"

SEEDED = {
    "up": ("closed_loop/extra.py", UP, "closed_loop imports federation, which stands above it"),
    "up, inside a function": (
        "settings.py",
        "def late():\n    import reproduction.slicing.federation",
        "settings imports federation",
    ),
    "up, from the package": ("seeds.py", "from reproduction import laboratory", "seeds imports laboratory"),
    "up, relative": ("results/extra.py", "from ..federation.server import Round", "results imports federation"),
    "neighbour": ("closed_loop/extra.py", SIDEWAYS, "closed_loop imports its neighbour datasets"),
    "neighbour on the ground": (
        "attribution/extra.py",
        "import reproduction.slicing.settings",
        "its neighbour settings",
    ),
    "script to script": (
        "fig98_x.py",
        "from reproduction.fig99_y import draw",
        "fig98_x imports its neighbour fig99_y",
    ),
    "bare": ("laboratory.py", "import settings", "bare import of settings"),
    "bare, from": ("figure_script.py", "from results.records import digest", "bare import of results"),
    "shadows the standard library": ("queue.py", "", "queue shadows"),
    "shadows a library": ("closed_loop/keras.py", "", "keras shadows"),
    "shadows a library, a folder": ("datasets/flwr/app.py", "", "flwr shadows"),
    "no floor": ("basement.py", "", "basement stands on no floor"),
    "the package's own page": (
        "__init__.py",
        "from reproduction.slicing.settings import PAPER",
        "own page imports settings",
    ),
}


@pytest.mark.parametrize(("name", "line", "message"), SEEDED.values(), ids=SEEDED)
def test_a_seeded_violation_is_caught(tmp_path, name, line, message):
    copy = tmp_path / "reproduction"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "fig99_y.py").touch()
    before = violations(copy)
    (copy / name).parent.mkdir(exist_ok=True)
    with (copy / name).open("a", encoding="utf-8") as text:
        text.write(f"\n{line}\n")
    new = set(violations(copy)) - set(before)
    assert any(message in entry for entry in new), new
