"""One call and what came of it, as the misbehaving server records them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Self

from attrs import field, frozen


@frozen
class Call:
    """A request as it came. Header names are lower-case; `number` counts from 1."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = b""
    number: int = 0

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: it is none.
        """
        return json.loads(self.body)

    def asked(self, name: str, default: str = "") -> str:
        """A parameter of the query; the last where it comes several times."""
        return dict(self.query).get(name, default)


@frozen
class Reply:
    """An answer. Content-Length is added when it is sent."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(factory=dict)

    @classmethod
    def json(cls, value: Any, status: int = 200, **headers: str) -> Self:
        """An answer in JSON; an underscore in a header's name is a hyphen."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        body = json.dumps(value).encode("utf-8")
        return cls(status, body, {"content-type": "application/json", **named})


@frozen
class Exchange:
    """What came of a call.

    Args:
        fault: how it went wrong; empty where it did not.
        handled: what the handler answered; None where it was not asked.
        sent: what went over the wire, perhaps in part; None where nothing did.
    """

    call: Call
    fault: str
    handled: Reply | None
    sent: Reply | None


Handler = Callable[[Call], Reply]
