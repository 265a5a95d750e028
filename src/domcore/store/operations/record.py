"""Taking in news of the work of nodes. Twice, late and in any order: the end is the same.

A notice is kept as an event; then what all notices of its fulfillment order say together (`news`)
is compared with what has been done so far, and only the difference is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from domcore.codec.stored import Bodies, dump_event, load_event
from domcore.errors import ConflictError
from domcore.model.clock import to_micros
from domcore.model.handover import Notice
from domcore.model.order import Order
from domcore.model.package import Package
from domcore.store.backend import Reader
from domcore.store.operations.alarms import Heard, Work, raise_alarms
from domcore.store.operations.approve import DECIDED
from domcore.store.operations.elsewhere import UNNAMED, Elsewhere, marks_of
from domcore.store.operations.exclusions import Exclusions, rejection_of
from domcore.store.operations.news import (
    LEFT,
    REFUSED,
    Claim,
    Names,
    boxes_of,
    heard,
    status_of,
)
from domcore.store.operations.notices import body_of, check_notice, claim_of, claims_from
from domcore.store.operations.order_work import OrderWork
from domcore.store.operations.outbox import fulfillment_id
from domcore.store.operations.packages import write_packages
from domcore.store.operations.returns import coming_back
from domcore.store.operations.shelves import Shelves
from domcore.store.operations.units import Settling
from domcore.store.protocol import Outcome
from domcore.store.rows import ElsewhereRow, FulfillmentRow, ReservationRow, ReturnRow


@frozen(slots=True)
class Papers:
    """What the store knows of one fulfillment order before a notice is read."""

    name: str
    node: str
    key: tuple[int, int]
    order: Order
    claims: tuple[Claim, ...]
    decided_at: int
    done: dict[tuple[int, str], int]
    """Units that earlier notices moved, by line and word."""
    troubled: bool
    """Whether people were ever told of trouble of the order."""


def papers_of(reader: Reader, name: str, node: str, work: FulfillmentRow, order: Order) -> Papers:
    """Read the news so far."""
    order_id, key, told = work.order_id, (work.sequence, work.node_id), bool(work.told)
    rows = reader.select("event", "order_id", [order_id])
    events = [(kind, at, load_event(body)) for _, kind, _, at, body, _ in rows]
    lines = {line.id: number for number, line in enumerate(order.lines)}
    done: dict[tuple[int, str], int] = {}
    decided_at = 0
    for kind, at, body in events:
        if kind in DECIDED and body.get("decision") == key[0]:
            decided_at = at
        elif body.get("fulfillment_order") == name and "named" in body:
            for line_id, word, units in body["lines"]:
                entry = (lines[line_id], word)
                done[entry] = done.get(entry, 0) + units
    claims = heard(tuple(claims_from(name, events)), told=told)
    troubled = any(kind == "trouble.raised" for kind, _, _ in events)
    return Papers(name, node, key, order, claims, decided_at, done, troubled)


def record(
    reader: Reader,
    bodies: Bodies,
    work: OrderWork,
    papers: Papers,
    notice: Notice,
    now: int,
    exclude_until: int | None,
) -> Outcome:
    """Take one notice in.

    Raises:
        ConflictError: more units than there are.
        PayloadError: an unknown status, reason, line or SKU.
    """
    rows = work.reservations_of(papers.key)
    names = _names(work, rows, papers.order)
    check_notice(notice, names, now)
    known = work.work[papers.key]
    claim = claim_of(notice, asked=_is_asked(work, papers, known))
    shelves = Shelves(reader, work, {(row.item_id, row.node_id) for row in rows}, now)
    settling = Settling(work, papers.key, papers.done, shelves, names, now)
    _refuse_other_goods(settling, papers, claim)
    before = settling.target(papers.claims, boxes_of(papers.claims, names))
    earlier_news = Heard(papers.claims, boxes_of(papers.claims, names), before)
    *earlier, claim = heard((*papers.claims, claim), told=bool(known.told))
    papers = evolve(papers, claims=tuple(earlier))
    _settle(settling, papers, claim, names, now)
    _refuse_returned(reader, settling, work, papers)
    claims = (*papers.claims, claim)
    boxes = boxes_of(claims, names)
    after = settling.target(claims, boxes)
    status = status_of(known.status, claims, boxes, settling.given, after)
    row = _told(known, claims, status)
    known_by = (known.status, known.reference)
    changed = bool(settling.done) or (row.status, row.reference) != known_by
    changed |= _keep_boxes(reader, bodies, work, papers.key, boxes)
    exclusions = Exclusions(
        reader,
        work.changes,
        work.state.order_id,
        papers.key[1],
        now,
        exclude_until,
        lambda: _rejected_elsewhere(reader, work, papers, shelves, now),
    )
    items = {each.line_no: each.item_id for each in rows if each.line_no in after}
    for number, item_id in items.items():
        rejection = rejection_of(number, claims, names)
        changed |= exclusions.settle(number, item_id, before[number], after[number], rejection)
    exclusions.finish()
    word = "recorded" if changed or notice.status == status else "stale"
    _write(work, row, known, now)
    twice = _settle_elsewhere(reader, bodies, work, papers, now)
    shelves.balance()
    work.close_emptied_work(now)
    after_all = _tell(work, papers, settling, claim, word, now)
    about = Work(papers.key, papers.name, papers.node, names, papers.order, papers.troubled)
    left = {number: n for (number, how), n in settling.done.items() if how == "shipped" and n > 0}
    news = Heard(claims, boxes, after)
    raise_alarms(reader, work, about, earlier_news, news, status, left, twice, after_all, now)
    state = work.queued(now)
    if not (work.open_units or work.cart):
        state = state._replace(retry_at=None, reason="")
    work.finish(state)
    return Outcome(word, work.state.order_id, status)


def _is_asked(work: OrderWork, papers: Papers, known: FulfillmentRow) -> bool:
    """Whether the node was asked to stop, as far as we know: that it says so is no refusal. An
    answer may be told again, in another message."""
    if work.state.cancelled or work.asked_to_stop(known):
        return True
    return any(claim.status == "cancelled" and not claim.unasked for claim in papers.claims)


def _settle_elsewhere(
    reader: Reader, bodies: Bodies, work: OrderWork, papers: Papers, now: int
) -> dict[int, int]:
    """What others are said to have sent may be what a node has shipped, or still has to; by line
    the units that have left twice."""
    order = papers.order
    (owner,) = {row[1] for row in reader.select("orders", "id", [work.state.order_id])}
    identity = (owner, order.channel, order.external_id)
    kept = reader.select("elsewhere", "external_id", [order.external_id])
    rows = [ElsewhereRow._make(row) for row in kept if row[:3] == identity]
    if not rows:
        return {}
    elsewhere = Elsewhere(reader, work, order, rows, marks_of(reader, bodies, work), now)
    elsewhere.settle()
    work.ask_to_cancel(elsewhere.asked, now)
    elsewhere.tell({**UNNAMED, "told_by": papers.name})
    return elsewhere.left_twice()


def _refuse_other_goods(settling: Settling, papers: Papers, claim: Claim) -> None:
    if settling.is_of_other_goods and claim.status in LEFT:
        raise ConflictError(
            f"{papers.name}: its lines have been changed to other SKUs since it was taken back;"
            " count what is left at its node, and amend the order"
        )


def _refuse_returned(reader: Reader, settling: Settling, work: OrderWork, papers: Papers) -> None:
    """Goods that customers send back have left, whatever their node says now."""
    moved = settling.done.items()
    fewer = [number for (number, word), units in moved if word == "shipped" and units < 0]
    if not fewer:
        return
    rows = reader.select("return_order", "order_id", [work.state.order_id])
    coming = coming_back(reader, [ReturnRow._make(row) for row in rows])
    for number in fewer:
        left = work.lines[number].shipped
        if left < coming.get(number, 0):
            line = papers.order.lines[number].id
            raise ConflictError(
                f"{papers.name}: by this news {left} units of line {line!r} have left, but"
                f" {coming[number]} come back; close the return first"
            )


def _rejected_elsewhere(
    reader: Reader, work: OrderWork, papers: Papers, shelves: Shelves, now: int
) -> dict[int, Claim]:
    """The rejections that stand of other work of this order at the same node, by line: of several
    the last."""
    found: dict[int, Claim] = {}
    for key in sorted(work.work):
        if key == papers.key or key[1] != papers.key[1]:
            continue
        name = fulfillment_id(work.state.order_id, key[0], papers.node)
        other = papers_of(reader, name, papers.node, work.work[key], papers.order)
        names = _names(work, work.reservations_of(key), papers.order)
        settling = Settling(work, key, other.done, shelves, names, now)
        for number, share in settling.target(other.claims, boxes_of(other.claims, names)).items():
            claim = rejection_of(number, other.claims, names)
            if share.refused and claim is not None:
                known = found.get(number)
                if known is None or (known.at, known.reason) < (claim.at, claim.reason):
                    found[number] = claim
    return found


def _keep_boxes(
    reader: Reader,
    bodies: Bodies,
    work: OrderWork,
    key: tuple[int, int],
    boxes: Mapping[str, Package],
) -> bool:
    rows = reader.select("package", "order_id", [work.state.order_id])
    mine = [row for row in rows if (row[1], row[2]) == key]
    return write_packages(work.changes, bodies, (work.state.order_id, *key), mine, boxes)


def _names(
    work: OrderWork, rows: Sequence[ReservationRow], order: Order
) -> dict[str, tuple[int, ...]]:
    """The lines of the work, by line id and SKU; a line id means its line, whatever is a SKU. A
    line that has been changed to another item since is none of its lines any more."""
    numbers = sorted({r.line_no for r in rows if r.item_id == work.lines[r.line_no].item_id})
    names: dict[str, tuple[int, ...]] = {}
    for number in numbers:
        sku = order.lines[number].sku
        names[sku] = (*names.get(sku, ()), number)
    names.update((order.lines[number].id, (number,)) for number in numbers)
    return names


def _settle(settling: Settling, papers: Papers, claim: Claim, names: Names, now: int) -> None:
    """Box by box, so that each moves stock at the time it left; then the notice as a whole."""

    def happened(at: int) -> int:
        """Not before it was decided, nor in the future, whatever a partner's clock says."""
        return max(papers.decided_at, min(at, now))

    claims = papers.claims
    settling.whole_at = happened(_last(claims, LEFT))
    settling.refused_at = happened(_last(claims, REFUSED))
    for box in claim.boxes:
        if box.lines and not any(box.lines == each.lines for each in _told_of(box, claims)):
            claims = (*claims, _alone(claim, box))
            at = claim.at if box.shipped_at is None else to_micros(box.shipped_at)
            settling.settle(claims, boxes_of(claims, names), happened(at))
    claims = (*papers.claims, claim)
    settling.settle(claims, boxes_of(claims, names), happened(claim.at))


