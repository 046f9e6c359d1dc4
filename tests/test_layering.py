"""Data flows one way, and no module shadows what a script needs. Reads the sources; imports nothing of them.

One ground, and wings: a wing imports the ground and itself, never another wing; within a wing floors hold too.
"""

import ast
import re
import shutil
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "reproduction"

GROUND = (
    ("files", "seeds"),
    ("attribution",),
    ("results", "ofdm"),
    ("command_line",),
    ("figure_script",),
    ("claims_script", "jobs_wing"),
)
"""From the ground up; a room is a module or a folder at the top of `reproduction`."""

WINGS = {
    "interference": (("grids",), ("study",), ("picture", "script")),
    "xrefine": (
        ("cost", "network", "classes", "documents"),
        ("training", "relevance", "samples"),
        ("pruning", "rankings"),
        ("settings", "chest", "export"),
        ("bench", "choices"),
        ("case", "criteria"),
        ("study", "experiment"),
        ("script",),
        ("fig_error_rate", "fig_trade_off", "fig_relevance", "fig_deletion", "fig_complexity", "refine"),
        ("claims",),
    ),
    "receiver": (
        ("names",),
        ("settings", "documents", "looks", "criteria"),
        ("network", "samples", "selection"),
        ("own_receiver",),
        ("training", "receivers"),
        ("bench", "losses", "fine_tuning"),
        ("case", "preparation"),
        ("study", "adaptation", "left_out", "experiment"),
        ("together",),
        ("work",),
        ("influence_study",),
        ("script",),
        ("fig_error_rate", "fig_adaptation", "fig_learning", "fig_beneficial", "fig_several", "fig_left_out", "adapt"),
        ("claims",),
    ),
    "slicing": (
        ("settings", "figures", "datasets", "plotting"),
        ("schemes", "metrics", "description", "cautions", "closed_loop"),
        ("documents", "federation", "data_source"),
        ("forecast", "controls"),
        ("criteria", "laboratory", "explanations", "influences"),
        ("experiment", "comparison", "claims"),
        ("open_choices", "summary"),
        ("regimes",),
        ("script", "reporting", "examples"),
        ("fig_influence",),
    ),
}
"""Each system's own floors, of which all stand on the ground and below the typed scripts."""

TYPED = frozenset(
    "fig4_convergence fig5_confidence fig6_attributions fig7_convergence_time fig8_scalability table4_overhead "
    "claims compare sensitivity regimes reference report datasets examples relevance".split()
)
"""What a user types: everything else at the top of `reproduction` is the ground or a wing."""

LIBRARIES = frozenset(
    "absl filelock flwr google grpc h5py hypothesis jax jinja2 keras matplotlib ml_dtypes namex numba numpy optree "
    "packaging pandas PIL pyarrow pydantic pygments pytest ray requests rich scipy shap sionna sklearn slicer "
    "tensorboard tensorflow tensorflow_constrained_optimization torch tqdm typing_extensions urllib3 wrapt yaml".split()
)
"""A script's own folder comes first on `sys.path`: a module of ours with such a name would be taken for the library."""


def room_of(parts, package):
    """Return the room in which a module stands, as (room,) of the ground or (wing, room)."""
    if parts[0] in wings(package) and len(parts) > 1:
        return parts[:2]
    return parts[:1]


def wings(package):
    """Return the wings: those with floors of their own, and any other folder at the top that is not the ground's."""
    on_the_ground = {name for floor in GROUND for name in floor}
    folders = {path.name for path in package.iterdir() if path.is_dir() and path.name != "__pycache__"}
    return (folders - on_the_ground) | set(WINGS)


def floor(room, package):
    """Return how high a room stands, a number that compares; None if it has no floor."""
    name, *inner = room
    for number, names in enumerate(GROUND):
        if name in names:
            return (number,)
    if name in TYPED:
        return (len(GROUND) + 1,)
    if name in wings(package):
        floors = WINGS.get(name, ())
        if not inner or inner[0] == "__init__":
            return (len(GROUND), -1)
        return next(((len(GROUND), number) for number, names in enumerate(floors) if inner[0] in names), None)
    return None


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
    everything = list(modules(package))
    ours = {name for parts, _ in everything for name in parts} - {"__init__"}
    top = {parts[0] for parts, _ in everything} - {"__init__"}
    for parts, path in everything:
        for name in parts:
            if name in sys.stdlib_module_names | LIBRARIES:
                found.append(f"{path}: {name} shadows a library")
        room = room_of(parts, package)
        here = floor(room, package)
        if room != ("__init__",) and here is None:
            found.append(f"{path}: {'.'.join(room)} stands on no floor; give it one")
            continue
        for line, name in imported(parts, ast.parse(path.read_text(encoding="utf-8")), package.name):
            where = f"{path}:{line}"
            first, *rest = name.split(".")
            if first in ours - LIBRARIES - sys.stdlib_module_names:
                found.append(
                    f"{where}: bare import of {first} makes a second copy of it; write {package.name}....{first}"
                )
            if first != package.name:
                continue
            if not rest or rest[0] not in top:
                if room != ("__init__",) and not rest:
                    found.append(f"{where}: imports the package as a whole")
                continue
            target = room_of(tuple(rest), package)
            if room == ("__init__",):
                found.append(f"{where}: the package's own page imports {target[0]}, and so would every script")
            elif target != room:
                found += crossing(where, room, here, target, floor(target, package), package)
    return found


