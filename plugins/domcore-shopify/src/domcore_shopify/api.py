"""Calls to a shop's Admin API: paced as the shop says, page by page."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import parse_qs, urlsplit

import httpx

from domcore.plugin_kit import Bucket
from domcore.plugin_kit.calls import Answer, Caller

TOKEN: Final = "X-Shopify-Access-Token"
BUCKET: Final = 40
LEAK: Final = 2.0

_USED = re.compile(r"(\d{1,6})/(\d{1,6})\Z")
_NEXT = re.compile(r'<([^<>]{1,4000})>\s*;[^,<]*\brel="?next"?')
_HINTS: Final = {
    401: "the access token is not accepted",
    402: "the shop is frozen",
    403: "the access token lacks a scope for it",
    404: "the shop does not know it",
    423: "the shop is locked",
}


class Api(Caller):
    """The Admin API of one shop; see `Caller`."""

    def __init__(
        self,
        shop: str,
        token: str,
        version: str,
        *,
        timeout: float = 20.0,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        bucket: Bucket | None = None,
    ) -> None:
        super().__init__(
            shop,
            f"https://{shop}/admin/api/{version}/",
            bucket or Bucket(BUCKET, LEAK),
            hints=_HINTS,
            headers={TOKEN: token},
            timeout=timeout,
            transport=transport,
            clock=clock,
        )

    def hear(self, headers: Mapping[str, str]) -> None:
        """The shop says how full its bucket is."""
        used = _USED.match(headers.get("X-Shopify-Shop-Api-Call-Limit", ""))
        if used and int(used[2]) > 0:
            self.bucket.hear(int(used[1]), int(used[2]))


def next_page(answer: Answer) -> str:
    """The ``page_info`` of the next page; its URL is not followed, so it cannot lead elsewhere."""
    found = _NEXT.search(answer.headers.get("Link", ""))
    return parse_qs(urlsplit(found[1]).query).get("page_info", [""])[0] if found else ""
