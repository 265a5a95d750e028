"""The SQLite store."""

from __future__ import annotations

from domcore.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
