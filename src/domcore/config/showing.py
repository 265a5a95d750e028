"""Settings for people: every value, where it came from, no secrets."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from attrs import asdict

from domcore.config.schema import SECTIONS
from domcore.plugin_sources import OBJECT
from domcore.settings import ChannelSettings, ConnectorSettings, Settings

HIDDEN: Final = "****"

_USER = re.compile(r"(?<=://)([^\s/@:]*:)?\S*@")
_QUERY = re.compile(r"([?&](?!synchronous=|busy_timeout=)[^=&\s#]*=)[^&\s#]*")


class Setting(NamedTuple):
    """One setting: its name, its value with secrets hidden, and where it came from."""

    name: str
    value: Any
    origin: str


def shown(
    settings: Settings, plain: Mapping[str, Collection[str]] = MappingProxyType({})
) -> list[Setting]:
    """Every setting in a fixed order.

    Args:
        plain: by plugin, which of its settings may be shown (hook `plain_settings`). All its
            others are hidden, except what is true or false, and the names of variables that hold
            a secret (``env:NAME``).
    """
    pairs: list[tuple[str, Any]] = [
        ("store", settings.store),
        ("engine", settings.engine),
        ("rulesets", list(settings.rulesets)),
        ("postal_digits", settings.postal_digits),
        ("synchronous", settings.synchronous),
        ("telemetry", settings.telemetry),
        ("load_plugins", None if settings.plugins is None else list(settings.plugins)),
    ]
    pairs += [(f"owners.{owner}", currency) for owner, currency in settings.owners.items()]
    for index, rate in enumerate(settings.exchange_rates):
        told = f"1 {rate.source} is {rate.rate} {rate.target} since {rate.since.isoformat()}"
        pairs.append((f"exchange_rate[{index}]", told))
    for section in SECTIONS:
        pairs += _flat(section, asdict(getattr(settings, section)))
    for channel in settings.channels:
        pairs += _served(f"channels.{channel.name}", channel, plain)
    for connector in settings.connectors:
        pairs += _served(f"connectors.{connector.name}", connector, plain)
    for index, activation in enumerate(settings.activate):
        given = {name: value for name, value in asdict(activation).items() if value}
        pairs += _flat(f"activate[{index}]", given)
    for plugin, options in settings.plugin_options.items():
        pairs += _foreign(f"plugins.{plugin}", options, {OBJECT, *plain.get(plugin, ())})
    origins = settings.origins
    return [
        Setting(name, _without_passwords(value), _origin(name, origins)) for name, value in pairs
    ]


def _origin(name: str, origins: Mapping[str, str]) -> str:
    """Where a setting stands: that of a table that is shown as one is its first value's."""
    if name in origins:
        return origins[name]
    inner = (where for path, where in origins.items() if path.startswith((f"{name}.", f"{name}[")))
    return next(inner, "default")


def _served(
    name: str, each: ChannelSettings | ConnectorSettings, plain: Mapping[str, Collection[str]]
) -> Iterator[tuple[str, Any]]:
    """Our settings of a channel or connector, then its plugin's."""
    table = asdict(each)
    options: dict[str, Any] = table.pop("options")
    yield from _flat(name, {key: value for key, value in table.items() if key != "name"})
    yield from _foreign(name, options, plain.get(each.kind, ()))


def _foreign(
    name: str, options: Mapping[str, Any], plain: Collection[str]
) -> Iterator[tuple[str, Any]]:
    """A plugin's settings; what it does not call plain is hidden, names of tables and all."""
    for key, value in options.items():
        if key in plain:
            yield from _flat(f"{name}.{key}", value)
        else:
            yield f"{name}.{key}", _hidden(value)


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for inner, each in value.items():
            yield from _flat(f"{name}.{inner}", each)
    else:
        yield name, list(value) if isinstance(value, tuple) else value


def _hidden(value: Any) -> Any:
    """What may be a secret as it may be shown: the variable it stands in, or nothing of it."""
    if isinstance(value, list | tuple):
        return [_hidden(each) for each in value]
    named = isinstance(value, str) and value.startswith("env:")
    return value if named or isinstance(value, bool) else HIDDEN


def _without_passwords(value: Any) -> Any:
    """The user of a URL, and what it is asked, may be secrets wherever the URL stands."""
    if isinstance(value, list):
        return [_without_passwords(each) for each in value]
    if not isinstance(value, str) or "://" not in value:
        return value
    return _QUERY.sub(rf"\1{HIDDEN}", _USER.sub(rf"\1{HIDDEN}@", value))
