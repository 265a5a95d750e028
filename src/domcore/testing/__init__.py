"""The kit for authors of plugins, packs and stores: suites to subclass, and small worlds to build.

Nothing here is imported by domcore itself; each name loads when it is first used, so a test of a
pack does not pay for the suite of a store.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from domcore.testing.builder import Clock, World
    from domcore.testing.channel_suite import ChannelSuite
    from domcore.testing.connector_suite import ConnectorSuite
    from domcore.testing.handovers import make_handover
    from domcore.testing.pack_suite import PackSuite
    from domcore.testing.server import Call, Exchange, MisbehavingServer, Reply
    from domcore.testing.store_suite import StoreKit, StoreSuite

_HOMES: Final = {
    "Call": "exchange",
    "ChannelSuite": "channel_suite",
    "Clock": "builder",
    "ConnectorSuite": "connector_suite",
    "Exchange": "exchange",
    "MisbehavingServer": "server",
    "PackSuite": "pack_suite",
    "Reply": "exchange",
    "StoreKit": "store_suite",
    "StoreSuite": "store_suite",
    "World": "builder",
    "make_handover": "handovers",
}

__all__ = [
    "Call",
    "ChannelSuite",
    "Clock",
    "ConnectorSuite",
    "Exchange",
    "MisbehavingServer",
    "PackSuite",
    "Reply",
    "StoreKit",
    "StoreSuite",
    "World",
    "make_handover",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'domcore.testing' has no attribute {name!r}")
    return getattr(import_module(f"domcore.testing.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
