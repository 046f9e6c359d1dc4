"""The report: one valid, accessible page that needs nothing else, and whose every number is the records'."""

import base64
import csv
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path

import html5lib
import numpy as np
import pytest

from reproduction import compare
from reproduction import report as script
from reproduction.figure_script import FIGURE
from reproduction.results import records
from reproduction.results.verdicts import Finding, Statistic, as_json
from reproduction.results.words import mean_and_sd, proportion, thousandths
from reproduction.slicing.claims import CLAIMS_RECORD, judge, read_figures
from reproduction.slicing.comparison import curves as tidy
from reproduction.slicing.comparison.account import COMPARISON
from reproduction.slicing.documents import MEANS, VARIED
from reproduction.slicing.reporting import build as building
from reproduction.slicing.reporting.build import build
from reproduction.slicing.reporting.captions import CAPTIONS
from reproduction.slicing.reporting.tables import settings_table, what_changes
from reproduction.slicing.settings import PAPER, LocalSettings, ModelSettings, Settings
from tests.helpers.committed import COMMITTED_FIGURES as FIGURES
from tests.helpers.figure_scripts import NAMES

ROOT = Path(__file__).resolve().parents[3]
CSS = (ROOT / "reproduction" / "slicing" / "reporting" / "report.css").read_text(encoding="utf-8")
LARGEST_BYTES = 5_000_000
"""A page that a phone still opens at once."""

NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]\d+)?")


def numbers_in(text):
    return NUMBER.findall(text)


@pytest.fixture(scope="module")
def page():
    """The page of the committed figures, as bytes."""
    return build(FIGURES)


@pytest.fixture(scope="module")
def tree(page):
    return parsed(page)


def parsed(page):
    """Parse as a browser does, but refuse what a browser would repair."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page.decode())


def text_of(element):
    return " ".join(" ".join(element.itertext()).split())


def every(tree, *tags):
    return [element for element in tree.iter() if element.tag in tags]


def by_id(tree, name):
    (found,) = [element for element in tree.iter() if element.get("id") == name]
    return found


def payload(path):
    return json.loads((FIGURES / path).read_text(encoding="utf-8"))["payload"]


def copy_to(folder):
    """Copy what the page is made of."""
    names = shutil.ignore_patterns("runs", "quick", "*.pdf", "report.html")
    return Path(shutil.copytree(FIGURES, folder, ignore=names))


@pytest.fixture
def folder(tmp_path):
    """A copy of what the page is made of."""
    return copy_to(tmp_path / "figures")


# ---- the page as HTML


def test_strict_parser_refuses():
    with pytest.raises(html5lib.html5parser.ParseError):
        parsed(b"<!DOCTYPE html><title>x</title><p><b>never closed</p>")


def test_headings_are_in_order(tree):
    levels = [int(element.tag[1]) for element in every(tree, "h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(text_of(heading) for heading in every(tree, "h1", "h2", "h3", "h4"))


def test_ids_are_unique_and_references_resolve(tree):
    names = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(names) == len(set(names))
    targets = [link.get("href") for link in every(tree, "a")]
    targets += ["#" + element.get("aria-labelledby") for element in tree.iter() if element.get("aria-labelledby")]
    assert all(target.startswith("#") and target[1:] in names for target in targets)
    contents = {link.get("href") for link in every(every(tree, "nav")[0], "a")}
    assert {"#" + heading.get("id") for heading in every(every(tree, "main")[0], "h2")} <= contents


def test_language_viewport_and_a_way_past_the_contents(tree):
    assert every(tree, "html")[0].get("lang") == "en-GB"
    metas = {meta.get("name"): meta.get("content") for meta in every(tree, "meta")}
    assert metas["viewport"] == "width=device-width, initial-scale=1"  # nothing that forbids zooming
    first = every(tree, "a")[0]
    assert (first.get("class"), first.get("href")) == ("skip", "#main")


def test_the_page_needs_nothing_else(page, tree):
    assert not every(tree, "script", "link", "iframe", "object", "embed", "base", "audio", "video", "source")
    assert {element.get("src")[:22] for element in tree.iter() if element.get("src")} == {"data:image/png;base64,"}
    assert not re.search(r"url\(|@import|src:", CSS)
    assert not [name for element in tree.iter() for name in element.attrib if name in ("srcset", "style", "onclick")]
    assert b"http:" not in page
    assert b"https:" not in page
    assert len(page) < LARGEST_BYTES


def test_wide_content_scrolls_in_a_named_region_of_its_own(tree):
    regions = [element for element in every(tree, "div") if element.get("class") == "scroll"]
    inside = [element for region in regions for element in every(region, "table", "img")]
    assert len(inside) == len(every(tree, "table", "img"))
    assert all(region.get("tabindex") == "0" and region.get("role") == "region" for region in regions)
    landmarks = regions + [section for section in every(tree, "section", "nav") if section.get("aria-labelledby")]
    labels = [r.get("aria-label") or text_of(by_id(tree, r.get("aria-labelledby"))) for r in landmarks]
    assert len(labels) == len(set(labels))


def test_tables_have_headings(tree):
    for table in every(tree, "table"):
        widths = {
            sum(int(cell.get("colspan", 1)) for cell in row if cell.tag in ("th", "td")) for row in every(table, "tr")
        }
        assert len(widths) == 1
        assert all(cell.get("scope") for cell in every(table, "th"))
        assert all(every(row, "th") for row in every(table, "tr"))


# ---- colours


def rgb(colour):
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def contrast(one, other):
    """Contrast ratio of WCAG 2.2."""

    def luminance(colour):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb(colour)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def palettes():
    """Return the colours of light, dark and print."""
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    light, dark, printed = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks)
    return {"light": light, "dark": dark, "print": printed}


TEXT_ON = [(text, back) for text in ("ink", "soft", "link") for back in ("paper", "panel")]
TEXT_ON += [(mark, f"{mark}-back") for mark in ("yes", "no", "open")]


def test_contrast_is_wcags():
    """Black on white, and a grey that WCAG's own understanding documents put just above 4.5."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert 4.5 <= contrast("#767676", "#ffffff") < 4.6


