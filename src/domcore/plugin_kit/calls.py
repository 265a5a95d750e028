"""Calls to a partner over HTTP: paced, retried where that is safe, silent about secrets.

Needs httpx and stamina, which a plugin that calls brings along; nothing of the core imports this.
Redirects are never followed, so a secret goes to nobody but the host it was meant for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
import stamina
from attrs import frozen

from domcore.codec.intake import read_json
from domcore.errors import ConnectorError, PayloadError
from domcore.plugin_kit.bucket import Bucket

MOST_BYTES: Final = 64 * 1024 * 1024
ATTEMPTS: Final = 4
PATIENCE: Final = 45.0
SLOWEST: Final = 120.0
"""Seconds in which an answer must have come, however it drips."""

LONGEST_WAIT: Final = 10.0
"""Seconds one call waits for a partner that asks for patience; longer waits are the caller's."""


class CallError(ConnectorError):
    """A call that failed; `status` is the shop's answer, 0 for none, and `again` whether the same
    call may simply be made again."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        again: bool = False,
        unknown: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, unknown=unknown, retry_after=retry_after)
        self.status = status
        self.again = again


@frozen(slots=True)
class Answer:
    """What the partner said: the JSON value, None for an empty body, and the headers."""

    value: Any
    headers: Mapping[str, str]


class Caller:
    """Calls one partner.

    Args:
        name: what errors call the partner.
        base_url: where paths start from.
        bucket: how fast it may be asked.
        hints: what a status means, in words for people.
        headers, auth: sent with every call; never shown.
        timeout: seconds for each step of a call.
        transport, clock: for tests: answers instead of the network, and a time of their own.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        bucket: Bucket,
        *,
        hints: Mapping[int, str],
        headers: Mapping[str, str] | None = None,
        auth: httpx.Auth | None = None,
        timeout: float = 20.0,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.bucket = bucket
        self._hints = hints
        self._clock = clock
        self._client = httpx.Client(
            base_url=base_url,
            auth=auth,
            headers={**(headers or {}), "Accept": "application/json"},
            timeout=timeout,
            transport=transport,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def close(self) -> None:
        """Let connections go."""
        self._client.close()

    def hear(self, headers: Mapping[str, str]) -> None:
        """Called with the headers of every answer; a partner may say there how fast it is asked."""

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """Ask. Asking again is always safe.

        Raises:
            ConnectorError: there was no answer, or it was no.
        """
        return self._call("GET", path, params=params, repeatable=True)

    def post(self, path: str, body: object, *, repeatable: bool) -> Answer:
        """Tell; `repeatable` where telling it twice is the same as once.

        Raises:
            ConnectorError: `unknown` where it may have been heard all the same.
        """
        return self._call("POST", path, body=body, repeatable=repeatable)

    def put(self, path: str, body: object) -> Answer:
        """Set. Setting the same again is safe.

        Raises:
            ConnectorError: there was no answer, or it was no.
        """
        return self._call("PUT", path, body=body, repeatable=True)

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        repeatable: bool,
    ) -> Answer:
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        for attempt in stamina.retry_context(on=_pause, attempts=ATTEMPTS, timeout=PATIENCE):
            with attempt:
                return self._once(method, path, params, content, repeatable)
        raise AssertionError("the last attempt returns or raises")

    def _once(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        content: bytes | None,
        repeatable: bool,
    ) -> Answer:
        self.bucket.take()
        what = f"{self.name}: {method} {path}"
        headers = {"Content-Type": "application/json"} if content is not None else None
        try:
            with self._client.stream(
                method, path, params=params, content=content, headers=headers
            ) as response:
                raw = _read(response, what, self._clock, self._clock() + SLOWEST)
        except httpx.HTTPError as error:
            # The request, and with it the secrets, hangs on httpx' own errors.
            raise _unanswered(error, what, repeatable) from None
        self.hear(response.headers)
        if response.status_code >= 300:
            raise _refused(response, what, repeatable, self._hints)
        return Answer(_value(raw, what), response.headers)


def _pause(error: Exception) -> bool | float:
    """Whether to try again, or after how many seconds."""
    if not isinstance(error, CallError) or not error.again:
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= LONGEST_WAIT else False


def _read(response: httpx.Response, what: str, clock: Callable[[], float], until: float) -> bytes:
    parts, size = [], 0
    for part in response.iter_bytes():
        size += len(part)
        if clock() > until:
            raise httpx.ReadTimeout("the answer comes too slowly")
        if size > MOST_BYTES:
            raise CallError(f"{what}: the answer is larger than {MOST_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)


def _unanswered(error: httpx.HTTPError, what: str, repeatable: bool) -> CallError:
    """No answer; where the connection was never made, nothing can have been heard."""
    never = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    return CallError(
        f"{what}: no answer ({type(error).__name__})",
        again=never or repeatable,
        unknown=not (never or repeatable),
    )


def _refused(
    response: httpx.Response, what: str, repeatable: bool, hints: Mapping[int, str]
) -> CallError:
    """An answer that is no. The partner's words are left out: they may repeat what was sent."""
    status = response.status_code
    hint = hints.get(status, "")
    busy = status == 429
    broken = status >= 500
    return CallError(
        f"{what}: answered {status}" + (f", {hint}" if hint else ""),
        status=status,
        again=busy or (broken and repeatable),
        unknown=broken and not repeatable,
        retry_after=_seconds(response.headers.get("Retry-After", "")) if busy or broken else None,
    )


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return min(seconds, 3600.0) if seconds >= 0 else None


def _value(raw: bytes, what: str) -> Any:
    if not raw.strip():
        return None
    try:
        return read_json(raw, limit=MOST_BYTES)
    except PayloadError:
        raise CallError(f"{what}: the answer is not JSON that can be read") from None