def _told_of(box: Package, claims: Sequence[Claim]) -> Iterator[Package]:
    """What has been told of a box before."""
    return (each for claim in claims for each in claim.boxes if each.id == box.id)


def _alone(claim: Claim, box: Package) -> Claim:
    """A notice of one of its boxes only."""
    return Claim(claim.status, claim.at, boxes=(box,))


def _last(claims: Sequence[Claim], statuses: Sequence[str]) -> int:
    return max((claim.at for claim in claims if claim.status in statuses), default=0)


def _told(known: FulfillmentRow, claims: Sequence[Claim], status: str) -> FulfillmentRow:
    """The work's row after the news: of two words the later counts."""
    words = [(claim.at, claim.vendor_status) for claim in claims if claim.vendor_status]
    references = [(claim.at, claim.reference) for claim in claims if claim.reference]
    started = any(claim.status != "requested" for claim in claims)
    return known._replace(
        status=status,
        handed_over=int(known.handed_over or started),
        reference=max(references)[1] if references else known.reference,
        news_at=max(claim.at for claim in claims),
        vendor_status=max(words)[1] if words else known.vendor_status,
    )


def _write(work: OrderWork, row: FulfillmentRow, known: FulfillmentRow, now: int) -> None:
    work.set_work(row, now)
    if (row.news_at, row.vendor_status) != (known.news_at, known.vendor_status):
        work.changes.add("vendor_words", (row.news_at, row.vendor_status, *row[:3]))


