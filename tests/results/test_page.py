"""Self-contained pages: a picture goes in whole or is refused, and a template says what it was given, safely."""

import base64
import re

import html5lib
import matplotlib.image
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from reproduction.results.page import SHOWN_PER_PIXEL, picture_of, render, slug


@pytest.fixture
def png(tmp_path):
    """A picture of 50 x 30 pixels, in greys that do not compress to nothing."""
    path = tmp_path / "picture.png"
    matplotlib.image.imsave(path, np.random.default_rng(0).random((30, 50)), cmap="gray")
    return path


# ---- pictures


def test_a_picture_goes_in_whole(png):
    picture = picture_of(png)
    kind, _, content = picture.source.partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(content, validate=True) == png.read_bytes()


def test_a_picture_is_shown_in_its_proportions(png):
    picture = picture_of(png)
    assert (picture.width, picture.height) == (round(50 * SHOWN_PER_PIXEL), round(30 * SHOWN_PER_PIXEL))


def half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def folder_in_its_place(path):
    path.unlink()
    path.mkdir()


REFUSED = {
    "not there": (lambda path: path.unlink(), "missing"),
    "torn": (half, "not a whole PNG"),
    "empty": (lambda path: path.write_bytes(b""), "not a whole PNG"),
    "another format": (lambda path: path.write_bytes(b"%PDF-1.4\n"), "not a whole PNG"),
    "a folder": (folder_in_its_place, "not a whole PNG"),
}


@pytest.mark.parametrize(("damage", "message"), REFUSED.values(), ids=REFUSED)
def test_a_picture_that_is_not_whole_is_refused(png, damage, message):
    damage(png)
    told = rf"^{re.escape(str(png))}: {message}; draw it again with its script's --redraw$"
    with pytest.raises(ValueError, match=told):
        picture_of(png)


# ---- templates


def template(folder, text):
    path = folder / "page.html.j2"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_template_is_filled_in(tmp_path):
    path = template(tmp_path, "{% for one in list %}\n<p>{{ one }}</p>\n{% endfor %}\n<b>{{ ν }}</b>")
    assert render(path, {"list": ["a", "b"], "ν": "0.82 ± 0.1"}).decode("utf-8") == (
        "<p>a</p>\n<p>b</p>\n<b>0.82 ± 0.1</b>"  # the lines of blocks leave no empty ones
    )


@pytest.mark.parametrize("text", ["{{ nothing }}", "{{ here.nothing }}", "{% if nothing %}{% endif %}"])
def test_an_unknown_name_is_an_error(tmp_path, text):
    with pytest.raises(UndefinedError, match="nothing"):
        render(template(tmp_path, text), {"here": {}})


@given(st.text("<>&\"'/;=aé ", min_size=1, max_size=20))
def test_text_stays_text(tmp_path_factory, text):
    """Whatever a name or a file's path holds, a browser shows it as it is, in a text and in an attribute."""
    path = template(tmp_path_factory.mktemp("page"), '<!DOCTYPE html><title>x</title><p id="{{ text }}">{{ text }}</p>')
    page = html5lib.HTMLParser(namespaceHTMLElements=False).parse(render(path, {"text": text}).decode())
    (paragraph,) = page.iter("p")
    assert len(paragraph) == 0
    assert (paragraph.text, paragraph.get("id")) == (text, text)


def test_what_stands_beside_a_template_can_be_included(tmp_path):
    (tmp_path / "style.css").write_text("p { color: red }")
    path = template(tmp_path, '<style>{% include "style.css" %}</style>')
    assert render(path, {}) == b"<style>p { color: red }</style>"


@pytest.mark.parametrize(
    ("text", "lowered"),
    [("Training error", "training error"), ("already", "already"), ("MSE", "mSE"), ("X", "x"), ("", "")],
)
def test_lower_first_changes_the_first_letter_only(tmp_path, text, lowered):
    assert render(template(tmp_path, "{{ text|lower_first }}"), {"text": text}).decode() == lowered


# ---- ids


@pytest.mark.parametrize(
    ("text", "name"),
    [("Fig. 4", "fig-4"), ("C7 (KB)", "c7-kb"), ("TRACTOR eMBB, Fig. 5", "tractor-embb-fig-5"), ("--a--", "a")],
)
def test_slug(tmp_path, text, name):
    """In Python and in a template alike: one makes the links, the other the ids that they lead to."""
    assert slug(text) == name
    assert render(template(tmp_path, "{{ text|slug }}"), {"text": text}).decode() == name


@given(st.text(max_size=20))
def test_a_slug_is_an_id_and_stays_itself(text):
    """HTML: an id holds no space; and as an anchor it needs no escape."""
    name = slug(text)
    assert re.fullmatch(r"([a-z0-9]+(-[a-z0-9]+)*)?", name)
    assert slug(name) == name
