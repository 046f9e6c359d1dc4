"""What is claimed of influence for a neural receiver, held to the saved numbers of its figures.

python reproduction/receiver/claims.py         # reads figures/receiver, writes claims.json and claims.md there
"""

import argparse
from pathlib import Path

from reproduction import command_line
from reproduction.files import write_atomically
from reproduction.receiver import fig_adaptation, fig_several
from reproduction.receiver.criteria import verdicts
from reproduction.receiver.script import FOLDER
from reproduction.results.records import Kind, write_record
from reproduction.results.verdicts import ClaimsRecord, as_json, as_markdown

CLAIMS = Kind(fields=ClaimsRecord, remedy="make it with python reproduction/receiver/claims.py")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exits with 2 (one line on standard error) if it does not end well."""
    parser = argparse.ArgumentParser(prog="claims.py", description=__doc__.splitlines()[0])
    folder = Path("figures") / FOLDER
    command_line.add_out(parser, f"where the figures' numbers are, and the table goes ({folder})", folder)
    options = command_line.parse(parser, arguments)
    with command_line.one_line_errors():
        for written in write_claims(options.out):
            print(written)


def write_claims(folder: Path) -> list[Path]:
    """Judge the figures in a folder; return the files written there.

    Raises:
        FileNotFoundError: a figure's numbers are missing.
        ValueError: they are no such figure's, or of different runs.
    """
    documents = [one.SCRIPT.read(folder / f"{one.SCRIPT.name}.json") for one in (fig_adaptation, fig_several)]
    adaptation, several = documents
    for part in ("settings", "seeds"):
        if adaptation[part] != several[part]:
            raise ValueError(f"{folder}: adaptation and several are of different {part}; make both anew.")
    found = verdicts(adaptation["result"], several["result"])
    record = {
        **{name: adaptation[name] for name in ("preset", "settings", "seeds", "trained_with")},
        "verdicts": [as_json(verdict) for verdict in found],
    }
    write_record(folder / "claims.json", CLAIMS, record)
    write_atomically(folder / "claims.md", as_markdown(found).encode())
    return [folder / "claims.json", folder / "claims.md"]


if __name__ == "__main__":
    main()
