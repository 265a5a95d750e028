"""domcore: an embeddable distributed order management framework."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

__version__ = "0.1.0"

if TYPE_CHECKING:
    from domcore.app import Domcore
    from domcore.errors import (
        ConfigurationError,
        ConflictError,
        ConnectorError,
        DomcoreError,
        NotFound,
        PayloadError,
        PluginError,
        SignatureError,
        StaleSupply,
        StoreError,
        StoreReason,
    )
    from domcore.hookspecs import hookimpl
    from domcore.settings import (
        ActivationSettings,
        ChannelSettings,
        ConnectorSettings,
        ReturnSettings,
        RoutingSettings,
        Settings,
        StockSettings,
        WorkSettings,
    )

_HOMES: Final = {
    "ActivationSettings": "settings",
    "ChannelSettings": "settings",
    "ConfigurationError": "errors",
    "ConflictError": "errors",
    "ConnectorError": "errors",
    "ConnectorSettings": "settings",
    "Domcore": "app",
    "DomcoreError": "errors",
    "NotFound": "errors",
    "PayloadError": "errors",
    "PluginError": "errors",
    "ReturnSettings": "settings",
    "RoutingSettings": "settings",
    "Settings": "settings",
    "SignatureError": "errors",
    "StaleSupply": "errors",
    "StockSettings": "settings",
    "StoreError": "errors",
    "StoreReason": "errors",
    "WorkSettings": "settings",
    "hookimpl": "hookspecs",
}

__all__ = [
    "ActivationSettings",
    "ChannelSettings",
    "ConfigurationError",
    "ConflictError",
    "ConnectorError",
    "ConnectorSettings",
    "Domcore",
    "DomcoreError",
    "NotFound",
    "PayloadError",
    "PluginError",
    "ReturnSettings",
    "RoutingSettings",
    "Settings",
    "SignatureError",
    "StaleSupply",
    "StockSettings",
    "StoreError",
    "StoreReason",
    "WorkSettings",
    "__version__",
    "hookimpl",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that importing domcore costs next to nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'domcore' has no attribute {name!r}")
    value = getattr(import_module(f"domcore.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
