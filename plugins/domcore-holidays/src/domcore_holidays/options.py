"""The settings of the plugin: ``[plugins.holidays]`` in the project file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal

from attrs import field, frozen

from domcore.codec.strict import Line, Refused, Word, make_converter, structure
from domcore.errors import ConfigurationError, PayloadError
from domcore.model import NODE_KINDS

PLACE: Final = "plugins.holidays"

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Reason = Annotated[str, Line(200, least=1)]


@frozen(slots=True)
class Days:
    """One day, or all from the first to the last: ``2026-12-24/2027-01-02``."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@frozen(slots=True)
class Table:
    """What one node keeps, or every node of a kind. What is None is left to the next table.

    Args:
        weekend: the weekdays on which it never works.
        public_holidays: whether it is closed on them.
        closed: other days on which it is closed, with the reason.
        works: days on which it works whatever else is said of them.
    """

    weekend: tuple[Weekday, ...] | None = None
    public_holidays: bool | None = None
    closed: Mapping[Days, Reason] = field(factory=dict)
    works: tuple[Days, ...] = ()


@frozen(slots=True)
class Options:
    """The retailer's own tables; a node's comes before that of its kind."""

    nodes: Mapping[Word, Table] = field(factory=dict)
    kinds: Mapping[Word, Table] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in NODE_KINDS:
                raise Refused(f"kinds.{kind}: a node is one of {', '.join(NODE_KINDS)}")


def read_options(settings: Mapping[str, Any]) -> Options:
    """Check the settings.

    Raises:
        ConfigurationError: something is unknown or wrong; names every place.
    """
    converter = make_converter()
    converter.register_structure_hook(Days, _days)
    try:
        return structure(converter, dict(settings), Options)
    except PayloadError as error:
        wrong = (f"{each.path}: {each.message}".lstrip("$.: ") for each in error.problems)
        raise ConfigurationError("; ".join(wrong), place=PLACE) from None


def _days(value: object, _: object) -> Days:
    first, slash, last = str(value).partition("/")
    try:
        if type(value) not in (str, date):
            raise ValueError
        days = Days(date.fromisoformat(first), date.fromisoformat(last if slash else first))
    except ValueError:
        raise Refused("must be a date, 2026-12-24, or '2026-12-24/2027-01-02'") from None
    if days.last < days.first:
        raise Refused("ends before it begins")
    return days
