"""When a node is closed: the retailer's own tables first, then weekends and public holidays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Final, get_args
from zoneinfo import ZoneInfo

from attrs import define, field
from holidays import country_holidays

from domcore.model import FactValue, Node
from domcore_holidays.options import Options, Table, Weekday
from domcore_holidays.regions import place_of

HORIZON: Final = 366
"""A node that does not work again within so many days is said to be closed for as many."""

_WEEKDAYS: Final = get_args(Weekday)
_NOTHING: Final = Table()


@define
class Calendar:
    """The closed days of one application's nodes; remembers the public holidays it looked up."""

    options: Options
    _known: dict[tuple[str, str, int], Mapping[date, str]] = field(factory=dict)

    def facts(self, node: Node, now: datetime) -> dict[str, FactValue]:
        """The facts of a node, by its own clock."""
        today = now.astimezone(ZoneInfo(node.timezone)).date()
        reason = self.closed(node, today)
        ahead = 0
        if reason is not None:
            days = (n for n in range(1, HORIZON) if not self.closed(node, today + timedelta(n)))
            ahead = next(days, HORIZON)
        facts: dict[str, FactValue] = {
            "node.holidays.open_today": reason is None,
            "node.holidays.closed_days_ahead": ahead,
        }
        return facts if reason is None else {**facts, "node.holidays.closed_reason": reason}

    def closed(self, node: Node, day: date) -> str | None:
        """Why a node does not work on a day; None when it does."""
        options = self.options
        own = options.nodes.get(node.id, _NOTHING)
        kind = options.kinds.get(node.kind, _NOTHING)
        for table in (own, kind):
            if any(day in days for days in table.works):
                return None
            for days, reason in table.closed.items():
                if day in days:
                    return reason
        weekend = kind.weekend if own.weekend is None else own.weekend
        if _WEEKDAYS[day.weekday()] in (weekend or ()):
            return "weekend"
        keeps = kind.public_holidays if own.public_holidays is None else own.public_holidays
        if keeps is False:
            return None
        name = self._public(node.country, node.region, day.year).get(day)
        return f"public holiday: {name}" if name else None

    def trouble(self, nodes: Iterable[Node]) -> Iterator[str]:
        """What is not known of the places of nodes that keep public holidays, once each."""
        nodes_at: dict[tuple[str, str], list[str]] = {}
        for node in nodes:
            own = self.options.nodes.get(node.id, _NOTHING).public_holidays
            kind = self.options.kinds.get(node.kind, _NOTHING).public_holidays
            if node.enabled and node.country and (kind if own is None else own) is not False:
                nodes_at.setdefault((node.country, node.region), []).append(node.id)
        for place, ids in sorted(nodes_at.items()):
            unknown = place_of(*place).unknown
            if unknown:
                more = f" and {len(ids) - 3} more" if len(ids) > 3 else ""
                yield f"node {', '.join(ids[:3])}{more}: {unknown}"

    def _public(self, country: str, region: str, year: int) -> Mapping[date, str]:
        key = (country, region, year)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = public_holidays(*key)
        return found


def public_holidays(country: str, region: str, year: int) -> Mapping[date, str]:
    """The public holidays of a year by date, named in the country's own language.

    None for a country that the library does not know; those of the whole country for such a
    region, see `domcore_holidays.regions`. The language is said because the library would take it
    from the environment, and the same decision would read differently on another machine.
    """
    try:
        language = country_holidays(country).default_language
    except NotImplementedError:
        return {}
    subdivision = place_of(country, region).subdivision
    return country_holidays(country, subdivision, year, expand=False, language=language)