def _tell(
    work: OrderWork, papers: Papers, settling: Settling, claim: Claim, word: str, now: int
) -> str:
    """Write the notice as an event, and ask nodes that ship the same units to stop; a second event
    says where goods have left that should not have, in the words that are returned."""
    order_id = work.state.order_id
    ids = [line.id for line in papers.order.lines]
    moved = [(ids[number], how, units) for (number, how), units in sorted(settling.done.items())]
    body = {**body_of(papers.name, papers.node, claim), "lines": moved}
    if word == "stale":
        body["stale"] = True
    kind = f"fulfillment.{claim.status}"
    work.changes.add("events", (None, kind, order_id, claim.at, dump_event(body)))
    if settling.regained:
        work.ask_to_cancel(settling.asked, now)
        exception = _exception(papers, settling, ids)
        told = dump_event(exception)
        work.changes.add("events", (None, "fulfillment.exception", order_id, now, told))
        return str(exception["detail"])
    return ""


def _exception(papers: Papers, settling: Settling, ids: Sequence[str]) -> Mapping[str, Any]:
    units = sum(settling.regained.values())
    return {
        "fulfillment_order": papers.name,
        "node": papers.node,
        "lines": [(ids[number], "shipped", n) for number, n in sorted(settling.regained.items())],
        "packages": [],
        "reason": "left after all",
        "vendor_status": "",
        "detail": f"{units} units have left that had been rejected, cancelled or taken back"
        f"; {settling.taken_over} of them were given to other nodes"
        f", {len(settling.asked)} of which are asked to stop",
    }
