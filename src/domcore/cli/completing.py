"""What the shell offers for a word that is begun: orders, nodes, channels, owners, packs.

Completion says nothing rather than something wrong: whatever goes amiss, there is nothing to offer.
It changes nothing, so a store that would have to be migrated is left alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import click
from click.shell_completion import CompletionItem

from domcore.cli.invocation import invocation_of
from domcore.config import store_file

if TYPE_CHECKING:
    from domcore.app import Domcore
    from domcore.settings import Settings

MOST: Final = 30
"""Names that are offered for one word."""

Names = Iterable[tuple[str, str]]
"""What may be typed, and what it is."""


def _orders(dom: Domcore, begun: str) -> Iterator[tuple[str, str]]:
    from domcore.store.protocol import OrderFilter  # completing must start fast without a store

    words = (begun.rpartition("/")[2],) if begun.rpartition("/")[2] else ()
    for order in dom.orders(OrderFilter(words=words), limit=MOST, newest=True):
        names = (f"{order.channel}/{order.external_id}", order.external_id, order.number)
        name = next((name for name in names if name.startswith(begun)), "")
        if name:
            yield name, f"{order.number} {order.status}".strip()


def _nodes(dom: Domcore, _: str) -> Names:
    return ((node.id, node.kind) for node in dom.network().nodes)


def _channels(dom: Domcore, _: str) -> Names:
    return ((channel.name, channel.kind) for channel in dom.settings.channels)


def _owners(dom: Domcore, _: str) -> Names:
    return dom.settings.owners.items()


def _packs(dom: Domcore, _: str) -> Names:
    return ((info.name, info.pack.version if info.pack else info.error) for info in dom.packs())


_FINDERS: Final[Mapping[str, Callable[[Domcore, str], Names]]] = {
    "order": _orders,
    "orders": _orders,
    "work": _orders,
    "node": _nodes,
    "to": _nodes,
    "why_not": _nodes,
    "channel": _channels,
    "owner": _owners,
    "packs": _packs,
}
"""By the name of the parameter."""


class Named(click.types.StringParamType):
    """A text that names something in the project."""

    def __init__(self, finder: Callable[[Domcore, str], Names]) -> None:
        self._finder = finder

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The names that begin so, at most `MOST`."""
        del param
        try:
            found = list(self._offered(ctx, incomplete))
        except Exception:
            return []
        return found[:MOST]

    def _offered(self, ctx: click.Context, begun: str) -> Iterator[CompletionItem]:
        run = invocation_of(ctx.params)
        if not _is_ready(run.settings):
            return
        with run.open() as dom:
            for name, what in self._finder(dom, begun):
                if name.startswith(begun) and name.isprintable():
                    yield CompletionItem(name, help=what if what.isprintable() else "")


def _is_ready(settings: Settings) -> bool:
    """Whether opening the store would change nothing."""
    from domcore.store.sqlite.version import is_current

    file = store_file(settings.store)
    if file is None:
        return True
    if not file.exists():
        return False
    with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as connection:
        return is_current(connection, str(file))


def complete_names(command: click.Command) -> None:
    """Have the parameters of a command complete by what they name."""
    for param in command.params:
        finder = _FINDERS.get(param.name or "")
        if finder is not None and type(param.type) is click.types.StringParamType:
            param.type = Named(finder)
