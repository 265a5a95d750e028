"""Trouble with an order that a person must look at: raised once, and worked off by somebody.

A row stands until it is settled. What a node says of trouble (`exception`, `on_hold`) is settled by
its own later news, too; which of it stands is worked out from all its news together, so the order
in which it comes does not matter. The rest is raised by what moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from domcore.codec.stored import dump_event
from domcore.model.order import Order
from domcore.model.package import Package
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.operations.news import LEFT, REFUSED, Claim, box_status
from domcore.store.rows import TroubleRow

KINDS: Final = ("exception", "on_hold", "returned", "left", "revived", "changed")
"""What may be the matter: a node tells trouble, or that it holds the work back; goods came back;
goods have left that should not have; a cancelled order came in again; a node works by old data."""

NEWS: Final = "news"
"""Who settles what later news has overtaken."""

CANCELLED_AGAIN: Final = "its cancellation"
"""What settles that a cancelled order came in again."""

MOST_WORDS: Final = 1_500
"""Letters of a note; a partner's own words have at most a thousand."""

Lines = tuple[tuple[str, int], ...]
"""Line ids and units."""

_UNDER_WAY: Final = ("accepted", "in_progress", *LEFT)
_SAYING: Final = {"exception": "tells trouble", "on_hold": "has put the work on hold"}
_read_lines: Final = msgspec.json.Decoder(list[tuple[str, int]]).decode


def trouble_id(row: TroubleRow) -> str:
    """What people call it: ``trouble/ORDER-NUMBER``."""
    return f"trouble/{row.order_id}-{row.number}"


def lines_of(row: TroubleRow) -> Lines:
    """The units it is about."""
    return tuple(_read_lines(row.lines))


class Troubles:
    """The trouble of one order while an operation works on it; several of them in one operation
    see what each has raised and settled."""

    def __init__(self, reader: Reader, changes: Changes, order_id: int, now: int) -> None:
        self.rows: Final = _with_pending(reader, changes, order_id)
        self._changes: Final = changes
        self._order_id: Final = order_id
        self._now: Final = now

    def standing(self, kind: str) -> list[TroubleRow]:
        """What is not worked off, oldest first."""
        return [row for row in self.rows if row.kind == kind and row.settled_at is None]

    def add(
        self,
        kind: str,
        note: str,
        *,
        at: int | None = None,
        key: tuple[int, int] = (0, 0),
        work: str = "",
        node: str = "",
        lines: Iterable[tuple[str, int]] = (),
    ) -> None:
        """Raise trouble of the work at `key`, or of the whole order."""
        number = max((row.number for row in self.rows), default=0) + 1
        since, told = self._now if at is None else at, list(lines)
        dumped, note = msgspec.json.encode(told), note[:MOST_WORDS]
        row = TroubleRow(self._order_id, number, *key, kind, since, note, dumped, None, None)
        self.rows.append(row)
        self._changes.add("troubles", row)
        body = {
            "trouble": number,
            "kind": kind,
            "since": since,
            "fulfillment_order": work,
            "node": node,
            "lines": told,
            "note": note,
        }
        self._tell("trouble.raised", body)

    def settle(self, row: TroubleRow, by: str, note: str = "") -> TroubleRow:
        """It is worked off."""
        done = row._replace(settled_at=self._now, settled_by=by)
        self.rows[self.rows.index(row)] = done
        self._changes.add("set_troubles", (self._now, by, row.order_id, row.number))
        body = {"trouble": row.number, "settled_by": by, "note": note[:MOST_WORDS]}
        self._tell("trouble.settled", body)
        return done

    def _tell(self, kind: str, body: Mapping[str, object]) -> None:
        event = (None, kind, self._order_id, self._now, dump_event(body))
        self._changes.add("events", event)

    # --- what nodes tell ------------------------------------------------------------------------

    def hear(
        self,
        key: tuple[int, int],
        work: str,
        node: str,
        claims: Sequence[Claim],
        boxes: Mapping[str, Package],
        status: str,
    ) -> None:
        """Have exactly the trouble stand that the news of one piece of work tells of, but for what
        a person has settled since it happened."""
        told = troubles_told(claims, boxes, status, node)
        known: dict[tuple[str, str], TroubleRow] = {}
        for row in self.rows:
            if (row.sequence, row.node_id) == key and row.kind in _SAYING:
                known[row.kind, row.note] = row
        for about, row in known.items():
            if row.settled_at is None and about not in told:
                self.settle(row, NEWS)
        for (kind, note), at in told.items():
            before = known.get((kind, note))
            if before is None or _is_over_again(before, at):
                self.add(kind, note, at=at, key=key, work=work, node=node)

    # --- what comes back ------------------------------------------------------------------------

    def come_back(self, authorized: Mapping[str, int], name: str) -> None:
        """A return of these units was authorized: what came back and is in it is worked off."""
        left = dict(authorized)
        for row in self.standing("returned"):
            lines = lines_of(row)
            if all(left.get(line, 0) >= units for line, units in lines):
                self.settle(row, f"return {name}")
                for line, units in lines:
                    left[line] -= units