@pytest.mark.parametrize("mode", ["light", "dark", "print"])
def test_text_can_be_read(mode):
    palette = palettes()[mode]
    assert set(palette) == set(palettes()["light"])
    assert {pair: ratio for pair in TEXT_ON if (ratio := contrast(*(palette[name] for name in pair))) < 4.5} == {}


def test_no_colour_beside_the_palette():
    rules = re.sub(r":root \{.*?\}", "", CSS, flags=re.DOTALL)
    used = set(re.findall(r"(?<![\w-])(?:color|background|stroke): ([^;]+);", rules))
    assert {value for value in used if not value.startswith("var(")} == {"none", "#ffffff", "currentColor"}
    assert set(re.findall(r"var\(--([\w-]+)\)", rules)) <= set(palettes()["light"])
    assert re.findall(r"([^\n]*)\{[^}]*background: #ffffff", rules) == [".picture > .scroll "]  # behind pictures only


# ---- pictures and their words


def test_every_picture_is_the_one_beside_the_numbers(tree):
    shown = {base64.b64decode(image.get("src").partition(",")[2]) for image in every(tree, "img")}
    pictures = [FIGURES / f"{name}.png" for name in NAMES] + sorted(FIGURES.glob("real/*/*.png"))
    assert {path.read_bytes() for path in pictures} <= shown


def test_every_picture_has_words_size_and_caption(tree):
    images = every(tree, "img")
    assert len({image.get("alt") for image in images}) == len(images)
    for image in images:
        assert len(image.get("alt")) > 40
        assert len(numbers_in(image.get("alt"))) >= 2
        assert int(image.get("width")) > 0
        assert int(image.get("height")) > 0
    figures = [figure for figure in every(tree, "figure") if every(figure, "img")]
    assert len(figures) == len(images)
    assert all(len(text_of(every(figure, "figcaption")[0])) > 40 for figure in figures)


def alternative(tree, heading):
    """Return the alt text of the picture that follows a heading."""
    section = next(
        s for s in every(tree, "section") if s.get("class") == "figure" and every(s, "h3", "h4")[0] is heading
    )
    return every(section, "img")[0].get("alt")


