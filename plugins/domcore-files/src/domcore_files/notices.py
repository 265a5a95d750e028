"""News of a node: rows to notices. Rows of one message, or of one moment, belong together."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, Final

from domcore.loading.fields import code, moment, text, whole
from domcore.loading.problems import Problems
from domcore.loading.shape import Faults, Field, Shape, suggestion
from domcore.model import FULFILLMENT_STATUSES, REJECTION_REASONS, Notice, Package
from domcore_files.tables import Row

NOTICE: Final = Shape(
    (
        Field("key", code(300), "the key the work was handed over under", needed=True),
        Field("status", code(), "what became of it", needed=True),
        Field("at", moment, "when it happened", needed=True),
        Field("line", text(), "the order's line id, or the SKU; none is all that is left", ""),
        Field("quantity", whole(), "units of that line; 0 stays behind", None),
        Field("package", text(), "the box's own number; absent is its tracking number", ""),
        Field("carrier", text(), "who carries it", ""),
        Field("tracking", text(), "its tracking number", ""),
        Field("url", text(2000), "where it is followed", ""),
        Field("reason", text(), "why it is rejected", ""),
        Field("reference", text(), "your own number of the work", ""),
        Field("detail", text(500), "a word for people; never who the customer is", ""),
        Field("message", text(), "your own number of this message", ""),
    )
)

WITH_BOXES: Final = ("partially_shipped", "shipped", "delivered", "returned", "exception")
"""A label that is printed before anything has left is no box yet."""

_OF_THE_NOTICE: Final = ("key", "status", "at", "reason", "reference", "detail", "message")


def notices(
    rows: Iterable[Row],
    *,
    name: str,
    problems: Problems,
    statuses: Mapping[str, str],
    reasons: Mapping[str, str],
) -> Iterator[Notice]:
    """A notice for each message; bad rows are problems.

    Rows that say the same of the same work at the same time are one message about several lines.
    """
    groups: dict[tuple[object, ...], list[dict[str, Any]]] = {}
    for row in rows:
        try:
            values = _checked(NOTICE(row.values), statuses, reasons)
        except ValueError as error:
            problems.add(f"{name}:{row.line}", error)
            continue
        groups.setdefault(tuple(values[each] for each in _OF_THE_NOTICE), []).append(values)
    for group in groups.values():
        yield _notice(group)


def message_of(_format: str, row: Row) -> Hashable | None:
    """The message that a row is part of; a line of JSON Lines that is no object is of none.

    Raises:
        LookupError: the row is too short to tell.
    """
    if not row.values:
        return None
    told = tuple(row.values.get(each, "") for each in _OF_THE_NOTICE)
    if None in told and row.fault:
        raise LookupError
    return repr(told)


def _checked(
    values: dict[str, Any], statuses: Mapping[str, str], reasons: Mapping[str, str]
) -> dict[str, Any]:
    """The row with our words beside the partner's."""
    faults = []
    theirs = values["status"]
    status = statuses.get(theirs, theirs)
    if status not in FULFILLMENT_STATUSES:
        hint = suggestion(status, FULFILLMENT_STATUSES)
        faults.append(("status", f"is not a status we know, nor in the table of statuses{hint}"))
    reason = reasons.get(values["reason"], values["reason"])
    if status == "rejected" and not reason:
        reason = "other"
    if reason and reason not in REJECTION_REASONS:
        faults.append(("reason", f"must be one of {', '.join(REJECTION_REASONS)}"))
    if (values["quantity"] is None) != (not values["line"]):
        faults.append(("quantity", "give line and quantity, or neither"))
    if faults:
        raise Faults(faults)
    return {**values, "status": status, "theirs": theirs, "reason": reason}


def _notice(group: list[dict[str, Any]]) -> Notice:
    first = group[0]
    return Notice(
        first["key"],
        first["status"],
        first["at"],
        lines=_summed(group),
        packages=tuple(_packages(group)) if first["status"] in WITH_BOXES else (),
        reason=first["reason"],
        reference=first["reference"],
        vendor_status=first["theirs"],
        detail=first["detail"],
        key=first["message"],
    )


def _packages(group: list[dict[str, Any]]) -> Iterator[Package]:
    boxes: dict[str, list[dict[str, Any]]] = {}
    for values in group:
        box = values["package"] or values["tracking"]
        if box:
            boxes.setdefault(box, []).append(values)
    for box, inside in boxes.items():
        first = inside[0]
        yield Package(box, _summed(inside), first["carrier"], first["tracking"], first["url"])


def _summed(group: list[dict[str, Any]]) -> tuple[tuple[str, int], ...]:
    units: dict[str, int] = {}
    for values in group:
        if values["line"]:
            units[values["line"]] = units.get(values["line"], 0) + values["quantity"]
    return tuple(units.items())
