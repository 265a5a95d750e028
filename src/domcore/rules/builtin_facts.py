"""The facts every rule may read, each with its reader. None is a missing value.

Text that is empty is missing. Facts of an order speak of the whole of it, over all its decisions;
those that speak of what this decision is about, the open rest, have ``open`` in their name. The two
differ only once some of the order has been placed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from attrs import frozen

from domcore.model.clock import to_micros
from domcore.model.facts import FactSpec
from domcore.model.money import MICROS, MOST
from domcore.model.network import Node
from domcore.rules.request import OpenLine, Request

WEEKDAYS: Final = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
LONGEST_TEXT: Final = 1_000
"""Facts of text are cut here; a constant in a condition is never longer."""


OrderReader = Callable[[Request], Any]
ClockReader = Callable[[datetime], Any]
LineReader = Callable[[OpenLine], Any]
NodeReader = Callable[[Node], Any]


@frozen(slots=True)
class Builtin:
    """A fact and how it is read; candidate facts are read by node column and have no reader."""

    spec: FactSpec
    read: Callable[[Any], Any] | None = None


def bounded(amount: int) -> int:
    """An amount that engines can hold exactly; beyond `MOST` every constant is smaller anyway."""
    return amount if -MOST <= amount <= MOST else (MOST if amount > 0 else -MOST)


def amount(told: int | None) -> int | None:
    """An amount as a fact: one that nobody told is missing, never 0."""
    return None if told is None else bounded(told)


def moment(told: datetime | None) -> int | None:
    """A time as a fact; one that nobody told is missing."""
    return None if told is None else bounded(to_micros(told))


def text(value: str) -> str | None:
    """Text as a fact: empty is missing, overlong is cut."""
    return value[:LONGEST_TEXT] or None


def zone(name: str) -> ZoneInfo:
    """The time zone of that name; `zoneinfo` keeps those in use."""
    return ZoneInfo(name)


def _place(part: str) -> OrderReader:
    def read(request: Request) -> str | None:
        destination = request.order.destination
        return None if destination is None else text(getattr(destination, part))

    return read


def _weight(request: Request) -> int:
    every = (*request.lines, *request.rest)
    return bounded(sum(line.item.weight * line.whole for line in every))


def _open_weight(request: Request) -> int:
    return bounded(sum(line.item.weight * line.open for line in request.lines))


def _open_value(line: OpenLine) -> int:
    """The line's value, as far as it is open."""
    return line.line.less(line.line.quantity - line.open).value


def _age(request: Request) -> int:
    return (request.now - request.order.placed_at) // timedelta(minutes=1)


def _longest_side(line: OpenLine) -> int | None:
    return max(line.item.dimensions) or None


def _line_tags(line: OpenLine) -> tuple[str, ...]:
    return line.item.tags + line.line.tags


def _specs(entity: str, *rows: tuple[Any, ...]) -> list[Builtin]:
    found = []
    for name, kind, unit, nullable, summary, read in rows:
        found.append(Builtin(FactSpec(name, entity, kind, unit, nullable, summary), read))
    return found


