"""Orders asked for: a safety net under the webhooks, which a shop does not always deliver."""

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
from domcore.plugin_kit.calls import Answer, CallError
from domcore_shopify.api import Api, next_page
from domcore_shopify.orders import Delivery, OrderReader, changed_at, revision_of
from domcore_shopify.payload import OrderBody

PAGE: Final = 250
_SECOND: Final = 1_000_000
_GONE: Final = (400, 404, 410, 422)
_LOGGER = logging.getLogger("domcore_shopify")


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
        self._since = to_micros(since) if since else 0
        self._clock = clock

    def pull(self, text: str) -> Pulled:
        """The next page of orders after a cursor.

        Raises:
            ConnectorError: the shop cannot be reached, refuses, or talks nonsense.
        """
        cursor = load_cursor(text)
        answer = self._page(cursor)
        orders = answer.value.get("orders") if isinstance(answer.value, dict) else None
        if not isinstance(orders, list):
            raise ConnectorError(f"{self._api.name}: the answer holds no orders")
        commands: list[Command] = []
        told: dict[str, Told] = {}
        for order in orders:
            commands += self._commands(order, cursor, told)
        now = int(self._clock() * _SECOND)
        page = next_page(answer)
        after = cursor.after(told, now=now, page=page)
        return Pulled(tuple(commands), after.dump(), more=bool(page))

    def _page(self, cursor: Cursor) -> Answer:
        if cursor.page:
            try:
                return self._api.get("orders.json", {"limit": str(PAGE), "page_info": cursor.page})
            except CallError as error:
                # Pages are forgotten after a while; then the stretch is read from its start.
                if error.status not in _GONE:
                    raise
        params = {"status": "any", "limit": str(PAGE), "order": "updated_at asc"}
        since = max(cursor.since, self._since)
        if since:
            params["updated_at_min"] = from_micros(since // _SECOND * _SECOND).isoformat()
        return self._api.get("orders.json", params)

    def _commands(self, order: Any, cursor: Cursor, told: dict[str, Told]) -> tuple[Command, ...]:
        """One order as commands; one that cannot be read must not stop the others."""
        id = str(order.get("id", "")) if isinstance(order, dict) else ""
        problems: list[Problem] = []
        try:
            body = structure(self._converter, order, OrderBody, source=self._reader.channel)
            changed = to_micros(body.updated_at)
            at = changed // _SECOND * _SECOND
            new = cursor.tell(id, at, digest_of(body))
            if new is None:
                return ()
            told[id] = new
            commands = self._reader.all_commands(
                body, Delivery(revision=new.revision(revision_of(body))), problems
            )
        except PayloadError as error:
            problems = list(error.problems)
            new = cursor.tell(id, changed_at(order) // _SECOND * _SECOND, digest_of(problems))
            if new is None:
                return ()
            told[id] = new
        if not problems:
            return commands
        wrong = PayloadError("the order cannot be read", problems)
        _LOGGER.warning("%s: order %s cannot be read: %s", self._reader.channel, id, wrong.reason)
        return (unreadable(order, wrong, number="name", revision=changed_at(order)),)
