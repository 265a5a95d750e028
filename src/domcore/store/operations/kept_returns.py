"""Returns that come before what they need: kept, and carried out when that has come.

Channels tell of a refund and of a parcel in messages of their own, which may overtake each other. A
return of goods of which nobody has said yet that they have left is kept with what it says, and so
is one whose order, or whose authorization, is still to come. Whatever brings that takes it up in
the same transaction, in the order of arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from attrs import evolve

from domcore.codec.stored import Bodies
from domcore.errors import ConflictError, NotFound, PayloadError, StoreError, StoreReason
from domcore.model.clock import from_micros, to_micros
from domcore.model.returns import AuthorizeReturn, ReceiveReturn
from domcore.store.backend import Backend, Reader
from domcore.store.changes import Changes
from domcore.store.kept_rows import APPLIED, AUTHORIZE, DROPPED, RECEIVE, WAITS
from domcore.store.operations.taking_back import TakingBack, arrived_at
from domcore.store.rows import KeptReturnRow, OrderRow
from domcore.store.values import Parked

PREFIX: Final = "return/"
"""Before the number of a kept command: what people call it."""

KEPT: Final = "kept"
"""What is answered to who told it."""

NO_ORDER: Final = "until the order comes"
NOT_LEFT: Final = "until there is news that the goods have left"
NOT_AUTHORIZED: Final = "until the return is authorized"

Identity = tuple[int, str, str]
"""(owner id, channel, external id)"""


class Said(msgspec.Struct, frozen=True):
    """What a kept command says. `lines` are ``[line id, units]``, of a receipt with the condition;
    `at` is microseconds since 1970; `about` goes into the event."""

    lines: list[Any]
    node: str
    reason: str
    at: int | None
    close: bool
    key: str
    by: str
    about: dict[str, Any]


def kept_name(row: KeptReturnRow) -> str:
    """What people call it: ``return/7``."""
    return f"{PREFIX}{row.id}"


def read_kept(row: KeptReturnRow, owner: str) -> tuple[AuthorizeReturn | ReceiveReturn, Said]:
    """The command as it came, and all that is kept with it.

    Raises:
        StoreError: it is damaged.
    """
    order = (owner, row.channel, row.external_id, row.name)
    try:
        said = msgspec.json.decode(row.body, type=Said)
        if row.kind == AUTHORIZE:
            units = msgspec.convert(said.lines, type=tuple[tuple[str, int], ...])
            asked = (said.node, said.reason, said.key, said.by)
            return AuthorizeReturn(*order, units, *asked), said
        arrived = msgspec.convert(said.lines, type=tuple[tuple[str, int, str], ...])
        at = None if said.at is None else from_micros(said.at)
        return ReceiveReturn(
            *order, arrived, said.node, at, close=said.close, key=said.key, by=said.by
        ), said
    except (msgspec.MsgspecError, OverflowError, ValueError):
        raise StoreError(
            "a kept return is damaged; run `domcore verify`", reason=StoreReason.DAMAGED
        ) from None


def waiting_returns(reader: Reader, identity: Identity) -> list[KeptReturnRow]:
    """What is kept for an order and waits, as it came."""
    rows = reader.select("kept_return", "external_id", [identity[2]])
    found = map(KeptReturnRow._make, rows)
    return [row for row in found if row[1:4] == identity and row.settled == WAITS]


def kept_before(reader: Reader, identity: Identity, name: str, digest: bytes) -> bool:
    """Whether the authorization of this return was kept before, or has been given up.

    Raises:
        ConflictError: another content waits under its name.
    """
    rows = reader.select("kept_return", "external_id", [identity[2]])
    for row in map(KeptReturnRow._make, rows):
        if (row[1:4], row.name, row.kind) == (identity, name, AUTHORIZE):
            if row.digest == digest and row.settled != APPLIED:
                return True
            if row.settled == WAITS:
                raise ConflictError(
                    f"return {name!r} came before with other content, and is kept;"
                    f" 'domcore drop {kept_name(row)}' gives that up"
                )
    return False


def keep_return(
    backend: Backend,
    changes: Changes,
    identity: Identity,
    command: AuthorizeReturn | ReceiveReturn,
    digest: bytes,
    about: Mapping[str, Any],
    now: int,
) -> None:
    """Keep a command."""
    kind = AUTHORIZE if isinstance(command, AuthorizeReturn) else RECEIVE
    at = getattr(command, "at", None)
    said = Said(
        list(command.lines),
        command.node,
        getattr(command, "reason", ""),
        None if at is None else to_micros(at),
        bool(getattr(command, "close", False)),
        command.key,
        changes.by or backend.acting.by,
        dict(about),
    )
    number = backend.last_id("kept_return") + 1
    body = msgspec.json.encode(said)
    row = (number, *identity, command.return_id, kind, now, digest, body, None, WAITS)
    changes.add("kept_returns", KeptReturnRow(*row))


def take_up(
    reader: Reader,
    bodies: Bodies,
    found: OrderRow,
    now: int,
    apply: Callable[[Changes], None],
) -> int:
    """Carry out what is kept for an order and can be by now; how many commands.

    Each success may be what another waits for, so the oldest is looked at again after it.

    Args:
        apply: writes what one command changes.
    """
    waiting = waiting_returns(reader, found[1:4])
    owner = reader.owners()[found.owner_id] if waiting else ""
    done = 0
    while waiting:
        for place, row in enumerate(waiting):
            changes = _carried_out(reader, bodies, found, row, owner, now)
            if changes is not None:
                changes.add("set_kept_returns", (now, APPLIED, row.id))
                apply(changes)
                del waiting[place]
                done += 1
                break
        else:
            break
    return done


def _carried_out(
    reader: Reader, bodies: Bodies, found: OrderRow, row: KeptReturnRow, owner: str, now: int
) -> Changes | None:
    """What a command changes; None while it cannot be carried out."""
    command, said = read_kept(row, owner)
    changes = Changes(said.by)
    back = TakingBack(reader, changes, bodies, found, now)
    try:
        if isinstance(command, ReceiveReturn):
            back.receive(command, min(arrived_at(command, row.came_at), now))
        elif back.repeated(command.return_id, row.digest) is None:
            if not command.node:
                command = evolve(command, node=back.shipper())
            back.authorize(command, row.digest, said.about)
    except (ConflictError, NotFound, PayloadError):
        return None
    return changes


# --- for people ---------------------------------------------------------------------------------


def kept_for_long(reader: Reader, before: int) -> list[Parked]:
    """What has waited since `before`."""
    rows = map(KeptReturnRow._make, reader.select("kept_return", "settled", [WAITS]))
    return [shown(reader, row) for row in rows if row.came_at <= before]


def shown(reader: Reader, row: KeptReturnRow) -> Parked:
    """A kept command for a person."""
    known = reader.find_order(*row[1:4])
    what = "return" if row.kind == AUTHORIZE else "receipt of return"
    if known is None:
        why = "its order has not come"
    elif row.kind == RECEIVE and not _is_authorized(reader, known, row.name):
        why = "that return is not authorized"
    elif row.kind == RECEIVE:
        why = "that return waits for fewer units, or is closed"
    else:
        why = "nobody has said that so many units have left"
    note = f"{what} {row.name} of {row.channel}/{row.external_id} is kept: {why}"
    order_id = None if known is None else known.id
    return Parked(kept_name(row), "return", order_id, note, 0, row.came_at, False, kept=True)


def _is_authorized(reader: Reader, known: OrderRow, name: str) -> bool:
    return any(row[2] == name for row in reader.select("return_order", "order_id", [known.id]))


def find_kept(reader: Reader, name: str) -> KeptReturnRow | None:
    """The command that waits under this name."""
    number = name.removeprefix(PREFIX)
    if not (name.startswith(PREFIX) and number.isascii() and number.isdigit() and len(number) < 19):
        return None
    rows = map(KeptReturnRow._make, reader.select("kept_return", "id", [int(number)]))
    return next((row for row in rows if row.settled == WAITS), None)


def give_up_kept(changes: Changes, row: KeptReturnRow, now: int) -> None:
    """A person says that it is never going to be carried out."""
    changes.add("set_kept_returns", (now, DROPPED, row.id))
