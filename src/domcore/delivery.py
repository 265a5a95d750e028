"""Events out: each plugin is handed what it has not seen, in order, at least once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from domcore.plugins import Failure, Implementation

if TYPE_CHECKING:
    from domcore.app import Domcore


@frozen(slots=True)
class WorkReport:
    """What one round of `Domcore.work` did; `failures` name the plugins that could not go on."""

    events: int = 0
    expired: int = 0
    failures: tuple[str, ...] = ()


def deliver_events(dom: Domcore, expired: int, limit: int) -> WorkReport:
    """Hand every plugin at most `limit` events."""
    delivered, failures = 0, list[str]()
    for one in dom.plugins.implementations("handle_event"):
        delivered += _deliver(dom, one, limit, failures)
    return WorkReport(delivered, expired, tuple(failures))


def _deliver(dom: Domcore, one: Implementation, limit: int, failures: list[str]) -> int:
    """Hand one plugin the events it has not seen, up to the first that fails."""
    store, first = dom.store, dom.store.read_cursor(one.plugin)
    last, count = first, 0
    for event in store.events(after=first, limit=limit):
        answer = dom.plugins.attempt(one, "handle_event", {"event": event, "dom": dom})
        if isinstance(answer, Failure):
            failures.append(f"{event.seq}: {answer}")
            break
        last = event.seq
        count += 1
        if not one.builtin:
            store.advance_cursor(one.plugin, last)
    if one.builtin and last > first:
        # Logging an event twice after a crash does no harm; a transaction per event would.
        store.advance_cursor(one.plugin, last)
    return count
