"""What a type alone cannot say of a value that came from JSON: how many entries it has, and under which names.

    PerSeed = Annotated[list[float | None], as_many_as("seeds")]

`records.require_form` holds a value to its type and then to these rules. A rule that speaks of something else ("seeds")
finds it in the context that it is given; where that says nothing of it, the rule allows everything.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rule:
    """A rule beside a type, in `typing.Annotated`; pydantic reads it, and is imported only then.

    Attributes:
        complaint: (value, context) -> what is wrong with the value, or "".
    """

    complaint: Callable[[Any, Mapping[str, Any]], str]

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """Return the schema of the type, followed by the rule."""
        from pydantic_core import PydanticCustomError
        from pydantic_core.core_schema import with_info_after_validator_function

        def check(value: Any, info: Any) -> Any:
            if complaint := self.complaint(value, info.context or {}):
                raise PydanticCustomError("rule", "{complaint}", {"complaint": complaint})
            return value

        return with_info_after_validator_function(check, handler(source))


def as_many_as(what: str) -> Rule:
    """As many entries as the context says that there are of `what`."""

    def complaint(value: Collection[Any], context: Mapping[str, Any]) -> str:
        wanted = context.get(what, len(value))
        return "" if len(value) == wanted else f"must have {wanted} entries ({what}), has {len(value)}"

    return Rule(complaint)


def not_empty() -> Rule:
    """At least one entry."""
    return Rule(lambda value, context: "" if len(value) else "must not be empty")


def alike() -> Rule:
    """Lists of one length."""
    return Rule(lambda value, context: "" if len(set(map(len, value))) <= 1 else "must be lists of one length")


def named(*names: str) -> Rule:
    """An entry under each of these names, and no other."""
    return Rule(lambda value, context: _difference(value, names))


def named_by(what: str) -> Rule:
    """An entry under each of the names that the context has of `what`, and no other."""
    return Rule(lambda value, context: _difference(value, context.get(what, value)))


def one_of(what: str) -> Rule:
    """One of the names that the context has of `what`."""

    def complaint(value: str, context: Mapping[str, Any]) -> str:
        names = context.get(what, (value,))
        return "" if value in names else f"must be one of the {what}, {', '.join(names)}"

    return Rule(complaint)


def _difference(names: Collection[str], wanted: Collection[str]) -> str:
    missing = [name for name in wanted if name not in names]
    foreign = [name for name in names if name not in wanted]
    return f"lacks {missing[0]!r}" if missing else f"has {foreign[0]!r}, which does not belong there" if foreign else ""
