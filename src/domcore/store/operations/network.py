"""Configuration: networks, items, aliases."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from attrs import evolve

from domcore.codec.stored import Bodies
from domcore.errors import ConfigurationError, PayloadError, Problem
from domcore.model.item import Alias, Item
from domcore.model.network import Network
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.operations.selling import renamed
from domcore.store.operations.waiting import wake_opened
from domcore.store.protocol import StoredNetwork
from domcore.store.rows import ItemRow, NodeRow


def replace_network(
    reader: Reader, changes: Changes, bodies: Bodies, network: Network, before: Network, now: int
) -> StoredNetwork:
    """Store a network. Nodes it no longer names stay while goods or work are there: disabled, and
    without a rate card, which may be gone with them.
    """
    named = {node.id for node in network.nodes}
    if len(named) != len(network.nodes):
        raise ConfigurationError("two nodes have the same id", source="network")
    rows = {row[1]: NodeRow(*row) for row in reader.select("node", "id", sorted(reader.nodes()))}
    known_ids = {row.id for row in rows.values()}
    leaving = [node for node in before.nodes if node.id not in named]
    busy = reader.stocked_nodes() if leaving else set()
    kept = [
        evolve(node, enabled=False, rate_card="") for node in leaving if rows[node.id].id in busy
    ]
    nodes = tuple(sorted((*network.nodes, *kept), key=lambda node: node.id))
    merged = evolve(network, nodes=nodes)
    last_id = reader.last_id("node")
    for node in nodes:
        known = rows.get(node.id)
        gone = int(node.id not in named)
        if known is None:
            last_id += 1
            rows[node.id] = NodeRow(last_id, node.id, gone)
            changes.add("nodes", rows[node.id])
        elif known.gone != gone:
            changes.add("nodes", known._replace(gone=gone))
    for node in leaving:
        if node not in kept and not rows[node.id].gone:
            changes.add("nodes", rows[node.id]._replace(gone=1))
    were_open = {node.id for node in before.nodes if node.enabled}
    opened = {rows[node.id].id for node in nodes if node.enabled and node.id not in were_open}
    wake_opened(reader, changes, opened & known_ids, now)
    body = bodies.network.dump(merged)
    digest = add_blob(reader, changes, "network", body)
    changes.add("network", (1, digest, now))
    return StoredNetwork(merged, tuple(rows[node.id].id for node in nodes), digest)


def add_blob(reader: Reader, changes: Changes, kind: str, body: bytes) -> str:
    """Keep `body` under its SHA-256, once."""
    digest = hashlib.sha256(body).hexdigest()
    if not reader.select("blob", "digest", [digest]):
        changes.add("blobs", (digest, kind, body))
    return digest


def item_changes(
    reader: Reader, bodies: Bodies, owner_id: int, items: Sequence[Item], now: int
) -> Changes:
    """Insert or replace one batch of items; the last of several with one SKU counts."""
    changes = Changes()
    latest = {item.sku: item for item in items}
    known = {row.sku: row for row in reader.items(owner_id, list(latest))}
    last_id = reader.last_id("item")
    for sku, item in latest.items():
        body = bodies.item.dump(item)
        found = known.get(sku)
        if found is None:
            last_id += 1
            changes.add("items", ItemRow(last_id, owner_id, sku, body, now))
        elif found.body != body:
            changes.add("items", found._replace(body=body, saved_at=now))
    return changes


def alias_changes(reader: Reader, owner_id: int, aliases: Sequence[Alias]) -> Changes:
    """Insert or replace one batch of aliases.

    Raises:
        PayloadError: an alias of an item that is not there.
    """
    changes = Changes()
    skus = list({alias.sku for alias in aliases})
    ids = reader.item_ids(owner_id, skus)
    problems = [
        Problem(f"$.aliases[{number}].sku", "no such item")
        for number, alias in enumerate(aliases)
        if alias.sku not in ids
    ]
    if problems:
        raise PayloadError("these aliases cannot be taken in", problems)
    renamed(reader, changes, owner_id, aliases, ids)
    for alias in aliases:
        changes.add("aliases", (owner_id, alias.channel, alias.external_id, ids[alias.sku]))
    return changes
