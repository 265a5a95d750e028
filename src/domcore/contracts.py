"""What plugins hand over: the shapes of the objects behind the registering hooks.

A channel or connector has a `name` and the methods it can serve; each optional method is a small
protocol of its own, looked for once. None of them is called inside a transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from domcore.model import (
    Command,
    Destination,
    Envelope,
    Handover,
    Notice,
    ObserveStock,
    Placed,
    Point,
    Polled,
    Pulled,
    Receipt,
    ShipmentNews,
    StockLevel,
)


@runtime_checkable
class Channel(Protocol):
    """A place that orders come from.

    `name` is the channel's name in the project file; two shops of one kind are two channels.
    """

    name: str

    def receive(self, envelope: Envelope) -> Sequence[Command]:
        """Read one delivery. Pure: no store, no network, no clock.

        Raises:
            SignatureError: it is not signed by anyone we know.
            PayloadError: it cannot be read; every bad field with its path.
        """
        ...


@runtime_checkable
class PullsOrders(Protocol):
    """A channel that is asked for news."""

    def pull(self, cursor: str) -> Pulled:
        """What is new since `cursor` (empty at first), oldest first. At least once is enough:
        commands may come again, for repeats change nothing.

        Raises:
            ConnectorError: the channel cannot be reached or refuses.
        """
        ...


@runtime_checkable
class PublishesStock(Protocol):
    """A channel that is told what it may sell."""

    def publish_stock(self, levels: Sequence[StockLevel]) -> None:
        """Set these levels; they are absolute, so setting one twice is harmless.

        Raises:
            ConnectorError: none, or an unknown part, of them was taken; all come again.
        """
        ...


@runtime_checkable
class HearsNews(Protocol):
    """A channel that is told what became of its orders: tracking, cancellations."""

    # An optional attribute `hears` names further kinds of event that it is told: ``order.routed``
    # and ``order.short``, for shops in which an order must be accepted or refused.

    def notify(self, news: ShipmentNews) -> None:
        """Tell the shop; `news.key` is stable across retries, and repeats must be harmless.

        Raises:
            ConnectorError: it cannot be reached or refuses; the news comes again.
        """
        ...


@runtime_checkable
class Connector(Protocol):
    """A partner that works for nodes: a 3PL, a store system, a folder.

    `name` is the connector's name in the project file, and what a node's `connector` says.
    Every call carries the fulfillment order's id as its key, the same in every retry; it must be
    over within half of the lease (``work.lease_seconds``), for none is begun later than that.

    An optional attribute `certain_after` (seconds, default 60) says how long after a call with
    an unknown outcome the partner's "never heard of it" can be believed.
    """

    name: str

    def release(self, handover: Handover) -> Receipt:
        """Hand work over. The same key twice must be one piece of work at the partner.

        Raises:
            ConnectorError: with `unknown` where it may have been taken all the same: a time-out,
                a dropped connection, a 5xx. It is reconciled before it is tried again.
        """
        ...

    def cancel(self, handover: Handover) -> Receipt:
        """Ask to stop. ``cancelled`` is the partner's word that nothing will ship;
        ``cancel_requested`` that the word is still to come; any other status says how far it is.

        Raises:
            ConnectorError: it is tried again.
        """
        ...

    def reconcile(self, handover: Handover) -> Receipt:
        """Read back by key what became of the work; status ``unknown_here`` when the partner has
        never heard of it.

        Raises:
            ConnectorError: nobody knows yet; it is tried again.
        """
        ...


@runtime_checkable
class ChangesWork(Protocol):
    """A connector whose partner can be told that work it has is for somebody, or somewhere, else.
    Others are asked to stop, and the work is handed over anew."""

    def change(self, handover: Handover) -> Receipt:
        """Have the partner work by `handover` from now on: the same key, the order's new person.
        The same change twice is harmless. ``rejected`` says that it is too late, or that it cannot
        be changed: the partner is asked to stop then. Any other status says how far the work is.

        Raises:
            ConnectorError: it is tried again.
        """
        ...


@runtime_checkable
class PollsNews(Protocol):
    """A connector that is asked for news."""

    def poll(self, cursor: str) -> Polled:
        """What is new since `cursor` (empty at first), oldest first; at least once is enough. News
        of stock must bear that, too: a delta has a key, a count says as of when.

        Raises:
            ConnectorError: the partner cannot be reached or refuses.
        """
        ...


@runtime_checkable
class ReceivesNews(Protocol):
    """A connector that is told news by its partner: webhooks, notifications, files."""

    def receive(self, envelope: Envelope) -> Sequence[Notice | ObserveStock]:
        """Read one delivery: news of work, or of stock at nodes that name the connector. Pure: no
        store, no network, no clock.

        Raises:
            SignatureError: it is not signed by anyone we know.
            PayloadError: it cannot be read; every bad field with its path.
        """
        ...


@runtime_checkable
class TellsTrouble(Protocol):
    """A channel or connector that can say what a person should look at: files set aside, a folder
    that has gone. `domcore doctor` asks."""

    def trouble(self) -> Sequence[str]:
        """What is wrong right now, a sentence each, without personal data; asks nobody over a
        network and changes nothing."""
        ...


@runtime_checkable
class Geocoder(Protocol):
    """Says where a postal code lies."""

    name: str

    def locate(self, destination: Destination) -> Point | Placed | None:
        """The centre of the destination's postal area, or None to leave it to the next one.

        Args:
            destination: in its normal form, see `domcore.model.normal_destination`.

        Returns:
            A `Placed` where the point stands for more than the postal code: it says how coarse it
            is, decisions record that, and explanations tell it.
        """
        ...
