"""Order files: rows to commands. In CSV a row is a line of an order; in JSON, an order.

`domcore load orders` and the plugin domcore-files read orders by this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from attrs import frozen

from domcore.loading.fields import amount, code, flag, moment, pattern, text, whole, words
from domcore.loading.problems import Problems
from domcore.loading.shape import Cell, Faults, Field, Shape, many
from domcore.model import (
    CancelOrder,
    CaptureOrder,
    Destination,
    Hold,
    Order,
    OrderLine,
    Person,
    postal_prefix,
)
from domcore.model.clock import to_micros
from domcore.plugin_kit.payments import SHIP_WHEN, payment_hold


class OrderRow(Protocol):
    """One record of a file: the line it stands in, and its values by column."""

    @property
    def line(self) -> int:
        """From 1."""
        ...

    @property
    def values(self) -> Mapping[str, Any]:
        """CSV cells are `Cell`, those of JSON are typed."""
        ...


class Named(Protocol):
    """What a file has named so far."""

    def again(self, name: str) -> bool:
        """Whether this was named before; from now on it was."""
        ...


class _Named:
    def __init__(self) -> None:
        self._seen: set[str] = set()

    def again(self, name: str) -> bool:
        known = name in self._seen
        self._seen.add(name)
        return known


HELD: Final = "shop"
"""The code of what the column ``hold`` says."""

MOST_LINES: Final = 10_000


def _revision(value: object) -> int:
    """A whole number, or a time: then microseconds since 1970."""
    if isinstance(value, str) and not value.isdecimal():
        return to_micros(moment(value))
    number: int = whole(0, 2**62)(value)
    return number


def _street(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [value]
    lines: tuple[str, ...] = many(text(300))(value)
    return lines


_ORDER: Final = (
    Field("order", code(), "the order's id, unique in the shop", needed=True),
    Field("number", text(100), "what people call it; absent is its id", ""),
    Field(
        "revision",
        _revision,
        "rises with each change: a number or a time; absent is the time placed",
        None,
    ),
    Field("cancelled", flag, "whether what has not left is cancelled", False),
    Field("placed_at", moment, "when it was placed; needed unless it is cancelled", None),
    Field("currency", pattern("[A-Z]{3}", "an ISO 4217 code such as USD"), "of its prices", ""),
    Field("service", text(100), "the delivery service", ""),
    Field("tier", text(100), "the customer's tier", ""),
    Field("tags", words, "words that rules may ask for", ()),
    Field("name", text(300), "who it goes to", ""),
    Field("company", text(300), "their company", ""),
    Field("email", text(320), "their mail address", ""),
    Field("phone", text(100), "their telephone number", ""),
    Field("street", _street, "street and house; in JSON also an array of lines", ()),
    Field("street2", text(300), "a second line of it", ""),
    Field("city", text(200), "the town", ""),
    Field("region", text(100), "state or province, as a code", ""),
    Field("postal", text(20), "the postal code", ""),
    Field("country", pattern("[A-Za-z]{2}", "an ISO 3166-1 code such as US"), "of the address", ""),
    Field("ship_by", moment, "when it must have left", None),
    Field("deliver_by", moment, "when it must have arrived", None),
    Field("gift_message", text(1_000), "for whom it goes to", ""),
    Field("instructions", text(1_000), "about the delivery", ""),
    Field("shipping", amount, "what delivery costs before discounts, as decimal text", None),
    Field("shipping_discount", amount, "what is taken off that", None),
    Field("shipping_tax", amount, "the tax on it", None),
    Field("total", amount, "all that the customer pays", None),
    Field("payment", text(100), "how it is paid, such as paid or pending; absent says nothing", ""),
    Field("hold", text(300), "why nothing of it may leave yet; absent lets it go", ""),
)

_LINE: Final = (
    Field("line", code(), "the line's id, unique in the order; needed unless it is cancelled", ""),
    Field("sku", code(), "the SKU; needed likewise", ""),
    Field("quantity", whole(), "units wanted; needed likewise", None),
    Field("price", amount, "of one unit, as decimal text", 0),
    Field("ships", flag, "false for what needs no parcel", True),
    Field("discount", amount, "what is taken off all its units, as decimal text", None),
    Field("tax", amount, "the tax on all its units", None),
)

ROW: Final = Shape((*_ORDER, *_LINE))
"""A row of a CSV file."""

ORDER: Final = Shape((*_ORDER, Field("lines", many(Shape(_LINE)), "its lines", ())))
"""An object of a JSON Lines file."""

_PERSONAL: Final = (
    "name", "company", "email", "phone", "city", "region", "postal", "country", "gift_message",
    "instructions",
)  # fmt: skip


@frozen(slots=True)
class OrderReader:
    """Makes commands of one channel's rows."""

    channel: str
    owner: str
    currency: str
    service: str
    postal_digits: int
    ship_when: tuple[str, ...] = SHIP_WHEN
    reserve_unpaid: bool = False

    def commands(
        self,
        rows: Iterable[OrderRow],
        *,
        name: str,
        digest: str,
        problems: Problems,
        by_line: bool,
        seen: Named | None = None,
    ) -> Iterator[CaptureOrder | CancelOrder]:
        """A command for each order; the bad ones are problems. `seen` knows those of other parts
        of the file."""
        read = self._by_row(rows, name, problems) if by_line else self._by_order(rows)
        seen = _Named() if seen is None else seen
        for at, raw in read:
            place = f"{name}:{at}"
            try:
                values = ORDER(raw) if not by_line else raw
                # In CSV, lines of one order are one order, and stand in one part.
                if not by_line and seen.again(values["order"]):
                    raise Faults([("order", "stands in this file already")])
                yield self._command(values, key=f"file:{digest}:{at}")
            except ValueError as error:
                problems.add(place, error)

    def _by_order(self, rows: Iterable[OrderRow]) -> Iterator[tuple[int, Mapping[str, Any]]]:
        for row in rows:
            yield row.line, row.values

    def _by_row(
        self, rows: Iterable[OrderRow], name: str, problems: Problems
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """Rows gathered by order: the first tells about the order, all tell their line."""
        orders: dict[str, tuple[int, Mapping[str, Any], dict[str, Any]]] = {}
        for row in rows:
            try:
                values = ROW(row.values)
            except ValueError as error:
                problems.add(f"{name}:{row.line}", error)
                continue
            first = orders.setdefault(values["order"], (row.line, row.values, values))
            if first[0] == row.line:
                first[2]["lines"] = []
            else:
                differing = _differing(first[1], row.values)
                if differing:
                    text = f"differs from line {first[0]}, where this order begins"
                    problems.add(f"{name}:{row.line}", Faults([(each, text) for each in differing]))
            line = {each.name: values[each.name] for each in _LINE}
            told = any((line["line"], line["sku"], line["quantity"]))
            if told and len(first[2]["lines"]) <= MOST_LINES:
                first[2]["lines"].append(line)
        yield from ((at, values) for at, _, values in orders.values())

    def _command(self, values: Mapping[str, Any], key: str) -> CaptureOrder | CancelOrder:
        revision, placed = values["revision"], values["placed_at"]
        if revision is None and placed is not None:
            revision = to_micros(placed)
        faults = [] if values["cancelled"] else list(_missing(values, self.currency))
        if revision is None:
            faults.append(("revision", "is missing; give it, or placed_at"))
        if faults:
            raise Faults(faults)
        if values["cancelled"]:
            return CancelOrder(self.owner, self.channel, values["order"], revision, key=key)
        holds = payment_hold(values["payment"], self.ship_when, reserve=self.reserve_unpaid)
        if values["hold"]:
            holds = (*holds, Hold(HELD, values["hold"]))
        return CaptureOrder(self._order(values, revision), _person(values), key, holds=holds)

    def _order(self, values: Mapping[str, Any], revision: int) -> Order:
        return Order(
            self.owner,
            self.channel,
            values["order"],
            revision=revision,
            placed_at=values["placed_at"],
            currency=values["currency"] or self.currency,
            lines=tuple(
                OrderLine(
                    each["line"],
                    each["sku"],
                    each["quantity"],
                    each["price"],
                    each["ships"],
                    discount=each["discount"],
                    tax=each["tax"],
                )
                for each in values["lines"]
            ),
            destination=self._destination(values),
            number=values["number"] or values["order"],
            service=values["service"] or self.service,
            customer_tier=values["tier"],
            tags=values["tags"],
            ship_by=values["ship_by"],
            deliver_by=values["deliver_by"],
            shipping=values["shipping"],
            shipping_discount=values["shipping_discount"],
            shipping_tax=values["shipping_tax"],
            total=values["total"],
        )

    def _destination(self, values: Mapping[str, Any]) -> Destination | None:
        country, postal = values["country"].upper(), values["postal"].upper()
        if not country:
            return None
        kept = postal_prefix(postal, self.postal_digits).strip()
        return Destination(country, values["region"].upper(), kept)


def _missing(values: Mapping[str, Any], currency: str) -> Iterator[tuple[str, str]]:
    """What an order lacks that is not cancelled, and what its lines say twice."""
    if values["placed_at"] is None:
        yield "placed_at", "is missing"
    if not (values["currency"] or currency):
        yield "currency", "is missing"
    lines = values["lines"]
    if not lines:
        yield "line", "is missing: an order needs a line"
    if len(lines) > MOST_LINES:
        yield "line", f"is one of more than {MOST_LINES:,}"
        return
    seen: set[str] = set()
    for each in lines:
        for name in ("line", "sku"):
            if not each[name]:
                yield name, "is missing"
        if each["quantity"] is None:
            yield "quantity", "is missing"
        if each["line"] in seen:
            yield "line", "stands in this order twice"
        seen.add(each["line"])


def _differing(first: Mapping[str, Any], later: Mapping[str, Any]) -> list[str]:
    """Fields of the order that a later row tells otherwise; an empty cell tells nothing."""
    return [
        each.name
        for each in _ORDER
        if later.get(each.name) not in (None, Cell(""), first.get(each.name))
    ]


def _person(values: Mapping[str, Any]) -> Person | None:
    street = tuple(line for line in (*values["street"], values["street2"]) if line)
    told = {name: values[name] for name in _PERSONAL}
    told["country"] = told["country"].upper()
    return Person(street=street, **told) if street or any(told.values()) else None
