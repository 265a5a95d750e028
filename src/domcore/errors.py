"""Every exception domcore raises on purpose.

::

    DomcoreError
    ├── ConfigurationError      a network, pack, plugin or setting is wrong: file, place, fix
    ├── PayloadError            input from outside cannot be read: every bad field with its path
    │   └── SignatureError      a delivery is not signed by anyone we share a secret with
    ├── NotFound                no such order, node, item or channel here
    ├── ConflictError           the same key or order was written differently by somebody else
    ├── StaleSupply             the stock a plan counted on is gone; nothing was written, plan again
    ├── StoreError              the database cannot be used: locked, read-only, full, newer, damaged
    ├── ConnectorError          a connector failed; `unknown` says whether it may have succeeded
    └── PluginError             a plugin broke its contract; names the plugin and the hook

A shortage, a hold or a rejection is a value, not an exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Self

from attrs import frozen


class DomcoreError(Exception):
    """The root: catch this to catch everything domcore raises on purpose."""


class ConfigurationError(DomcoreError):
    """Something the operator wrote cannot be used.

    Args:
        message: what is wrong and what to do about it.
        source: the file, pack or setting it stands in.
        place: where in the source: a line, a rule id, a key.
    """

    def __init__(self, message: str, *, source: str = "", place: str = "") -> None:
        self.message = message
        self.source = source
        self.place = place
        where = ", ".join(part for part in (source, place) if part)
        super().__init__(f"{where}: {message}" if where else message)


@frozen(slots=True)
class Problem:
    """One bad field: a JSON path such as ``$.lines[1].quantity`` and what is wrong with it.

    `message` never repeats the offending value: it may be personal data.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class PayloadError(DomcoreError):
    """Input from outside cannot be accepted. Nothing was changed.

    `problems` lists every bad field (at most `SHOWN` are printed). `again` is false where what it
    is about stands in a page that is pulled or polled, and does not come with that page another
    time: the message says where a person finds it.
    """

    SHOWN = 20

    def __init__(
        self,
        message: str,
        problems: Sequence[Problem] = (),
        *,
        source: str = "",
        again: bool = True,
    ) -> None:
        self.again = again
        self.order: tuple[str, str, int] = ("", "", 0)
        self.message = message
        self.problems = tuple(problems)
        self.source = source
        lines = [f"{source}: {message}" if source else message]
        lines += [f"  {problem}" for problem in self.problems[: self.SHOWN]]
        if len(self.problems) > self.SHOWN:
            lines.append(f"  ... and {len(self.problems) - self.SHOWN} more")
        super().__init__("\n".join(lines))

    def about(self, external_id: str, number: str = "", revision: int = 0) -> Self:
        """The same error, which says of which order it is, so that what came can be kept under its
        name: the channel's id of it, what people call it, its revision (0: not known)."""
        self.order = (external_id, number, revision)
        return self

    @property
    def reason(self) -> str:
        """What is wrong, on one line: the first few problems, or the message."""
        return "; ".join(str(each) for each in self.problems[:5]) or self.message


class SignatureError(PayloadError):
    """A delivery is not signed by anyone we share a secret with."""


class NotFound(DomcoreError):  # noqa: N818 - reads as the outcome it names
    """What was asked for does not exist here."""


class ConflictError(DomcoreError):
    """The same key arrived with other content, or an order changed under a decision."""


class StaleSupply(DomcoreError):  # noqa: N818 - a word of the house
    """Stock that a plan counted on is no longer there. Nothing was written.

    `keys` are the ``(item id, node id)`` pairs that ran short.
    """

    def __init__(self, message: str, keys: Sequence[tuple[int, int]] = ()) -> None:
        super().__init__(message)
        self.keys = tuple(keys)


class StoreReason(StrEnum):
    """Why a store cannot be used; `StoreError.reason`. Decide by this, never by the message."""

    LOCKED = "locked"
    """Somebody else holds the write lock."""
    FULL = "full"
    """No room on the disk, or a quota or limit is reached."""
    IO = "io"
    """The disk, or the network in front of it, reported an error."""
    READ_ONLY = "read_only"
    """The file, its folder or the whole disk may only be read."""
    UNREACHABLE = "unreachable"
    """The file or its folder is not there, or may not be opened: perhaps not mounted."""
    MOVED = "moved"
    """The file was moved or deleted while it was in use."""
    NEWER = "newer"
    """Written by a newer domcore."""
    FOREIGN = "foreign"
    """Another program's file, or no database at all."""
    DAMAGED = "damaged"
    """What it holds cannot be read, or was changed by hand."""
    CLOSED = "closed"
    """It was closed, or opened before a fork."""
    MISUSED = "misused"
    """Called in a way it does not allow: from inside another operation, with a wrong setting."""
    OTHER = "other"
    """Anything else; the message says."""


_PASSING: Final = frozenset(
    (
        StoreReason.LOCKED,
        StoreReason.FULL,
        StoreReason.IO,
        StoreReason.READ_ONLY,
        StoreReason.UNREACHABLE,
        StoreReason.MOVED,
    )
)


class StoreError(DomcoreError):
    """The database cannot be used as it is; the message says why and what to do.

    `reason` says the same as one word. `passing` is true where waiting may help, as with a full
    disk: whoever works in a loop waits and goes on, and everybody else says so and stops.
    """

    def __init__(self, message: str, *, reason: StoreReason = StoreReason.OTHER) -> None:
        super().__init__(message)
        self.reason = reason

    @property
    def passing(self) -> bool:
        """Whether it may be over without anybody touching domcore."""
        return self.reason in _PASSING


class ConnectorError(DomcoreError):
    """A connector failed.

    `unknown` is true where the partner may have accepted the work all the same (a time-out, a
    dropped connection): such work is reconciled before it is tried anywhere else. `retry_after`
    is how many seconds the partner asked to be left alone; None leaves it to the backoff.
    """

    def __init__(
        self, message: str, *, unknown: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.unknown = unknown
        self.retry_after = retry_after


class PluginError(DomcoreError):
    """A plugin raised, or returned what its hook does not allow."""

    def __init__(self, plugin: str, hook: str, message: str) -> None:
        super().__init__(f"plugin {plugin!r}, hook {hook!r}: {message}")
        self.plugin = plugin
        self.hook = hook
