"""The application object: owns the store, the plugins and the rules; its methods are verbs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from domcore.builtin import Builtin
from domcore.connecting import Connecting
from domcore.errors import ConfigurationError
from domcore.intake import Intake
from domcore.judges import Judges
from domcore.model.actor import HOST, checked_by
from domcore.opening import open_named_store
from domcore.planning import PlanningKit
from domcore.plugins import Plugins
from domcore.settings import Settings
from domcore.store.protocol import (
    Store,
)
from domcore.telemetry import Telemetry, telemetry_for
from domcore.verbs.correcting import CorrectingVerbs
from domcore.verbs.elsewhere import ElsewhereVerbs
from domcore.verbs.goods import GoodsVerbs
from domcore.verbs.judging import JudgingVerbs
from domcore.verbs.returns import ReturnVerbs
from domcore.verbs.seeing import SeeingVerbs
from domcore.verbs.work import WorkVerbs

if TYPE_CHECKING:
    import sqlite3

    from domcore.doctor import Finding
    from domcore.verify import Violation

BUILTIN = "domcore"


def utc_now() -> datetime:
    """The clock of an application that is given no other."""
    return datetime.now(UTC)


class Domcore(
    GoodsVerbs,
    CorrectingVerbs,
    JudgingVerbs,
    ElsewhereVerbs,
    ReturnVerbs,
    WorkVerbs,
    SeeingVerbs,
):
    """One order management application. Close it, or use it as a context manager.

    Two of them with different plugins and packs live in one process; one is used by one thread at
    a time.

    Args:
        settings: what to do how; the defaults keep a store in ``domcore.db``.
        store: a store to use in place of the one the settings name; it is closed with the
            application.
        plugins: plugin objects by name, besides the installed ones.
        load_plugins: whether installed plugins are loaded, and objects that the settings name.
        clock: returns the time, aware; None is the system's.
        telemetry: where to tell what it does, see `domcore.telemetry`; None follows the settings.
        by: who causes what its verbs do, where a verb or command names nobody; see
            `domcore.model.actor`.

    Raises:
        PayloadError: `by` is no name.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        store: Store | None = None,
        plugins: Mapping[str, object] | None = None,
        load_plugins: bool = True,
        clock: Callable[[], datetime] | None = None,
        telemetry: Telemetry | None = None,
        by: str = HOST,
    ) -> None:
        self._by = checked_by(by)
        self.settings = settings or Settings()
        self._telemetry = telemetry or telemetry_for(self.settings)
        self.plugins = Plugins()
        self.plugins.heard = self._heard
        self.plugins.register(Builtin(), BUILTIN, builtin=True)
        for name, plugin in (plugins or {}).items():
            self.plugins.register(plugin, name)
        if load_plugins:
            self.plugins.load(self.settings)
        self._judges = Judges(self.plugins)
        self._clock = clock or utc_now
        self._inside = False
        self.store = store if store is not None else open_named_store(self.settings, self.plugins)
        self._equip()

    def _heard(self, plugin: str, hook: str) -> None:
        self._telemetry.count("domcore.failures", plugin=plugin, hook=hook)

    def _equip(self) -> None:
        self._kit = PlanningKit(self, self.store, self.plugins, self.settings, joined=self._inside)
        self._intake = Intake(self, self._kit, self.plugins, self.now)
        self._connecting = Connecting(self, self.plugins, self.settings)

    @classmethod
    def open(cls, store: str = "domcore.db", **settings: Any) -> Domcore:
        """Open a store by path or URL; further settings by name, see `Settings`."""
        return cls(Settings(store=store, **settings))

    def close(self) -> None:
        """Close the store. Closing twice is harmless."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def verify(self) -> Iterator[Violation]:
        """Check every invariant of the store; yields what is broken, nothing when all is well."""
        from domcore.verify import verify  # a million rows are not on the routing path

        return verify(self.store)

    def doctor(self) -> list[Finding]:
        """What may hurt here: database, rule engine, plugins, clock, configuration."""
        from domcore.doctor import examine  # looks at everything; nothing else needs it

        return examine(self)

    def turn(self) -> AbstractContextManager[None]:
        """A place in the fair queue of writers, for a transaction of the caller's own on the
        store's file: ``with dom.turn():``, then begin, work, commit. Only SQLite has a queue.

        Raises:
            ConfigurationError: the store has no queue.
            StoreError: the others have taken longer than the time-out.
        """
        turn: Callable[[], AbstractContextManager[None]] | None = getattr(self.store, "turn", None)
        if turn is None:
            raise ConfigurationError("only a SQLite store keeps its writers in a queue")
        return turn()

    @contextmanager
    def joined(self, connection: sqlite3.Connection) -> Iterator[Domcore]:
        """Work inside the caller's SQLite transaction.

        The caller has begun it with the write lock (``BEGIN IMMEDIATE``) on the same database
        file; its commit or rollback decides. Nothing is delivered; the next `work` does that.

        Raises:
            ConfigurationError: the store is not SQLite, this is no `sqlite3.Connection` to its
                file, or the lock is not held.
        """
        own: Any = self.store
        if not hasattr(own, "joined"):
            raise ConfigurationError("only a SQLite store can join a caller's transaction")
        if hasattr(own, "check_same_file"):
            own.check_same_file(connection)
        with own.joined(connection) as store:
            inner = Domcore.__new__(Domcore)
            inner.__dict__.update(self.__dict__)
            inner.store = store
            inner._inside = True
            inner._equip()
            try:
                yield inner
            finally:
                self._kit.forget()
