"""Deliveries and records that cannot be read: kept for a person, and read again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from domcore.codec.text import is_text
from domcore.errors import NotFound, PayloadError, SignatureError
from domcore.model import AmendOrder, CancelOrder, CaptureOrder, Envelope, ObserveStock, Unreadable
from domcore.store.operations.partly import told_again
from domcore.store.protocol import Outcome, Store
from domcore.store.values import Unread

LONGEST: Final = 300
"""Letters of a reason that are kept, and of an order's names."""

WORD: Final = "unreadable"
"""The outcome of what is kept for a person."""


def unreadable_of(error: PayloadError, command: Any = None) -> Unreadable:
    """What is to be kept where something was refused: a delivery, or a `command` read from it."""
    if isinstance(command, CaptureOrder):
        order = command.order
        return Unreadable(error.reason, order.external_id, order.number, order.revision)
    if isinstance(command, AmendOrder):
        told = (error.reason, command.external_id, "", command.revision)
        return Unreadable(*told, name=command.name)
    if isinstance(command, CancelOrder):
        return Unreadable(error.reason, command.external_id, "", command.revision, name="cancel")
    return Unreadable(error.reason, *error.order)


def unread_of(
    told: Unreadable, task: str, *, envelope: Envelope | None = None, position: str = "",
    place: int = 0,
) -> Unread:  # fmt: skip
    """The same in what a store can keep: whatever a stranger has put into it."""
    revision = told.revision
    if type(revision) is not int or not 0 <= revision < 2**63:
        revision = 0
    return Unread(
        task,
        _text(told.reason) or "it cannot be read",
        _text(told.external_id),
        _text(told.number),
        revision,
        b"" if envelope is None else envelope.body,
        {} if envelope is None else envelope.headers,
        position,
        place,
        _text(told.name),
    )


def keep(
    store: Store, envelope: Envelope, told: Unreadable, now: int, error: PayloadError | None = None
) -> Outcome:
    """Keep a delivery that cannot be read, or not whole.

    Raises:
        PayloadError: so many are kept already that its sender is told instead.
    """
    unread = unread_of(told, f"receive:{envelope.channel}", envelope=envelope)
    kept = store.keep_unread(unread, now=now)
    if kept is None:
        raise error or PayloadError(unread.error, source=envelope.channel)
    return Outcome(WORD, None, f"{unread.error}; kept as {kept[0]}")


def read_again(
    store: Store,
    name: str,
    read: Callable[[Envelope], Sequence[Outcome]],
    observe: Callable[[ObserveStock, str], Outcome],
    now: Any,
) -> bool:
    """Read something that was kept once more; False where nothing was kept.

    Args:
        read: takes a delivery in; where that raises, it stays where it is.
        observe: takes counts in that a task has brought, and keeps what still cannot be.
        now: the time it is read at.

    Raises:
        NotFound: there is no such channel any more.
        PayloadError: it still cannot be read.
    """
    try:
        unread = store.unread(name)
    except NotFound:
        return False  # it may be something else that can be tried again
    if unread is None:
        return False
    way, _, channel = unread.task.partition(":")
    if way != "receive":
        observe(told_again(unread.body), unread.task)
        store.give_up(name, now=0, note="read")
        return True
    try:
        outcomes = read(Envelope(channel, unread.body, unread.headers, now))
    except SignatureError as error:
        raise SignatureError(
            f"{error.message}; have it sent again, then drop this", source=channel
        ) from None
    left = [outcome for outcome in outcomes if outcome.outcome == WORD]
    try:
        store.find_parked(name)
    except NotFound:
        # What still cannot be read has taken its place, under another name.
        gone = True
    else:
        gone = False
    if left:
        raise PayloadError(f"it still cannot be read: {left[0].detail}", source=channel)
    if not gone:
        store.give_up(name, now=0, note="read")
    return True


def _text(value: object) -> str:
    """Text that can be kept; nothing where it is none."""
    return value[:LONGEST] if is_text(value) and isinstance(value, str) else ""
