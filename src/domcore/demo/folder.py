"""The demo's folder: a project with its data files, written from a seed."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path
from random import Random
from typing import Final

from attrs import frozen

from domcore.config import PROJECT_FILE
from domcore.demo.catalog import Count, Good, make_goods, make_stock, write_goods, write_stock
from domcore.demo.deliveries import Delivery, make_deliveries, write_deliveries
from domcore.demo.nodes import EXCHANGE
from domcore.errors import ConfigurationError

CHANNEL: Final = "shop"
SECRET: Final = "domcore-demo-secret"
STORE: Final = "domcore.db"
NETWORK: Final = "network.toml"
ITEMS: Final = "items.csv"
STOCK: Final = "stock.csv"
DELIVERIES: Final = "deliveries.jsonl"

_MARK: Final = "# The demo's project file."


@frozen(slots=True)
class DemoFiles:
    """What was written."""

    folder: Path
    goods: tuple[Good, ...]
    counts: tuple[Count, ...]
    deliveries: tuple[Delivery, ...]


def prepare(folder: Path, *, force: bool) -> None:
    """Make the folder; with `force`, remove what an earlier demo left in it.

    Raises:
        ConfigurationError: a demo is there already, or something that is none.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError("is a file; name a folder for the demo", source=str(folder))
    project = folder / PROJECT_FILE
    if project.exists():
        if not project.read_text("utf-8", errors="replace").startswith(_MARK):
            raise ConfigurationError(
                "has a project of its own; name another folder for the demo", source=str(folder)
            )
        if not force:
            raise ConfigurationError(
                "has a demo already; look at it with 'domcore orders' there, or start anew with"
                " --force",
                source=str(folder),
            )
        for file in sorted(folder.glob(f"{STORE}*")):
            file.unlink()
        shutil.rmtree(folder / EXCHANGE.parts[0], ignore_errors=True)
    elif folder.exists() and any(folder.iterdir()):
        raise ConfigurationError("is not empty; name a new folder for the demo", source=str(folder))
    folder.mkdir(parents=True, exist_ok=True)


def write(folder: Path, *, seed: int, orders: int) -> DemoFiles:
    """Write every file of the demo but the store; the same seed writes the same bytes."""
    goods = make_goods(Random(f"{seed}-goods"))
    counts = make_stock(goods, Random(f"{seed}-stock"))
    deliveries = make_deliveries(goods, Random(f"{seed}-orders"), secret=SECRET, orders=orders)
    for name in (NETWORK, PROJECT_FILE):
        text = resources.files("domcore.demo").joinpath(name).read_bytes()
        (folder / name).write_bytes(text)
    write_goods(folder / ITEMS, goods, CHANNEL)
    write_stock(folder / STOCK, counts)
    write_deliveries(folder / DELIVERIES, deliveries)
    return DemoFiles(folder, tuple(goods), tuple(counts), tuple(deliveries))
