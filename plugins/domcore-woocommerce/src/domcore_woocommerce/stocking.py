"""The stock of a shop's products, a hundred at a time."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from domcore.errors import ConnectorError
from domcore.model import StockLevel
from domcore_woocommerce.api import Api

BATCH: Final = 100
MOST_REMEMBERED: Final = 100_000
_NAME: Final = re.compile(r"product:(\d{1,19})(?:/(\d{1,19}))?", re.ASCII)
_LOGGER = logging.getLogger("domcore_woocommerce")


class Product(NamedTuple):
    """A product, or a variation of one."""

    product: int
    variation: int = 0


class Stocker:
    """Sets stock, which is absolute and so may be set twice.

    Args:
        known: products found by their SKU before; new ones are added to it.
    """

    def __init__(self, api: Api, name: str, known: dict[str, Product]) -> None:
        self._api = api
        self._name = name
        self._known = known

    def publish(self, levels: Sequence[StockLevel]) -> None:
        """Set these levels; what the shop does not sell is passed over.

        Raises:
            ConnectorError: the shop cannot be reached or refuses some of them.
        """
        by_parent: defaultdict[int, dict[int, int]] = defaultdict(dict)
        for level in levels:
            for product in self._products(level):
                parent = product.product if product.variation else 0
                by_parent[parent][product.variation or product.product] = level.available
        for parent, units in sorted(by_parent.items()):
            path = f"products/{parent}/variations/batch" if parent else "products/batch"
            for batch in _batches(sorted(units.items())):
                self._set(path, batch)

    def _products(self, level: StockLevel) -> set[Product]:
        """What the aliases name, or else what has the SKU in the shop."""
        named = (_NAME.fullmatch(each) for each in level.external_ids)
        found = {Product(int(each[1]), int(each[2] or 0)) for each in named if each}
        if found:
            return found
        if level.sku not in self._known:
            product = self._find(level.sku)
            if product is None:
                _LOGGER.info("%s: the shop sells no %s", self._name, level.sku)
                return set()
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[level.sku] = product
        return {self._known[level.sku]}

    def _find(self, sku: str) -> Product | None:
        value = self._api.get("products", {"sku": sku}).value
        for each in value if isinstance(value, list) else ():
            if isinstance(each, dict) and each.get("sku") == sku and type(each.get("id")) is int:
                parent = each.get("parent_id")
                if each.get("type") == "variation" and type(parent) is int and parent:
                    return Product(parent, each["id"])
                return Product(each["id"])
        return None

    def _set(self, path: str, batch: Sequence[tuple[int, int]]) -> None:
        body = {
            "update": [
                {"id": id, "manage_stock": True, "stock_quantity": units} for id, units in batch
            ]
        }
        answer = self._api.post(path, body, repeatable=True).value
        done = answer.get("update") if isinstance(answer, dict) else None
        if not isinstance(done, list):
            raise ConnectorError(f"{self._api.name}: POST {path}: the answer names no products")
        wrong = [each for each in done if isinstance(each, dict) and each.get("error")]
        gone = {str(each.get("id")) for each in wrong if _is_gone(each)}
        refused = sorted({str(each.get("id")) for each in wrong} - gone)
        if gone:
            # They would come again for ever; one that returns is found when its stock moves.
            ids = ", ".join(sorted(gone))
            _LOGGER.warning("%s: the shop has no products %s", self._name, ids)
            self._forget(gone)
        if refused:
            ids = ", ".join(refused)
            raise ConnectorError(f"{self._api.name}: POST {path}: products {ids} were refused")

    def _forget(self, ids: set[str]) -> None:
        for sku, product in list(self._known.items()):
            if str(product.variation or product.product) in ids:
                del self._known[sku]


def _is_gone(each: dict[str, Any]) -> bool:
    error = each.get("error")
    return isinstance(error, dict) and str(error.get("code", "")).endswith("invalid_id")


def _batches(values: Sequence[tuple[int, int]]) -> Iterator[Sequence[tuple[int, int]]]:
    for start in range(0, len(values), BATCH):
        yield values[start : start + BATCH]
