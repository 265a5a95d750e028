"""Login with Amazon: a refresh token is exchanged for access tokens that last an hour."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import httpx

from domcore.codec.intake import read_json
from domcore.errors import ConnectorError, PayloadError
from domcore_amazon_mcf.reading import read_body, time_left
from domcore_amazon_mcf.text import code_of

EARLY: Final = 120.0
"""Seconds before its end at which a token is exchanged for a new one."""

MOST_BYTES: Final = 65_536
LONGEST: Final = 8192


class Tokens:
    """The access token of one seller; fetched when first needed and kept while it lasts.

    Args:
        client: sends the request; what it is set up with says how long it may take.
        ticks: seconds that only ever grow.
    """

    def __init__(
        self,
        client: httpx.Client,
        endpoint: str,
        *,
        client_id: str,
        client_secret: str,
        refresh_token: str,
        ticks: Callable[[], float],
    ) -> None:
        self._client = client
        self._endpoint = endpoint
        self._form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": client_id,
            "client_secret": client_secret,
        }
        self._ticks = ticks
        self._token = ""
        self._until = 0.0
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "Tokens(...)"

    def get(self, *, until: float, instead_of: str = "") -> str:
        """A token that still lasts.

        Args:
            until: when it must be there, in ticks.
            instead_of: a token that was refused; it is not given again.

        Raises:
            ConnectorError: none can be had; nothing was done.
        """
        with self._lock:
            refused = bool(instead_of) and self._token == instead_of
            if not self._token or refused or self._ticks() >= self._until:
                self._token = ""
                self._token, lasts = self._fetch(until)
                self._until = self._ticks() + max(lasts - EARLY, lasts / 2)
            return self._token

    def _fetch(self, until: float) -> tuple[str, float]:
        """A new token, and how long it lasts."""
        try:
            timeout = time_left(self._ticks, until)
            with self._client.stream(
                "POST", self._endpoint, data=self._form, timeout=timeout
            ) as response:
                body = read_body(response, MOST_BYTES, self._ticks, until) or b""
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise ConnectorError(
                f"Login with Amazon cannot be reached ({type(error).__name__})"
            ) from None
        try:
            value = read_json(body, limit=MOST_BYTES)
        except PayloadError:
            value = None
        told = value if isinstance(value, dict) else {}
        if response.status_code != httpx.codes.OK:
            raise ConnectorError(
                f"Login with Amazon refuses: {response.status_code} {code_of(told.get('error'))};"
                " check the client id, the client secret and the refresh token"
            )
        token, lasts = told.get("access_token"), told.get("expires_in")
        if not _is_token(token) or type(lasts) is not int or lasts <= 0:
            raise ConnectorError("Login with Amazon answered with something that is no token")
        return str(token), float(lasts)


def _is_token(value: object) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= LONGEST
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )
