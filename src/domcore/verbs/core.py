"""What every verb stands on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from domcore.connecting import Connecting
from domcore.errors import ConflictError, NotFound, PayloadError, Problem
from domcore.intake import Intake
from domcore.judges import Judges
from domcore.model.clock import to_micros
from domcore.planning import PlanningKit
from domcore.plugins import Plugins
from domcore.settings import Settings
from domcore.store.protocol import Store
from domcore.telemetry import Telemetry


class Core:
    """The parts of one application; `Domcore` puts them together."""

    settings: Settings
    plugins: Plugins
    store: Store
    _clock: Callable[[], datetime]
    _inside: bool
    _by: str
    _telemetry: Telemetry
    _kit: PlanningKit
    _intake: Intake
    _connecting: Connecting
    _judges: Judges

    def now(self) -> datetime:
        """The time by this application's clock, aware UTC."""
        return self._clock().astimezone(UTC)

    @contextmanager
    def acting(self, by: str) -> Iterator[None]:
        """Everything this application does inside the block is caused by `by`; an empty name leaves
        whoever it is now. See `domcore.model.actor` for the form of such names.

        Raises:
            PayloadError: it is no name: too long, or not printable.
        """
        before = self._by
        with self.store.acting(by or before):
            self._by = by or before
            try:
                yield
            finally:
                self._by = before

    def find(self, reference: str, *, owner: str | None = None) -> int:
        """The store's id of the order that people call `reference`.

        Raises:
            NotFound: there is none.
            ConflictError: several orders answer to it.
            PayloadError: it is no text.
        """
        if not isinstance(reference, str):
            problem = Problem("$.order", "must be text: web/1001, 1001, #1001, or id:1")
            raise PayloadError("this names no order", [problem])
        found = self.store.find_order(reference, owner=owner)
        if not found:
            raise NotFound(f"there is no order {reference!r}; {_where_to_look(reference)}")
        if len(found) > 1:
            raise ConflictError(
                f"{len(found)} orders answer to {reference!r}; say channel/external-id or"
                " owner/channel/external-id"
            )
        return found[0]

    def _heed_packs(self, *, at_once: bool) -> None:
        """Take up packs that were edited, and tell so; see `Programs.refresh`."""
        programs = self._kit.programs
        programs.refresh(at_once=at_once)
        change = programs.untold
        if change is None:
            return
        packs = [
            {"name": name, "version": version, "digest": digest}
            for name, version, digest in change.packs
        ]
        told = {"digest": change.digest, "before": change.before, "packs": packs}
        number = int(change.digest[:15], 16)
        self.store.note_rules(digest=number, told=told, now=self._micros())
        programs.untold = None

    def _micros(self) -> int:
        return to_micros(self.now())


def _where_to_look(reference: str) -> str:
    if reference.isascii() and reference.isdigit():
        return f"a bare number is a channel's, the store's own id is written 'id:{reference[:18]}'"
    return "see 'domcore orders'"
