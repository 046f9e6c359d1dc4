"""Anyone's tables through a figure script."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from reproduction.figure_script import FIGURE
from reproduction.results import records
from reproduction.slicing.settings import QUICK
from tests.helpers.figure_scripts import TINY
from tests.helpers.running import FIG4, SAMPLE


@pytest.mark.parametrize("stem", ["embb", "social_media", "browsing"])
def test_the_committed_sample_draws(tiny, tmp_path, capsys, caplog, stem):
    """One client per table: a federation of one closed loop."""
    table, schema = SAMPLE / f"{stem}.csv", SAMPLE / f"{stem}.schema.json"
    name = json.loads(schema.read_text())["slice_name"]
    FIG4.main(["--preset", "quick", "--data", str(table), "--schema", str(schema), "--out", str(tmp_path)])
    written = [tmp_path / f"fig4_convergence{suffix}" for suffix in (".png", ".pdf")]
    assert capsys.readouterr().out.splitlines()[:2] == [str(path) for path in written]
    assert f"{name}: 1 clients; no row left out" in caplog.text
    document = records.read_record(tmp_path / "fig4_convergence.json", FIGURE)
    assert document["data"]["source"] == str(schema)
    assert list(document["data"]["slices"]) == [name]
    described = document["data"]["slices"][name]
    assert (described["clients"], described["training_samples"], described["test_samples"]) == (1, 160, 40)
    assert document["settings"]["clients"] == 1
    assert document["settings"]["slices"][name]["confidence_threshold"] == QUICK.slices[name].confidence_threshold
    for curves in document["result"]["slices"][name].values():
        assert [len(curve) for curve in curves["mse"]] == [TINY.rounds]
        assert curves["kb_per_round"] == 2 * 4 * 43 / 1000  # 43 weights of float32, to one client and back
    assert len(list((tmp_path / "runs").glob("*.json"))) == 2


def test_a_table_brings_its_own_sla(tiny, tmp_path, monkeypatch):
    """Bounds from the schema; the threshold of a slice that the paper has not is the strictest of the paper's."""
    schema = tmp_path / "schema.json"
    declared = json.loads((SAMPLE / "embb.schema.json").read_text())
    schema.write_text(json.dumps(declared | {"slice_name": "URLLC", "sla_percent": [1.0, 2.5]}))
    seen = []
    script = replace(FIG4, compute=lambda lab: seen.append(lab) or {"slices": {}})
    options = SimpleNamespace(
        preset="quick",
        data=[SAMPLE / "embb.csv"],
        schema=str(schema),
        slices=None,
        out=tmp_path,
        workers=1,
        seeds=(0,),
        log="auto",
        log_dir=None,
    )
    with script.wing.open(script, options, TINY) as study:
        document = script.numbers(study, options.seeds)
    assert document["settings"]["slices"] == {
        "URLLC": {"lower_percent": 1.0, "upper_percent": 2.5, "confidence_threshold": 0.85}
    }
    assert seen[0].slices == ("URLLC",)
    assert len(seen[0].data("URLLC", 0, 100).clients) == 1


def test_every_seed_splits_a_table_anew(tiny, tmp_path):
    """Where no time column orders the rows."""
    table = tmp_path / "table.csv"
    frame = pd.read_csv(SAMPLE / "embb.csv").head(30)
    frame.to_csv(table, index=False)
    seen = []
    script = replace(FIG4, compute=lambda lab: seen.append(lab) or {"slices": {}})
    options = SimpleNamespace(
        preset="quick",
        data=[table],
        schema=str(SAMPLE / "embb.schema.json"),
        slices=None,
        out=tmp_path,
        workers=1,
        seeds=(0, 1),
        log="auto",
        log_dir=None,
    )
    with script.wing.open(script, options, TINY) as study:
        script.numbers(study, options.seeds)
    first, second = (seen[0].data("eMBB", seed, 1).digest() for seed in (0, 1))
    assert first != second
