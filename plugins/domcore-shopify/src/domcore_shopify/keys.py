"""The keys of our fulfillment orders, where other apps write them to Shopify."""

from __future__ import annotations

import re
from typing import Final

from domcore_shopify.payload import FulfillmentBody

MARK: Final = "domcore:"
"""What the key of a fulfillment order begins with, where another app writes it to Shopify."""

_KEY: Final = re.compile(r"domcore:(\d{1,19}-\d{1,9}-[^\s#]{1,200})")


def key_in(body: FulfillmentBody) -> str:
    """The fulfillment order's id that another app wrote: in the receipt or as a tracking number."""
    receipt = body.receipt.get("domcore") if isinstance(body.receipt, dict) else None
    given = f"{MARK}{receipt}" if isinstance(receipt, str) else ""
    for text in (given, *(body.tracking_numbers or ()), *(body.tracking_urls or ())):
        found = _KEY.search(text)
        if found:
            return found[1]
    return ""
