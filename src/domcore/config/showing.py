"""Settings for people: every value, where it came from, no secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from attrs import asdict

from domcore.config.schema import SECTIONS
from domcore.settings import ChannelSettings, ConnectorSettings, Settings

HIDDEN: Final = "****"

_SECRET = re.compile(
    r"secret|token|password|passwd|credential|private|apikey|(?:^|[_-])key$", re.IGNORECASE
)
_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^/@]*@")


class Setting(NamedTuple):
    """One setting: its name, its value with secrets hidden, and where it came from."""

    name: str
    value: Any
    origin: str


def shown(settings: Settings) -> list[Setting]:
    """Every setting in a fixed order."""
    pairs: list[tuple[str, Any]] = [
        ("store", _PASSWORD.sub(rf"\1:{HIDDEN}@", settings.store)),
        ("engine", settings.engine),
        ("rulesets", list(settings.rulesets)),
        ("postal_digits", settings.postal_digits),
        ("synchronous", settings.synchronous),
        ("telemetry", settings.telemetry),
        ("load_plugins", None if settings.plugins is None else list(settings.plugins)),
    ]
    pairs += [(f"owners.{owner}", currency) for owner, currency in settings.owners.items()]
    for section in SECTIONS:
        pairs += _flat(section, asdict(getattr(settings, section)))
    for channel in settings.channels:
        pairs += _flat(f"channels.{channel.name}", _options(channel))
    for connector in settings.connectors:
        pairs += _flat(f"connectors.{connector.name}", _options(connector))
    for index, activation in enumerate(settings.activate):
        given = {name: value for name, value in asdict(activation).items() if value}
        pairs += _flat(f"activate[{index}]", given)
    for plugin, options in settings.plugin_options.items():
        pairs += _flat(f"plugins.{plugin}", options)
    return [Setting(name, value, settings.origins.get(name, "default")) for name, value in pairs]


def _options(each: ChannelSettings | ConnectorSettings) -> dict[str, Any]:
    """Our settings of a channel or connector, then its plugin's."""
    table = asdict(each)
    options: dict[str, Any] = table.pop("options")
    return {name: value for name, value in table.items() if name != "name"} | options


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for inner, each in value.items():
            yield from _flat(f"{name}.{inner}", each)
    elif _SECRET.search(name.rpartition(".")[2]):
        yield name, _hidden(value)
    else:
        yield name, list(value) if isinstance(value, tuple) else value


def _hidden(value: Any) -> Any:
    """A secret as it may be shown: the variable it stands in, or nothing of it."""
    if isinstance(value, list | tuple):
        return [_hidden(each) for each in value]
    named = isinstance(value, str) and value.startswith("env:")
    return value if named else HIDDEN
