"""Writing what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from domcore.errors import NotFound, Problem
from domcore.model.returns import AuthorizeReturn, ReceiveReturn
from domcore.store.changes import Changes
from domcore.store.operations.inbox import remember, seen_before
from domcore.store.operations.kept_returns import (
    KEPT,
    NO_ORDER,
    NOT_AUTHORIZED,
    NOT_LEFT,
    Identity,
    keep_return,
    kept_before,
)
from domcore.store.operations.returns import TooEarlyError, check_lines
from domcore.store.operations.taking_back import (
    TakingBack,
    arrived_at,
    authorization_digest,
    node_called,
    receipt_digest,
    unmeant,
)
from domcore.store.operations.typed import typed
from domcore.store.protocol import Outcome
from domcore.store.rows import OrderRow
from domcore.store.writing.common import Writes

SOURCE = "return"


class ReturnWrites(Writes):
    """Returns: authorized, received, closed."""

    def authorize_return(
        self,
        command: AuthorizeReturn,
        *,
        now: int,
        about: Mapping[str, Any] | None = None,
        keep: bool = False,
    ) -> Outcome:
        """See `Store.authorize_return`."""
        command = typed(command, AuthorizeReturn, "this return")
        backend, changes = self._backend, Changes(command.by)
        if not command.return_id:
            raise unmeant(Problem("$.return_id", "empty"))
        digest = authorization_digest(command)
        with backend.writing():
            identity, found = self._identity(command, keep=keep)
            order_id = None if found is None else found.id
            back = None
            if found is not None:
                back = TakingBack(backend, changes, self._bodies, found, now)
                repeat = back.repeated(command.return_id, digest)
                if repeat is not None:
                    return repeat
            known = kept_before(backend, identity, command.return_id, digest)
            if keep:
                self._check(command)
                if known:
                    return Outcome("duplicate", order_id, "it was kept before")
            outcome = _authorize(back, command, digest, about or {}, keep=keep)
            if outcome is None:
                keep_return(backend, changes, identity, command, digest, about or {}, now)
                outcome = Outcome(KEPT, order_id, NO_ORDER if back is None else NOT_LEFT)
            backend.apply(changes)
            self._take_up(found, now)
        return outcome

    def receive_return(self, command: ReceiveReturn, *, now: int, keep: bool = False) -> Outcome:
        """See `Store.receive_return`."""
        command = typed(command, ReceiveReturn, "this return")
        backend, changes = self._backend, Changes(command.by)
        at, digest = arrived_at(command, now), receipt_digest(command)
        key = command.key or (digest.hex() if command.at is not None else "")
        with backend.writing():
            identity, found = self._identity(command, keep=keep)
            if key:
                repeat = seen_before(backend, identity[0], SOURCE, key, digest)
                if repeat is not None:
                    return repeat
            back = None
            if found is not None:
                back = TakingBack(backend, changes, self._bodies, found, now)
            if keep and (back is None or back.called(command.return_id) is None):
                self._check(command)
                keep_return(backend, changes, identity, command, digest, {}, now)
                why = NO_ORDER if back is None else NOT_AUTHORIZED
                outcome = Outcome(KEPT, None if found is None else found.id, why)
            else:
                assert back is not None
                outcome = back.receive(command, at)
            if key:
                remember(changes, identity[0], SOURCE, key, digest, outcome, now)
            self._apply(changes, now)
            self._take_up(found, now)
        return outcome

    def _identity(
        self, command: AuthorizeReturn | ReceiveReturn, *, keep: bool
    ) -> tuple[Identity, OrderRow | None]:
        """The order that is meant, and its row where it has come.

        Raises:
            NotFound: it has not, and the command is not to be kept.
        """
        backend = self._backend
        owner_id = self._owner(command.owner) if keep else backend.owner_id(command.owner)
        found = None
        if owner_id is not None:
            found = backend.find_order(owner_id, command.channel, command.external_id)
        if owner_id is None or (found is None and not keep):
            raise NotFound(f"there is no order {command.channel}/{command.external_id}")
        return (owner_id, command.channel, command.external_id), found

    def _check(self, command: AuthorizeReturn | ReceiveReturn) -> None:
        """Refuse what never can be carried out, whatever comes."""
        if not command.return_id:
            raise unmeant(Problem("$.return_id", "empty"))
        if command.lines or not (isinstance(command, ReceiveReturn) and command.close):
            check_lines(command.lines, None)
        if command.node:
            node_called(self._backend, command.node)


def _authorize(
    back: TakingBack | None,
    command: AuthorizeReturn,
    digest: bytes,
    about: Mapping[str, Any],
    *,
    keep: bool,
) -> Outcome | None:
    """What comes of an authorization; with `keep`, None where it is too early.

    Raises:
        TooEarlyError: it is too early, and is not to be kept.
    """
    if back is None or (keep and back.lacks_a_line(line for line, _ in command.lines)):
        return None
    if keep and not command.node:
        command = evolve(command, node=back.shipper())
    try:
        return back.authorize(command, digest, about)
    except TooEarlyError:
        if not keep:
            raise
        return None
