"""Rules beside types: what they allow, what they refuse in which words, and that without a context they are silent."""

from typing import Annotated

import pytest
from typing_extensions import TypedDict

from reproduction.results.forms import Rule, alike, as_many_as, named, named_by, not_empty, one_of
from reproduction.results.records import require_form


class Form(TypedDict):
    losses: Annotated[list[Annotated[list[float], as_many_as("rounds")]], as_many_as("seeds")]


CONTEXT = {"seeds": 2, "rounds": 1, "nets": ("A", "B")}

# rule's type, what it allows, what it refuses, in which words
CASES = {
    "as many as": (Annotated[list[int], as_many_as("seeds")], [1, 2], [1], r"must have 2 entries \(seeds\), has 1"),
    "not empty": (Annotated[list[int], not_empty()], [0], [], "must not be empty"),
    "alike": (Annotated[list[list[int]], alike()], [[1], [2]], [[1], []], "must be lists of one length"),
    "named, one missing": (Annotated[dict[str, int], named("A", "B")], {"A": 1, "B": 2}, {"A": 1}, "lacks 'B'"),
    "named, one more": (Annotated[dict[str, int], named("A")], {"A": 1}, {"A": 1, "C": 1}, "has 'C', which does not"),
    "named by": (Annotated[dict[str, int], named_by("nets")], {"B": 1, "A": 2}, {"A": 1}, "lacks 'B'"),
    "one of": (Annotated[str, one_of("nets")], "B", "C", "must be one of the nets, A, B"),
    "one's own": (Annotated[int, Rule(lambda value, context: "odd" if value % 2 else "")], 2, 3, "odd"),
}


@pytest.mark.parametrize(("form", "right", "wrong", "message"), CASES.values(), ids=CASES)
def test_a_rule(form, right, wrong, message):
    require_form(right, form, context=CONTEXT)
    with pytest.raises(ValueError, match=f"^field the whole: {message}"):
        require_form(wrong, form, context=CONTEXT)


@pytest.mark.parametrize("name", ["as many as", "named by", "one of"])
def test_a_rule_is_silent_where_the_context_is(name):
    form, _, wrong, _ = CASES[name]
    require_form(wrong, form)


def test_the_type_comes_first():
    with pytest.raises(ValueError, match=r"^field losses\.1\.0: input should be a valid number, found 'x'"):
        require_form({"losses": [[1.0], ["x"]]}, Form, context=CONTEXT)


def test_a_rule_names_the_field_within():
    with pytest.raises(ValueError, match=r"^field result\.losses\.1: must have 1 entries \(rounds\), has 2"):
        require_form({"losses": [[1.0], [1.0, 2.0]]}, Form, inside=("result",), context=CONTEXT)
