"""Notices on their way in and out of the books: checked, and kept as the bodies of events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from attrs import evolve

from domcore.errors import NotFound, PayloadError, Problem
from domcore.model.clock import to_micros
from domcore.model.handover import REJECTION_REASONS, Notice
from domcore.model.package import Package
from domcore.model.status import FULFILLMENT_STATUSES
from domcore.store.operations.news import LEFT, Claim, Names
from domcore.store.rows import MOST

PACKAGE_STATUSES: Final = ("shipped", "delivered", "exception")
LONGEST: Final = 1000
"""Characters of a text of a notice, at most."""
CLOCKS_ASTRAY: Final = 86_400_000_000
"""Microseconds by which a partner's clock may run ahead of ours. The later word of two counts, so
one from a far future would make all that follow look old."""
MOST_LINES: Final = 10_000
"""Lines and boxes of one notice, at most."""


def split_id(name: str) -> tuple[int, int, str]:
    """``order-sequence-node`` in parts.

    Raises:
        NotFound: no fulfillment order is called that.
    """
    if type(name) is not str:
        raise NotFound(f"a fulfillment order is named by text, not {type(name).__name__}")
    order, _, rest = name.partition("-")
    sequence, _, node = rest.partition("-")
    digits = order + sequence
    plain = digits.isascii() and digits.isdigit() and max(len(order), len(sequence)) <= 18
    if not (order and sequence and node and plain):
        raise NotFound(f"there is no fulfillment order {name[:100]!r}")
    return int(order), int(sequence), node


def check_notice(notice: Notice, names: Names, now: int | None = None) -> None:
    """Refuse what cannot be meant. `names` are the lines of the work, by line id and SKU.

    Raises:
        PayloadError: every bad field.
    """
    problems = list(_problems(notice, names))
    if now is not None and to_micros(notice.at) > now + CLOCKS_ASTRAY:
        problems.append(Problem("$.at", "lies more than a day in the future"))
    if problems:
        raise PayloadError("this notice cannot be taken in", problems)


def _problems(notice: Notice, names: Names) -> Iterator[Problem]:
    status = notice.status
    if status not in FULFILLMENT_STATUSES:
        yield Problem("$.status", f"say one of {', '.join(FULFILLMENT_STATUSES)}")
    if (status == "rejected" or notice.reason) and notice.reason not in ("", *REJECTION_REASONS):
        yield Problem("$.reason", f"say one of {', '.join(REJECTION_REASONS)}")
    for name in ("reference", "vendor_status", "detail", "key", "reason"):
        if len(getattr(notice, name)) > LONGEST:
            yield Problem(f"$.{name}", f"is longer than {LONGEST} characters")
    if len(notice.lines) + len(notice.packages) > MOST_LINES:
        yield Problem("$.lines", f"are more than {MOST_LINES}")
        return
    yield from _line_problems("$.lines", notice.lines, names)
    seen: set[str] = set()
    for number, box in enumerate(notice.packages):
        place = f"$.packages[{number}]"
        if not box.id or len(box.id) > LONGEST:
            yield Problem(f"{place}.id", "must be there, and of a bearable length")
        if box.id in seen:
            yield Problem(f"{place}.id", "another package of this notice has the same id")
        seen.add(box.id)
        if box.status not in PACKAGE_STATUSES:
            yield Problem(f"{place}.status", f"say one of {', '.join(PACKAGE_STATUSES)}")
        if max(map(len, (box.carrier, box.tracking, box.url))) > LONGEST:
            yield Problem(place, f"holds a text longer than {LONGEST} characters")
        yield from _line_problems(f"{place}.lines", box.lines, names)
    if notice.packages and status not in (*LEFT, "exception"):
        yield Problem("$.packages", "nothing is packed in work of this status")


def _line_problems(place: str, lines: Iterable[tuple[str, int]], names: Names) -> Iterator[Problem]:
    for number, (name, units) in enumerate(lines):
        if name not in names:
            yield Problem(f"{place}[{number}]", "this work has no such line or SKU")
        if not 1 <= units <= MOST:
            yield Problem(f"{place}[{number}]", f"must be from 1 to {MOST} units")


def with_units(notice: Notice) -> Notice:
    """The notice without lines of no units: partners list what stays behind with a 0.

    Where it names lines and none has units, they stay, to be refused: without them it would be
    about all that is left. A box of nothing is none.
    """
    told = (*notice.lines, *(line for box in notice.packages for line in box.lines))
    if all(units for _, units in told) or not any(units for _, units in told):
        return notice
    boxes = tuple(
        evolve(box, lines=_units_only(box.lines))
        for box in notice.packages
        if not box.lines or any(units for _, units in box.lines)
    )
    return evolve(notice, lines=_units_only(notice.lines), packages=boxes)


def _units_only(lines: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    return tuple((name, units) for name, units in lines if units)


def claim_of(notice: Notice, *, asked: bool = True) -> Claim:
    """A notice as it is kept; `asked`: somebody asked its node to stop.

    The lines of one that tells a single box without lines are the box's; where boxes name their
    lines, those of the notice say nothing more.
    """
    boxes, lines = notice.packages, notice.lines
    if lines and len(boxes) == 1 and not boxes[0].lines:
        boxes = (evolve(boxes[0], lines=lines),)
    named = any(box.lines for box in boxes)
    if boxes:
        lines = ()
    unasked = notice.status == "cancelled" and not asked
    return Claim(
        notice.status,
        to_micros(notice.at),
        lines,
        tuple(_dated(box, notice) for box in boxes),
        not (lines or named),
        notice.reason or ("other" if notice.status == "rejected" or unasked else ""),
        notice.reference,
        notice.vendor_status,
        notice.detail,
        unasked,
    )


def _dated(box: Package, notice: Notice) -> Package:
    """A box with the notice's time where it has none of its own."""
    if notice.status == "delivered" or box.status == "delivered":
        return evolve(box, delivered_at=box.delivered_at or notice.at)
    if notice.status in LEFT:
        return evolve(box, shipped_at=box.shipped_at or notice.at)
    return box


def body_of(name: str, node: str, claim: Claim) -> dict[str, Any]:
    """The part of an event's body that tells the notice again."""
    unasked = {"unasked": True} if claim.unasked else {}
    return {
        "fulfillment_order": name,
        "node": node,
        "packages": [box.id for box in claim.boxes],
        "reason": claim.reason,
        "reference": claim.reference,
        "vendor_status": claim.vendor_status,
        "detail": claim.detail,
        "named": claim.lines,
        "boxes": claim.boxes,
        "whole": claim.whole,
        **unasked,
    }


def claims_from(name: str, events: Sequence[tuple[str, int, Mapping[str, Any]]]) -> Iterator[Claim]:
    """The notices of one fulfillment order, out of the ``(kind, at, body)`` of events."""
    for kind, at, body in events:
        status = kind.removeprefix("fulfillment.")
        if "named" in body and body.get("fulfillment_order") == name and status != kind:
            yield Claim(
                status,
                at,
                tuple((line, units) for line, units in body["named"]),
                msgspec.convert(body["boxes"], tuple[Package, ...], strict=False),
                body["whole"],
                body["reason"],
                body["reference"],
                body["vendor_status"],
                body["detail"],
                body.get("unasked", False),
            )
