"""What is claimed of X-REFINE, held to the saved numbers of its figures.

python reproduction/xrefine/claims.py          # reads figures/xrefine, writes claims.json and claims.md there
"""

import argparse
from pathlib import Path

from reproduction import command_line
from reproduction.files import write_atomically
from reproduction.results.records import Kind, write_record
from reproduction.results.verdicts import ClaimsRecord, as_json, as_markdown
from reproduction.xrefine import fig_relevance, fig_trade_off
from reproduction.xrefine.criteria import verdicts
from reproduction.xrefine.script import FOLDER

CLAIMS = Kind(fields=ClaimsRecord, remedy="make it with python reproduction/xrefine/claims.py")


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
    documents = [one.SCRIPT.read(folder / f"{one.SCRIPT.name}.json") for one in (fig_trade_off, fig_relevance)]
    trade_off, relevance = documents
    for part in ("settings", "seeds"):
        if trade_off[part] != relevance[part]:
            raise ValueError(f"{folder}: trade_off and relevance are of different {part}; make both anew.")
    found = verdicts(trade_off["result"], relevance["result"], trade_off["settings"]["target"])
    record = {
        **{name: trade_off[name] for name in ("preset", "settings", "seeds", "trained_with")},
        "verdicts": [as_json(verdict) for verdict in found],
    }
    write_record(folder / "claims.json", CLAIMS, record)
    write_atomically(folder / "claims.md", as_markdown(found).encode())
    return [folder / "claims.json", folder / "claims.md"]


if __name__ == "__main__":
    main()
