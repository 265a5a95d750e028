"""Values of filters that nothing answers to: a word on what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domcore.loading.shape import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domcore.app import Domcore


def unknown(dom: Domcore, filters: Mapping[str, str | None]) -> str:
    """``" (no node X is known; did you mean 'Y'?)"`` for filters by names nobody has, or nothing.

    Only a list that came out empty needs to ask.
    """
    parts = [
        f"no {what.replace('sku', 'SKU')} {given} is known{suggestion(given, known)}"
        for what, given in filters.items()
        if given is not None and given not in (known := set(_names(dom, what, given)))
    ]
    return f" ({'; '.join(parts)})" if parts else ""


def _names(dom: Domcore, what: str, given: str) -> Iterable[str]:
    """The names there are of that sort; of SKUs, which may be a million, only the one asked for."""
    if what == "node":
        return [node.id for node in dom.network().nodes]
    if what == "tag":
        return [tag for node in dom.network().nodes for tag in node.tags]
    if what == "owner":
        return dom.settings.owners
    if what == "channel":
        return [channel.name for channel in dom.settings.channels]
    if what == "sku":
        return [sku for owner in dom.settings.owners for sku in dom.store.items(owner, [given])]
    return [given]
