"""Items that have no weight where a rate card needs one."""

from __future__ import annotations

from collections.abc import Iterator

from domcore.codec.stored import Bodies
from domcore.explanation import unweighed_text
from domcore.model import Network
from domcore.sourcing.rates import Rates
from domcore.store.protocol import Store
from domcore.store.rows import ItemRow


def unweighed(store: Store, network: Network) -> Iterator[tuple[str, str]]:
    """``(owner, what there is to say)``, for each owner with such items. Reads every item."""
    rates = Rates(network)
    nodes = [each for each in network.nodes if each.enabled and rates.by_weight(each.rate_card)]
    if not nodes:
        return
    load = Bodies().item.load
    owners = {row[0]: row[1] for row in store.audit("owner")}
    missing: dict[str, list[str]] = {}
    for row in map(ItemRow._make, store.audit("item")):
        if not load(row.body).weight:
            missing.setdefault(owners.get(row.owner_id, ""), []).append(row.sku)
    for owner, skus in sorted(missing.items()):
        cards = [each.rate_card for each in nodes if not each.owners or owner in each.owners]
        if cards:
            yield (
                owner,
                f"{unweighed_text(min(cards), skus)}: their parcels seem cheaper than they are",
            )
