"""Stores: where orders, stock, decisions and events are kept. See `domcore.store.protocol`."""

from __future__ import annotations

from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from domcore.errors import ConfigurationError

if TYPE_CHECKING:
    from domcore.store.protocol import Store


def open_store(url: str | PathLike[str]) -> Store:
    """Open the store at `url`.

    ``memory:`` is a new, empty store in memory; ``sqlite:///relative.db``,
    ``sqlite:////absolute.db`` and a plain path are SQLite files, created when missing. After a
    path, ``?synchronous=NORMAL`` trades the safety of a power cut for speed, and
    ``?busy_timeout=5000`` waits so many milliseconds for a lock; both may be given, with ``&``.

    Raises:
        ConfigurationError: a URL scheme nobody here knows.
        StoreError: the database cannot be used.
    """
    # Each implementation is loaded when it is first asked for: importing domcore stays fast.
    text = fspath(url)
    if text in ("memory:", "memory://"):
        from domcore.store.memory import MemoryStore

        return MemoryStore()
    scheme, separator, rest = text.partition("://")
    if separator and scheme != "sqlite":
        raise ConfigurationError(f"no store opens {scheme}:// addresses", source="store")
    if separator and not rest.startswith("/"):
        raise ConfigurationError("write sqlite:///path, with three slashes", source="store")
    path, _, query = (rest[1:] if separator else text).partition("?")
    if not path:
        raise ConfigurationError("the store's path is empty", source="store")
    from domcore.store.sqlite import SqliteStore
    from domcore.store.sqlite.connection import Settings

    return SqliteStore(path, Settings(**_options(query)))


def _options(query: str) -> dict[str, Any]:
    """The settings after a path's question mark."""
    options: dict[str, Any] = {}
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        if name == "synchronous" and value.upper() in ("FULL", "EXTRA", "NORMAL"):
            options[name] = value.upper()
        elif name == "busy_timeout" and value.isascii() and value.isdigit() and len(value) < 8:
            options[name] = int(value)
        else:
            raise ConfigurationError(
                f"{part!r} is no option of a SQLite store; there are"
                " synchronous=FULL|EXTRA|NORMAL and busy_timeout=MILLISECONDS",
                source="store",
            )
    return options
