"""What people are told of when news is taken in: a partner's trouble, goods that came back, goods
that left although they should not have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from domcore.model.order import Order
from domcore.model.package import Package
from domcore.store.backend import Reader
from domcore.store.operations.changing import node_knows
from domcore.store.operations.elsewhere import at_work_still
from domcore.store.operations.news import REFUSED, Claim, Demand, Names, Share, Units
from domcore.store.operations.order_work import FINISHED, OrderWork
from domcore.store.operations.returns import coming_back
from domcore.store.operations.troubles import NEWS, Lines, Troubles, is_troubling, lines_of
from domcore.store.rows import ReturnRow

RETURNED: Final = "returned"
MOST_NAMED: Final = 5


@frozen(slots=True)
class Heard:
    """All the news of one piece of work, and what it says has become of it."""

    claims: Sequence[Claim]
    boxes: Mapping[str, Package]
    shares: Mapping[int, Share]


@frozen(slots=True)
class Work:
    """The piece of work that the news is about, with its lines by line id and SKU."""

    key: tuple[int, int]
    name: str
    node: str
    names: Names
    order: Order
    troubled: bool
    """Whether people were ever told of trouble of the order."""


def raise_alarms(
    reader: Reader,
    work: OrderWork,
    about: Work,
    before: Heard,
    after: Heard,
    status: str,
    left: Units,
    twice: Units,
    after_all: str,
    now: int,
) -> None:
    """Raise what is news, and settle what is overtaken. Most news is nothing to worry about, and
    costs nothing.

    Args:
        left: units by line that have left by this news.
        twice: units by line that others are said to have sent, too.
        after_all: what has become of units that left although they had been given back.
    """
    unwanted = {} if after_all else _unwanted(work, left)
    twice = {
        number: min(units, left[number])
        for number, units in twice.items()
        if number in left and number not in unwanted and not after_all
    }
    if about.troubled and status in REFUSED:
        node_knows(reader, work, about.key, now)
    if about.troubled and status in FINISHED:
        troubles = Troubles(reader, work.changes, work.state.order_id, now)
        for row in at_work_still(troubles, about.key, about.node):
            troubles.settle(row, NEWS)
    told = any(map(is_troubling, after.claims))
    back = any(claim.status == RETURNED for claim in after.claims)
    if not (unwanted or twice or after_all or told or back):
        return
    troubles = Troubles(reader, work.changes, work.state.order_id, now)
    if told:
        troubles.hear(about.key, about.name, about.node, after.claims, after.boxes, status)
    if unwanted or after_all:
        note = f"{about.node} has shipped what it should not: {after_all}"
        if unwanted:
            why = "the order was cancelled" if work.state.cancelled else "they were taken off"
            things = _things(about.order, unwanted)
            note = f"{things} left {about.node} although {why}"
        _add(troubles, "left", note, about, _lines(about.order, unwanted))
    if twice:
        things = _things(about.order, twice)
        note = f"{things} left {about.node} although others are said to have sent them: ask for"
        note += " them back, unless it is one shipment that was told twice"
        _add(troubles, "left", note, about, _lines(about.order, twice))
    if back:
        came = _came_back(reader, work, about, before, after, troubles)
        if came:
            note = f"came back to {about.node}, and the customer has none of it: "
            note += _things(about.order, came) + _said(after.claims[-1])
            _add(troubles, RETURNED, note, about, _lines(about.order, came))


def _add(troubles: Troubles, kind: str, note: str, about: Work, lines: Lines) -> None:
    troubles.add(kind, note, key=about.key, work=about.name, node=about.node, lines=lines)


def _unwanted(work: OrderWork, left: Units) -> Units:
    """Of what has left, units that the order did not want any more."""
    found: Units = {}
    for number, units in left.items():
        line = work.lines[number]
        wanted = 0 if work.state.cancelled else line.wanted
        many = min(units, max(0, line.shipped - wanted))
        if many > 0:
            found[number] = many
    return found


def _came_back(
    reader: Reader,
    work: OrderWork,
    about: Work,
    before: Heard,
    after: Heard,
    troubles: Troubles,
) -> Units:
    """Units that came back by this news, but for those of which a return knows."""
    earlier, now = _back(before, about.names), _back(after, about.names)
    rows = reader.select("return_order", "order_id", [work.state.order_id])
    known = coming_back(reader, [ReturnRow._make(row) for row in rows])
    numbers = {line.id: number for number, line in enumerate(about.order.lines)}
    for row in troubles.standing(RETURNED):
        for line, units in lines_of(row):
            known[numbers[line]] = known.get(numbers[line], 0) + units
    found: Units = {}
    for number, units in now.items():
        room = work.lines[number].shipped - known.get(number, 0)
        many = min(units - earlier.get(number, 0), room)
        if many > 0:
            found[number] = many
    return found


def _back(heard: Heard, names: Names) -> Units:
    """Units that are back by the news so far. News that names none, or a box whose content nobody
    knows, is about all that has left."""
    shipped = {number: share.shipped for number, share in heard.shares.items()}
    demand = Demand(names)
    seen: set[str] = set()
    for claim in heard.claims:
        if claim.status != RETURNED:
            continue
        told = [heard.boxes[box.id].lines for box in claim.boxes if box.id not in seen]
        seen.update(box.id for box in claim.boxes)
        for lines in told if claim.boxes else [claim.lines]:
            if not lines:
                return shipped
            demand.add(lines)
    return demand.deal(shipped)[0]


def _lines(order: Order, units: Units) -> Lines:
    return tuple((order.lines[number].id, many) for number, many in sorted(units.items()))


def _things(order: Order, units: Units) -> str:
    every = [f"{many} x {order.lines[number].sku}" for number, many in sorted(units.items())]
    more = f" and {len(every) - MOST_NAMED} more" if len(every) > MOST_NAMED else ""
    return ", ".join(every[:MOST_NAMED]) + more


def _said(claim: Claim) -> str:
    """The partner's own words, if this is its news of it."""
    words = claim.detail or claim.vendor_status if claim.status == RETURNED else ""
    return f" ({words})" if words else ""
