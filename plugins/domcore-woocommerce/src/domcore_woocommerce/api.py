"""Calls to a shop's REST API, page by page."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import httpx

from domcore.plugin_kit import Bucket
from domcore.plugin_kit.calls import Answer, Caller

PATH: Final = "/wp-json/wc/v3/"

_HINTS: Final = {
    301: "the shop lives elsewhere: correct url",
    302: "the shop lives elsewhere: correct url",
    308: "the shop lives elsewhere: correct url",
    401: "key and secret are not accepted",
    403: "the key lacks the permission for it",
    404: "the shop does not know it",
}


class Api(Caller):
    """The REST API of one shop; see `Caller`."""

    def __init__(
        self,
        url: str,
        key: str,
        secret: str,
        bucket: Bucket,
        *,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            urlsplit(url).hostname or "",
            url + PATH,
            bucket,
            hints=_HINTS,
            auth=httpx.BasicAuth(key, secret),
            timeout=timeout,
            transport=transport,
            clock=clock,
        )


def pages_of(answer: Answer) -> int:
    """How many pages there are of what was asked for."""
    text = answer.headers.get("X-WP-TotalPages", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 1
