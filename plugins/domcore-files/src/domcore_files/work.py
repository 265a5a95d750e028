"""What a node is told to ship, and what a shop is told of it: values by column."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from domcore.model import Handover, Package, Person, ShipmentNews
from domcore_files.tables import export_csv, export_lines

OF_THE_WORK: Final = (
    "key", "node", "order", "number", "service", "ship_by", "deliver_by",
    "name", "company", "street", "street2", "city", "region", "postal", "country", "email", "phone",
    "gift_message", "instructions",
)  # fmt: skip
WORK_COLUMNS: Final = (*OF_THE_WORK, "line", "sku", "quantity")
CANCEL_COLUMNS: Final = ("key", "node", "order", "number", "cancel")
NEWS_COLUMNS: Final = (
    "key", "kind", "order", "number", "fulfillment_order", "node", "at", "line", "quantity",
    "package", "carrier", "tracking", "url",
)  # fmt: skip


def file_of(
    columns: Sequence[str], rows: Sequence[dict[str, Any]], format: str, *, plain: bool
) -> bytes:
    """Rows in the format that is wanted."""
    if format == "jsonl":
        return export_lines(rows)
    cells = ([str(row.get(column, "")) for column in columns] for row in rows)
    return export_csv(columns, cells, plain=plain)


def work_rows(handover: Handover, format: str) -> list[dict[str, Any]]:
    """The work: in CSV a row for each line, in JSON Lines one object that holds them."""
    head = _head(handover)
    lines = [
        {"line": line, "sku": sku, "quantity": units}
        for line, sku, units in handover.fulfillment_order.lines
        if units
    ]
    if format == "jsonl":
        return [{**head, "lines": lines}]
    return [{**head, **line} for line in lines]


def cancel_rows(handover: Handover) -> list[dict[str, Any]]:
    """The wish to stop: no name, no address."""
    return [
        {
            "key": handover.key,
            "node": handover.node.id,
            "order": handover.order.external_id,
            "number": handover.order.number,
            "cancel": "true",
        }
    ]


def _head(handover: Handover) -> dict[str, Any]:
    order, person = handover.order, handover.person or Person()
    return {
        "key": handover.key,
        "node": handover.node.id,
        "order": order.external_id,
        "number": order.number,
        "service": order.service,
        "ship_by": _time(order.ship_by),
        "deliver_by": _time(order.deliver_by),
        "name": person.name,
        "company": person.company,
        "street": person.street[0] if person.street else "",
        "street2": ", ".join(person.street[1:]),
        "city": person.city,
        "region": person.region,
        "postal": person.postal,
        "country": person.country,
        "email": person.email,
        "phone": person.phone,
        "gift_message": person.gift_message,
        "instructions": person.instructions,
    }


def news_rows(news: ShipmentNews) -> list[dict[str, Any]]:
    """What became of an order: a row for each line, or for what is in each box."""
    head = {
        "key": news.key,
        "kind": news.kind,
        "order": news.order.external_id,
        "number": news.order.number,
        "fulfillment_order": news.fulfillment_order,
        "node": news.node,
        "at": _time(news.at),
    }
    boxed = [row for box in news.packages for row in _boxed(box)]
    rows = boxed or [{"line": line, "quantity": units} for line, units in news.lines] or [{}]
    return [{**head, **row} for row in rows]


def _boxed(box: Package) -> list[dict[str, Any]]:
    about = {"package": box.id, "carrier": box.carrier, "tracking": box.tracking, "url": box.url}
    lines = [{"line": line, "quantity": units} for line, units in box.lines] or [{}]
    return [{**about, **line} for line in lines]


def _time(at: datetime | None) -> str:
    return at.isoformat().replace("+00:00", "Z") if at else ""
