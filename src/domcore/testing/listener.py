"""The misbehaving server on a socket."""

from __future__ import annotations

import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from domcore.testing.exchange import Call, Reply

if TYPE_CHECKING:
    from domcore.testing.server import MisbehavingServer

MOST_BYTES: Final = 64 * 1024 * 1024
RESET: Final = struct.pack("ii", 1, 0)
"""Linger for no time: closing sends a reset."""


class Listener:
    """A listening socket with its threads; `close` leaves none of them."""

    def __init__(self, server: MisbehavingServer) -> None:
        self._server = server
        self._open = False
        self._http = self._listen(0)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def close(self) -> None:
        """Stop listening and wait for what is still being answered."""
        if self._open:
            self._open = False
            self._http.shutdown()
            self._http.server_close()
            self._thread.join()

    def pause(self) -> None:
        """Take no connections: they are refused."""
        self.close()

    def resume(self) -> None:
        """Listen again, on the same port."""
        self._http = self._listen(int(self._http.server_address[1]))

    def _listen(self, port: int) -> _Threads:
        owner = self._server

        class Answering(_Answering):
            server_of_test = owner

        made = _Threads(("127.0.0.1", port), Answering)
        self._thread = threading.Thread(
            target=made.serve_forever, kwargs={"poll_interval": 0.02}, name="misbehaving"
        )
        self._thread.start()
        self._open = True
        return made


class _Threads(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news here."""


class _Answering(BaseHTTPRequestHandler):
    """One connection, one call."""

    server_of_test: MisbehavingServer
    timeout = 10

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what came is in the server's exchanges."""

    def handle_one_request(self) -> None:
        """Any method is taken alike."""
        self.close_connection = True
        self.raw_requestline = self.rfile.readline(65537)
        if self.raw_requestline and self.parse_request():
            self._answer()

    def _answer(self) -> None:
        server, call = self.server_of_test, self._call()
        exchange = server.take(call)
        if exchange.fault == "slow":
            server.stopping.wait(server.slow_seconds)
        if exchange.fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.rfile.close()
            self.connection.close()
            return
        if exchange.sent is not None:
            self._send(exchange.sent, exchange.fault)

    def _call(self) -> Call:
        parts = urlsplit(self.path)
        size = min(int(self.headers.get("content-length") or 0), MOST_BYTES)
        return Call(
            self.command,
            parts.path,
            tuple(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): text for name, text in self.headers.items()},
            self.rfile.read(size),
        )

    def _send(self, reply: Reply, fault: str) -> None:
        size = len(reply.body) + (100 if fault == "wrong_length" else 0)
        cut = len(reply.body) // 2 if fault == "half" else len(reply.body)
        self.send_response_only(reply.status)
        for name, text in reply.headers.items():
            self.send_header(name, text)
        self.send_header("content-length", str(max(size, 1 if fault == "half" else 0)))
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(reply.body[:cut])