def crossing(where, room, here, target, there, package):
    """Return what is wrong with an import from one room into another."""
    names = ".".join(room), ".".join(target)
    both_wings = {room[0], target[0]} <= wings(package)
    if both_wings and room[0] != target[0]:
        return [f"{where}: {names[0]} imports {names[1]}, another wing"]
    if there is None:
        return []  # a name that no module bears: an attribute of a face, or a room that is reported itself
    if both_wings and there == (len(GROUND), -1):
        return []  # the wing's own face
    if there > here:
        return [f"{where}: {names[0]} imports {names[1]}, which stands above it"]
    if there == here:
        return [f"{where}: {names[0]} imports its neighbour {names[1]}"]
    return []


def test_data_flows_one_way():
    assert violations(PACKAGE) == []


def test_every_room_is_seen():
    """The walk must not be empty: the rooms that make Algorithm 1 are there."""
    rooms = {room_of(parts, PACKAGE) for parts, _ in modules(PACKAGE)}
    assert {(name,) for names in GROUND for name in names} <= rooms
    assert {(wing, name) for wing, floors in WINGS.items() for names in floors for name in names} <= rooms
    edges = {
        (".".join(room_of(parts, PACKAGE)), ".".join(room_of(tuple(name.split(".")[1:]), PACKAGE)))
        for parts, path in modules(PACKAGE)
        for _, name in imported(parts, ast.parse(path.read_text(encoding="utf-8")), "reproduction")
        if name.startswith("reproduction.")
    }
    assert {
        ("slicing.closed_loop", "slicing.settings"),
        ("slicing.closed_loop", "attribution"),
        ("slicing.federation", "slicing.closed_loop"),
        ("slicing.laboratory", "slicing.federation"),
        ("slicing.laboratory", "results"),
        ("fig5_confidence", "slicing.experiment"),
    } <= edges


def rooms_on_the_page(package):
    """Return the line of the map in `reproduction/__init__.py` on which each room stands."""
    page = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8")))
    chart, _ = page[page.index("    slicing/") :].split("The paper's letters")  # above it stands what a user types
    lines, wing = {}, None
    for number, line in enumerate(chart.splitlines()):
        begun = re.match(r" {4}(\w+)(?:\.py|/)", line)
        wing = begun[1] if begun and begun[1] in wings(package) else None if begun else wing
        for name in re.findall(r"(\w+)(?:\.py|/)", line):
            lines.setdefault((wing, name) if wing and name != wing else (name,), number)
    return lines


def upward(package):
    """Return the imports that go up the map, and the rooms that it does not name."""
    lines, found = rooms_on_the_page(package), []
    for parts, path in modules(package):
        room = room_of(parts, package)
        if room[0] in TYPED | {"__init__"} or room[-1] == "__init__":
            continue
        if room not in lines:
            found.append(f"{'.'.join(room)} is not on the map")
            continue
        for _, name in imported(parts, ast.parse(path.read_text(encoding="utf-8")), package.name):
            first, *rest = name.split(".")
            target = room_of(tuple(rest), package) if first == package.name and rest else room
            if lines.get(target, len(lines)) < lines[room]:
                found.append(f"{'.'.join(room)} imports {'.'.join(target)}, which the map has above it")
    return found


def test_the_map_is_true():
    assert upward(PACKAGE) == []


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("slicing/metrics.py", "from reproduction.slicing import laboratory", "slicing.metrics imports slicing.lab"),
        ("files.py", "import reproduction.results.records", "files imports results"),
        ("slicing/attic.py", "", "slicing.attic is not on the map"),
    ],
)
def test_a_map_that_is_not_true_is_caught(tmp_path, name, line, message):
    copy = tmp_path / "reproduction"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / name).open("a", encoding="utf-8") as text:
        text.write(f"\n{line}\n")
    assert any(message in entry for entry in upward(copy))


