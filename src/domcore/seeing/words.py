"""Events in the words of a shop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from attrs import frozen

from domcore.model import Decision, Event, OrderLine
from domcore.model.clock import from_micros
from domcore.model.money import money_text
from domcore.model.package import Package
from domcore.seeing.approved_words import approved_words, rejudged_words
from domcore.seeing.hand_words import by_hand_words, cancelled_words, corrected_words
from domcore.seeing.sent_words import sent_words
from domcore.store.protocol import OrderView

MOST: Final = 6
"""Parts of a list that are spelt out."""

REASONS: Final[Mapping[str, str]] = {
    "stock": "not enough stock",
    "rules": "rules leave too little",
    "rejected": "nodes have rejected it",
    "moved": "too little is where a person wants it from",
    "split": "split limit",
    "item": "unknown SKU",
    "not_found": "not found on the shelf",
    "damaged": "damaged",
    "no_capacity": "no capacity",
    "closed": "closed",
    "other": "another reason",
}
"""Codes of reasons, for people; a code that is not here speaks for itself."""

Lines = tuple[tuple[str, str, int], ...]


@frozen(slots=True)
class Words:
    """What is told of one event; see `domcore.seeing.timeline.Entry`."""

    text: str
    node: str = ""
    fulfillment_order: str = ""
    reason: str = ""
    decision: int | None = None
    lines: Lines = ()
    tracking: tuple[str, ...] = ()


class _Record(msgspec.Struct):
    """What is read of a decision's record."""

    passes: list[list[Any]] = []
    short: list[list[Any]] = []


class Background:
    """What an order's events leave unsaid: SKUs of lines, what a decision took, boxes."""

    def __init__(self, view: OrderView, decisions: Sequence[Decision]) -> None:
        self.lines: Final[Mapping[str, OrderLine]] = {line.id: line for line in view.order.lines}
        self._decisions: Final = {each.sequence: each for each in decisions}
        self._packages: Final[dict[tuple[str, str], Package]] = {
            (work.id, package.id): package
            for work in view.fulfillment_orders
            for package in work.packages
        }
        taken: dict[int, dict[tuple[str, str], int]] = {}
        for row in view.reservations:
            mine = taken.setdefault(row.sequence, {})
            mine[row.node, row.sku] = mine.get((row.node, row.sku), 0) + row.quantity
        self._taken: Final = taken

    def taken(self, sequence: int) -> Lines:
        """``(node, SKU, units)`` that a decision took."""
        found = self._taken.get(sequence, {})
        return tuple((node, sku, units) for (node, sku), units in sorted(found.items()))

    def record(self, sequence: int) -> _Record:
        """The record of a decision, as far as it is told."""
        decision = self._decisions.get(sequence)
        if decision is None:
            return _Record()
        try:
            return msgspec.json.decode(decision.record, type=_Record)
        except msgspec.MsgspecError:
            return _Record()

    def tracking(self, fulfillment_order: str, packages: Sequence[str]) -> tuple[str, ...]:
        """Tracking numbers of boxes, or the boxes' own numbers."""
        boxes = [self._packages.get((fulfillment_order, each)) for each in packages]
        numbers = [
            (box.tracking if box else "") or name for box, name in zip(boxes, packages, strict=True)
        ]
        return tuple(dict.fromkeys(numbers))


def told(event: Event, background: Background) -> Words:
    """An event in words. A kind, or a body, that is not known here is shown as it is."""
    kind, body = event.kind, event.body
    tell = _TELLERS.get(kind)
    if tell is None and kind.startswith("fulfillment."):
        tell = _work
    if tell is None:
        return plainly(kind, body)
    try:
        return tell(event, background)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError):
        return plainly(kind, body)


def plainly(kind: str, body: Mapping[str, Any]) -> Words:
    """An event without words of its own: its kind, and its values by name."""
    parts = [
        f"{name} {value if isinstance(value, str) else msgspec.json.encode(value).decode()}"
        for name, value in body.items()
        if name != "format"
    ]
    decision = body.get("decision")
    return Words(
        f"{kind}: {', '.join(parts)}" if parts else kind,
        _text(body.get("node")),
        _text(body.get("fulfillment_order")),
        _text(body.get("reason")),
        decision if type(decision) is int else None,
    )


# --- orders ------------------------------------------------------------------------------------


