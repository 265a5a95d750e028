"""Orders asked for: the shop's orders that have changed, with what was refunded of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from cattrs import Converter

from domcore.codec.strict import structure
from domcore.errors import ConnectorError, PayloadError, Problem
from domcore.model import Command, Pulled
from domcore.model.clock import from_micros, to_micros
from domcore.plugin_kit import Cursor, Told, digest_of, load_cursor, unreadable
from domcore_woocommerce.api import Api, pages_of
from domcore_woocommerce.delivery import Delivery
from domcore_woocommerce.lines import units_refunded
from domcore_woocommerce.orders import (
    OrderReader,
    changed_at,
    last_revision,
    revision_of,
)
from domcore_woocommerce.payload import OrderBody, RefundBody

PAGE: Final = 100
MOST_REFUND_PAGES: Final = 20
_SECOND: Final = 1_000_000
_LOGGER = logging.getLogger("domcore_woocommerce")


class Puller:
    """Reads the orders of one shop that have changed."""

    def __init__(
        self,
        api: Api,
        reader: OrderReader,
        converter: Converter,
        since: datetime | None,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._api = api
        self._reader = reader
        self._converter = converter
        self._since = to_micros(since) // _SECOND * _SECOND if since else 0
        self._clock = clock

    def pull(self, text: str) -> Pulled:
        """The next page of orders after a cursor.

        Raises:
            ConnectorError: the shop cannot be reached, refuses, or talks nonsense.
        """
        cursor = load_cursor(text)
        answer = self._api.get("orders", self._asked(cursor))
        orders = _list(answer.value, f"{self._api.name}: the answer holds no orders")
        commands: list[Command] = []
        told: dict[str, Told] = {}
        for order in orders:
            commands += self._commands(order, cursor, told)
        pages = pages_of(answer) if orders else 0
        after = self._after(cursor, told, changed_at(orders[-1]) if orders else 0, pages)
        return Pulled(tuple(commands), after.dump(), more=_page(cursor) < pages)

    def _after(self, cursor: Cursor, told: dict[str, Told], last: int, pages: int) -> Cursor:
        """The cursor once a page has been told.

        Orders move between pages while they change, so pages are not counted on: where a page
        ends in a later second than it began, what follows is read from that second on. Only orders
        of one second are turned over page by page.

        Args:
            last: when the last order of the page was changed; 0 if nobody can tell.
            pages: how many there are.
        """
        now = int(self._clock() * _SECOND)
        if _page(cursor) >= pages:
            return cursor.after(told, now=now)
        if last > cursor.since:
            return cursor.after(told, now=now, page="1", since=last)
        return cursor.after(told, now=now, page=str(_page(cursor) + 1))

    def _asked(self, cursor: Cursor) -> dict[str, str]:
        asked = {
            "status": "any",
            "orderby": "modified",
            "order": "asc",
            "per_page": str(PAGE),
            "page": str(_page(cursor)),
            "dates_are_gmt": "true",
        }
        since = max(cursor.since, self._since)
        if since:
            # The shop leaves out the very second it is given.
            after = from_micros(since - _SECOND).replace(tzinfo=None)
            asked["modified_after"] = after.isoformat(timespec="seconds")
        return asked

    def _commands(self, order: Any, cursor: Cursor, told: dict[str, Told]) -> tuple[Command, ...]:
        """One order as commands; one that cannot be read must not stop the others."""
        id = str(order.get("id", "")) if isinstance(order, dict) else ""
        problems: list[Problem] = []
        at = changed_at(order)
        try:
            body = structure(self._converter, order, OrderBody, source=self._reader.channel)
            new = cursor.tell(id, at, digest_of(body))
            if new is None:
                return ()
            delivery = Delivery(
                revision=new.revision(revision_of(body, "$", problems)),
                refunded=units_refunded(body, self._refunds(body)),
            )
            commands = self._reader.all_commands(body, delivery, problems)
        except PayloadError as error:
            problems = list(error.problems)
            new = cursor.tell(id, at, digest_of(problems))
            if new is None:
                return ()
        told[id] = new
        if not problems:
            return commands
        wrong = PayloadError("the order cannot be read", problems)
        name, latest = self._reader.channel, last_revision(order)
        _LOGGER.warning("%s: order %s cannot be read: %s", name, id[:40], wrong.reason)
        return (unreadable(order, wrong, revision=latest),)

    def _refunds(self, body: OrderBody) -> list[RefundBody]:
        """All refunds of an order that has some and may still leave.

        Raises:
            ConnectorError, PayloadError: they cannot be had, or not be read.
        """
        if not body.refunds or self._reader.options.action(body.status) != "capture":
            return []
        found: list[RefundBody] = []
        path = f"orders/{body.id}/refunds"
        for page in range(1, MOST_REFUND_PAGES + 1):
            answer = self._api.get(path, {"per_page": str(PAGE), "page": str(page)})
            values = _list(answer.value, f"{self._api.name}: the answer holds no refunds")
            found += [structure(self._converter, each, RefundBody) for each in values]
            if page >= pages_of(answer):
                return found
        raise ConnectorError(f"{self._api.name}: order {body.id} has refunds without end")


def _page(cursor: Cursor) -> int:
    """The page that is next."""
    page = cursor.page
    return max(int(page), 1) if page.isascii() and page.isdecimal() and len(page) < 10 else 1


def _list(value: Any, wrong: str) -> list[Any]:
    if not isinstance(value, list):
        raise ConnectorError(wrong)
    return value