def edges_between_modules(package):
    """Return module -> the modules that it imports, dotted parts below the package."""
    present = {parts for parts, _ in modules(package)}
    edges = {}
    for parts, path in modules(package):
        names = (name.split(".") for _, name in imported(parts, ast.parse(path.read_text()), package.name))
        targets = {tuple(rest) for first, *rest in names if first == package.name}
        edges[parts] = {
            module for one in targets for module in (one, one[:-1], (*one, "__init__")) if module in present - {parts}
        }
    return edges


def test_no_circles_within_a_room_either():
    """`TopologicalSorter` raises on a circle, and the seeded one shows that it would."""
    edges = edges_between_modules(PACKAGE)
    order = list(TopologicalSorter(edges).static_order())
    assert len(order) == len(list(modules(PACKAGE)))
    edges["files",] = {("results", "records")}
    with pytest.raises(CycleError):
        TopologicalSorter(edges).prepare()


def test_sionna_is_imported_by_one_module():
    importers = {
        parts
        for parts, path in modules(PACKAGE)
        for _, name in imported(parts, ast.parse(path.read_text(encoding="utf-8")), "reproduction")
        if name.split(".")[0] == "sionna"
    }
    assert importers == {("ofdm", "link")}


def test_the_top_holds_what_a_user_types_and_seven_files():
    """`py.typed` marks the package for type checkers and holds nothing."""
    files = {path.stem for path in PACKAGE.iterdir() if path.is_file()} - {"py"}
    assert files - TYPED == {
        *("__init__", "claims_script", "command_line", "figure_script", "files", "jobs_wing", "seeds")
    }
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {"attribution", "ofdm", "results", *WINGS}


SEEDED = {
    "up": ("slicing/closed_loop/extra.py", "from reproduction.slicing.federation import server", "stands above it"),
    "up, inside a function": (
        "slicing/settings.py",
        "def late():\n    import reproduction.slicing.federation",
        "slicing.settings imports slicing.federation, which stands above it",
    ),
    "up, from the wing": ("slicing/metrics.py", "from reproduction.slicing import laboratory", "which stands above it"),
    "up, relative": ("slicing/datasets/extra.py", "from ..federation.server import Round", "slicing.federation"),
    "from the ground into a wing": ("results/extra.py", "import reproduction.slicing.settings", "stands above it"),
    "from the ground into a wing's face": ("figure_script.py", "import reproduction.slicing", "stands above it"),
    "up on the ground": ("results/extra.py", "from reproduction import command_line", "stands above it"),
    "neighbour": (
        "slicing/datasets/extra.py",
        "from reproduction.slicing.settings import PAPER",
        "slicing.datasets imports its neighbour slicing.settings",
    ),
    "neighbour on the ground": ("seeds.py", "import reproduction.files", "its neighbour files"),
    "neighbour on the first floor": ("ofdm/extra.py", "import reproduction.results.records", "its neighbour results"),
    "attribution into a wing": ("attribution/extra.py", "import reproduction.slicing.settings", "stands above it"),
    "wing to wing": (
        "receiver/network.py",
        "from reproduction.slicing.settings import PAPER",
        "receiver.network imports slicing.settings, another wing",
    ),
    "slicing into another wing": ("slicing/experiment.py", "import reproduction.receiver.network", "another wing"),
    "a wing into a typed script": ("slicing/claims.py", "from reproduction import sensitivity", "stands above it"),
    "script to script": (
        "claims.py",
        "from reproduction.fig5_confidence import draw",
        "claims imports its neighbour fig5_confidence",
    ),
    "bare": ("slicing/laboratory.py", "import settings", "bare import of settings"),
    "bare, from": ("figure_script.py", "from results.records import digest", "bare import of results"),
    "shadows the standard library": ("queue.py", "", "queue shadows"),
    "shadows a library": ("slicing/closed_loop/keras.py", "", "keras shadows"),
    "shadows a library, a folder": ("slicing/datasets/flwr/app.py", "", "flwr shadows"),
    "shadows a library, in another wing": ("receiver/sionna.py", "", "sionna shadows"),
    "no floor": ("basement.py", "", "basement stands on no floor"),
    "no floor in a wing": ("slicing/basement.py", "", "slicing.basement stands on no floor"),
    "the package's own page": (
        "__init__.py",
        "from reproduction.slicing.settings import PAPER",
        "own page imports slicing",
    ),
}


@pytest.mark.parametrize(("name", "line", "message"), SEEDED.values(), ids=SEEDED)
def test_a_seeded_violation_is_caught(tmp_path, name, line, message):
    copy = tmp_path / "reproduction"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = violations(copy)
    (copy / name).parent.mkdir(exist_ok=True)
    with (copy / name).open("a", encoding="utf-8") as text:
        text.write(f"\n{line}\n")
    new = set(violations(copy)) - set(before)
    assert any(message in entry for entry in new), new
