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
    from domcore.testing.pack_suite import PackSuite
    from domcore.testing.store_suite import StoreKit, StoreSuite

_HOMES: Final = {
    "ChannelSuite": "channel_suite",
    "Clock": "builder",
    "PackSuite": "pack_suite",
    "StoreKit": "store_suite",
    "StoreSuite": "store_suite",
    "World": "builder",
}

__all__ = ["ChannelSuite", "Clock", "PackSuite", "StoreKit", "StoreSuite", "World"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'domcore.testing' has no attribute {name!r}")
    return getattr(import_module(f"domcore.testing.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
