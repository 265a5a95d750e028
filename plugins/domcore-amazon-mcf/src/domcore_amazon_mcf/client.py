"""The vendor's HTTP interface: what is sent, what is tried again, and what every failure means."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

import httpx
import stamina
from cattrs import Converter

from domcore.codec.intake import read_json
from domcore.codec.strict import make_converter, structure
from domcore.errors import ConnectorError, PayloadError
from domcore.plugin_kit import Bucket
from domcore_amazon_mcf.options import Options
from domcore_amazon_mcf.payload import ErrorReply
from domcore_amazon_mcf.reading import read_body, time_left
from domcore_amazon_mcf.text import NO_CODE, code_of
from domcore_amazon_mcf.tokens import Tokens

T = TypeVar("T")

USER_AGENT: Final = "domcore-amazon-mcf/0.1.0 (Language=Python)"
ROOT: Final = "/fba/outbound/2020-07-01"
MOST_BYTES: Final = 16 * 1024 * 1024
ATTEMPTS: Final = 3
PATIENCE: Final = 60.0
"""Seconds that one call may take with all its tries."""

SOON: Final = 5.0
"""A vendor that wants to be left alone for longer is not waited for."""

LONGEST_WAIT: Final = 30.0
TIMED_OUT: Final = 408
TOO_MANY: Final = 429
NO_TOKEN: Final = (401, 403)

_log = logging.getLogger("domcore_amazon_mcf")


class Failed(ConnectorError):  # noqa: N818 - reads as the outcome it names
    """A call that did not work out.

    Args:
        handled: False where the vendor has certainly done nothing.
    """

    def __init__(
        self,
        message: str,
        *,
        handled: bool,
        unknown: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, unknown=unknown, retry_after=retry_after)
        self.handled = handled


class Unreadable(Failed):
    """The vendor has answered, and not with what it should have."""


class Refused(ConnectorError):  # noqa: N818 - reads as the outcome it names
    """The vendor has understood, and said no.

    Args:
        status: the HTTP status.
        codes: what it says is wrong; codes only, for its messages may repeat what was sent.
        speaks_of_absence: whether a message says that something is not there.
    """

    def __init__(
        self, operation: str, status: int, codes: tuple[str, ...], *, speaks_of_absence: bool
    ) -> None:
        super().__init__(f"{operation}: refused with {status} {', '.join(codes) or NO_CODE}")
        self.status = status
        self.codes = codes
        self.speaks_of_absence = speaks_of_absence


class Api:
    """One seller's access to the interface.

    Args:
        transport: carries requests in place of the network.
        ticks: seconds that only ever grow.
        sleep: waits so many of them, for the rate limit.
    """

    def __init__(
        self,
        options: Options,
        *,
        transport: httpx.BaseTransport | None = None,
        ticks: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = httpx.Client(
            timeout=httpx.Timeout(options.timeout_seconds, connect=10.0),
            headers={"user-agent": USER_AGENT, "accept": "application/json"},
            transport=transport,
            follow_redirects=False,
        )
        self._base = options.base_url + ROOT
        self._ticks = ticks
        self._longest = float(options.timeout_seconds)
        self._tokens = Tokens(
            self._client,
            options.login_url,
            client_id=options.client_id,
            client_secret=options.client_secret,
            refresh_token=options.refresh_token,
            ticks=ticks,
        )
        self._bucket = partial(
            Bucket, options.burst, options.rate, longest=LONGEST_WAIT, clock=ticks, sleep=sleep
        )
        self._buckets: dict[str, Bucket] = {}
        self._converter: Converter = make_converter(
            forbid_extra_keys=False, most_characters=100_000
        )

    def __repr__(self) -> str:
        return f"Api({self._base!r})"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        repeatable: bool = True,
        patience: float | None = None,
    ) -> Any:
        """Call an operation; the JSON of its reply.

        Args:
            repeatable: whether doing it twice is as good as once. What is not is only tried again
                where the vendor has certainly done nothing, and its failure may be `unknown`.
            patience: seconds it may take; then it is tried once only.

        Raises:
            Refused: the vendor has said no.
            ConnectorError: it did not work out.
        """
        attempts = stamina.retry_context(
            on=partial(_again, repeatable),
            attempts=ATTEMPTS if patience is None else 1,
            timeout=PATIENCE,
            wait_initial=0.5,
            wait_max=SOON,
        )
        for attempt in attempts:
            with attempt:
                return self._once(operation, method, path, query, body, repeatable, patience)
        raise AssertionError("unreachable")

    def read(self, value: Any, kind: type[T], operation: str) -> T:
        """A reply's JSON as what it should be.

        Raises:
            ConnectorError: it is something else.
        """
        try:
            return structure(self._converter, value, kind)
        except PayloadError as error:
            paths = ", ".join(problem.path for problem in error.problems[:5])
            raise Unreadable(
                f"{operation}: the reply cannot be read, at {paths}", handled=True
            ) from None

    def _once(
        self,
        operation: str,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
        repeatable: bool,
        patience: float | None,
    ) -> Any:
        bucket = self._buckets.setdefault(operation, self._bucket())
        until = None if patience is None else self._ticks() + patience
        bucket.take(patience)
        request = self._client.build_request(method, self._base + path, params=query, json=body)
        token = self._tokens.get(until=self._end(until))
        status, content = self._send(operation, request, token, bucket, repeatable, until)
        if status in NO_TOKEN:
            token = self._tokens.get(until=self._end(until), instead_of=token)
            status, content = self._send(operation, request, token, bucket, repeatable, until)
        return _judged(operation, status, content, repeatable)

    def _send(
        self,
        operation: str,
        request: httpx.Request,
        token: str,
        bucket: Bucket,
        repeatable: bool,
        until: float | None,
    ) -> tuple[int, bytes | None]:
        """Send it; the status, and the body where it is JSON of a bearable size."""
        request.headers["x-amz-access-token"] = token
        end = self._end(until)
        try:
            request.extensions["timeout"] = time_left(self._ticks, end).as_dict()
            response = self._client.send(request, stream=True)
            try:
                content = _content(response, read_body(response, MOST_BYTES, self._ticks, end))
            finally:
                response.close()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Failed(
                f"{operation}: cannot be reached ({type(error).__name__})", handled=False
            ) from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise Failed(
                f"{operation}: no answer ({type(error).__name__})",
                handled=True,
                unknown=not repeatable,
            ) from None
        bucket.learn(response.headers.get("x-amzn-ratelimit-limit", ""))
        _log.debug("%s: %s", operation, response.status_code)
        if response.status_code == TOO_MANY:
            bucket.empty()
            raise Failed(
                f"{operation}: too many requests",
                handled=False,
                retry_after=_seconds(response.headers.get("retry-after", "")),
            )
        return response.status_code, content

    def _end(self, until: float | None) -> float:
        """When a call that is made now must be over."""
        end = self._ticks() + self._longest
        return end if until is None else min(until, end)


def _content(response: httpx.Response, body: bytes | None) -> bytes | None:
    """The body; None where it is not JSON, or was too much."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return body if kind == "application/json" else None