def _captured(event: Event, _: Background) -> Words:
    body = event.body
    worth = money_text(body["value"], body["currency"])
    units = f"{counted(body['units'], 'unit')} on {counted(body['lines'], 'line')}"
    unknown = _after(_names(body))
    return Words(f"came in from {body['channel']}: {units}, worth {worth}{unknown}")


def _amended(event: Event, _: Background) -> Words:
    body = event.body
    freed, asked = body.get("freed", 0), body.get("requested", 0)
    parts = [*corrected_words(body), *_line_changes(body.get("lines"))]
    parts += _names(body)
    if body.get("elsewhere") is True:
        parts.append("it goes elsewhere now, or otherwise")
    if body.get("changed"):
        parts.append(f"{listed(body['changed'])} changed, and nodes are told that have the work")
    if freed:
        parts.append(f"{counted(freed, 'unit')} no longer reserved")
    if asked:
        parts.append(f"{counted(asked, 'node')} asked to stop")
    reason = _text(body.get("reason"))
    return Words(_because(parts[0] + _after(parts[1:]), reason), reason=reason)


def _names(body: Mapping[str, Any]) -> list[str]:
    """What is told of items that are not known, known now, or called otherwise."""
    found = [
        f"line {line} waits for an unknown SKU, {name}" for line, name in _rows(body, "unknown")
    ]
    found += [f"{name} is known now as {sku}" for _, name, sku in _rows(body, "items")]
    found += [
        f"line {line} stays {sku} though it is called {name} now"
        for line, sku, name in _rows(body, "kept")
    ]
    return found


def _rows(body: Mapping[str, Any], name: str) -> list[Any]:
    rows = body.get(name)
    return rows[:MOST] if isinstance(rows, list) else []


def _line_changes(lines: Any) -> list[str]:
    """``2 x MUG instead of 3``, for each line that changed."""
    found = []
    for line in lines if isinstance(lines, list) else ():
        if isinstance(line, list) and len(line) == 4:
            _, sku, was, now = line
            found.append(f"{now} x {sku} instead of {was}" if was else f"{now} x {sku} besides")
    return found


def _held(event: Event, _: Background) -> Words:
    reason = _holds(event.body)
    return Words(
        f"held, nothing is reserved yet: {reason}", reason=reason, decision=_decision(event.body)
    )


def _with_reason(text: str, reason: str) -> Words:
    return Words(text, reason=reason)


def _hold_placed(event: Event, _: Background) -> Words:
    return _hold("put on hold", event.body)


def _hold_lifted(event: Event, _: Background) -> Words:
    return _hold("hold lifted", event.body)


def _hold(word: str, body: Mapping[str, Any]) -> Words:
    why = _text(body.get("why")) or _text(body.get("reason"))
    return Words(_because(f"{word}: {body['code']}", why), reason=body["code"])


def _routed(event: Event, background: Background) -> Words:
    return _decided("routed", event, background)


def _reserved(event: Event, background: Background) -> Words:
    return _decided("reserved for a while", event, background)


def _decided(word: str, event: Event, background: Background) -> Words:
    body = event.body
    sequence = int(body["decision"])
    record, lines = background.record(sequence), background.taken(sequence)
    parts = [listed(f"{units:,} x {sku} from {node}" for node, sku, units in lines)]
    if not lines:
        parts = [listed(f"{units:,} from {node}" for node, units in body["nodes"].items())]
    parts.append(money_text(body["cost"], body["currency"]))
    if record.passes:
        proven = all(each[3] for each in record.passes)
        parts.append("proven least cost" if proven else "the best plan found")
    reason = ""
    if body["short"]:
        reason = _shortage(record)
        parts.append(_because(f"{_staying(body['short'])}", words(reason)))
    if body.get("holds"):
        reason = _holds(body)
        parts.append(f"held before hand-over: {reason}")
    return Words(f"{word}: {', '.join(parts)}", reason=reason, decision=sequence, lines=lines)


def _staying(units: int) -> str:
    return f"{counted(units, 'unit')} {'stays' if units == 1 else 'stay'} open"


def _short(event: Event, background: Background) -> Words:
    body = event.body
    sequence = int(body["decision"])
    reason = _shortage(background.record(sequence))
    text = f"nothing could be routed, {_staying(body['short'])}"
    return Words(_because(text, words(reason)), reason=reason, decision=sequence)


def _kept(event: Event, _: Background) -> Words:
    places = [f"{units:,} at {node}" for node, units in event.body.get("nodes", {}).items()]
    units = counted(event.body["units"], "reserved unit")
    return Words(f"kept: {units} will be shipped{_after([listed(places)] if places else [])}")