def test_the_words_of_fig_4_are_its_numbers(tree):
    """The controls among them, and the test errors in the table."""
    words = alternative(tree, by_id(tree, "fig-4"))
    cells = {"".join(cell.itertext()).strip() for cell in every(tree, "td")}
    result = payload("fig4_convergence.json")["result"]
    for name, controls in result["controls"].items():
        for label, errors in controls.items():
            assert f"{name}, {label}: {np.mean(errors['mse']):.3g} %²" in words
        for errors in (*controls.values(), *result["errors"][name].values()):
            assert mean_and_sd(errors["test_mse"]) in cells
            assert mean_and_sd(errors["test_r_squared"]) in cells


def test_the_words_of_fig_5_are_its_numbers(tree):
    words = alternative(tree, by_id(tree, "fig-5"))
    for name, numbers in payload("fig5_confidence.json")["result"]["slices"].items():
        curves = np.array(numbers["rounds"]["post-hoc"]["confidence"], float)
        lowest, last = curves.min(1).mean(), curves[:, -1].mean()
        assert f"post-hoc lowest {lowest:.3f}, last {last:.3f}" in words.partition(f"{name}, threshold")[2]


def test_table_iv_is_its_numbers_whatever_stands_beside_them(folder, page, tree):
    (table,) = every(by_id(tree, "table-table-iv-in-numbers-5-seeds"), "table")
    shown = [[text_of(cell) for cell in every(row, "th", "td")] for row in every(table, "tr")]
    assert shown == list(csv.reader((FIGURES / "table4_overhead.csv").read_text().splitlines()))
    (folder / "table4_overhead.csv").write_text("Scheme,Convergence round\npost-hoc,1\n")
    assert build(folder) == page


def test_the_words_of_fig_8_are_its_numbers(tree):
    words = alternative(tree, by_id(tree, "fig-8"))
    for count, curves in payload("fig8_scalability.json")["result"]["clients"].items():
        last = np.mean([run[-1] for run in curves["mse"]])
        assert f"MSE {last:.3g} %²" in words.partition(f"K = {count}:")[2].partition(";")[0]


def test_the_words_of_table_4_are_its_numbers(tree):
    words = alternative(tree, by_id(tree, "table-iv"))
    for label, curves in payload("table4_overhead.json")["result"]["schemes"].items():
        rounds = np.mean(curves["convergence_round"])
        assert f"{label}: round {rounds:.3g}, {rounds * curves['kb_per_round']:,.0f} KB" in words


@pytest.mark.parametrize(
    ("values", "finely", "roughly"),
    [
        ([1.0, 1.0], "1", "1"),
        ([0.99997, 0.99999], "0.99998 ± 1e-05", "above 0.999"),
        ([0.9, 0.92], "0.9100 ± 0.01", "0.910"),
        ([0.9], "0.9000", "0.900"),
    ],
)
def test_a_confidence_reads_as_1_only_if_it_is(values, finely, roughly):
    assert (proportion(values), thousandths(values)) == (finely, roughly)


def test_every_figure_has_words():
    assert tuple(CAPTIONS) == NAMES


# ---- claims


@pytest.mark.parametrize("line", payload("claims.json")["verdicts"], ids=lambda line: line["claim"])
def test_every_claim_is_there_whole(tree, line):
    row = by_id(tree, "claim-" + re.sub(r"\W+", "-", line["claim"].lower()).strip("-"))
    cells = [text_of(cell) for cell in row]
    assert cells[0] == f"{line['claim']} {line['where']}"
    assert cells[1] == line["verdict"]
    assert cells[2] == f"{line['statement']} {line['paper']}"
    assert cells[3] == line["criterion"]
    assert numbers_in(cells[4]) == numbers_in(line["ours"])
    marks = {path.get("d") for path in row.iter() if path.tag.endswith("path")}
    assert len(marks) == 1  # not by colour alone


def test_verdicts_have_different_marks(tree):
    drawn = {}
    for badge in every(tree, "span"):
        if badge.get("class", "").startswith("verdict"):
            drawn.setdefault(text_of(badge), set()).update(p.get("d") for p in badge.iter() if p.tag.endswith("path"))
    shapes = [drawn[words] for words in ("holds", "does not hold", "cannot be decided from the paper")]
    assert len(set().union(*shapes)) == 3


