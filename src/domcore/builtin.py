"""What domcore itself brings, registered like any plugin and called after all of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from domcore.contracts import Geocoder
from domcore.hookspecs import hookimpl
from domcore.rules.engines.protocol import RuleEngine
from domcore.sourcing.geocoding import UsPostalCodes

if TYPE_CHECKING:
    from domcore.model import Event
    from domcore.store.protocol import Store

_events = logging.getLogger("domcore.events")


class Builtin:
    """Shipped packs, the two rule engines, US postal codes, the two stores, an event log."""

    @hookimpl
    def register_rulesets(self) -> Iterable[str]:
        """The packs that ship with domcore."""
        return [str(file.parent) for file in sorted(shipped_rulesets().glob("*/ruleset.toml"))]

    @hookimpl
    def register_rule_engines(self) -> Iterable[RuleEngine]:
        """``python`` always, ``durable`` where durable_rules imports."""
        from domcore.rules.engines.durable import DurableEngine, available  # the C module loads
        from domcore.rules.engines.python import PythonEngine

        engines: list[RuleEngine] = [PythonEngine()]
        if available()[0]:
            engines.append(DurableEngine())
        return engines

    @hookimpl
    def register_geocoders(self) -> Iterable[Geocoder]:
        """US postal codes."""
        return [UsPostalCodes()]

    @hookimpl
    def open_store(self, url: str) -> Store | None:
        """``memory:``, ``sqlite:`` and plain paths."""
        from domcore.store import open_store  # sqlite3 loads when a store is opened

        return open_store(url)

    @hookimpl
    def handle_event(self, event: Event) -> None:
        """Log each event at INFO on the logger ``domcore.events``."""
        told = {
            "event": event.kind,
            "order": event.order_id,
            "seq": event.seq,
            "by": event.by,
            "node": event.body.get("node"),
            "fulfillment_order": event.body.get("fulfillment_order"),
        }
        _events.info("%s", event.kind, extra=told)


def shipped_rulesets() -> Path:
    """The folder of shipped packs: package data, or the checkout's own folder."""
    packaged = Path(str(resources.files("domcore"))) / "_rulesets"
    if packaged.is_dir():
        return packaged
    return Path(__file__).resolve().parents[2] / "rulesets"