def _freed(event: Event, _: Background) -> Words:
    return Words(f"let go: {counted(event.body['units'], 'reserved unit')} free again")


def _expired(event: Event, _: Background) -> Words:
    units = counted(event.body["units"], "unit")
    return Words(f"reservation ran out: {units} free again", reason="expired")


def _extended(event: Event, _: Background) -> Words:
    until = from_micros(int(event.body["expires_at"]))
    units = counted(event.body["units"], "unit")
    return Words(f"reservation of {units} extended until {until:%Y-%m-%d %H:%M} UTC")


def _recalled(event: Event, _: Background) -> Words:
    units, nodes = counted(event.body["units"], "unit"), listed(event.body["nodes"])
    text = f"taken back from {nodes}, closed before it was begun: {units} to be planned anew"
    return Words(text, reason="closed")


def _by_hand(event: Event, _: Background) -> Words:
    reason = _text(event.body.get("reason"))
    return Words(_because(by_hand_words(event.body), reason), reason=reason)


def _cancelled(event: Event, _: Background) -> Words:
    reason = _text(event.body.get("reason"))
    return Words(_because(cancelled_words(event.body), reason), reason=reason)


# --- stock, nodes and returns ------------------------------------------------------------------


def _shortfall(event: Event, _: Background) -> Words:
    body = event.body
    text = (
        f"stock fell short at {body['node']}: {body['units']:,} x {body['sku']} promised to orders"
        f" are not there, {counted(body['freed'], 'unit')} taken back to be routed again"
    )
    return Words(text, body["node"], lines=((body["node"], body["sku"], int(body["units"])),))


_SAYINGS: Final[Mapping[str, str]] = {
    "requested": "{node} has the work",
    "accepted": "{node} accepted the work",
    "rejected": "{node} rejected",
    "on_hold": "{node} put the work on hold",
    "in_progress": "{node} is at work",
    "partially_shipped": "{node} shipped a part",
    "shipped": "{node} shipped",
    "delivered": "delivered from {node}",
    "exception": "trouble on the way from {node}",
    "cancel_requested": "{node} is asked to stop",
    "cancelled": "{node} stopped",
    "returned": "came back to {node}",
    "unknown": "handed to {node}, but whether it arrived is not known; it is looked up before"
    " anything else is tried",
}


def _work(event: Event, background: Background) -> Words:
    """News of a node's work; a status that is not known is told by its own name."""
    body, status = event.body, event.kind.partition(".")[2]
    name = _text(body.get("fulfillment_order"))
    node = _text(body.get("node")) or name.split("-", 2)[-1]
    moved = [
        (background.lines[line].sku if line in background.lines else line, how, int(units))
        for line, how, units in body.get("lines", ())
        if units > 0
    ]
    tracking = background.tracking(name, body.get("packages") or ())
    reason = _text(body.get("reason"))
    saying = _SAYINGS.get(status, "{node}: " + status.replace("_", " "))
    if body.get("unasked"):
        saying = "{node} gave the work back, unasked"
    text = saying.format(node=node)
    parts = [listed(f"{units:,} x {sku}" for sku, _, units in moved)] if moved else []
    if any(how == "blocked" for _, how, _ in moved):
        parts.append("kept out of stock until the next count")
    if tracking:
        parts.append(f"tracking {listed(tracking)}")
    if reason:
        parts.append(words(reason))
    parts += [_text(body[each]) for each in ("detail",) if body.get(each)]
    text += f": {', '.join(parts)}" if parts else ""
    if body.get("stale"):
        text += "; it was known already, or is overtaken"
    if body.get("vendor_status"):
        text += f" ({_text(body['vendor_status'])})"
    lines = tuple((node, sku, units) for sku, _, units in moved)
    return Words(text, node, name, reason, None, lines, tracking)


def _parked(event: Event, _: Background) -> Words:
    body = event.body
    node, name = _text(body.get("node")), _text(body.get("fulfillment_order"))
    subject = " ".join(part for part in (_text(body.get("task")), name) if part) or "work"
    why = _text(body.get("error"))
    tries = f" after {counted(body['attempts'], 'attempt')}" if body.get("attempts") else ""
    return Words(_because(f"set aside for a person: {subject}{tries}", why), node, name, why)


