"""What comes in: an envelope as it arrived, and the commands a channel reads from it.

Every command has a `by`: who caused it, see `domcore.model.actor`; empty is whoever brings it. It
is no part of what a `key` stands for: the same news brought by another is the same news.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen

from domcore.model.handover import Notice
from domcore.model.order import Order, Person
from domcore.model.policy import Hold
from domcore.model.returns import AuthorizeReturn, ReceiveReturn


@frozen(slots=True)
class Envelope:
    """One delivery, untouched: raw body and headers as they came.

    `headers` has lower-case names. `received_at` is aware UTC.
    """

    channel: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    received_at: datetime | None = None


@frozen(slots=True)
class CaptureOrder:
    """Take in an order, or a later revision of one that is known.

    `key` is the delivery's own id (a webhook id); a repeat of it changes nothing. SKUs may be the
    channel's own item ids: aliases are resolved when it is applied.

    Without `queue` it is a cart: it is routed only when somebody asks for it (`reserve`, `keep`, or
    `route` by name), or when a later revision comes with `queue`. A revision without a `person`
    leaves the one that is known. A revision without `queue` of an order that nodes have work of
    stops that work until one comes with it.

    `holds` are the reasons for which nothing of this revision may leave yet, such as a payment that
    is waited for. The next revision tells them anew: one that it does not tell is lifted. What must
    stand until it is lifted by name is a `HoldOrder`.
    """

    order: Order
    person: Person | None = None
    key: str = ""
    queue: bool = True
    by: str = ""
    holds: tuple[Hold, ...] = ()


@frozen(slots=True)
class AmendOrder:
    """Take units off an order: an edit or a refund that tells only the difference.

    A later revision that tells the whole order is a `CaptureOrder`. The two go together in any
    order: revisions later than `revision` are taken to know of it already.

    Args:
        name: the channel's own id of the edit or refund; the same name again is the same one.
        revision: when it happened, in the unit of the order's revisions.
        lines: ``(line id, units to take off)``; units that have left are not touched.
    """

    owner: str
    channel: str
    external_id: str
    name: str
    revision: int
    lines: tuple[tuple[str, int], ...]
    reason: str = ""
    key: str = ""
    by: str = ""


@frozen(slots=True)
class CancelOrder:
    """Cancel what has not left. For an order not seen yet it leaves a tombstone."""

    owner: str
    channel: str
    external_id: str
    revision: int
    reason: str = ""
    key: str = ""
    by: str = ""


@frozen(slots=True)
class HoldOrder:
    """Stop an order until its hold is lifted (`ApproveOrder`), whatever revision comes later.

    Work that is not handed over waits; nodes that may be at work on it are asked to stop. A hold of
    an order not seen yet is kept until it comes.

    Args:
        revision: when it was said, in the unit of the order's revisions; of two words about one
            code the later counts, and of two at once the lifting one. None: after all that is
            known.
        code: which hold it is; the same code again is the same hold.
        reason: why, for people. No names, please.
        stage: ``release``: stock may be reserved, nothing is handed over; ``route``: nothing is
            reserved either.
    """

    owner: str
    channel: str
    external_id: str
    revision: int | None
    code: str
    reason: str = ""
    stage: str = "release"
    key: str = ""
    by: str = ""


@frozen(slots=True)
class ApproveOrder:
    """Lift a hold that was asked for (`HoldOrder`, or the `holds` of a `CaptureOrder`).

    Its work goes on once no other hold stands. Holds that rules place are for persons to lift.
    Fields are those of `HoldOrder`.
    """

    owner: str
    channel: str
    external_id: str
    revision: int | None
    code: str
    reason: str = ""
    key: str = ""
    by: str = ""


@frozen(slots=True)
class ShippedElsewhere:
    """Goods of an order have left, and none of its nodes was told to send them: somebody fulfilled
    them in the shop, or in a partner's pages. They do not leave again.

    Twice, late and in any order ends the same; what comes before its order is kept for it. What
    the order's own nodes have shipped is told apart: by `tracking`, or because `lines` are totals.

    Args:
        name: the channel's own id of the shipment; the same name again is the same shipment, and
            of two that differ the one of the later `revision` counts.
        revision: when it was told so, in any unit that rises.
        at: when the goods left, aware UTC.
        lines: ``(line id, units)``; none where the shipment was taken back, and nothing has left.
        total: `lines` are all units that have left, those that nodes have shipped among them.
        node: the node whose shelf the goods were taken from; empty where it is none, or not known.
        tracking: the numbers of its boxes. One that a package or fulfillment order of ours is
            called by says that this is what our node has shipped.
        by: who caused it, see `domcore.model.actor`.
    """

    owner: str
    channel: str
    external_id: str
    name: str
    revision: int
    at: datetime
    lines: tuple[tuple[str, int], ...]
    total: bool = False
    node: str = ""
    tracking: tuple[str, ...] = ()
    key: str = ""
    by: str = ""


@frozen(slots=True)
class StockCount:
    """How much of a SKU a node has: counted, or changed by.

    Args:
        on_hand: units counted, or None.
        delta: units to add (negative: to take away), or None; not both of the two.
        safety: new safety stock, or None to leave it.
        blocked: units of it that cannot be sold (damaged, in quarantine), or None: a count of
            `on_hand` without it has found none.
        as_of: when it was true, aware UTC; None is now. A count older than the last is dropped.
    """

    sku: str
    node: str
    on_hand: int | None = None
    delta: int | None = None
    safety: int | None = None
    as_of: datetime | None = None
    blocked: int | None = None


@frozen(slots=True)
class ObserveStock:
    """News of stock. `key` makes deltas safe to repeat.

    With `channel`, SKUs may be that channel's own item ids: aliases are resolved when it is
    applied. `source` and `rows` are for people: the file it was read from, and the line of each
    count there, or none; what is wrong is named by them.
    """

    owner: str
    counts: tuple[StockCount, ...]
    key: str = ""
    channel: str = ""
    by: str = ""
    source: str = ""
    rows: tuple[int, ...] = ()


@frozen(slots=True)
class AskPull:
    """Ask a channel for its orders now: it said that there is something new, but not what.

    The answer to a thin webhook ("order 218 has changed"). The channel must be one that is pulled;
    what came before the pull begins is found by it, what comes while it runs has it run again.
    """

    channel: str
    reason: str = ""
    key: str = ""
    by: str = ""


@frozen(slots=True)
class Ignore:
    """Nothing to do, and why: a test order, a topic we do not follow."""

    reason: str
    key: str = ""
    by: str = ""


@frozen(slots=True)
class Unreadable:
    """Something that came and cannot be read. It is kept and shown to a person (``parked``), and
    all else that came with it goes on.

    Args:
        reason: why, as paths and words such as ``$.lines[0].quantity: must be whole``; it is
            stored and logged, so it never repeats what came.
        external_id: the channel's id of the order it tells of, where that can be read.
        number: what people call that order.
        revision: its revision, where that can be read, 0 where not. Of whole orders that cannot be
            read only the latest waits. It ends when the channel tells the whole order as late or
            later, or, where it is not known, in a later revision than it had told before.
        name: the channel's own id of an edit or refund, which tells only a difference: each waits.
    """

    reason: str
    external_id: str = ""
    number: str = ""
    revision: int = 0
    by: str = ""
    name: str = ""


Command = (
    CaptureOrder
    | AmendOrder
    | CancelOrder
    | ShippedElsewhere
    | HoldOrder
    | ApproveOrder
    | ObserveStock
    | Notice
    | AuthorizeReturn
    | ReceiveReturn
    | AskPull
    | Ignore
    | Unreadable
)
