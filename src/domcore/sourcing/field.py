"""The network compiled for planning: node positions, masks, unit vectors, rates."""

from __future__ import annotations

from domcore.model import Network, Node
from domcore.sourcing.distance import unit_vector
from domcore.sourcing.rates import Rates


class Field:
    """One version of the network, ready to plan on.

    A node's position in `nodes` (ascending by id) is its bit in every mask. `node_ids` are the
    store's ids by position, `digest` names the content.

    Raises:
        ConfigurationError: see `Rates`.
    """

    def __init__(
        self, network: Network, node_ids: tuple[int, ...] | None = None, digest: str = ""
    ) -> None:
        self.network = network
        self.nodes: tuple[Node, ...] = network.nodes
        self.node_ids = node_ids if node_ids is not None else tuple(range(len(self.nodes)))
        self.digest = digest
        self.position = {node.id: at for at, node in enumerate(self.nodes)}
        self.by_node_id = {node_id: at for at, node_id in enumerate(self.node_ids)}
        self.vectors = [unit_vector(node.point) for node in self.nodes]
        self.rates = Rates(network)
        self._owner_masks: dict[str, int] = {}

    def owner_mask(self, owner: str) -> int:
        """The enabled nodes that may hold goods of `owner`."""
        mask = self._owner_masks.get(owner)
        if mask is None:
            mask = 0
            for at, node in enumerate(self.nodes):
                if node.enabled and (not node.owners or owner in node.owners):
                    mask |= 1 << at
            self._owner_masks[owner] = mask
        return mask