def _judged(operation: str, status: int, content: bytes | None, repeatable: bool) -> Any:
    """What an answer means."""
    value: Any = None
    readable = content is not None
    try:
        value = read_json(content or b"", limit=MOST_BYTES)
    except PayloadError:
        readable = False
    if httpx.codes.is_success(status) and readable and isinstance(value, dict):
        return value
    if httpx.codes.is_client_error(status) and status != TIMED_OUT:
        codes, absent = _errors(value)
        raise Refused(operation, status, codes, speaks_of_absence=absent)
    what = f"answered with {status}" if not httpx.codes.is_success(status) else "answered garbage"
    raise Failed(f"{operation}: {what}", handled=True, unknown=not repeatable)


def _errors(value: Any) -> tuple[tuple[str, ...], bool]:
    """The codes of a refusal, and whether it says that something is not there."""
    try:
        rows = structure(make_converter(forbid_extra_keys=False), value, ErrorReply).errors or ()
    except PayloadError:
        return (), False
    texts = [
        str(row.get("message", "")).lower()
        for row in (value.get("errors") or ())
        if isinstance(row, dict)
    ]
    absent = any(
        words in text
        for text in texts
        for words in ("not found", "not be found", "does not exist", "doesn't exist")
    )
    return tuple(code_of(row.code) for row in rows[:5]), absent


def _again(repeatable: bool, error: Exception) -> bool | float:
    """Whether to try once more, or after how many seconds."""
    if not isinstance(error, Failed) or (error.handled and not repeatable):
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= SOON else False


def _seconds(told: str) -> float | None:
    """Retry-After in seconds; a date is not read, the backoff will do."""
    return float(told) if told.isdecimal() and len(told) <= 6 else None