def test_every_figure_stands_beside_the_papers_claims(tree):
    for line in payload("claims.json")["verdicts"]:
        label = re.match(r"Fig\. \d|Table IV", line["where"])[0]
        table = by_id(tree, re.sub(r"\W+", "-", label.lower()) + "-claims")
        section = next(s for s in every(tree, "section") if s.get("class") == "figure" and table in list(s.iter()))
        assert line["paper"] in text_of(section)
        assert line["statement"] in text_of(section)


def test_the_summary_counts_the_verdicts(tree):
    summary = text_of(next(s for s in every(tree, "section") if s.get("aria-labelledby") == "summary"))
    lines = payload("claims.json")["verdicts"]
    for verdict in ("holds", "does not hold", "cannot be decided from the paper"):
        claims = [line["claim"] for line in lines if line["verdict"] == verdict]
        assert f"{len(claims)} {verdict} {' '.join(claims)}" in summary
    slices = payload("fig5_confidence.json")["result"]["slices"].values()
    last = [
        [np.array(of["rounds"][label]["confidence"])[:, -1] for of in slices] for label in ("in-hoc IG", "post-hoc")
    ]
    above = np.array(last[0]) > np.array(last[1])
    assert f"in {above.sum()} of {above.size} pairs" in summary


def plain(text):
    """Return the words, without what punctuates them."""
    return sorted(re.sub(r"[;:,.()]+(?=\s|$)|(?<=\s)\(", "", f" {text} ").split())


@pytest.mark.parametrize("line", payload("claims.json")["verdicts"], ids=lambda line: line["claim"])
def test_statistics_lose_no_word(tree, line):
    """Laid out in lines, the cell says what the sentence of claims.md says."""
    row = by_id(tree, "claim-" + re.sub(r"\W+", "-", line["claim"].lower()).strip("-"))
    assert plain(text_of(row[4])) == plain(line["ours"])


NOT_EVERY_SEED = Statistic(name="C", values={"eMBB": [None] * 5, "Browsing": [0.9, 1.0, 0.8, 0.9, None]})
GAP = Statistic(name="gap", values={"A": [0.1], "B": [0.2]}, heading="gap", unit=" s", forms=("+.1f", ""), between=", ")
ONE = Statistic(name="share", values={"": [0.25]}, heading="a <share> & more")
FOUND = {
    "some seeds are not defined": Finding(holds=False, statistics=(NOT_EVERY_SEED,)),
    "two kinds": Finding(holds=True, statistics=(GAP, NOT_EVERY_SEED)),
    "one number": Finding(holds=True, statistics=(ONE,)),
    "numbers beside": Finding(holds=True, statistics=(GAP,), beside=(ONE, NOT_EVERY_SEED)),
    "a note and numbers beside": Finding(holds=True, statistics=(GAP,), beside=(ONE,), note="Known before"),
    "words": Finding(holds=None, statistics=(), note="Nothing can decide it"),
}


@pytest.fixture(scope="module")
def tree_of_findings(tmp_path_factory):
    """The page with other findings, in the order of `FOUND`, than the committed figures happen to give."""
    folder = copy_to(tmp_path_factory.mktemp("findings") / "figures")
    verdicts = [
        replace(line, finding=of) for line, of in zip(judge(read_figures(folder)), FOUND.values(), strict=False)
    ]
    saved = records.read_record(folder / "claims.json", CLAIMS_RECORD) | {"verdicts": list(map(as_json, verdicts))}
    records.write_record(folder / "claims.json", CLAIMS_RECORD, saved)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "judge", lambda documents: verdicts)
        return parsed(build(folder))


@pytest.mark.parametrize("name", FOUND)
def test_no_word_of_any_finding_is_lost(tree_of_findings, name):
    cell = by_id(tree_of_findings, f"claim-c{list(FOUND).index(name) + 1}")[4]
    assert plain(text_of(cell)) == plain(FOUND[name].text())


def test_a_finding_is_laid_out_in_its_order(tree_of_findings):
    """First the note, then what decides, then what stands beside; one number needs no heading of its own."""
    cell = by_id(tree_of_findings, f"claim-c{list(FOUND).index('a note and numbers beside') + 1}")[4]
    assert [(part.tag, text_of(part)) for part in cell] == [
        ("p", "Known before."),
        ("p", "gap"),
        ("ul", "A +0.1 B +0.2 s"),
        ("ul", "a <share> & more 0.25"),
    ]
    assert [[text_of(half) for half in line] for line in every(cell, "li")][-1] == ["a <share> & more", "0.25"]


