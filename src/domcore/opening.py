"""Opening the store that the settings name, through the hook."""

from __future__ import annotations

from domcore.errors import ConfigurationError, PluginError
from domcore.plugins import Failure, Plugins
from domcore.settings import Settings
from domcore.store.protocol import Store


def open_named_store(settings: Settings, plugins: Plugins) -> Store:
    """The first store that a plugin opens for the setting ``store``.

    Raises:
        ConfigurationError: nobody opens such an address.
        PluginError: a plugin answered with something else.
        StoreError: the built-in store cannot be used.
    """
    url = settings.store
    plain = url.startswith("sqlite:") or (":" not in url and "?" not in url)
    if settings.synchronous != "FULL" and plain:
        url += f"{'&' if '?' in url else '?'}synchronous={settings.synchronous}"
    for one in plugins.implementations("open_store"):
        if one.builtin:
            answer = one({"url": url})
        else:
            answer = plugins.attempt(one, "open_store", {"url": url})
        if isinstance(answer, Failure) or answer is None:
            continue
        if not isinstance(answer, Store):
            raise PluginError(
                one.plugin, "open_store", f"returned {type(answer).__name__}, not a Store"
            )
        return answer
    raise ConfigurationError(f"no plugin opens a store for {url!r}", source="setting store")
