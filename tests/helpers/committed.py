"""The figures that belong to the project: git's, since anyone may have drawn others over them in the working tree."""

import atexit
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _of_the_project() -> Path:
    """Return a folder of the figures that are committed, or staged to be; where there is no git, of those there are."""
    git = shutil.which("git")
    listed = git and subprocess.run([git, "ls-files", "-z", "figures"], cwd=ROOT, capture_output=True)
    if not (listed and listed.stdout):
        return ROOT / "figures"
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    unpack = [git, "checkout-index", "-z", "--stdin", f"--prefix={folder}/"]
    subprocess.run(unpack, cwd=ROOT, input=listed.stdout, check=True)
    return Path(folder) / "figures"


COMMITTED_FIGURES = _of_the_project()