def _authorized(event: Event, background: Background) -> Words:
    body = event.body
    lines = _return_lines(body, background)
    text = f"return {body['return']} authorized: {_things(lines)}"
    text += f", back to {body['node']}" if body.get("node") else ""
    reason = _text(body.get("reason"))
    return Words(_because(text, reason), _text(body.get("node")), reason=reason, lines=lines)


def _received(event: Event, background: Background) -> Words:
    body = event.body
    lines = _return_lines(body, background)
    states = ", ".join(dict.fromkeys(each[2] for each in body["lines"]))
    text = f"return {body['return']}: {_things(lines)} arrived at {body['node']} ({states})"
    return Words(text, body["node"], reason=states, lines=lines)


def _closed(event: Event, _: Background) -> Words:
    missing = event.body.get("missing", 0)
    text = f"return {event.body['return']} closed"
    return Words(text + (f"; {counted(missing, 'unit')} never came" if missing else ""))


def _raised(event: Event, _: Background) -> Words:
    body = event.body
    text, node = f"for a person to look at: {body['note']}", _text(body.get("node"))
    return Words(text, node, _text(body.get("fulfillment_order")), _text(body["kind"]))


def _settled(event: Event, _: Background) -> Words:
    by, note = _text(event.body.get("settled_by")), _text(event.body.get("note"))
    seen = f" by {by}" if by not in ("", event.by) else ""
    return Words(_because(f"trouble {event.body['trouble']} settled{seen}", note), reason=note)


def _elsewhere(event: Event, background: Background) -> Words:
    body, lines = event.body, _return_lines(event.body, background)
    gone = tuple(line for line in lines if line[2] > 0)
    back = tuple((node, sku, -units) for node, sku, units in lines if units < 0)
    text = sent_words(body, _things(gone), _things(back))
    tracking = tuple(map(_text, body.get("tracking", ())))
    return Words(text, _text(body.get("node")), lines=lines, tracking=tracking)


_TELLERS: Final[Mapping[str, Callable[[Event, Background], Words]]] = {
    "order.captured": _captured,
    "order.amended": _amended,
    "order.held": _held,
    "order.approved": lambda event, _: _with_reason(*approved_words(event.body)),
    "order.rejudged": lambda event, _: _with_reason(*rejudged_words(event.body)),
    "hold.placed": _hold_placed,
    "hold.lifted": _hold_lifted,
    "order.routed": _routed,
    "order.reserved": _reserved,
    "order.short": _short,
    "order.kept": _kept,
    "order.freed": _freed,
    "order.recalled": _recalled,
    "order.rerouted": _by_hand,
    "work.moved": _by_hand,
    "order.cancelled": _cancelled,
    "reservation.expired": _expired,
    "reservation.extended": _extended,
    "stock.shortfall": _shortfall,
    "work.parked": _parked,
    "trouble.raised": _raised,
    "trouble.settled": _settled,
    "return.authorized": _authorized,
    "return.received": _received,
    "return.closed": _closed,
    "order.shipped_elsewhere": _elsewhere,
}


# --- parts of sentences ------------------------------------------------------------------------


def counted(number: int, noun: str) -> str:
    """``1 unit``, ``2 units``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(parts: Any) -> str:
    """The parts, as far as a person wants to read them."""
    every = list(parts)
    more = f" and {len(every) - MOST:,} more" if len(every) > MOST else ""
    return ", ".join(every[:MOST]) + more


def words(codes: str) -> str:
    """Reason codes, separated by commas, for people."""
    return ", ".join(REASONS.get(code, code) for code in codes.split(",") if code)


def _shortage(record: _Record) -> str:
    return ",".join(sorted({str(each[2]) for each in record.short}))


def _holds(body: Mapping[str, Any]) -> str:
    return ", ".join(reason or code for code, reason, *_ in body["holds"])


def _decision(body: Mapping[str, Any]) -> int | None:
    number = body.get("decision")
    return number if type(number) is int else None


def _return_lines(body: Mapping[str, Any], background: Background) -> Lines:
    node = _text(body.get("node"))
    return tuple(
        (node, background.lines[each[0]].sku if each[0] in background.lines else each[0], each[1])
        for each in body["lines"]
    )


def _things(lines: Lines) -> str:
    return listed(f"{units:,} x {sku}" for _, sku, units in lines)


def _because(text: str, reason: str) -> str:
    return f"{text} ({reason})" if reason else text


def _after(parts: Sequence[str]) -> str:
    return f": {', '.join(parts)}" if parts else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
