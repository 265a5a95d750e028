"""What waits for a person: why, since when, and the command that works it off."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import frozen

from domcore.errors import ConfigurationError, NotFound
from domcore.model import Event, OrderSummary
from domcore.model.clock import from_micros, to_micros
from domcore.seeing.words import MOST, counted, words
from domcore.sourcing.decide import ADDRESS_HOLD, CURRENCY_HOLD
from domcore.store.operations.order_work import FINISHED
from domcore.store.operations.setbacks import REREAD, split_name
from domcore.store.protocol import OrderView, Parked, Store, Wait

KINDS: Final = (
    "held", "short", "unknown", "rejected", "trouble", "stuck", "failing", "parked", "late",
)  # fmt: skip
"""What may wait for a person, in the order in which it is listed."""

MOST_FAILING: Final = 10_000
"""How many of the things that keep failing are looked at."""

_ASIDE: Final = ("parked", "failing")
"""Kinds that are not about orders alone: their cursor holds a name."""

_PAGE: Final = 1000
_START: Final = (0, 0, 0, 0)
_DECIDED: Final = ("order.routed", "order.reserved", "order.short")


@frozen(slots=True)
class Waiting:
    """One thing that waits for a person. One order may wait for several reasons.

    Args:
        kind: one of `KINDS`.
        order: what to call the order: nothing else answers to it. Empty where it is about none.
        subject: the fulfillment order or the piece of work it is about; empty for the whole order.
        since: since when; for ``late`` the promise, which may be yet to come.
        reason: why, in words.
        command: the command line that works it off, ready to paste.
        cursor: give it to `Domcore.exceptions` as `after` to go on behind this one.
    """

    kind: str
    order_id: int | None
    order: str
    number: str
    owner: str
    channel: str
    subject: str
    node: str
    since: datetime
    age: timedelta
    reason: str
    command: str
    cursor: str
    codes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The same for machines: the age in seconds."""
        return {
            "kind": self.kind,
            "order_id": self.order_id,
            "order": self.order,
            "number": self.number,
            "owner": self.owner,
            "channel": self.channel,
            "subject": self.subject,
            "node": self.node,
            "since": self.since.isoformat(),
            "age_seconds": int(self.age.total_seconds()),
            "reason": self.reason,
            "codes": list(self.codes),
            "command": self.command,
            "cursor": self.cursor,
        }


@frozen(slots=True)
class Patience:
    """What counts as waiting too long.

    Args:
        stuck_after: work without news for longer is stuck.
        late_within: a promise so near, or past, is late.
        failing_after: what has been tried in vain for longer is failing.
    """

    stuck_after: timedelta = timedelta(hours=24)
    late_within: timedelta = timedelta(0)
    failing_after: timedelta = timedelta(hours=1)

    def before(self, kind: str, now: datetime) -> int:
        """The time, in microseconds, that the store compares with."""
        if kind == "stuck":
            return to_micros(now - self.stuck_after)
        if kind == "failing":
            return to_micros(now - self.failing_after)
        return to_micros(now + self.late_within)


def checked_kinds(kinds: Sequence[str] | None) -> tuple[str, ...]:
    """The kinds asked for, in the order in which they are listed.

    Raises:
        ConfigurationError: there is no such kind.
    """
    wanted = KINDS if kinds is None else (kinds,) if isinstance(kinds, str) else tuple(kinds)
    for kind in wanted:
        if kind not in KINDS:
            raise ConfigurationError(
                f"there are no exceptions of kind {kind!r}; there are {', '.join(KINDS)}",
                place="kinds",
            )
    return tuple(kind for kind in KINDS if kind in wanted)