def _with_pending(reader: Reader, changes: Changes, order_id: int) -> list[TroubleRow]:
    """What is stored, as it will be with what is not written yet."""
    stored = reader.select("trouble", "order_id", [order_id])
    pending = [row for row in changes.rows.get("troubles", ()) if row[0] == order_id]
    settled = {
        number: (at, by)
        for at, by, about, number in changes.rows.get("set_troubles", ())
        if about == order_id
    }
    rows = []
    for row in map(TroubleRow._make, [*stored, *pending]):
        at, by = settled.get(row.number, (row.settled_at, row.settled_by))
        rows.append(row._replace(settled_at=at, settled_by=by))
    return rows


def revive(reader: Reader, changes: Changes, order_id: int, order: Order, now: int) -> None:
    """A cancelled order came in again, later, and wants to be shipped: it was paid after all, or
    somebody has taken the cancellation back. It stays cancelled, and a person is told; once, unless
    it is cancelled again."""
    units = sum(line.quantity for line in order.lines if line.ships)
    troubles = Troubles(reader, changes, order_id, now)
    known = [row for row in troubles.rows if row.kind == "revived"]
    if units and not any(row.settled_by != CANCELLED_AGAIN for row in known):
        note = f"came in again after it was cancelled (revision {order.revision}) and wants"
        note += f" {units} unit{'s' * (units != 1)}; it stays cancelled: ship or refund it by hand"
        troubles.add("revived", note)


def cancelled_again(reader: Reader, changes: Changes, order_id: int, now: int) -> None:
    """Its channel cancels a cancelled order once more: what had come in between is overtaken."""
    troubles = Troubles(reader, changes, order_id, now)
    for row in troubles.standing("revived"):
        troubles.settle(row, CANCELLED_AGAIN)


def _is_over_again(before: TroubleRow, at: int) -> bool:
    """Whether it has happened again since it was settled; news that settled it may be overtaken."""
    if before.settled_at is None:
        return False
    return before.settled_by == NEWS or at > before.settled_at


def is_troubling(claim: Claim) -> bool:
    """Whether a notice tells of trouble."""
    return claim.status in _SAYING or bool(_boxes_in_trouble(claim))


def troubles_told(
    claims: Sequence[Claim], boxes: Mapping[str, Package], status: str, node: str
) -> dict[tuple[str, str], int]:
    """``(kind, words) -> since`` of the trouble that stands by the news of one piece of work; the
    same words told twice are one trouble, since the later of them."""
    found: dict[tuple[str, str], int] = {}
    for claim in claims:
        if is_troubling(claim) and not _is_over(claim, claims, boxes, status):
            kind = "on_hold" if claim.status == "on_hold" else "exception"
            about = kind, _words(claim, kind, node)
            found[about] = max(claim.at, found.get(about, 0))
    return found


def _is_over(
    one: Claim, claims: Sequence[Claim], boxes: Mapping[str, Package], status: str
) -> bool:
    """Whether later news says that the work goes on all the same: of the whole, or of each box that
    was in trouble. Work of which nothing ships is somebody else's by now."""
    if status in REFUSED:
        return True
    later = [each for each in claims if each.at > one.at and each.status in _UNDER_WAY]
    if any(each.whole and not each.boxes and each.status != LEFT[0] for each in later):
        return True
    well = {box.id for each in later for box in each.boxes if box_status(each, box) != "exception"}
    about = _boxes_in_trouble(one)
    if about:
        return about <= well
    return status in LEFT[1:] and bool(boxes) and boxes.keys() <= well


def _boxes_in_trouble(claim: Claim) -> set[str]:
    return {box.id for box in claim.boxes if box_status(claim, box) == "exception"}


def _words(claim: Claim, kind: str, node: str) -> str:
    """What the partner said, in its words."""
    said = dict.fromkeys(part for part in (claim.detail, claim.reason) if part)
    text = "; ".join(said) or claim.vendor_status or "and says no more"
    if claim.vendor_status and said:
        text += f" ({claim.vendor_status})"
    about = sorted(_boxes_in_trouble(claim))
    of = f" with package {', '.join(about[:5])}{' ...' if len(about) > 5 else ''}" if about else ""
    return f"{node} {_SAYING[kind]}{of}: {text}"
