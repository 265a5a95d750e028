"""What it costs to receive a 30 KB webhook: signature, JSON, structure, commands, intake.

Everything that `Domcore.receive` does is in the clock, up to but without the store: its commit is
measured by `routing.py`. The yardstick is the least anybody could do with the same body in the same
run: check the signature with hmac and read the JSON with msgspec, into plain dicts.

    python benchmarks/receive.py             # a minute
    python benchmarks/receive.py --smoke     # does it still run?

Two bodies, both with their lines repeated up to 30 KB: an order of Shopify's own examples
(`../shared/samples`), most of whose keys nobody reads, and the plugin's test order, which is read
nearly whole.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from measure import machine, median, parser, table

from domcore import Domcore, Settings
from domcore.model import CaptureOrder
from domcore.settings import ChannelSettings
from domcore.store.protocol import Outcome

ROOT: Final = Path(__file__).resolve().parents[1]
PLUGIN: Final = ROOT / "plugins" / "domcore-shopify"
SAMPLE: Final = ROOT.parent / "shared/samples/shopify/rest-2026-07-order-order-1.json"
FIXTURE: Final = PLUGIN / "tests" / "fixtures" / "order_created.json"
SECRET: Final = "a-secret-of-the-app"
SIZE: Final = 30_000
GOAL: Final = 1_000


def main() -> int:
    """Measure, and say whether the goal is met; 1 only where a delivery is not taken in."""
    asked = parser(__doc__).parse_args()
    deliver = _shopify()
    if deliver is None:
        print("domcore-shopify is not installed and not beside this file")
        return 1
    times = 20 if asked.smoke else 400
    rows = []
    for name, body in _bodies().items():
        headers = deliver(body)
        with _application() as dom:
            taken = _taken_in(dom, body, headers)
            assert isinstance(taken, CaptureOrder), taken
            works = [partial(dom.receive, "web", body, headers), partial(_least, body, headers)]
            found = _in_turn(works, times, asked.rounds)
        spent, least = found
        lines = len(taken.order.lines)
        rows.append(
            [name, f"{len(body):,} B", lines, f"{spent:,.0f} us", f"{least:,.0f} us",
             f"{spent / least:.1f}", "yes" if spent < GOAL else "no"]
        )  # fmt: skip
    print(f"CPU of one delivery, without the commit ({machine()})\n")
    heads = ("body", "size", "lines", "receive", "hmac and msgspec", "ratio", f"< {GOAL:,} us")
    table(heads, rows)
    return 0


def _shopify() -> Callable[[bytes], dict[str, str]] | None:
    """What signs a body as the shop does; the plugin is used from the checkout if need be."""
    sys.path.append(str(PLUGIN / "src"))
    try:
        from domcore_shopify.signing import signed_headers  # an optional package
    except ImportError:
        return None
    return lambda body: signed_headers(body, SECRET, topic="orders/create", delivery_id="1")


def _bodies() -> dict[str, bytes]:
    found = {}
    if SAMPLE.exists():
        found["an example of Shopify's"] = _grown(json.loads(SAMPLE.read_bytes())["order"])
    found["the plugin's test order"] = _grown(json.loads(FIXTURE.read_bytes()))
    return found


def _grown(order: dict[str, Any]) -> bytes:
    """The order, live, with its lines repeated under ids of their own up to the size asked for."""
    order |= {"cancelled_at": None, "cancel_reason": None, "test": False, "refunds": []}
    lines = list(order["line_items"])
    while len(text := json.dumps(order, ensure_ascii=False).encode()) < SIZE:
        line = copy.deepcopy(lines[len(order["line_items"]) % len(lines)])
        line["id"] = 90_000_000 + len(order["line_items"])
        order["line_items"].append(line)
    return text


class _NoStore:
    """In place of the store: everything comes in, nothing is written."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.last: CaptureOrder | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def capture(self, commands: Sequence[CaptureOrder], *, now: int) -> list[Outcome]:
        """Remember the last command."""
        self.last = commands[-1]
        return [Outcome("captured", 1) for _ in commands]


def _application() -> Domcore:
    from domcore.store import open_store
    from domcore_shopify import plugin  # an optional package

    settings = Settings(
        store="memory:",
        channels=(ChannelSettings("web", "shopify", "main", {"secrets": [SECRET]}),),
    )
    store: Any = _NoStore(open_store("memory:"))
    return Domcore(settings, store=store, plugins={"shopify": plugin}, load_plugins=False)


def _taken_in(dom: Domcore, body: bytes, headers: Mapping[str, str]) -> Any:
    dom.receive("web", body, headers)
    return dom.store.last  # type: ignore[attr-defined]


def _least(body: bytes, headers: Mapping[str, str]) -> Any:
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
    signed = next(value for name, value in headers.items() if name.lower().endswith("hmac-sha256"))
    if not hmac.compare_digest(base64.b64encode(digest).decode(), signed):
        raise ValueError("not signed")
    return msgspec.json.decode(body)


def _in_turn(works: Sequence[Callable[[], Any]], times: int, rounds: int) -> list[float]:
    """Median CPU microseconds of one call of each; they take turns."""
    spent: list[list[float]] = [[] for _ in works]
    for _ in range(rounds + 1):
        for each, work in zip(spent, works, strict=True):
            started = time.process_time()
            for _ in range(times):
                work()
            each.append((time.process_time() - started) / times * 1e6)
    return [median(each[1:]) for each in spent]


if __name__ == "__main__":
    sys.exit(main())
