"""The tables, named once: what a row of each holds, and by which columns rows are found.

Both implementations keep exactly these rows; the SQL that creates them stands with the SQLite
store, and a test holds it against this page. Times are microseconds since 1970, UTC.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from domcore.store.correction_rows import CorrectionRow as CorrectionRow
from domcore.store.elsewhere_rows import ElsewhereLineRow as ElsewhereLineRow
from domcore.store.elsewhere_rows import ElsewhereRow as ElsewhereRow
from domcore.store.hold_rows import AskedHoldRow as AskedHoldRow
from domcore.store.hold_rows import HoldRow as HoldRow
from domcore.store.kept_rows import KeptReturnRow as KeptReturnRow
from domcore.store.stock_rows import LedgerRow as LedgerRow
from domcore.store.stock_rows import ShortfallRow as ShortfallRow
from domcore.store.stock_rows import StockBalance as StockBalance
from domcore.store.table import Table
from domcore.store.waiting_rows import OfferRow, WaitingRow

MOST: Final = 1_000_000_000
"""The largest quantity of anything."""

NEVER: Final = 2**62
"""When parked work is due."""

OPEN, SHIPPED, FREED, EXPIRED = range(4)
"""Reservation states, as positions in `domcore.model.RESERVATION_STATES`."""

NOT_HELD, HELD_RELEASE, HELD_ROUTE = range(3)
"""`StateRow.hold`: the sternest stage at which an unapproved hold stands."""


class OwnerRow(NamedTuple):
    """An owner."""

    id: int
    name: str


class NodeRow(NamedTuple):
    """A node's surrogate id; `gone` says that the network last saved does not name it."""

    id: int
    code: str
    gone: int


class NetworkRow(NamedTuple):
    """Which blob is the network; there is one row, with id 1."""

    id: int
    digest: str
    saved_at: int


class BlobRow(NamedTuple):
    """Content kept under its SHA-256."""

    digest: str
    kind: str
    body: bytes


class ItemRow(NamedTuple):
    """An item of one owner."""

    id: int
    owner_id: int
    sku: str
    body: bytes
    saved_at: int


class AliasRow(NamedTuple):
    """A channel's name for an item."""

    owner_id: int
    channel: str
    external_id: str
    item_id: int


class OrderRow(NamedTuple):
    """An order's identity."""

    id: int
    owner_id: int
    channel: str
    external_id: str
    number: str
    placed_at: int
    captured_at: int


class BodyRow(NamedTuple):
    """The present revision; `digest` is of the order as it came, before aliases and merging.

    `heard` is the revision of the last whole order that the channel told. `revision` may be later:
    amendments that tell only a difference make revisions, too.
    """

    order_id: int
    revision: int
    digest: bytes
    body: bytes
    heard: int


class RevisionRow(NamedTuple):
    """A revision that has been replaced."""

    order_id: int
    revision: int
    digest: bytes
    body: bytes


class StateRow(NamedTuple):
    """What changes about an order. `retry_at` None means that it does not queue for routing, and
    `NEVER` that it is a cart: it is routed when somebody asks for it. What is due at once is due
    since it was placed, so that of all that is due the oldest order stands first. `chain` is the
    sum of the links of the order's events and ledger entries; `Changes` keeps it."""

    order_id: int
    version: int
    revision: int
    sequence: int
    hold: int
    cancelled: int
    retry_at: int | None
    reason: str
    chain: int = 0


class LineRow(NamedTuple):
    """A line's units by bucket; a line that needs no shipping has no item and no units, one whose
    item is not known (see `AwaitedRow`) has units without an item.

    `wanted` is what the present revision asks for. The buckets hold more while units it no longer
    wants are at a node that has been asked to stop; when they come back, they are edited away.
    """

    order_id: int
    line_no: int
    item_id: int | None
    ordered: int
    open: int
    allocated: int
    shipped: int
    cancelled: int
    wanted: int


class PersonRow(NamedTuple):
    """Personal data, here and nowhere else. `told` is what the channel told last where a person has
    corrected it, and empty where nobody has."""

    order_id: int
    body: bytes
    told: bytes = b""


class DecisionRow(NamedTuple):
    """A stored plan."""

    order_id: int
    sequence: int
    at: int
    purpose: str
    record: bytes


class ReservationRow(NamedTuple):
    """Stock taken by a decision."""

    order_id: int
    sequence: int
    line_no: int
    node_id: int
    part: int
    item_id: int
    quantity: int
    state: int
    expires_at: int | None


