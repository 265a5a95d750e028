"""Orders that are completed in the shop: all of their goods have left, whoever sent them."""

from __future__ import annotations

from typing import Final

from domcore.errors import Problem
from domcore.model import ShippedElsewhere
from domcore.model.clock import from_micros
from domcore_woocommerce.delivery import Delivery, moment
from domcore_woocommerce.lines import read_lines
from domcore_woocommerce.options import Options
from domcore_woocommerce.payload import OrderBody

NAME: Final = "completed"


def sent_elsewhere(
    body: OrderBody,
    channel: str,
    owner: str,
    options: Options,
    delivery: Delivery,
    revision: int,
    *,
    left: bool = True,
) -> ShippedElsewhere:
    """What has left by a completed order: every unit of it, those that our nodes have shipped among
    them. Not `left`: it is not completed any more, and that says nothing."""
    unread: list[Problem] = []
    lines = read_lines(body, options, delivery.refunded, delivery.path, unread) if left else ()
    at = moment(body.date_completed_gmt, "", unread) if body.date_completed_gmt else None
    return ShippedElsewhere(
        owner=owner,
        channel=channel,
        external_id=str(body.id),
        name=NAME,
        revision=revision,
        at=at or from_micros(revision),
        lines=tuple((line.id, line.quantity) for line in lines if line.ships and line.quantity),
        total=True,
        key=delivery.key,
    )
