"""The partners of one application: which connector a name means, and who serves it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domcore.codec.text import is_text
from domcore.contracts import Connector, ReceivesNews
from domcore.errors import ConfigurationError, DomcoreError, PluginError
from domcore.model import Envelope, Notice, ObserveStock
from domcore.plugins import Plugins, describe
from domcore.settings import Settings

HOOK = "register_connectors"


class Connecting:
    """The connectors of one application, asked for once."""

    def __init__(self, dom: Any, plugins: Plugins, settings: Settings) -> None:
        self._dom = dom
        self._plugins = plugins
        self._settings = settings
        self._connectors: dict[str, Connector] | None = None
        self._served_by: dict[str, str] = {}

    def connectors(self) -> dict[str, Connector]:
        """The connectors that plugins serve, by name. Where two plugins serve one name, the first
        by plugin name counts, and the other is named."""
        if self._connectors is None:
            self._connectors = {}
            for plugin, connector in self._plugins.collect(HOOK, Connector, dom=self._dom):
                self._add(plugin, connector)
        return self._connectors

    def _add(self, plugin: str, connector: Connector) -> None:
        name: object = connector.name
        if not isinstance(name, str) or not name or not is_text(name):
            error = ConfigurationError("a connector's name must be a text that is not empty")
            self._plugins.failed(plugin, HOOK, error)
            return
        other = self._served_by.get(name)
        if other is not None:
            message = f"connector {name!r} is served by plugin {other!r} and by plugin {plugin!r}"
            error = ConfigurationError(f"{message}; switch one of them off, or rename one")
            self._plugins.failed(plugin, HOOK, error)
            return
        assert self._connectors is not None
        self._connectors[name] = connector
        self._served_by[name] = plugin

    def plugin_of(self, name: str) -> str:
        """The plugin that serves a connector."""
        return self._served_by.get(name, name)

    def missing(self, name: str) -> str:
        """Why nobody serves a connector, and what to do about it."""
        if not name:
            return "its node names no connector; name one in the network"
        for each in self._settings.connectors:
            if each.name == name:
                return (
                    f"connector {name!r} is of kind {each.kind!r}, and no plugin serves that;"
                    f" install domcore-{each.kind} (see 'domcore plugins')"
                )
        named = ", ".join(sorted(self.connectors())) or "none"
        return (
            f"there is no connector {name!r} (there are: {named});"
            f" add [connectors.{name}] to the project file"
        )

    def receiving(self, name: str) -> ReceivesNews | None:
        """The connector of that name, where it takes deliveries."""
        found = self.connectors().get(name)
        return found if isinstance(found, ReceivesNews) else None

    def read(
        self, name: str, body: bytes, headers: Mapping[str, str], now: datetime
    ) -> list[Notice | ObserveStock]:
        """Have a connector read a delivery.

        Raises:
            SignatureError, PayloadError: as the connector says.
            PluginError: it raised something of its own, or gave something that is no notice.
        """
        served = self.receiving(name)
        assert served is not None
        plugin = self.plugin_of(name)
        lowered = {key.lower(): value for key, value in headers.items()}
        try:
            notices = list(served.receive(Envelope(name, body, lowered, now)))
        except DomcoreError:
            raise
        except Exception as error:
            self._plugins.failed(plugin, HOOK, error)
            message = f"connector {name!r} failed: {describe(error)}"
            raise PluginError(plugin, HOOK, message) from error
        for notice in notices:
            if not isinstance(notice, Notice | ObserveStock):
                message = f"connector {name!r} gave {type(notice).__name__}, no notice"
                raise PluginError(plugin, HOOK, message)
        return notices