def test_statistics_are_lines_of_names_and_values(tree):
    cell = by_id(tree, "claim-c8")[4]
    assert [text_of(heading) for heading in every(cell, "p")] == ["lowest", "trend"]
    saved = payload("claims.json")["verdicts"][-1]["statistics"]
    for lines, statistic in zip(every(cell, "ul"), saved, strict=True):
        shown = {text_of(line[0]): text_of(line[1]) for line in every(lines, "li")}
        means = {label: f"{np.mean(values):.3g}" for label, values in statistic["values"].items()}
        assert {label: text.partition(" ± ")[0] for label, text in shown.items()} == means


# ---- settings, versions, time


def test_every_setting_is_there_with_its_reason(tree):
    recorded = payload("fig4_convergence.json")["settings"]
    text = text_of(by_id(tree, "table-settings-of-the-runs"))
    for name, value in {**recorded, **recorded["model"], **recorded["local"]}.items():
        if isinstance(value, int | float | str):
            assert re.search(rf"\b{name} {re.escape(f'{value:g}' if isinstance(value, float) else str(value))} ", text)
    known = {"model": {"hidden": [1], "leaky_slope": 0.2}, "local": {}, "clients": 3}
    for kind, values in ((Settings, known), (ModelSettings, known["model"]), (LocalSettings, known["local"])):
        values |= {field.name: 1 for field in fields(kind) if field.name not in ("model", "local", "slices")}
    assert all(reason for _, rows in settings_table(known).groups for _, _, reason in rows)
    assert "printed" in text  # Table III's silence is spoken of


def test_versions_machine_and_seeds_are_there(tree):
    text = text_of(next(s for s in every(tree, "section") if s.get("aria-labelledby") == "made-with"))
    document = payload("fig4_convergence.json")
    made = [*document["trained_with"], document["drawn_with"]]
    for name, value in [pair for entry in made for part in entry.values() for pair in part.items()]:
        assert f"{name} {value}" in text
    assert f"Seeds: {', '.join(map(str, document['seeds']))}." in text
    assert all(of["sha256"] in text for of in document["data"]["slices"].values())


def test_the_time_is_the_sum_of_the_recorded_seconds(tree):
    runs = []
    for of in payload("fig4_convergence.json")["result"]["slices"].values():
        runs += [run for curves in of.values() for run in curves["seconds"]]
    for count, curves in payload("fig8_scalability.json")["result"]["clients"].items():
        runs += curves["seconds"] if int(count) != PAPER.clients else []
    for path in FIGURES.glob("real/*/fig4_convergence.json"):
        (of,) = payload(path)["result"]["slices"].values()
        runs += [run for curves in of.values() for run in curves["seconds"]]
    total = text_of(every(by_id(tree, "table-training-time"), "tr")[-1])
    assert total == f"all of these {len(runs)} {sum(map(sum, runs)) / 60:.1f}"


# ---- measured data, and what may be missing


def test_measured_data_are_there(tree):
    for path in FIGURES.glob("real/*/fig5_confidence.json"):
        document = payload(path)
        ((name, numbers),) = document["result"]["slices"].items()
        lowest = np.nanmin(np.array(numbers["rounds"]["post-hoc"]["confidence"], float), axis=1).mean()  # of the seeds
        heading = by_id(tree, f"tractor-{name.lower()}")
        assert text_of(heading) == f"TRACTOR {name}"
        assert f"post-hoc confidence: lowest {lowest:.3f}" in text_of(every(tree, "main")[0])


