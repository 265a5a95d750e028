"""Makes a store for `test_released.py`, in a checkout of a released version of domcore:

    python make.py CHECKOUT schema-2

writes ``schema-2.db.gz`` and, beside it, what that version said of it as ``schema-2.json``. It is
run once for a version, with that version installed, and what it has written is never made again.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import random
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from domcore import ConflictError, Domcore
from domcore.store.protocol import StockFilter

STEPS = (
    "capture", "capture", "capture", "amend", "cancel", "route", "route", "reserve", "differ",
    "cart", "keep", "free", "approve", "count", "delta", "hand_over", "hand_over", "notice",
    "notice", "give_back", "receive", "erase",
)  # fmt: skip


def again(dom: Domcore, external_id: str) -> str:
    """What becomes of an order's present revision when it comes a second time."""
    try:
        return dom.capture(dom.order(f"web/{external_id}").order).outcome
    except ConflictError:
        return "conflict"  # lines were amended, so this is not what the channel had said


def main(checkout: Path, name: str) -> None:
    spec = importlib.util.spec_from_file_location("shop", checkout / "tests/verify/conftest.py")
    life = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(life)
    here, random_ = Path(__file__).parent, random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "shop.db"
        shop = life.Shop(str(store))
        shop.live(life.BUSY_LIFE)
        shop.live(
            (
                random_.choice(STEPS),
                random_.randrange(40),
                random_.randrange(8),
                random_.randrange(10),
            )
            for _ in range(300)
        )
        assert not list(shop.dom.verify())
        said = {
            "orders": {
                order.external_id: [order.status, list(order.buckets)]
                for order in shop.dom.orders(limit=1000)
            },
            "stock": {
                f"{row.sku} {row.node}": list(row[3:7])
                for row in shop.dom.store.find_stock(StockFilter(), limit=1000)
            },
            "now": shop.clock().isoformat(),
        }
        copy = Path(folder) / "copy.db"
        with closing(sqlite3.connect(store)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        said["repeats"] = {
            order.external_id: again(shop.dom, order.external_id)
            for order in shop.dom.orders(limit=1000)
        }
        shop.dom.close()
        (here / f"{name}.db.gz").write_bytes(gzip.compress(copy.read_bytes(), mtime=0))
        text = json.dumps(said, indent=1, sort_keys=True)
        (here / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
