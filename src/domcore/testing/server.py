"""A partner that misbehaves: an HTTP server in this process, for tests of connectors and channels.

::

    def answer(call: Call) -> Reply:
        return Reply.json({"taken": call.json()["id"]})

    with MisbehavingServer(answer) as server:
        server.misbehave("lost")  # the next call is taken, and its answer lost
        server.by_chance({"500": 0.1}, seed=7)  # then one in ten fails, the same ones each time
        connector = MyConnector(server.url)

`as_transport` is the same without sockets, for httpx clients and tens of thousands of calls.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final, Self

from attrs import define, evolve

from domcore.testing.exchange import Call, Exchange, Handler, Reply

__all__ = ["FAULTS", "Call", "Exchange", "MisbehavingServer", "Reply"]

FAULTS: Final = {
    "slow": "handled, and answered after `slow_seconds`",
    "dropped": "the connection is closed; nothing was handled",
    "reset": "the connection is reset; nothing was handled",
    "lost": "handled, and the connection closed without an answer",
    "half": "handled, and the connection closed in the middle of the answer",
    "429": "not handled: too many requests, with Retry-After",
    "500": "not handled: internal error",
    "503": "not handled: unavailable",
    "500_after": "handled, and answered with an internal error",
    "twice": "handled twice; the second answer counts",
    "garbage": "handled, and answered with bytes that are nothing",
    "wrong_type": "handled, and answered under another content type",
    "wrong_length": "handled, and answered with less than Content-Length says",
}
"""What can go wrong with a call, and whether it was handled all the same."""

DOWN: Final = "down"
UNHANDLED: Final = frozenset({"dropped", "reset", "429", "500", "503"})
GARBAGE: Final = b"\xff\xfe\x00{<html>]\x80"


@define
class _Order:
    """Misbehaviour somebody asked for; `times` None is until further notice."""

    fault: str
    times: int | None
    when: Callable[[Call], bool]


class MisbehavingServer:
    """Answers by a handler, and goes wrong on order or by chance.

    Used as a context manager it listens on a free port of the loopback interface; no thread is
    left when it ends. The handler is called by one thread at a time. What it raises is answered
    with 500 and kept in `errors`.

    Args:
        handler: the good partner: what it answers to a call.
        slow_seconds: how long a slow answer takes.
        retry_after: seconds, as a 429 tells them; None tells nothing.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        slow_seconds: float = 30.0,
        retry_after: int | None = 1,
    ) -> None:
        self.slow_seconds = slow_seconds
        self.exchanges: list[Exchange] = []
        self.errors: list[Exception] = []
        self.url = ""
        self.stopping = threading.Event()
        self._handler = handler
        self._retry_after = retry_after
        self._orders: list[_Order] = []
        self._chances: tuple[tuple[str, float], ...] = ()
        self._random = random.Random(0)
        self._down = False
        self._lock = threading.Lock()
        self._listener: Any = None

    def __enter__(self) -> Self:
        # Imported late: most tests that use the kit never open a socket.
        from domcore.testing.listener import Listener

        self.stopping.clear()
        self._listener = Listener(self)
        self.url = self._listener.url
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._listener.close()
        self.url, self._listener = "", None

    def misbehave(
        self, *faults: str, times: int = 1, when: Callable[[Call], bool] | None = None
    ) -> None:
        """Go wrong in these ways, one after the other, each at the next `times` calls.

        Args:
            when: only at calls of which this is true; the others are answered well.
        """
        for fault in faults:
            self._orders.append(_Order(_known(fault), times, when or _always))

    @contextmanager
    def misbehaving(
        self, fault: str, *, when: Callable[[Call], bool] | None = None
    ) -> Iterator[None]:
        """Go wrong in this way at every call while it is entered."""
        order = _Order(_known(fault), None, when or _always)
        self._orders.insert(0, order)
        try:
            yield
        finally:
            self._orders.remove(order)

    @contextmanager
    def down(self) -> Iterator[None]:
        """Take no connection while it is entered."""
        self._down = True
        if self._listener is not None:
            self._listener.pause()
        try:
            yield
        finally:
            if self._listener is not None:
                self._listener.resume()
            self._down = False

    def by_chance(self, chances: Mapping[str, float], *, seed: int = 0) -> None:
        """Go wrong by chance at calls nobody has ordered otherwise for; the same seed, the same
        calls. ``{}`` is to behave well again."""
        if sum(chances.values()) > 1 or min(chances.values(), default=0) < 0:
            raise ValueError("chances are from 0 to 1, and no more than 1 together")
        self._chances = tuple((_known(fault), chance) for fault, chance in chances.items())
        self._random = random.Random(seed)

    @property
    def calls(self) -> Sequence[Call]:
        """Every call that came, handled or not."""
        return [each.call for each in self.exchanges]

    def take(self, call: Call) -> Exchange:
        """Take one call: decide whether it goes wrong, and handle it if it is to be handled."""
        with self._lock:
            call = evolve(call, number=len(self.exchanges) + 1)
            fault = DOWN if self._down else self._fault(call)
            handled: Reply | None = None
            if fault != DOWN and fault not in UNHANDLED:
                handled = self._handle(call)
                if fault == "twice":
                    handled = self._handle(call)
            exchange = Exchange(call, fault, handled, self._spoiled(fault, handled))
            self.exchanges.append(exchange)
        return exchange

    def as_transport(self) -> Any:
        """A transport for ``httpx.Client(transport=...)``: the same misbehaviour without sockets.

        Nothing sleeps: a slow answer is a time-out where the client would not have waited.
        """
        # httpx is the plugin's business; domcore does not need it.
        httpx: Any = import_module("httpx")
        wire: Any = import_module("domcore.testing.wire")
        return httpx.MockTransport(lambda request: wire.respond(httpx, self, request))

    def _fault(self, call: Call) -> str:
        for order in self._orders:
            if not order.when(call):
                continue
            if order.times is not None:
                order.times -= 1
                if order.times <= 0:
                    self._orders.remove(order)
            return order.fault
        if self._chances:
            drawn = self._random.random()
            for fault, chance in self._chances:
                drawn -= chance
                if drawn < 0:
                    return fault
        return ""

    def _handle(self, call: Call) -> Reply:
        try:
            return self._handler(call)
        except Exception as error:
            self.errors.append(error)
            return Reply(500, b"the handler of this test has failed")

    def _spoiled(self, fault: str, handled: Reply | None) -> Reply | None:
        """What goes over the wire; None where nothing does."""
        if fault in ("500", "503", "500_after"):
            return Reply(int(fault[:3]), b"{}", {"content-type": "application/json"})
        if fault == "429":
            headers = {"content-type": "application/json"}
            if self._retry_after is not None:
                headers["retry-after"] = str(self._retry_after)
            return Reply(429, b"{}", headers)
        if handled is None or fault == "lost":
            return None
        if fault == "garbage":
            return evolve(handled, body=GARBAGE)
        if fault == "wrong_type":
            return evolve(handled, headers={**handled.headers, "content-type": "text/html"})
        return handled


def _always(_: Call) -> bool:
    return True


def _known(fault: str) -> str:
    if fault not in FAULTS:
        raise ValueError(f"there is no fault {fault!r}; there are {', '.join(FAULTS)}")
    return fault
