"""What is odd about the rules of one application: its settings, network and catalog say so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from domcore.model import Network
from domcore.rules.program import Program
from domcore.rules.remarks import (
    Known,
    Remark,
    activation_remarks,
    named_skus,
    remarks_on,
)
from domcore.settings import Settings
from domcore.store.protocol import Store

if TYPE_CHECKING:
    from domcore.app import Domcore


def known_by(
    settings: Settings,
    network: Network | None = None,
    skus: frozenset[str] | None = None,
    never_set: frozenset[str] = frozenset(),
) -> Known:
    """What rules may name. Channels count where some are configured, for hosts may capture orders
    of others; nodes and what they have where there is a network."""
    values = {"order.owner": frozenset(settings.owners)}
    if settings.channels:
        values["order.channel"] = frozenset(each.name for each in settings.channels)
    if network is not None and network.nodes:
        nodes, cards = network.nodes, network.rate_cards
        values["node.id"] = frozenset(node.id for node in nodes)
        values["node.tags"] = frozenset(tag for node in nodes for tag in node.tags)
        values["node.rate_card"] = frozenset(node.rate_card for node in nodes)
        values["node.connector"] = frozenset(node.connector for node in nodes)
        if cards and all(card.services for card in cards):
            values["order.service"] = frozenset(word for card in cards for word in card.services)
    return Known(values, skus, never_set)


def remarks_here(dom: Domcore, programs: Sequence[Program], *, now: datetime) -> list[Remark]:
    """Everything odd about what is activated in one application, and about these programs of it."""
    settings = dom.settings
    skus = look_up(dom.store, settings.owners, programs)
    never_set = dom._kit.programs.all_packs.never_set()
    known = known_by(settings, dom.network(), skus, never_set)
    activations = dom._kit.programs.activations()
    found = activation_remarks(activations, settings.owners.keys(), known)
    for program in programs:
        found += remarks_on(program, known, now)
    return list(dict.fromkeys(found))


def look_up(store: Store, owners: Iterable[str], programs: Iterable[Program]) -> frozenset[str]:
    """The SKUs named by rules that are in the catalog of some owner."""
    named = sorted(named_skus(programs))
    if not named:
        return frozenset()
    return frozenset(sku for owner in owners for sku in store.items(owner, named))
