"""Record what tiny federations give, bit for bit: one per scheme, and one whose CLs keep their multipliers.

    python -m tests.golden.make_tiny_federations        # from the project's root

`tiny_federations.json` was written before the house was rebuilt around Algorithm 1; it is written anew only when a
change is meant to change numbers.
"""

import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path

from reproduction.results import records
from reproduction.slicing.federation.record import PACKAGES
from reproduction.slicing.schemes import SCHEMES
from tests.conftest import SMALL_LOCAL, laboratory

GOLDEN = Path(__file__).with_name("tiny_federations.json")
FEDERATIONS = {
    **{label: (scheme, explainer, {}) for label, (scheme, explainer) in SCHEMES.items()},
    "in-hoc IG, multipliers kept": ("in-hoc", "integrated_gradients", {"multipliers": "keep"}),
    "in-hoc IG, last iterate, S1 S2": (
        "in-hoc",
        "integrated_gradients",
        {"returned_iterate": "last", "surrogate": "product"},
    ),
    "in-hoc IG, linear pi, 3 mutations": (
        "in-hoc",
        "integrated_gradients",
        {"normalisation": "linear", "mutations": 3},
    ),
}
"""Label -> scheme, explainer, and what differs from the small inner loop."""


def tiny_federation(folder, label):
    """Train one, and return its record's name and numbers without seconds; NaN is null."""
    scheme, explainer, changes = FEDERATIONS[label]
    local = replace(SMALL_LOCAL, **changes)
    record = laboratory(folder, local=local).federation("eMBB", scheme, explainer, 0)
    (path,) = Path(folder).glob("*.json")
    arrays = {name: hashlib.sha256(records.decode(record[name]).tobytes()).hexdigest() for name in ARRAYS}
    rounds = [{name: value for name, value in entry.items() if name != "seconds"} for entry in record["rounds"]]
    return {"record": path.name, "rounds": rounds, "test": record["test"], "sha256": arrays}


ARRAYS = ("weights", "multipliers")


def main():
    found = {}
    for label in FEDERATIONS:
        with tempfile.TemporaryDirectory() as folder:
            found[label] = tiny_federation(folder, label)
    versions = records.provenance(PACKAGES)["versions"]
    GOLDEN.write_text(json.dumps({"versions": versions, "federations": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
