"""Keys of commands: a repeat changes nothing, the same key with other content is refused."""

from __future__ import annotations

from domcore.errors import ConflictError
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.protocol import Outcome
from domcore.store.rows import InboxRow


def seen_before(
    reader: Reader, owner_id: int, source: str, key: str, digest: bytes
) -> Outcome | None:
    """The outcome of a repeat: None when `key` is new.

    Raises:
        ConflictError: `key` came with other content.
    """
    found = reader.inbox(owner_id, source, key)
    if found is None:
        return None
    row = InboxRow(*found)
    if row.digest != digest:
        name = f"key {key[:100]!r} of {source[:100]!r}"
        raise ConflictError(f"{name} has been used for something else")
    return Outcome("duplicate", row.order_id, f"was {row.outcome} under the same key")


def remember(
    changes: Changes,
    owner_id: int,
    source: str,
    key: str,
    digest: bytes,
    outcome: Outcome,
    now: int,
) -> None:
    """Keep the key with what came of it, in the same transaction."""
    changes.add(
        "inbox",
        (owner_id, source, key, digest, outcome.outcome, outcome.order_id, outcome.detail, now),
    )
