"""Everything that is ever told of an order, made up, with the end it must come to in any order."""

from __future__ import annotations

from random import Random
from typing import Any, Final, NamedTuple

from attrs import evolve, frozen

from domcore.model import (
    AmendOrder,
    CancelOrder,
    CaptureOrder,
    Destination,
    Person,
)
from domcore.store.audit import columns
from domcore.store.protocol import Store
from domcore.testing.store_suite.kit import NOW, order_of

Told = CaptureOrder | AmendOrder | CancelOrder

_SKUS: Final = ("bolt", "nut", "saw")


class End(NamedTuple):
    """What an order has come to. `lines` has line id, wanted, open and cancelled units of every
    line that is still wanted."""

    lines: tuple[tuple[str, int, int, int], ...]
    cancelled: bool
    heard: int
    person: Person | None
    destination: Destination | None
    status: str


@frozen(slots=True)
class History:
    """The commands an order's channel has given, and the end they must come to."""

    told: tuple[Told, ...]
    end: End

    def shuffled(self, random: Random, external_id: str) -> list[Told]:
        """They come in any order, some of them more than once, for an order of that name."""
        coming = [_renamed(each, external_id) for each in self.told]
        coming += random.choices(coming, k=random.randint(0, 3))
        random.shuffle(coming)
        return coming


def a_history(random: Random) -> History:
    """One to four whole revisions, up to four amendments, now and then a cancellation."""
    times = random.sample(range(1, 40), random.randint(1, 4))
    wholes = [_whole(random, revision) for revision in sorted(times)]
    amendments = [_amendment(random, name) for name in range(random.randint(0, 4))]
    told: list[Told] = [*wholes, *amendments]
    cancelled = random.random() < 0.25
    if cancelled:
        told.append(CancelOrder("main", "web", "1", random.randint(1, 40), key="cancel"))
    return History(tuple(told), _end(wholes[-1], amendments, cancelled=cancelled))


def tell(store: Store, command: Told, now: int = NOW) -> str:
    """Carry out one command; the word for what came of it."""
    if isinstance(command, CaptureOrder):
        return store.capture([command], now=now)[0].outcome
    if isinstance(command, AmendOrder):
        return store.amend(command, now=now).outcome
    return store.cancel(command, now=now).outcome


def ends(store: Store) -> dict[str, End]:
    """What every order has come to, by its external id."""
    heard = {row["order_id"]: row["heard"] for row in rows(store, "order_body")}
    cancelled = {row["order_id"]: row["cancelled"] for row in rows(store, "order_state")}
    found = {}
    for row in rows(store, "orders"):
        order_id = row["id"]
        view = store.order(order_id)
        lines = sorted(
            (line.id, line.quantity, units.open, units.cancelled)
            for line, units in zip(view.order.lines, view.lines, strict=True)
            if line.quantity
        )
        found[row["external_id"]] = End(
            tuple(lines),
            bool(cancelled[order_id]),
            heard[order_id],
            view.person,
            view.order.destination,
            view.summary.status,
        )
    return found


def rows(store: Store, table: str) -> list[dict[str, Any]]:
    """Every row of a table by column."""
    names = columns(table)
    return [dict(zip(names, row, strict=True)) for row in store.audit(table)]


def _whole(random: Random, revision: int) -> CaptureOrder:
    lines: dict[str, Any] = {}
    for sku in _SKUS:
        if random.random() < 0.7:
            lines[sku] = random.randint(0, 6)
    order = order_of(revision=revision, **lines)
    where = Destination(random.choice(("DE", "FR")), postal=str(revision))
    key = f"w{revision}" if random.random() < 0.5 else ""
    return CaptureOrder(evolve(order, destination=where), Person(f"Ada {revision}"), key)


def _amendment(random: Random, name: int) -> AmendOrder:
    ids = [f"L-{sku}" for sku in (*_SKUS, "gone")]
    lines = tuple((line, random.randint(0, 3)) for line in random.choices(ids, k=2))
    key = f"a{name}" if random.random() < 0.5 else ""
    revision = random.randint(0, 40)
    return AmendOrder("main", "web", "1", f"refund-{name}", revision, lines, key=key)


def _end(last: CaptureOrder, amendments: list[AmendOrder], *, cancelled: bool) -> End:
    """By the law: the latest whole revision, less every amendment that is later."""
    order = last.order
    off: dict[str, int] = {}
    for each in amendments:
        for line, units in each.lines if each.revision > order.revision else ():
            off[line] = off.get(line, 0) + units
    wanted = {line.id: max(0, line.quantity - off.get(line.id, 0)) for line in order.lines}
    lines = tuple(
        (line, units, 0 if cancelled else units, units if cancelled else 0)
        for line, units in sorted(wanted.items())
        if units
    )
    status = "empty" if not lines else "cancelled" if cancelled else "open"
    return End(lines, cancelled, order.revision, last.person, order.destination, status)


def _renamed(command: Told, external_id: str) -> Told:
    key = f"{external_id}/{command.key}" if command.key else ""
    if isinstance(command, CaptureOrder):
        order = evolve(command.order, external_id=external_id, number=f"#{external_id}")
        return evolve(command, order=order, key=key)
    return evolve(command, external_id=external_id, key=key)