class Lookout:
    """Finds what waits for a person in one store, as of one time."""

    def __init__(
        self,
        store: Store,
        parked: Callable[[], Sequence[Parked]],
        now: datetime,
        patience: Patience,
        owner: str | None = None,
    ) -> None:
        self._store: Final = store
        self._set_aside: Final = parked
        self._now: Final = now
        self._patience: Final = patience
        self._owner: Final = owner
        network = store.network().network
        self._connectors: Final = {node.id: node.connector for node in network.nodes}

    def page(self, kinds: Sequence[str], limit: int, after: str) -> list[Waiting]:
        """At most `limit` of these kinds, behind the cursor `after`.

        Raises:
            ConfigurationError: the cursor is none.
        """
        first, key = _read_cursor(after)
        found: list[Waiting] = []
        for kind in kinds:
            if first and KINDS.index(kind) < KINDS.index(first):
                continue
            begin = key if kind == first else ""
            if len(found) < limit:
                found += self._of(kind, limit - len(found), begin)
        return found

    def counts(self) -> dict[str, int]:
        """How many there are of each kind."""
        return {
            kind: sum(1 for _ in self._aside(kind))
            if kind in _ASIDE
            else self._store.count_waiting(
                kind, before=self._patience.before(kind, self._now), owner=self._owner
            )
            for kind in KINDS
        }

    def _of(self, kind: str, limit: int, begin: str) -> list[Waiting]:
        if kind in _ASIDE:
            return self._aside_page(kind, limit, begin)
        waits = self._store.waiting(
            kind,
            before=self._patience.before(kind, self._now),
            owner=self._owner,
            after=_key(begin) if begin else _START,
            limit=limit,
        )
        rejections = self._rejections(waits) if kind == "rejected" else {}
        return [self._told(wait, rejections.get(wait.key[0], "")) for wait in waits]

    def _rejections(self, waits: Sequence[Wait]) -> dict[int, str]:
        said: dict[int, list[str]] = {}
        for order_id, node, reason, _ in self._store.rejections([wait.key[0] for wait in waits]):
            said.setdefault(order_id, []).append(f"{node}: {words(reason) or 'no reason given'}")
        return {order_id: "; ".join(dict.fromkeys(parts)) for order_id, parts in said.items()}

    def _told(self, wait: Wait, rejected: str) -> Waiting:
        order_id = wait.key[0]
        view = self._store.order(order_id)
        summary = view.summary
        name = self.reference(summary)
        since = from_micros(wait.since or self._since(wait))
        subject, reason, command = wait.fulfillment_order, rejected, f"domcore route {_arg(name)}"
        if wait.kind == "held":
            reason = "; ".join(hold.reason or hold.code for hold in summary.holds)
            busy = [
                work.node
                for work in self._store.order(order_id).fulfillment_orders
                if work.handed_over and work.status not in FINISHED
            ]
            if busy:
                reason += f"; {', '.join(busy)} may be at work on it, and was asked to stop"
            command = _lifting(summary, name)
        elif wait.kind == "short":
            reason = f"{summary.buckets.open:,} open: {words(wait.note)}"
            unknown = self._unknown(view) if "item" in wait.note.split(",") else []
            if unknown:
                reason += f" ({', '.join(unknown[:MOST])})"
                if wait.note == "item":
                    command = "domcore load items ITEMS.csv"
        elif wait.kind == "unknown":
            subject = f"outbox/{wait.key[3]}"
            reason = f"whether {wait.node} has {wait.fulfillment_order} is not known"
            reason += f" ({wait.note})" if wait.note else ""
            command = self._lookup(subject)
        elif wait.kind == "trouble":
            subject, reason, command = self._trouble(wait, name)
        elif wait.kind == "stuck":
            reason, command = self._stuck(wait)
        elif wait.kind == "late":
            reason, command = self._late(summary, name, since)
        key = ".".join(str(part) for part in wait.key)
        return Waiting(
            wait.kind, order_id, name, summary.number, summary.owner, summary.channel, subject,
            wait.node, since, self._now - since, reason, command, f"{wait.kind}:{key}",
            tuple(hold.code for hold in summary.holds) if wait.kind == "held" else (),
        )  # fmt: skip

    def _unknown(self, view: OrderView) -> list[str]:
        """What the open lines of an order are called that no item is known for."""
        order = view.order
        names = [
            line.sku
            for line, at in zip(order.lines, view.lines, strict=True)
            if at.open and line.ships
        ]
        known = self._store.items(order.owner, names)
        return list(dict.fromkeys(repr(name) for name in names if name not in known))

    def _trouble(self, wait: Wait, name: str) -> tuple[str, str, str]:
        """What it is called, what it is about, and what a person can do."""
        found = self._store.troubles(wait.key[0])
        trouble = next(each for each in found if each.number == wait.key[3])
        command = f"domcore settle {_arg(trouble.id)}"
        if trouble.kind == "returned":
            options = [f"--line={line}={units}" for line, units in trouble.lines]
            options.append(f"--node={wait.node}")
            command = f"domcore returns authorize {shlex.join(options)} {_arg(name)}"
        return trouble.id, trouble.note, command

    def _lookup(self, subject: str) -> str:
        """The partner is asked by the next round of work, unless that has been given up."""
        try:
            self._store.find_parked(subject)
        except NotFound:
            return "domcore work --once"
        return f"domcore retry {_arg(subject)}"

    def _stuck(self, wait: Wait) -> tuple[str, str]:
        """Why work at a node does not move, and what a person can do."""
        name, node = wait.fulfillment_order, wait.node
        status = wait.note.replace("_", " ")
        told = f"domcore record {_arg(name)} accepted"
        if not self._connectors.get(node):
            return f"{node} has no connector, and nobody said what became of it ({status})", told
        work = self._store.order(wait.key[0]).fulfillment_orders
        if not any(each.id == name and each.handed_over for each in work):
            return f"not handed over to {node} yet ({status})", "domcore work --once"
        return f"{node} has it and says nothing ({status})", told

    def _late(self, summary: OrderSummary, name: str, promise: datetime) -> tuple[str, str]:
        units = summary.buckets
        reason = (
            f"promised for {promise:%Y-%m-%d %H:%M} UTC, {units.open + units.allocated:,} to go"
        )
        if summary.holds:
            return f"{reason}, held", _lifting(summary, name)
        if units.open:
            return f"{reason}, {units.open:,} open", f"domcore route {_arg(name)}"
        going = self._store.order(summary.order_id).fulfillment_orders
        work = next((each.id for each in going if each.status not in FINISHED), "")
        command = f"domcore move {_arg(work)}" if work else f"domcore keep {_arg(name)}"
        return f"{reason}, at {', '.join(summary.nodes)}", command

    def _since(self, wait: Wait) -> int:
        """Since when, by the order's events: since the first decision of those that left units
        open, or since the outcome became unknown."""
        since = begun = 0
        for event in self._events(wait.key[0]):
            at = to_micros(event.at)
            begun = begun or at
            if wait.kind == "unknown":
                about = event.body.get("fulfillment_order")
                if event.kind == "fulfillment.unknown" and about == wait.fulfillment_order:
                    since = at
            elif event.kind in _DECIDED:
                since = (since or at) if event.body.get("short") else 0
        return since or begun

    def _events(self, order_id: int) -> Iterator[Event]:
        after = 0
        while page := self._store.events(after=after, limit=_PAGE, order_id=order_id):
            yield from page
            after = page[-1].seq

    # --- set aside ------------------------------------------------------------------------------

    def _aside(self, kind: str) -> Iterator[Parked]:
        """What was set aside, or keeps failing, by id; with an owner, what is about that owner's
        orders."""
        found = self._set_aside()
        if kind == "failing":
            aside = {each.id for each in found}
            before = self._patience.before(kind, self._now)
            failing = self._store.failing(before=before, limit=MOST_FAILING)
            found = [each for each in failing if each.id not in aside]
        for each in sorted(found, key=lambda parked: _natural(parked.id)):
            if self._owner is None or (
                each.order_id is not None
                and self._store.order(each.order_id).summary.owner == self._owner
            ):
                yield each

    def _aside_page(self, kind: str, limit: int, begin: str) -> list[Waiting]:
        found: list[Waiting] = []
        for each in self._aside(kind):
            if begin and _natural(each.id) <= _natural(begin):
                continue
            if len(found) == limit:
                break
            order = None if each.order_id is None else self._store.order(each.order_id).summary
            since = self._now if each.parked_at is None else from_micros(each.parked_at)
            reason, command = _of_failing(each) if kind == "failing" else self._of_parked(each)
            found.append(
                Waiting(
                    kind,
                    each.order_id,
                    self.reference(order) if order else "",
                    order.number if order else "",
                    order.owner if order else "",
                    order.channel if order else "",
                    each.id,
                    "",
                    since,
                    self._now - since,
                    reason,
                    command,
                    f"{kind}:{each.id}",
                )
            )
        return found

    def _of_parked(self, each: Parked) -> tuple[str, str]:
        """Why something was set aside, and the command that works it off."""
        note = f": {each.note}" if each.note else ""
        if each.parked_at is None:
            return f"{each.kind} waits for a plugin that is not there{note}", "domcore plugins"
        doubt = ", outcome not known" if each.unknown else ""
        reason = f"{each.kind} set aside after {counted(each.attempts, 'attempt')}{doubt}{note}"
        again = each.kind != "setback" or each.kept or self._comes_again(each.id)
        return reason, f"domcore {'retry' if again else 'drop'} {_arg(each.id)}"

    def _comes_again(self, setback: str) -> bool:
        """Whether reading a page again brings it: not what came by itself, which its sender must
        send again, nor what its plugin has put where a person finds it."""
        _, consumer, seq = split_name(setback)
        (event,) = self._store.events(after=seq - 1, limit=1)
        return consumer.partition(":")[0] in REREAD and bool(event.body.get("number"))

    def reference(self, order: OrderSummary) -> str:
        """What to call an order so that no other answers to it."""
        short = f"{order.channel}/{order.external_id}"
        for name in (order.number, short, f"{order.owner}/{short}"):
            if name and name.isprintable() and self._store.find_order(name) == [order.order_id]:
                return name
        return f"id:{order.order_id}"


