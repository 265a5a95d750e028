"""A refund as commands: units that need not leave any more, and units that came back."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from attrs import frozen

from domcore.model import AmendOrder, AuthorizeReturn, Command, Ignore, ReceiveReturn
from domcore_shopify.options import Options
from domcore_shopify.orders import Delivery, revision
from domcore_shopify.payload import RefundBody, RefundLine


@frozen(slots=True)
class RefundReader:
    """Turns the refunds of one channel into commands."""

    channel: str
    owner: str
    options: Options

    def commands(self, body: RefundBody, delivery: Delivery) -> tuple[Command, ...]:
        """What a refund changes.

        * units that had not left are taken off the order
        * units that had left and were restocked are a return that has arrived
        * money given back for goods that stay with the customer changes nothing
        """
        found = (*self._amendment(body, delivery), *self._returns(body, delivery))
        if found:
            return found
        return (
            Ignore(f"refund {body.id} takes nothing off and brings nothing back", delivery.key),
        )

    def _amendment(self, body: RefundBody, delivery: Delivery) -> Iterator[Command]:
        units: Counter[str] = Counter()
        for line in body.refund_line_items:
            if line.quantity and is_off(line):
                units[str(line.line_item_id)] += line.quantity
        if units:
            yield AmendOrder(
                owner=self.owner,
                channel=self.channel,
                external_id=str(body.order_id),
                name=f"refund-{body.id}",
                # Bodies of the order from the same second know of the refund already.
                revision=revision(body.created_at) - 1,
                lines=tuple(sorted(units.items())),
                reason="refunded",
                key=delivery.key,
            )

    def _returns(self, body: RefundBody, delivery: Delivery) -> Iterator[Command]:
        arrived: defaultdict[int | None, Counter[str]] = defaultdict(Counter)
        for line in body.refund_line_items:
            if line.quantity and is_back(line):
                arrived[line.location_id][str(line.line_item_id)] += line.quantity
        for location in sorted(arrived, key=str):
            node = self.options.locations.get(str(location), "")
            key = f"{delivery.key}:{location}" if delivery.key else ""
            if self.options.returns == "ignore":
                yield Ignore(f"refund {body.id}: returns are not followed (returns)", key)
            elif not node:
                yield Ignore(
                    f"refund {body.id}: its goods went back to location {location or 'unknown'},"
                    " which is no node (locations)",
                    key,
                )
            else:
                name = f"refund-{body.id}" if len(arrived) == 1 else f"refund-{body.id}-{location}"
                yield from self._arrival(body, name, node, arrived[location], key)

    def _arrival(
        self, body: RefundBody, name: str, node: str, units: Counter[str], key: str
    ) -> Iterator[Command]:
        order = (self.owner, self.channel, str(body.order_id), name)
        lines = tuple(sorted(units.items()))
        yield AuthorizeReturn(
            *order, lines, node, reason="refunded", key=f"{key}:authorized" if key else ""
        )
        yield ReceiveReturn(
            *order,
            tuple((line, count, "sellable") for line, count in lines),
            node,
            at=body.created_at,
            close=True,
            key=f"{key}:received" if key else "",
        )


def is_off(line: RefundLine) -> bool:
    """Whether these units will not leave any more.

    ``cancel`` says so. ``no_restock`` does not tell a cancellation from money given back for goods
    that have left: it counts where nothing of the line has left. Where some has, the whole order,
    which follows, is what tells.
    """
    if line.restock_type == "cancel":
        return True
    return line.restock_type in ("no_restock", "legacy_restock") and _untouched(line)


def is_back(line: RefundLine) -> bool:
    """Whether these units had left, and are for sale again."""
    if line.restock_type == "legacy_restock":
        return line.line_item is not None and not _untouched(line)
    return line.restock_type == "return"


def _untouched(line: RefundLine) -> bool:
    return line.line_item is not None and line.line_item.fulfillment_status is None
