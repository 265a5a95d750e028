"""One round of work: what its parts share, and how plugins are called in it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from attrs import define, field, frozen

from domcore.errors import ConnectorError, DomcoreError, StoreError
from domcore.plugins import Plugins, describe
from domcore.working.backoff import wait
from domcore.working.report import Tally

if TYPE_CHECKING:
    from domcore.app import Domcore

_log = logging.getLogger("domcore.work")

SECOND: Final = 1_000_000
MOST_WORDS: Final = 300
"""Letters of an error that are kept."""

TRIPPED: Final = 5
"""After so many failures in a row a partner is left alone for the rest of the round."""


@frozen(slots=True)
class Trouble:
    """A call that did not work out.

    Args:
        words: what happened, without what a stranger's exception says: it may be personal data.
        unknown: whether it may have been done all the same.
        retry_after: seconds the partner asked to be left alone; not checked.
    """

    words: str
    unknown: bool = True
    retry_after: object = None


@define
class Round:
    """The application, how much may be done, and what has been done so far."""

    dom: Domcore
    limit: int
    stopped: Callable[[], bool]
    tally: Tally = field(factory=Tally)
    failing: dict[str, int] = field(factory=dict)
    """Connector or consumer -> failures in a row."""

    def now(self) -> int:
        """The time, in microseconds."""
        return self.dom._micros()

    def lease_end(self) -> int:
        """When a lease taken now ends."""
        return self.now() + self.dom.settings.work.lease_seconds * SECOND

    def half_over(self, until: int) -> bool:
        """Whether so little of a lease is left that nothing long should be begun under it."""
        return self.now() > until - self.dom.settings.work.lease_seconds * SECOND // 2

    def retry_at(self, key: str, attempts: int, retry_after: object = None) -> int:
        """When something that failed is tried again."""
        settings = self.dom.settings
        seed = settings.routing.seed
        return self.now() + wait(settings.work, seed, key, attempts, retry_after)

    def went(self, name: str, *, well: bool) -> None:
        """Remember how a partner's last call went."""
        self.failing[name] = 0 if well else self.failing.get(name, 0) + 1

    def tripped(self, name: str) -> bool:
        """Whether a partner has failed so often that it is left alone."""
        return self.failing.get(name, 0) >= TRIPPED


def call(
    plugins: Plugins, plugin: str, hook: str, function: Callable[..., Any], *given: Any
) -> Any:
    """Call a plugin's object; whatever it raises comes back as `Trouble`, all but Ctrl-C."""
    try:
        return function(*given)
    except KeyboardInterrupt:
        raise
    except ConnectorError as error:
        told = {"event": "connector.failed", "plugin": plugin, "hook": hook}
        _log.info("%s: %s", plugin, describe(error), extra=told)
        return Trouble(words_of(error), bool(error.unknown), error.retry_after)
    except Exception as error:
        plugins.failed(plugin, hook, error)
        return Trouble(words_of(error))
    except BaseException as error:
        plugins.failed(plugin, hook, RuntimeError(describe(error)))
        return Trouble(words_of(error))


def words_of(error: BaseException) -> str:
    """An error as it may be kept: what domcore's own say holds no personal data by contract; of
    others only the kind is told."""
    words = describe(error) if isinstance(error, DomcoreError) else type(error).__name__
    return words[:MOST_WORDS]


def refused(error: DomcoreError) -> str:
    """Why something could not be taken in, in words; a store that fails is nobody's fault here.

    Raises:
        StoreError: it is the store's.
    """
    if isinstance(error, StoreError):
        raise error
    return words_of(error)
