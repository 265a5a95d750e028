"""What the program's node tests say of every node, remembered as node masks.

Matched once; when facts of some nodes change only those are matched again, and a node whose
facts turn out the same costs nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from domcore.errors import ConfigurationError
from domcore.model.network import Node
from domcore.rules.attributes import unreadable
from domcore.rules.columns import Column
from domcore.rules.engines.protocol import FlatFact, Matcher
from domcore.rules.pack import PackFact
from domcore.rules.readers import NodeReader

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class NodeState:
    """The nodes of a network as one program sees them. Single-owner: one thread at a time.

    Args:
        nodes: in the network's order; the position of a node is its bit in every mask.
        extra: facts plugins give for nodes, by node id and fact name.
        matcher: the program's node tests, or None when it has none.
        tests: how many those are.
        fields: ``(field, reader)`` of the facts they need.
        columns: the node facts that are compared with something of the order.
        partners: for each activation that may speak of its own nodes only, their ids.
        attributes: the facts the rules read from the nodes' own attributes; what cannot be read of
            them is in `unread`, in words by node position.
    """

    __slots__ = (
        "_column_readers", "_extra", "_facts", "_fields", "_masks", "_matcher", "columns",
        "everywhere", "nodes", "own", "positions", "tests", "unread", "unread_mask",
    )  # fmt: skip

    def __init__(
        self,
        nodes: Sequence[Node],
        extra: Mapping[str, Mapping[str, Any]],
        *,
        matcher: Matcher | None,
        tests: int,
        fields: Sequence[tuple[str, NodeReader]],
        columns: Mapping[str, NodeReader],
        partners: Sequence[tuple[str, ...]],
        attributes: tuple[PackFact, ...] = (),
    ) -> None:
        self.nodes: Final = tuple(nodes)
        self.positions: Final = {node.id: position for position, node in enumerate(self.nodes)}
        self.everywhere: Final = (1 << len(self.nodes)) - 1
        self.own: Final = tuple(self.mask(ids) if ids else self.everywhere for ids in partners)
        self.unread: Final = {
            at: tuple(f"node {node.id}: {why}" for why in told)
            for at, node in enumerate(nodes)
            if (told := unreadable(node.attributes, attributes))
        }
        self.unread_mask: Final = sum(1 << at for at in self.unread)
        self._matcher = matcher
        self._fields = fields
        self._column_readers = columns
        self._extra = {name: facts for name, facts in extra.items() if name in self.positions}
        self._facts: list[FlatFact] = [{} for _ in self.nodes]
        self._masks = [0] * len(self.nodes)
        self.tests = [0] * tests
        self.columns = {
            key: Column(
                {at: read(node, extra.get(node.id, _NOTHING)) for at, node in enumerate(self.nodes)}
            )
            for key, read in columns.items()
        }
        for position, node in enumerate(self.nodes):
            self._facts[position] = self._fact(node, extra.get(node.id, _NOTHING))
        self._match(range(len(self.nodes)))

    def refresh(self, changed: Mapping[str, Mapping[str, Any]]) -> None:
        """Take in new extra facts of some nodes: for each node id, all of them.

        Raises:
            ConfigurationError: a node is not in the network; nothing was changed.
        """
        unknown = [name for name in changed if name not in self.positions]
        if unknown:
            raise ConfigurationError(f"no node {unknown[0]!r} in this network")
        stale = []
        for name, extra in changed.items():
            position = self.positions[name]
            node = self.nodes[position]
            self._extra[name] = extra
            for key, read in self._column_readers.items():
                self.columns[key].put(position, read(node, extra))
            if self._fields:
                fact = self._fact(node, extra)
                if fact != self._facts[position]:
                    self._facts[position] = fact
                    stale.append(position)
        if stale:
            self._match(stale)

    def value(self, read: NodeReader, position: int) -> Any:
        """One fact of one node, as it stands now."""
        node = self.nodes[position]
        return read(node, self._extra.get(node.id, _NOTHING))

    def mask(self, ids: Sequence[str]) -> int:
        """The mask of some nodes; ids that are not in the network have no bit."""
        found = 0
        for name in ids:
            if name in self.positions:
                found |= 1 << self.positions[name]
        return found

    def ids(self, mask: int) -> tuple[str, ...]:
        """The ids of the nodes in a mask, in the network's order."""
        found = []
        while mask > 0:
            low = mask & -mask
            found.append(self.nodes[low.bit_length() - 1].id)
            mask ^= low
        return tuple(found)

    def _fact(self, node: Node, extra: Mapping[str, Any]) -> FlatFact:
        fact = {}
        for name, read in self._fields:
            value = read(node, extra)
            if value is not None:
                fact[name] = value
        return fact

    def _match(self, positions: Sequence[int]) -> None:
        """Match some nodes again and turn the bits that changed."""
        if self._matcher is None or not positions:
            return
        results = self._matcher.match([self._facts[position] for position in positions])
        tests = self.tests
        for position, result in zip(positions, results, strict=True):
            turned = result ^ self._masks[position]
            self._masks[position] = result
            node = 1 << position
            while turned:
                low = turned & -turned
                tests[low.bit_length() - 1] ^= node
                turned ^= low
