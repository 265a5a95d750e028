"""Networks, items, stock and orders from files, strictly. See ``docs/files.md``."""

from __future__ import annotations

from domcore.loading.apply import (
    Loaded,
    StockFeed,
    check_stock,
    load_items,
    load_network,
    load_stock,
    write_stock,
)
from domcore.loading.aside import BAD_ROWS, Aside, BadRows
from domcore.loading.formats import FORMATS, Source
from domcore.loading.items import read_items
from domcore.loading.network import read_network
from domcore.loading.orders import LoadedOrders, load_orders
from domcore.loading.problems import Problems
from domcore.loading.stock import read_stock

__all__ = [
    "BAD_ROWS",
    "FORMATS",
    "Aside",
    "BadRows",
    "Loaded",
    "LoadedOrders",
    "Problems",
    "Source",
    "StockFeed",
    "check_stock",
    "load_items",
    "load_network",
    "load_orders",
    "load_stock",
    "read_items",
    "read_network",
    "read_stock",
    "write_stock",
]