def test_what_is_not_there_is_left_out_with_its_command(folder):
    for name in ("real", "comparison"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for path in folder.glob("sensitivity*"):
        path.unlink()
    text = text_of(parsed(build(folder)))
    for command in ("make real TRACTOR=table.parquet", "reproduction/sensitivity.py", "reproduction/compare.py"):
        assert f"come with {command}" in text.replace("comes", "come").replace("python ", "")


def saved_row(choice, value, default, falls, lowest):
    """Make a row as `sensitivity.py` writes it, of the slices and seeds of Fig. 4."""
    numbers = {name: 0.5 for name in MEANS} | {
        "in-hoc IG: mse": 0.0123,
        "in-hoc IG: confidence": 0.987,
        "post-hoc: mse": 0.0101,
        "post-hoc: confidence": lowest,
        "in-hoc IG: multiplier": 0.25,
    }
    quantities = ("mse", "confidence", "multiplier", "inside", "lowest confidence")
    schemes = {label: {name: [0.5] * 5 for name in quantities} for label in ("in-hoc IG", "post-hoc")}
    return {
        "choice": choice,
        "value": value,
        "is_default": default,
        "verdicts": {"C1": True, "C2": True, "C3": falls, "C8": True},
        "statistics": {claim: {name: {"eMBB": [0.5] * 5} for name in names} for claim, names in VARIED.items()},
        "slices": {name: schemes for name in PAPER.slices},
        "numbers": numbers,
    }


ROWS = [
    saved_row("as in the figures", "ν .82", True, False, 0.931),
    saved_row("threshold ν", "0.5", False, False, 0.912),
    saved_row("threshold ν", "0.9", False, True, 0.801),
    saved_row("control", "constant predictor", False, None, None),
]


def test_sensitivity_is_told(folder):
    """The record as `sensitivity.py` writes it, cut down to four rows."""
    document = payload("fig4_convergence.json") | {"figure": "sensitivity", "result": {"rows": ROWS}}
    records.write_record(folder / "sensitivity.json", FIGURE, document)
    for name in ("sensitivity", "sensitivity_pareto"):
        shutil.copy(folder / "fig4_convergence.png", folder / f"{name}.png")
    tree = parsed(build(folder))
    rows = [text_of(row) for row in every(by_id(tree, "table-verdicts-under-other-choices"), "tr")]
    assert rows[1:] == [
        "as in the figures",
        "ν .82 holds holds fails holds 0.0123 0.987 0.0101 0.931 0.25",
        "threshold ν",
        "0.5 holds holds fails holds 0.0123 0.987 0.0101 0.912 0.25",
        "0.9 holds holds holds holds 0.0123 0.987 0.0101 0.801 0.25",
        "control",
        "constant predictor holds holds not defined holds 0.0123 0.987 0.0101 – 0.25",
    ]
    for sentence in what_changes(ROWS):
        assert sentence in text_of(tree)
    assert what_changes(ROWS)[2].startswith("C3 holds in 1 of 3 rows (fails by default); another verdict with ")
    assert what_changes(ROWS)[2].endswith("threshold ν (0.9).")  # the control is no choice
    assert any("C 0.912" in image.get("alt") or "0.987" in image.get("alt") for image in every(tree, "img"))


def test_the_comparison_is_told(folder):
    """Our SHAP-guided curves of the quick reference as another's method, through `compare.py`."""
    reference = ROOT / "data" / "reference" / "quick"
    ours = tidy.read(reference / "curves.csv")
    tidy.write(folder / "theirs.csv", ours[(ours["explainer"] == "SHAP") & (ours["slice"] == "eMBB")])
    compare.main([str(folder / "theirs.csv"), "--against", str(reference), "--out", str(folder / "comparison")])
    tree = parsed(build(folder))
    rows = {
        text_of(row[0]): [text_of(cell) for cell in row[1:]] for row in every(by_id(tree, "table-all-methods"), "tr")
    }
    assert list(rows) == ["Slice, method", "eMBB", "in-hoc IG", "post-hoc", "in-hoc SHAP"]
    last = ours[(ours["slice"] == "eMBB") & (ours["round"] == ours["round"].max())]
    for label, scheme, explainer in (("in-hoc SHAP", "in-hoc", "SHAP"), ("post-hoc", "post-hoc", "IG")):
        of = last[(last["scheme"] == scheme) & (last["explainer"] == explainer)]
        mse, confidence = (of[of["metric"] == metric]["value"].mean() for metric in ("mse", "confidence"))
        assert rows[label][0].startswith(f"{mse:.3g} ± ")
        assert rows[label][rows["Slice, method"].index("Final confidence")].startswith(f"{confidence:.3g} ± ")
        words = next(
            image.get("alt") for image in every(tree, "img") if "a column per slice. eMBB, last" in image.get("alt")
        )
        assert f"{label} MSE {mse:.3g}, C {confidence:.3f}" in words


# ---- the command


def test_the_command_gives_the_same_bytes_without_tensorflow(folder, page):
    """In another process, with other hashes, from another place."""
    child = subprocess.run(
        [sys.executable, "-X", "importtime", ROOT / "reproduction" / "report.py", "--out", folder],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"},
    )
    assert child.returncode == 0, child.stderr[-2000:]
    assert child.stdout == f"{folder / 'report.html'}\n"
    assert (folder / "report.html").read_bytes() == page
    assert not re.search(r"\| +(tensorflow|keras|torch)$", child.stderr, re.MULTILINE)


def tear(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def alter(path):
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("0.", "1.", 1), encoding="utf-8")


def claim_otherwise(path):
    document = records.read_record(path, CLAIMS_RECORD)
    document["verdicts"][0]["ours"] = "correlation: eMBB 1.000"
    records.write_record(path, CLAIMS_RECORD, document)


def draw_with_other_seeds(path):
    records.write_record(path, FIGURE, records.read_record(path, FIGURE) | {"seeds": [7, 1, 2, 3, 4]})


def draw_two_slices(path):
    document = records.read_record(path, FIGURE)
    for by_slice in (document["data"]["slices"], *document["result"].values()):
        by_slice["another"] = by_slice[path.parent.name]
    records.write_record(path, FIGURE, document)


def compare_with(result):
    """Return what puts another result into a comparison."""

    def change(path):
        records.write_record(path, COMPARISON, records.read_record(path, COMPARISON) | {"result": result})

    return change


BROKEN = {
    "a comparison of nothing": ("comparison/comparison.json", compare_with({"lines": []}), "compares nothing; make it"),
    "a comparison of other fields": (
        "comparison/comparison.json",
        compare_with({}),
        "field result.lines: field required",
    ),
    "no figure": ("fig7_convergence_time.json", Path.unlink, "missing; make it with"),
    "no picture": ("fig6_attributions.png", Path.unlink, "missing; draw it again"),
    "no claims": ("claims.json", Path.unlink, "missing; make it with"),
    "torn figure": ("fig4_convergence.json", tear, "not a complete record"),
    "torn picture": ("fig8_scalability.png", tear, "not a whole PNG"),
    "torn claims": ("claims.json", tear, "not a complete record"),
    "altered figure": ("fig5_confidence.json", alter, "checksum does not match"),
    "another figure": (
        "fig4_convergence.json",
        lambda path: shutil.copy(path.with_name("fig5_confidence.json"), path),
        "holds the numbers of fig5_confidence",
    ),
    "claims of other figures": ("claims.json", claim_otherwise, "not the verdicts that the figures beside it give"),
    "a figure of another run": ("fig7_convergence_time.json", draw_with_other_seeds, "other seeds than"),
    "torn measured picture": ("real/eMBB/fig4_convergence.png", tear, "not a whole PNG"),
    "no measured figure": ("real/URLLC/fig5_confidence.json", Path.unlink, "missing; make it with"),
    "two slices in a folder": ("real/eMBB/fig4_convergence.json", draw_two_slices, "holds another, eMBB; draw each"),
    "two slices in Fig. 5": ("real/eMBB/fig5_confidence.json", draw_two_slices, "holds another, eMBB; draw each"),
    "torn measured figure": ("real/URLLC/fig4_convergence.json", tear, "not a complete record"),
    "not a record": ("fig4_convergence.json", lambda path: path.write_text("{}"), "not a record of this project"),
}


@pytest.mark.parametrize(("name", "damage", "message"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_refused_in_one_line(folder, capsys, name, damage, message):
    damage(folder / name)
    (folder / "report.html").write_text("the page before")
    with pytest.raises(SystemExit) as stop:
        script.main(["--out", str(folder)])
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {folder / name}: ")
    assert message in line
    assert (folder / "report.html").read_text() == "the page before"


def test_an_empty_folder_is_refused_in_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        script.main(["--out", str(tmp_path)])
    assert stop.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