class FulfillmentRow(NamedTuple):
    """What one node is told to ship.

    `told`: its connector must be told. `handed_over`: somebody may be working on it, so its units
    are only freed on the node's own word. `news_at` is when the last news of it happened (0: none),
    `vendor_status` the partner's own word for it.
    """

    order_id: int
    sequence: int
    node_id: int
    status: str
    told: int
    handed_over: int
    reference: str
    news_at: int
    vendor_status: str


class EventRow(NamedTuple):
    """A fact; `by` is who caused it, see `domcore.model.actor`."""

    seq: int | None
    kind: str
    order_id: int | None
    at: int
    body: bytes
    by: str


class OutboxRow(NamedTuple):
    """Something to be done outside. While it is leased, `due_at` is the end of the lease.

    `unknown`: an attempt may have succeeded without our knowing; it is reconciled before it is
    tried again. `parked_at`: set aside for a person; it is `NEVER` due. `called_at`: until when the
    partner may have been called without our knowing the answer: the end of the lease while a
    release is leased, then the time of a call whose outcome is unknown. `connector`: who was last
    called with a release; the work is its own until it answers, whatever its node names by then.
    """

    id: int | None
    topic: str
    order_id: int
    sequence: int
    node_id: int
    due_at: int
    attempts: int
    done_at: int | None
    note: str
    unknown: int
    parked_at: int | None
    called_at: int | None = None
    connector: str = ""


class InboxRow(NamedTuple):
    """A command that was taken in under a key, and what came of it."""

    owner_id: int
    source: str
    key: str
    digest: bytes
    outcome: str
    order_id: int | None
    detail: str
    at: int


class AmendmentRow(NamedTuple):
    """An amendment that tells only a difference; kept, for whole orders may come later that do not
    know of it. `body` is JSON ``[[line id, units], ...]``."""

    owner_id: int
    channel: str
    external_id: str
    name: str
    revision: int
    at: int
    reason: str
    body: bytes


class AwaitedRow(NamedTuple):
    """A line that wants an item nobody knows, and what it is called as it came: it has no item, and
    is taken up when an item or an alias of this name is saved."""

    order_id: int
    line_no: int
    name: str


class PackageRow(NamedTuple):
    """A box that left with part of a fulfillment order. `body` is a `Package` as JSON."""

    order_id: int
    sequence: int
    node_id: int
    name: str
    body: bytes


class LineExclusionRow(NamedTuple):
    """A node that has rejected a line of an order: the line never goes back to it. With the reason
    `MOVED` a person has moved the line away from it; with `CHOSEN` a person has given the line to
    this node, and no other is asked for it until the node rejects it."""

    order_id: int
    line_no: int
    node_id: int
    at: int
    reason: str


class ItemExclusionRow(NamedTuple):
    """A node that is not asked for an item until a time, for it has rejected it."""

    item_id: int
    node_id: int
    until: int
    reason: str


class ReturnRow(NamedTuple):
    """Goods that come back to a node. `closed_at` says that nothing more is expected."""

    id: int
    order_id: int
    name: str
    node_id: int
    authorized_at: int
    closed_at: int | None
    reason: str
    digest: bytes


class ReturnLineRow(NamedTuple):
    """Units of one line that come back; received ones are restocked, blocked or written off."""

    return_id: int
    line_no: int
    item_id: int
    units: int
    restocked: int
    blocked: int
    written_off: int


class TaskRow(NamedTuple):
    """Something done again and again: ``pull:web``. While it is leased, `due_at` is the end of the
    lease. `attempts` counts failures in a row, the first of which was at `failed_at`; `well_at` is
    the last success."""

    name: str
    due_at: int
    attempts: int
    cursor: str
    well_at: int | None
    note: str
    failed_at: int | None = None


class StragglerRow(NamedTuple):
    """An event that a consumer could not take, or that must wait for one of its order that it could
    not. After too many attempts it is parked for a person, and the others go on."""

    consumer: str
    seq: int
    order_id: int | None
    due_at: int
    attempts: int
    parked_at: int | None
    note: str


class UnreadRow(NamedTuple):
    """What came and could not be read, beside its setback ``(consumer, seq)``: the order it tells
    of, and the delivery as it came, which may be personal data. An empty `body` is not kept."""

    consumer: str
    seq: int
    external_id: str
    number: str
    revision: int
    digest: bytes
    headers: bytes
    body: bytes


class PublishedRow(NamedTuple):
    """What a channel was last told it may sell; node 0 is the sum over its nodes."""

    channel: str
    item_id: int
    node_id: int
    quantity: int


class CoverRow(NamedTuple):
    """How a balance last stood against its days of cover: ``low`` or ``over``."""

    item_id: int
    node_id: int
    state: str
    since: int