def _lifting(summary: OrderSummary, name: str) -> str:
    """The command that ends the holds of an order. An address has to change first: approved, the
    order would be held for it again when it is routed next."""
    codes = {hold.code for hold in summary.holds}
    if ADDRESS_HOLD in codes:
        return f"domcore address {_arg(name)}"
    return f"domcore approve {_arg(name)}" + (" --rate RATE" if CURRENCY_HOLD in codes else "")


def _of_failing(each: Parked) -> tuple[str, str]:
    """What keeps failing, and the command that has it tried at once; what waits for news that does
    not come is ended by giving it up."""
    if each.kind == "return":
        return each.note, f"domcore drop {_arg(each.id)}"
    what = f"{each.kind} to {each.fulfillment_order}" if each.fulfillment_order else each.id
    note = f": {each.note}" if each.note else ""
    tried = counted(each.attempts, "attempt")
    return f"{what} fails again and again ({tried}){note}", f"domcore retry {_arg(each.id)}"


def _arg(text: str) -> str:
    """One argument of a command line for a shell to read; it is never taken for an option."""
    return f"-- {shlex.quote(text)}" if text.startswith("-") else shlex.quote(text)


def _natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """Numbers in names by their size."""
    return tuple(
        (0, int(part)) if part.isascii() and part.isdigit() else (1, part)
        for part in name.split("/")
    )


def _read_cursor(cursor: str) -> tuple[str, str]:
    """Kind and key."""
    if not cursor:
        return "", ""
    kind, _, key = cursor.partition(":")
    if kind not in KINDS or not key:
        raise ConfigurationError(
            f"{cursor!r} is no cursor: give the one of the last exception seen", place="after"
        )
    return kind, key


def _key(text: str) -> tuple[int, int, int, int]:
    parts = text.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ConfigurationError(
            f"{text!r} is no cursor: give the one of the last exception seen", place="after"
        )
    a, b, c, d = (min(int(part), 2**62) for part in parts)
    return a, b, c, d
