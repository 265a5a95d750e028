"""Orders in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from domcore.contracts import Channel
from domcore.errors import ConfigurationError
from domcore.model import (
    CancelOrder,
    CaptureOrder,
    Command,
    Hold,
    HoldOrder,
    Order,
    OrderSummary,
    Person,
)
from domcore.model.actor import actor, brought
from domcore.model.exchange import read_rate
from domcore.sourcing.decide import CURRENCY_HOLD
from domcore.sourcing.question import SAID_RATE
from domcore.store.protocol import (
    OrderFilter,
    OrderView,
    Outcome,
)
from domcore.telemetry import traced
from domcore.verbs.core import Core


class OrderVerbs(Core):
    """What customers want."""

    def channels(self) -> dict[str, Channel]:
        """The channels that plugins serve, by name."""
        return self._intake.channels()

    @traced
    def receive(
        self, channel: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> list[Outcome]:
        """Take in one delivery from a channel, as it came; or from a connector that is told news.

        What a channel cannot read of it is kept for a person, outcome ``unreadable``, and the rest
        is taken in: see `parked` and `retry`.

        Raises:
            NotFound: there is no such channel, nor such a connector.
            SignatureError: the delivery is not signed by anyone we know.
            PayloadError: a connector cannot read it, news of stock cannot be accepted, or too many
                deliveries that cannot be read are kept already.
            ConflictError: the same key or revision came before with other content.
        """
        if channel not in self._intake.channels() and self._connecting.receiving(channel):
            by = actor("connector", channel)
            with self.acting(by):
                read = self._connecting.read(channel, body, headers or {}, self.now())
                return [self._intake.hear(brought(news, by), channel) for news in read]
        with self.acting(actor("channel", channel)):
            return self._intake.receive(channel, body, headers or {})

    @traced
    def apply(self, commands: Iterable[Command], *, by: str = "") -> list[Outcome]:
        """Carry out commands in order, each in its own transaction. Errors as for `receive`.

        Returns that come before their order, or before the news that their goods have left, are
        kept (``kept``) until it comes; `authorize_return` and `receive_return` refuse them.
        """
        with self.acting(by):
            return self._intake.apply(commands)

    @traced
    def capture(
        self,
        order: Order,
        person: Person | None = None,
        key: str = "",
        *,
        queue: bool = True,
        by: str = "",
    ) -> Outcome:
        """Take in one order, or a later revision of it. Errors as for `receive`.

        Without `queue` it is a cart, which is not routed until somebody asks for it.
        """
        with self.acting(by):
            return self._intake.capture([CaptureOrder(order, person, key, queue)])[0]

    @traced
    def capture_all(self, orders: Iterable[Order], *, batch: int = 500, by: str = "") -> int:
        """Take in many orders, `batch` to a transaction; returns how many were new or amended."""
        with self.acting(by):
            return self._intake.capture_all(orders, batch)

    @traced
    def cancel(self, reference: str, *, reason: str = "", by: str = "") -> Outcome:
        """Cancel what has not left of an order.

        The outcome is ``cancelled``; ``nothing`` where all of it has left, or ``duplicate`` where
        it was cancelled before. The detail says how many units were cancelled, nodes are asked for,
        and have left.

        Raises:
            NotFound, ConflictError: no such order, or several.
        """
        order = self.order(reference).order
        command = CancelOrder(*order.key, revision=order.revision, reason=reason)
        with self.acting(by):
            return self._intake.cancel(command)

    @traced
    def hold(
        self, reference: str, *, code: str, reason: str = "", stage: str = "release", by: str = ""
    ) -> Outcome:
        """Stop an order until its hold is lifted, whatever revision comes later.

        Work that is not handed over waits, and nodes that may be at work on it are asked to stop.

        Args:
            code: which hold it is, such as ``fraud-check``; the same code again is the same hold.
            reason: why, for people. No names, please.
            stage: ``release``: stock is reserved, nothing is handed over; ``route``: nothing is
                reserved either.

        Raises:
            NotFound, ConflictError: no such order, or several.
            PayloadError: a code or stage that there cannot be.
        """
        command = HoldOrder(*self.order(reference).order.key, None, code, reason, stage)
        with self.acting(by):
            return self._intake.hold(command)

    @traced
    def approve(
        self, reference: str, *, by: str = "", code: str = "", rate: str = ""
    ) -> tuple[Hold, ...]:
        """Lift the holds of an order; returns those lifted. Route it again if it was held there.

        Args:
            code: lift only the hold of this code.
            rate: for an order in another currency than its owner's, what one unit of it is worth
                in that of the owner, as decimal text such as ``"1.0842"``. It is recorded with who
                said it, and this revision of the order is decided by it. Said again, it replaces
                the one before, and lifts nothing, as long as the order was not routed by that.

        Raises:
            NotFound, ConflictError: no such order, or several; or it was routed by another rate.
            ConfigurationError: the rate is none, or the order is not held for its currency.
        """
        order_id, by, now = self.find(reference), by or self._by, self._micros()
        if not rate:
            return self.store.approve(order_id, by=by, now=now, code=code)
        view = self.store.order(order_id)
        said = self._said_rate(view, rate)
        if any(hold.code == CURRENCY_HOLD for hold in view.summary.holds):
            return self.store.approve(order_id, by=by, now=now, code=code, granted=(said,))
        self.store.correct(order_id, said, by=by, now=now)
        return (said,)

    def _said_rate(self, view: OrderView, rate: str) -> Hold:
        try:
            text = read_rate(rate)
        except ValueError as error:
            raise ConfigurationError(str(error), place="rate") from None
        held = any(hold.code == CURRENCY_HOLD for hold in view.summary.holds)
        if not held and not any(code.startswith(SAID_RATE) for code in view.approved):
            raise ConfigurationError(
                f"the order is not held for its currency ({view.order.currency}); approve it"
                " without a rate",
                place="rate",
            )
        target = self._kit.currency(view.order.owner)
        reason = f"1 {view.order.currency} is {text} {target}"
        return Hold(f"{SAID_RATE}{text}", reason, "route")

    def erase(self, reference: str) -> bool:
        """Remove the personal data of an order for good; False when there was none."""
        return self.store.erase(self.find(reference))

    def order(self, reference: str) -> OrderView:
        """One order with all that happened to it."""
        return self.store.order(self.find(reference))

    def orders(
        self,
        wanted: OrderFilter | None = None,
        *,
        limit: int = 50,
        after: int = 0,
        newest: bool = False,
    ) -> list[OrderSummary]:
        """Orders by rising id, or the newest first; a page at a time, after the id `after`."""
        return self.store.find_orders(
            wanted or OrderFilter(), limit=limit, after=after, newest=newest
        )
