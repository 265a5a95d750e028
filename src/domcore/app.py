"""The application object: owns the store, the plugins and the rules; its methods are verbs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from attrs import evolve, frozen

from domcore.builtin import Builtin
from domcore.contracts import Channel
from domcore.delivery import WorkReport, deliver_events
from domcore.errors import ConfigurationError, ConflictError, NotFound
from domcore.intake import Intake
from domcore.model import (
    Alias,
    CancelOrder,
    CaptureOrder,
    Command,
    Event,
    Hold,
    Item,
    Network,
    ObserveStock,
    Order,
    OrderSummary,
    Person,
    Plan,
)
from domcore.model.clock import to_micros
from domcore.opening import open_named_store
from domcore.planning import PlanningKit
from domcore.plugins import Plugins
from domcore.programs import PackInfo
from domcore.routing import Errand, Routed, Router, RouteReport
from domcore.settings import Settings
from domcore.sourcing.decide import decide
from domcore.sourcing.rates import Rates
from domcore.store.protocol import (
    OpenOrder,
    OrderFilter,
    OrderView,
    Outcome,
    StockFilter,
    StockView,
    Store,
)
from domcore.validity import check_network, checked_items

if TYPE_CHECKING:
    import sqlite3

    from domcore.doctor import Finding
    from domcore.explanation import Explanation
    from domcore.verify import Violation

BUILTIN = "domcore"


def utc_now() -> datetime:
    """The clock of an application that is given no other."""
    return datetime.now(UTC)


@frozen(slots=True)
class Planned:
    """A plan that was made and not committed."""

    order_id: int
    order: Order
    plan: Plan
    holds: tuple[Hold, ...]
    explanation: Explanation


class Domcore:
    """One order management application. Close it, or use it as a context manager.

    Two of them with different plugins and packs live in one process; one is used by one thread at
    a time.

    Args:
        settings: what to do how; the defaults keep a store in ``domcore.db``.
        store: a store to use in place of the one the settings name; it is closed with the
            application.
        plugins: plugin objects by name, besides the installed ones.
        load_plugins: whether installed plugins are loaded.
        clock: returns the time, aware; None is the system's.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        store: Store | None = None,
        plugins: Mapping[str, object] | None = None,
        load_plugins: bool = True,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.plugins = Plugins()
        self.plugins.register(Builtin(), BUILTIN, builtin=True)
        for name, plugin in (plugins or {}).items():
            self.plugins.register(plugin, name)
        if load_plugins:
            self.plugins.load_installed(self.settings.plugins)
        self._clock = clock or utc_now
        self._inside = False
        self.store = store if store is not None else open_named_store(self.settings, self.plugins)
        self._equip()

    def _equip(self) -> None:
        self._kit = PlanningKit(self, self.store, self.plugins, self.settings, joined=self._inside)
        self._intake = Intake(self, self._kit, self.plugins, self.now)

    @classmethod
    def open(cls, store: str = "domcore.db", **settings: Any) -> Domcore:
        """Open a store by path or URL; further settings by name, see `Settings`."""
        return cls(Settings(store=store, **settings))

    def close(self) -> None:
        """Close the store. Closing twice is harmless."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def now(self) -> datetime:
        """The time by this application's clock, aware UTC."""
        return self._clock().astimezone(UTC)

    # --- network, items, stock -----------------------------------------------------------------

    def load_network(self, network: Network) -> int:
        """Replace the network; returns how many nodes it has.

        Raises:
            ConfigurationError: a node or rate card cannot be used (see `check_network` and
                `Rates`); nothing is changed.
        """
        check_network(network)
        network = evolve(network, nodes=tuple(sorted(network.nodes, key=lambda node: node.id)))
        Rates(network)
        self.store.save_network(network, now=self._micros())
        self._kit.forget()
        return len(network.nodes)

    def network(self) -> Network:
        """The network as it stands."""
        return self.store.network().network

    def load_items(
        self, items: Iterable[Item], aliases: Iterable[Alias] = (), *, owner: str = "main"
    ) -> int:
        """Insert or replace items and aliases of an owner; returns how many items were written.

        Raises:
            PayloadError: an item is none, or an alias names none; nothing is changed.
        """
        self._kit.currency(owner)
        written = self.store.save_items(owner, checked_items(items), aliases, now=self._micros())
        self._kit.forget()
        return written

    def observe(self, command: ObserveStock) -> Outcome:
        """Take in counts and deltas of stock.

        Raises:
            PayloadError: an unknown SKU or node, or a quantity out of range.
        """
        return self._intake.observe(command)

    # --- orders in -----------------------------------------------------------------------------

    def channels(self) -> dict[str, Channel]:
        """The channels that plugins serve, by name."""
        return self._intake.channels()

    def receive(
        self, channel: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> list[Outcome]:
        """Take in one delivery from a channel, as it came.

        Raises:
            NotFound: there is no such channel.
            SignatureError: the delivery is not signed by anyone we know.
            PayloadError: it cannot be read or accepted; nothing was changed.
            ConflictError: the same key or revision came before with other content.
        """
        return self._intake.receive(channel, body, headers or {})

    def apply(self, commands: Iterable[Command]) -> list[Outcome]:
        """Carry out commands in order, each in its own transaction. Errors as for `receive`."""
        return self._intake.apply(commands)

    def capture(self, order: Order, person: Person | None = None, key: str = "") -> Outcome:
        """Take in one order, or a later revision of it. Errors as for `receive`."""
        return self._intake.capture([CaptureOrder(order, person, key)])[0]

    def capture_all(self, orders: Iterable[Order], *, batch: int = 500) -> int:
        """Take in many orders, `batch` to a transaction; returns how many were new or amended."""
        return self._intake.capture_all(orders, batch)

    def cancel(self, reference: str, *, reason: str = "") -> Outcome:
        """Cancel what has not left of an order.

        Raises:
            NotFound, ConflictError: no such order, or several.
        """
        order = self.order(reference).order
        return self._intake.cancel(CancelOrder(*order.key, revision=order.revision, reason=reason))

    def approve(self, reference: str, *, by: str = "") -> tuple[Hold, ...]:
        """Lift the holds of an order; returns those lifted. Route it again if it was held there."""
        return self.store.approve(self.find(reference), by=by, now=self._micros())

    def erase(self, reference: str) -> bool:
        """Remove the personal data of an order for good; False when there was none."""
        return self.store.erase(self.find(reference))

    # --- decisions -----------------------------------------------------------------------------

    def plan(self, reference: str) -> Planned:
        """What routing would decide now. Nothing is changed."""
        from domcore.explaining import explain_fresh  # explaining is not on the routing path

        order = self._open(self.find(reference))
        self._kit.look([order])
        question = self._kit.question(order, self.now(), "route")
        program, state = self._kit.program(order.order)
        decided = decide(question, program, state, self._kit.outside(question))
        return Planned(
            order.order_id,
            order.order,
            decided.plan,
            decided.holds,
            explain_fresh(self._kit, question, decided),
        )

    def route(
        self,
        references: Sequence[str] | None = None,
        *,
        limit: int | None = None,
        baseline: bool = False,
        progress: Callable[[Routed], None] | None = None,
    ) -> RouteReport:
        """Decide and reserve: the orders named, or all that are due.

        Args:
            references: orders; None is every order that is open, not held, and due.
            limit: at most so many orders.
            baseline: also price nearest-node routing.
            progress: called for each order once its batch is committed.

        Raises:
            NotFound, ConflictError: a reference means no order, or several.
            StoreError: the store failed; what was committed stays.
        """
        report = RouteReport()
        for routed in self._run(self._errand(baseline=baseline), references, limit):
            report.add(routed)
            if progress is not None:
                progress(routed)
        return report

    def reserve(self, reference: str, *, minutes: int) -> Routed:
        """Plan and reserve with an expiry, without asking any node to ship."""
        if minutes <= 0:
            raise ConfigurationError("a reservation lasts at least a minute", place="minutes")
        expires = self._micros() + minutes * 60_000_000
        errand = evolve(self._errand(), purpose="reserve", expires_at=expires)
        for routed in self._run(errand, [reference], None):
            return routed
        view = self.order(reference)
        return Routed(view.summary.order_id, view.order.number, "nothing", Plan())

    def _errand(self, *, baseline: bool = False) -> Errand:
        routing = self.settings.routing
        return Errand(
            self.now(),
            baseline=baseline,
            batch=routing.batch,
            max_replans=routing.max_replans,
            retry=timedelta(minutes=routing.retry_minutes),
        )

    def _run(
        self, errand: Errand, references: Sequence[str] | None, limit: int | None
    ) -> Iterator[Routed]:
        if isinstance(references, str):
            references = [references]
        order_ids = None if references is None else [self.find(each) for each in references]
        return Router(self._kit).run(errand, order_ids, limit)

    def explain(
        self, reference: str, *, why_not: str | None = None, decision: int | None = None
    ) -> Explanation:
        """A decision on an order with its reasons, replayed from what it read.

        Args:
            reference: which order.
            why_not: a node: why it does not ship (more).
            decision: which of the order's decisions, from 1; None is the last.

        Raises:
            NotFound: no such order, decision or node, or nothing has been decided yet.
        """
        from domcore.explaining import explain_stored  # explaining is not on the routing path

        return explain_stored(self._kit, self.find(reference), why_not, decision)

    # --- looking -------------------------------------------------------------------------------

    def find(self, reference: str, *, owner: str | None = None) -> int:
        """The store's id of the order that people call `reference`.

        Raises:
            NotFound: there is none.
            ConflictError: several orders answer to it.
        """
        found = self.store.find_order(reference, owner=owner)
        if not found:
            raise NotFound(f"there is no order {reference!r}; see 'domcore orders'")
        if len(found) > 1:
            raise ConflictError(
                f"{len(found)} orders answer to {reference!r}; say channel/external-id or"
                " owner/channel/external-id"
            )
        return found[0]

    def order(self, reference: str) -> OrderView:
        """One order with all that happened to it."""
        return self.store.order(self.find(reference))

    def orders(
        self, wanted: OrderFilter | None = None, *, limit: int = 50, after: int = 0
    ) -> list[OrderSummary]:
        """Orders by rising id, a page at a time."""
        return self.store.find_orders(wanted or OrderFilter(), limit=limit, after=after)

    def stock(
        self, wanted: StockFilter | None = None, *, limit: int = 50,
        after: tuple[int, int] = (0, 0),
    ) -> list[StockView]:  # fmt: skip
        """Balances, a page at a time."""
        return self.store.find_stock(wanted or StockFilter(), limit=limit, after=after)

    def events(self, *, after: int = 0, limit: int = 1000) -> list[Event]:
        """Events in order."""
        return self.store.events(after=after, limit=limit)

    def packs(self) -> list[PackInfo]:
        """Every rule pack that can be found, and whether it is active."""
        return self._kit.programs.packs()

    def _open(self, order_id: int) -> OpenOrder:
        found = self.store.open_orders(now=self._micros(), limit=1, order_ids=[order_id])
        if not found:
            raise NotFound("nothing is open on this order; see 'domcore explain'")
        return found[0]

    def _micros(self) -> int:
        return to_micros(self.now())

    # --- keeping -------------------------------------------------------------------------------

    def work(self, *, limit: int = 1000) -> WorkReport:
        """Do what is due: free expired reservations, hand events to plugins.

        Raises:
            ConfigurationError: inside a caller's transaction nothing may be delivered.
        """
        if self._inside:
            raise ConfigurationError(
                "nothing is delivered inside a caller's transaction; call work() after its commit"
            )
        expired = self.store.expire(now=self._micros(), limit=limit)
        if expired:
            self._kit.stock_changed()
        return deliver_events(self, expired, limit)

    def verify(self) -> Iterator[Violation]:
        """Check every invariant of the store; yields what is broken, nothing when all is well."""
        from domcore.verify import verify  # a million rows are not on the routing path

        return verify(self.store)

    def doctor(self) -> list[Finding]:
        """What may hurt here: database, rule engine, plugins, clock, configuration."""
        from domcore.doctor import examine  # looks at everything; nothing else needs it

        return examine(self)

    @contextmanager
    def joined(self, connection: sqlite3.Connection) -> Iterator[Domcore]:
        """Work inside the caller's SQLite transaction.

        The caller has begun it with the write lock (``BEGIN IMMEDIATE``) on the same database
        file; its commit or rollback decides. Nothing is delivered; the next `work` does that.

        Raises:
            ConfigurationError: the store is not SQLite, or the lock is not held.
        """
        join = getattr(self.store, "joined", None)
        if join is None:
            raise ConfigurationError("only a SQLite store can join a caller's transaction")
        with join(connection) as store:
            inner = Domcore.__new__(Domcore)
            inner.__dict__.update(self.__dict__)
            inner.store = store
            inner._inside = True
            inner._equip()
            try:
                yield inner
            finally:
                self._kit.forget()
