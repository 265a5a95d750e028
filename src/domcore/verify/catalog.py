"""Checks what all else refers to: owners, nodes, items, blobs; and remembers it compactly."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from typing import Final

import msgspec

from domcore.codec.stored import FORMAT, Bodies
from domcore.errors import StoreError
from domcore.store.rows import AliasRow, BlobRow, ItemRow, NetworkRow, NodeRow, OwnerRow
from domcore.verify.source import Source
from domcore.verify.violation import Violations, broken

NETWORK: Final = "network"
PROGRAM: Final = "program"
PACK: Final = "pack"


class _Pack(msgspec.Struct):
    pack: str


class _Program(msgspec.Struct):
    format: int
    active: list[_Pack]


class Items:
    """Which items there are, whose, and under which SKU: 24 bytes each."""

    def __init__(self) -> None:
        self._ids: Final = array("q")
        self._owners: Final = array("q")
        self._skus: Final = array("q")

    def add(self, item_id: int, owner_id: int, sku: str) -> None:
        """Remember an item; ids must rise."""
        self._ids.append(item_id)
        self._owners.append(owner_id)
        self._skus.append(hash(sku))

    def _place(self, item_id: int) -> int:
        ids, size = self._ids, len(self._ids)
        # Ids are given out one after the other: most stores have no gap.
        place = item_id - ids[0] if size else size
        if not (0 <= place < size and ids[place] == item_id):
            place = bisect_left(ids, item_id)
        return place if place < size and ids[place] == item_id else -1

    def __contains__(self, item_id: int) -> bool:
        return self._place(item_id) >= 0

    def owner_of(self, item_id: int) -> int | None:
        """Whose it is; None where there is no such item."""
        place = self._place(item_id)
        return None if place < 0 else self._owners[place]

    def is_called(self, item_id: int, sku: str) -> bool:
        """Whether the item has this SKU."""
        place = self._place(item_id)
        return place >= 0 and self._skus[place] == hash(sku)


class Catalog:
    """What the other checks look things up in."""

    def __init__(self) -> None:
        self.owners: Final[dict[int, str]] = {}
        self.nodes: Final[dict[int, str]] = {}
        self.items: Final = Items()
        self.blobs: Final[dict[str, str]] = {}
        """Digest -> kind."""
        self.networks: Final[dict[str, tuple[int, ...]]] = {}
        """Digest -> the ids of the network's nodes by position."""
        self._bodies: Final = Bodies()

    def check(self, source: Source) -> Violations:
        """Read and check all of it."""
        for owner in map(OwnerRow._make, source.rows("owner")):
            self.owners[owner.id] = owner.name
        nodes = [NodeRow._make(row) for row in source.rows("node")]
        self.nodes.update((node.id, node.code) for node in nodes)
        if len(set(self.nodes.values())) != len(self.nodes):
            yield broken("network", "node", "two nodes have the same code")
        yield from self._check_blobs(source)
        yield from self._check_network(source, nodes)
        yield from self._check_items(source)
        yield from self._check_aliases(source)

    def _check_blobs(self, source: Source) -> Violations:
        packs: dict[str, str] = {}
        ids = {code: node_id for node_id, code in self.nodes.items()}
        for blob in map(BlobRow._make, source.rows("blob")):
            self.blobs[blob.digest] = blob.kind
            place = f"blob {blob.digest[:12]}"
            if hashlib.sha256(blob.body).hexdigest() != blob.digest:
                yield broken("blob", place, "its content is not what it was stored as")
            if blob.kind == NETWORK:
                yield from self._read_network(blob, ids)
            elif blob.kind == PROGRAM:
                yield from _read_program(blob, packs)
        for digest, program in packs.items():
            if self.blobs.get(digest) != PACK:
                yield broken("blob", f"blob {program[:12]}", f"its pack {digest[:12]} is not kept")

    def _read_network(self, blob: BlobRow, ids: dict[str, int]) -> Violations:
        place = f"blob {blob.digest[:12]}"
        try:
            network = self._bodies.network.load(blob.body)
        except StoreError:
            yield broken("format", place, f"is no network of format {FORMAT}")
            return
        unknown = sorted(node.id for node in network.nodes if node.id not in ids)
        if unknown:
            yield broken("network", place, f"its node {unknown[0]!r} is not known")
        self.networks[blob.digest] = tuple(ids.get(node.id, 0) for node in network.nodes)

    def _check_network(self, source: Source, nodes: list[NodeRow]) -> Violations:
        rows = [NetworkRow._make(row) for row in source.rows(NETWORK)]
        if len(rows) > 1:
            yield broken("network", "network", "there is more than one present network")
        named: set[int] = set()
        for row in rows:
            if self.blobs.get(row.digest) != NETWORK:
                yield broken("network", "network", "the present network is not kept")
            named.update(self.networks.get(row.digest, ()))
        for node in nodes:
            if not node.gone and rows and node.id not in named:
                message = "is marked as present, but the network does not name it"
                yield broken("network", f"node {node.code}", message)

    def _check_items(self, source: Source) -> Violations:
        load = self._bodies.item.load
        for item in map(ItemRow._make, source.rows("item")):
            self.items.add(item.id, item.owner_id, item.sku)
            place = f"item {item.id} ({item.sku})"
            if item.owner_id not in self.owners:
                yield broken("reference", place, "belongs to an owner that is not there")
            try:
                sku = load(item.body).sku
            except StoreError:
                yield broken("format", place, f"its body is no item of format {FORMAT}")
            else:
                if sku != item.sku:
                    yield broken("reference", place, "its body is that of another SKU")

    def _check_aliases(self, source: Source) -> Violations:
        for alias in map(AliasRow._make, source.rows("alias")):
            if self.items.owner_of(alias.item_id) != alias.owner_id:
                place = f"alias {alias.channel}/{alias.external_id}"
                yield broken("reference", place, "means no item of its owner")


def _read_program(blob: BlobRow, packs: dict[str, str]) -> Violations:
    try:
        program = msgspec.json.decode(blob.body, type=_Program)
    except msgspec.MsgspecError:
        program = None
    if program is None or program.format != FORMAT:
        yield broken("format", f"blob {blob.digest[:12]}", f"is no rule program of format {FORMAT}")
        return
    packs.update((each.pack, blob.digest) for each in program.active)
