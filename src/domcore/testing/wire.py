"""The misbehaving server without a socket: what an httpx client would have seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from domcore.testing.exchange import Call, Reply

if TYPE_CHECKING:
    from domcore.testing.server import MisbehavingServer


def respond(httpx: Any, server: MisbehavingServer, request: Any) -> Any:
    """The response to an httpx request, or the exception the client would get."""
    call = Call(
        request.method,
        request.url.path,
        tuple(request.url.params.multi_items()),
        {name.lower(): text for name, text in request.headers.items()},
        request.read(),
    )
    exchange = server.take(call)
    fault, sent = exchange.fault, exchange.sent
    if fault == "down":
        raise httpx.ConnectError("connection refused", request=request)
    if fault == "reset":
        raise httpx.ReadError("connection reset by peer", request=request)
    if sent is None:
        raise httpx.RemoteProtocolError(
            "Server disconnected without sending a response.", request=request
        )
    patience = request.extensions.get("timeout", {}).get("read")
    if fault == "slow" and patience is not None and patience <= server.slow_seconds:
        raise httpx.ReadTimeout("timed out", request=request)
    if fault in ("half", "wrong_length"):
        return httpx.Response(
            sent.status, headers=dict(sent.headers), stream=_broken(httpx, sent, fault)
        )
    return httpx.Response(sent.status, headers=dict(sent.headers), content=sent.body)


def _broken(httpx: Any, reply: Reply, fault: str) -> Any:
    """A body that breaks off."""
    cut = len(reply.body) // 2 if fault == "half" else len(reply.body)

    def parts() -> Iterator[bytes]:
        yield reply.body[:cut]
        raise httpx.RemoteProtocolError(
            "peer closed connection without sending complete message body"
        )

    return httpx.Response(200, content=parts()).stream