_ORDER: Final = _specs(
    "order",
    ("order.owner", "text", "", False, "Whose order it is", lambda r: text(r.order.owner)),
    ("order.channel", "text", "", False, "The channel it came in by",
     lambda r: text(r.order.channel)),
    ("order.number", "text", "", True, "What people call it, such as '#1001'",
     lambda r: text(r.order.number)),
    ("order.service", "text", "", False, "The delivery service that was bought",
     lambda r: text(r.order.service)),
    ("order.customer_tier", "text", "", True, "The customer's tier, as the channel gives it",
     lambda r: text(r.order.customer_tier)),
    ("order.tags", "texts", "", False, "Tags of the order", lambda r: r.order.tags),
    ("order.currency", "text", "", False, "ISO 4217 code of the order",
     lambda r: text(r.order.currency)),
    ("order.value", "money", "", False,
     "Goods value of the whole order, after discounts where they are told",
     lambda r: bounded(r.order.value)),
    ("order.discount", "money", "", True, "What is taken off the goods",
     lambda r: amount(r.order.discount)),
    ("order.shipping", "money", "", True, "What delivery costs the customer, before discounts",
     lambda r: amount(r.order.shipping)),
    ("order.total", "money", "", True, "All that the customer pays, taxes and delivery included",
     lambda r: amount(r.order.total)),
    ("order.line_count", "int", "lines", False, "Lines of the whole order that ship",
     lambda r: len(r.lines) + len(r.rest)),
    ("order.units", "int", "units", False, "Units of the whole order, placed and open",
     lambda r: bounded(sum(line.whole for line in (*r.lines, *r.rest)))),
    ("order.weight", "int", "g", False, "Grams of the whole order, placed and open", _weight),
    ("order.open_line_count", "int", "lines", False, "Lines still open", lambda r: len(r.lines)),
    ("order.open_units", "int", "units", False, "Units still open",
     lambda r: bounded(sum(line.open for line in r.lines))),
    ("order.open_weight", "int", "g", False, "Grams still open", _open_weight),
    ("order.open_value", "money", "", False,
     "Goods value of what is still open, after discounts where they are told",
     lambda r: bounded(sum(_open_value(line) for line in r.lines))),
    ("order.placed_at", "time", "", False, "When it was placed",
     lambda r: bounded(to_micros(r.order.placed_at))),
    ("order.ship_by", "time", "", True, "Until when it was promised to leave",
     lambda r: moment(r.order.ship_by)),
    ("order.deliver_by", "time", "", True, "Until when it was promised to arrive",
     lambda r: moment(r.order.deliver_by)),
    ("order.attempts", "int", "decisions", False, "Decisions that were made on it before",
     lambda r: r.attempts),
    ("order.rejections", "int", "", False, "How often nodes have rejected work of it",
     lambda r: r.rejections),
    ("order.nodes", "int", "nodes", False, "Nodes that ship for it already",
     lambda r: len(r.used) + r.beyond),
    ("order.age", "int", "min", False, "Whole minutes since it was placed", _age),
)  # fmt: skip

_CLOCK: Final = _specs(
    "order",
    ("now.weekday", "text", "", False, "'monday' to 'sunday', in the pack's time zone",
     lambda now: WEEKDAYS[now.weekday()]),
    ("now.hour", "int", "h", False, "0 to 23, in the pack's time zone", lambda now: now.hour),
    ("now.clock", "text", "", False, "'00:00' to '23:59', in the pack's time zone",
     lambda now: f"{now.hour:02d}:{now.minute:02d}"),
    ("now.date", "text", "", False, "'2026-11-27', in the pack's time zone",
     lambda now: now.date().isoformat()),
    ("now.time", "time", "", False, "This moment", to_micros),
)  # fmt: skip

_DESTINATION: Final = _specs(
    "destination",
    ("destination.country", "text", "", True, "ISO 3166-1 code, such as 'US'", _place("country")),
    ("destination.region", "text", "", True, "Region code without the country, such as 'NY'",
     _place("region")),
    ("destination.postal", "text", "", True, "Postal code, or the prefix that is kept of it",
     _place("postal")),
)  # fmt: skip

_LINE: Final = _specs(
    "line",
    ("line.id", "text", "", False, "The channel's id of the line", lambda o: text(o.line.id)),
    ("line.sku", "text", "", False, "The SKU", lambda o: text(o.line.sku)),
    ("line.quantity", "int", "units", False, "Units ordered",
     lambda o: bounded(o.line.quantity)),
    ("line.open", "int", "units", False, "Units still open", lambda o: bounded(o.open)),
    ("line.price", "money", "", False, "Price per unit, before discounts",
     lambda o: bounded(o.line.price)),
    ("line.value", "money", "", False,
     "Price times units ordered, less the discount where it is told",
     lambda o: bounded(o.line.value)),
    ("line.open_value", "money", "", False,
     "What the line is worth as far as it is open", lambda o: bounded(_open_value(o))),
    ("line.discount", "money", "", True, "What is taken off the line",
     lambda o: amount(o.line.discount)),
    ("line.tax", "money", "", True, "Tax on the line", lambda o: amount(o.line.tax)),
    ("line.unit_weight", "int", "g", False, "Grams per unit", lambda o: bounded(o.item.weight)),
    ("line.weight", "int", "g", False, "Grams of the line, placed and open",
     lambda o: bounded(o.item.weight * o.whole)),
    ("line.open_weight", "int", "g", False, "Grams still open",
     lambda o: bounded(o.item.weight * o.open)),
    ("line.longest_side", "int", "mm", True, "The longest side of one unit", _longest_side),
    ("line.category", "text", "", True, "Category path, such as 'garden/tools'",
     lambda o: text(o.item.category)),
    ("line.tags", "texts", "", False, "Tags of the item and of the line", _line_tags),
)  # fmt: skip

