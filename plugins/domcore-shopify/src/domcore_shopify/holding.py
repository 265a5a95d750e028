"""Why an order must not leave yet, in Shopify's words: payments, disputes, fulfillment holds."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from domcore.model import ApproveOrder, Command, Hold, HoldOrder, Ignore
from domcore.plugin_kit.payments import payment_hold
from domcore_shopify.options import Options
from domcore_shopify.payload import DisputeBody, FulfillmentHoldBody, OrderBody
from domcore_shopify.text import one_line

ON_HOLD: Final = "fulfillment-hold"
_WON: Final = ("won",)
_PICKUP: Final = frozenset(
    ("pickup", "pick_up", "local_pickup", "local pickup", "store pickup", "in-store pickup")
)


def holds_of(body: OrderBody, options: Options) -> tuple[Hold, ...]:
    """What this body of an order says: its payment, and whether its fulfillment is on hold."""
    holds = payment_hold(
        body.financial_status or "", options.ship_when, reserve=options.reserve_unpaid
    )
    if body.fulfillment_status == "on_hold":
        holds = (*holds, Hold(ON_HOLD, "Shopify has its fulfillment on hold"))
    return holds


def is_picked_up(body: OrderBody, options: Options) -> bool:
    """Whether the customer fetches it, by the first shipping line that was not removed."""
    names = _PICKUP | {name.casefold() for name in options.pickup}
    for line in body.shipping_lines or ():
        if not line.is_removed:
            words = (line.code, line.title, line.delivery_category, line.source)
            return any(one_line(word).casefold() in names for word in words)
    return False


@frozen(slots=True)
class HoldReader:
    """Turns what comes beside the orders of one channel into holds."""

    channel: str
    owner: str

    def dispute(self, body: DisputeBody, key: str) -> Command:
        """A dispute stops its order until it is won.

        Its words have no order of their own: all of them count as of when it began, and of two at
        once the lifting one stands.
        """
        if body.order_id is None:
            return Ignore(f"dispute {body.id} is about no order", key)
        name = (self.owner, self.channel, str(body.order_id))
        code, at = f"dispute-{body.id}", body.revision
        if body.status in _WON:
            return ApproveOrder(*name, at, code, "the dispute is won", key=key)
        kind = one_line(body.type)[:40] or "dispute"
        return HoldOrder(*name, at, code, f"{kind}: {one_line(body.status)[:40]}", key=key)

    def fulfillment(self, body: FulfillmentHoldBody, key: str) -> Command:
        """A fulfillment order was put on hold, or let go: what comes last counts, for these bodies
        say no time. Only those that name the order can be followed."""
        told = body.fulfillment_order
        if told.order_id is None:
            return Ignore("the fulfillment hold names no order", key)
        name = (self.owner, self.channel, str(told.order_id))
        code = f"{ON_HOLD}-{told.id.rpartition('/')[2]}"[:100]
        if told.status != "on_hold" and not told.fulfillment_holds:
            return ApproveOrder(*name, None, code, "Shopify has let it go", key=key)
        reasons = [one_line(hold.reason)[:100] for hold in told.fulfillment_holds or ()]
        return HoldOrder(*name, None, code, ", ".join(filter(None, reasons)) or "on hold", key=key)