class CursorRow(NamedTuple):
    """How far a consumer has read the events."""

    consumer: str
    seq: int


class TroubleRow(NamedTuple):
    """Trouble that a person must look at, of the whole order (`sequence` and `node_id` 0) or of
    one piece of work. `lines` is JSON ``[[line id, units], ...]``; `settled_by` says who or what
    has worked it off."""

    order_id: int
    number: int
    sequence: int
    node_id: int
    kind: str
    at: int
    note: str
    lines: bytes
    settled_at: int | None
    settled_by: str | None


class TombstoneRow(NamedTuple):
    """A cancellation that came before its order."""

    owner_id: int
    channel: str
    external_id: str
    revision: int
    reason: str
    at: int


_ALL: Final = (
    Table("owner", OwnerRow, ("id",), ("name",)),
    Table("node", NodeRow, ("id",), ("code",)),
    Table("network", NetworkRow, ("id",)),
    Table("blob", BlobRow, ("digest",)),
    Table("item", ItemRow, ("id",)),
    Table("alias", AliasRow, ("owner_id", "channel", "external_id"), ("item_id",)),
    Table("stock", StockBalance, ("item_id", "node_id"), ("item_id",)),
    Table("shortfall", ShortfallRow, ("item_id", "node_id"), ("item_id",)),
    Table("ledger", LedgerRow, ("seq",)),
    Table("orders", OrderRow, ("id",), ("external_id", "number")),
    Table("order_body", BodyRow, ("order_id",)),
    Table("order_revision", RevisionRow, ("order_id", "revision"), ("order_id",)),
    Table("order_state", StateRow, ("order_id",)),
    Table("order_line", LineRow, ("order_id", "line_no"), ("order_id",)),
    Table("waiting", WaitingRow, ("order_id", "item_id")),
    Table("hold", HoldRow, ("order_id", "revision", "code"), ("order_id",)),
    Table("person", PersonRow, ("order_id",)),
    Table("decision", DecisionRow, ("order_id", "sequence"), ("order_id",)),
    Table(
        "reservation",
        ReservationRow,
        ("order_id", "sequence", "line_no", "node_id", "part"),
        ("order_id",),
    ),
    Table("fulfillment_order", FulfillmentRow, ("order_id", "sequence", "node_id"), ("order_id",)),
    Table("event", EventRow, ("seq",), ("order_id",)),
    Table("outbox", OutboxRow, ("id",), ("order_id",)),
    Table("inbox", InboxRow, ("owner_id", "source", "key")),
    Table("cursor", CursorRow, ("consumer",)),
    Table("tombstone", TombstoneRow, ("owner_id", "channel", "external_id")),
    Table(
        "amendment", AmendmentRow, ("owner_id", "channel", "external_id", "name"), ("external_id",)
    ),
    Table("correction", CorrectionRow, ("order_id", "subject"), ("order_id",)),
    Table("awaited_item", AwaitedRow, ("order_id", "line_no"), ("name", "order_id")),
    Table(
        "elsewhere", ElsewhereRow, ("owner_id", "channel", "external_id", "name"), ("external_id",)
    ),
    Table("elsewhere_line", ElsewhereLineRow, ("order_id", "line_no", "node_id"), ("order_id",)),
    Table("package", PackageRow, ("order_id", "sequence", "node_id", "name"), ("order_id",)),
    Table(
        "line_exclusion",
        LineExclusionRow,
        ("order_id", "line_no", "node_id"),
        ("order_id", "node_id"),
    ),
    Table("item_exclusion", ItemExclusionRow, ("item_id", "node_id"), ("item_id",)),
    Table("return_order", ReturnRow, ("id",), ("order_id",)),
    Table("return_line", ReturnLineRow, ("return_id", "line_no"), ("return_id",)),
    Table("kept_return", KeptReturnRow, ("id",), ("external_id", "settled")),
    Table("task", TaskRow, ("name",)),
    Table("straggler", StragglerRow, ("consumer", "seq"), ("consumer",)),
    Table("unread", UnreadRow, ("consumer", "seq"), ("consumer", "external_id")),
    Table("offer", OfferRow, ("item_id",)),
    Table("published", PublishedRow, ("channel", "item_id", "node_id"), ("channel", "item_id")),
    Table("trouble", TroubleRow, ("order_id", "number"), ("order_id",)),
    Table("cover", CoverRow, ("item_id", "node_id"), ("item_id",)),
    Table("asked_hold", AskedHoldRow, ("external_id", "channel", "owner_id", "code")),
)

TABLES: Final[dict[str, Table]] = {table.name: table for table in _ALL}
"""Every table by name."""