_NODE: Final = _specs(
    "node",
    ("node.id", "text", "", False, "The node's code", lambda n: text(n.id)),
    ("node.kind", "text", "", False, "'dc', 'store', 'vendor', '3pl' or 'hub'",
     lambda n: text(n.kind)),
    ("node.country", "text", "", True, "ISO 3166-1 code", lambda n: text(n.country)),
    ("node.region", "text", "", True, "Region code without the country",
     lambda n: text(n.region)),
    ("node.postal", "text", "", True, "Postal code", lambda n: text(n.postal)),
    ("node.priority", "int", "", True, "The operator's ranking, 1 is first",
     lambda n: n.priority or None),
    ("node.tags", "texts", "", False, "Tags of the node, such as licences and groups",
     lambda n: n.tags),
    ("node.connector", "text", "", True, "The connector that takes its work",
     lambda n: text(n.connector)),
    ("node.rate_card", "text", "", True, "The rate card its parcels are priced by",
     lambda n: text(n.rate_card)),
)  # fmt: skip

_CANDIDATE: Final = _specs(
    "candidate",
    ("candidate.distance_km", "decimal", "km", True,
     "Great-circle distance from the node to the destination", None),
    ("candidate.available", "int", "units", False,
     "Units it may give the line: above its floors, after other open lines of the SKU", None),
    ("candidate.covers_line", "bool", "", False,
     "Whether it may give all open units of the line", None),
    ("candidate.covers_order", "bool", "", False,
     "Whether it may give every open line in full", None),
    ("candidate.lines_covered", "int", "lines", False, "Open lines it may give in full", None),
    ("candidate.ships_already", "bool", "", False,
     "Whether the node ships for the order already", None),
    ("candidate.open_orders", "int", "orders", True,
     "Orders whose work the node has not finished", None),
    ("candidate.open_units", "int", "units", True, "Units of that work", None),
    ("candidate.days_of_cover", "decimal", "days", True,
     "How long the line's goods there last at the pace of what has left; missing without demand",
     None),
    ("candidate.physical", "int", "units", False,
     "Units of the line at the node, whatever must stay there", None),
    ("candidate.holds_line", "bool", "", False,
     "Whether all open units of the line's SKU are there, whatever must stay", None),
    ("candidate.holds_order", "bool", "", False,
     "Whether every open line is there in full, whatever must stay", None),
)  # fmt: skip

BUILTINS: Final[Mapping[str, Builtin]] = MappingProxyType(
    {
        builtin.spec.name: builtin
        for group in (_ORDER, _CLOCK, _DESTINATION, _LINE, _NODE, _CANDIDATE)
        for builtin in group
    }
)

PER_LINE_CANDIDATE: Final = frozenset(
    {
        "candidate.available",
        "candidate.covers_line",
        "candidate.physical",
        "candidate.holds_line",
        "candidate.days_of_cover",
    }
)
"""Candidate facts that differ from line to line of one order."""

ELAPSED_UNITS: Final[Mapping[str, int]] = MappingProxyType(
    {"minutes": 60_000_000, "hours": 3_600_000_000, "days": 86_400_000_000}
)


def elapsed(function: str, moment: int, now: datetime) -> int:
    """``hours_since`` and its kin as a decimal in millionths."""
    unit, direction = function.split("_")
    span = to_micros(now) - moment
    return bounded((span if direction == "since" else -span) * MICROS // ELAPSED_UNITS[unit])
