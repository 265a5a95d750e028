"""Databases with a workload captured and nothing routed yet, made once and copied for each run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workload import Workload

from domcore import Domcore, Settings
from domcore.model import ObserveStock
from domcore.settings import ActivationSettings, RoutingSettings

ROOT = Path(__file__).resolve().parents[1]
RULESETS = ROOT / "rulesets"
PACK = "cost-first"
COUNTS_AT_ONCE = 50_000


def settings_for(
    path: Path | str, *, batch: int = 100, engine: str = "python", packs: bool = True
) -> Settings:
    """``cost-first`` with orders shipped complete, and the durability of the default."""
    complete = ActivationSettings(PACK, parameters={"ship_complete": True})
    return Settings(
        store=str(path),
        engine=engine,
        rulesets=(str(RULESETS),),
        activate=(complete,) if packs else (),
        routing=RoutingSettings(batch=batch),
    )


def open_app(settings: Settings) -> Domcore:
    """An application with no plugins but the built-in ones."""
    return Domcore(settings, load_plugins=False)


def fill(dom: Domcore, work: Workload, orders: int | None = None) -> None:
    """Load the network, items and stock; capture the first `orders`."""
    load(dom, work)
    dom.capture_all(work.orders[:orders])


def load(dom: Domcore, work: Workload) -> None:
    """Load the network, items and stock, in bounded pieces."""
    dom.load_network(work.network)
    dom.load_items(work.items)
    load_stock(dom, work.stock)


def load_stock(dom: Domcore, stock: ObserveStock) -> None:
    """Observe counts, so many to a transaction."""
    for part in pieces(stock, COUNTS_AT_ONCE):
        dom.observe(part)


def pieces(stock: ObserveStock, size: int) -> Iterator[ObserveStock]:
    """The same news in several commands."""
    counts = stock.counts
    for start in range(0, len(counts), size):
        yield ObserveStock(stock.owner, tuple(counts[start : start + size]))


def make_template(folder: Path, work: Workload, orders: int | None = None) -> Path:
    """A closed database with everything captured."""
    path = folder / "captured.db"
    with open_app(settings_for(path)) as dom:
        fill(dom, work, orders)
    return path


@contextmanager
def copy_of(template: Path) -> Iterator[Path]:
    """A copy to route on; gone afterwards."""
    path = template.with_name("run.db")
    shutil.copyfile(template, path)
    try:
        yield path
    finally:
        for end in ("", "-wal", "-shm", ".lock"):
            path.with_name(path.name + end).unlink(missing_ok=True)
