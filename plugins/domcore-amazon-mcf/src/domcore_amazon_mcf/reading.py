"""Bodies of answers, read as far as they are bearable: neither too large nor too slow."""

from __future__ import annotations

from collections.abc import Callable

import httpx


def read_body(
    response: httpx.Response, most: int, ticks: Callable[[], float], until: float
) -> bytes | None:
    """The body; None where it is larger than `most` bytes.

    Raises:
        httpx.HTTPError: it breaks off, or comes too slowly to be there by `until`.
    """
    parts: list[bytes] = []
    size = 0
    for part in response.iter_bytes():
        size += len(part)
        if size > most:
            return None
        if ticks() > until:
            raise httpx.ReadTimeout("the answer comes too slowly")
        parts.append(part)
    return b"".join(parts)


def time_left(ticks: Callable[[], float], until: float) -> httpx.Timeout:
    """What a call may take that must be over by `until`.

    Raises:
        httpx.HTTPError: there is no time left; nothing was sent.
    """
    left = until - ticks()
    if left <= 0:
        raise httpx.PoolTimeout("there is no time left")
    return httpx.Timeout(left)
