"""Reading the project file, the environment and flags into `Settings`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from domcore.config.schema import PROJECT, SECTIONS, variables
from domcore.errors import ConfigurationError
from domcore.loading.shape import Cell, Faults
from domcore.loading.toml_places import TomlFile, parse_toml, read_toml
from domcore.model import ExchangeRate
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

PROJECT_FILE: Final = "domcore.toml"
CONFIG_VARIABLE: Final = "DOMCORE_CONFIG"
SQLITE: Final = "sqlite:///"

_STEPS = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def find_project(start: Path) -> Path | None:
    """The nearest project file, in `start` or a folder above it."""
    for folder in (start, *start.parents):
        candidate = folder / PROJECT_FILE
        if candidate.is_file():
            return candidate
    return None


def read_settings(
    *,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, str] | None = None,
    start: Path | None = None,
) -> Settings:
    """All settings, each with its origin.

    Args:
        config: the project file; None looks in the environment, then for the nearest one.
        environ: the environment's variables.
        flags: values by setting, as texts, that beat everything else.
        start: where to look from; None is the current folder. Paths in a project file are of its
            folder, wherever the process runs.

    Raises:
        ConfigurationError: a setting is unknown or wrong; says where it stands.
    """
    environ = environ or {}
    here = (start or Path.cwd()).absolute()
    if config is None and environ.get(CONFIG_VARIABLE):
        config = Path(environ[CONFIG_VARIABLE])
    found = here / config if config is not None else find_project(here)
    file = read_toml(found) if found else parse_toml("", PROJECT_FILE)
    root = found.parent if found else here
    values, origins = _from_file(file)
    if found:
        _rooted(values, root)
    for variable, (name, field) in variables().items():
        if variable in environ:
            _override(values, name, _read(field.read, environ[variable], variable))
            origins[name] = variable
    if "DOMCORE_RULESETS" in environ:
        values["rulesets"] = tuple(str(here / each) for each in values["rulesets"])
    fields = dict(variables().values())
    for name, text in (flags or {}).items():
        flag = f"--{name.replace('_', '-')}"
        _override(values, name, _read(fields[name].read, text, flag))
        origins[name] = f"flag {flag}"
    return _settings(values, origins, root)


def _read(read: Any, text: str, source: str) -> Any:
    try:
        return read(Cell(text))
    except ValueError as error:
        raise ConfigurationError(str(error), source=source) from None


def _override(values: dict[str, Any], name: str, value: Any) -> None:
    outer, _, inner = name.partition(".")
    if inner:
        values[outer] = {**values[outer], inner: value}
    else:
        values[outer] = value


def _from_file(file: TomlFile) -> tuple[dict[str, Any], dict[str, str]]:
    """The values of a project file, and the line of each setting that stands in it."""
    try:
        values = PROJECT(file.data)
    except Faults as faults:
        raise _wrong(file, faults) from None
    for section, shape in SECTIONS.items():
        values[section] = values[section] or shape({})
    name = Path(file.name).name
    lines = {path: file.line(*path) for path in _leaves(file.data)}
    return values, {_dotted(path): f"{name}, line {line}" for path, line in lines.items()}


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all values in tables and in arrays of tables."""
    if isinstance(value, Mapping) and value:
        for name, each in value.items():
            yield from _leaves(each, (*path, name))
    elif isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
        for index, each in enumerate(value):
            yield from _leaves(each, (*path, index))
    else:
        yield path


def _dotted(path: tuple[str | int, ...]) -> str:
    """``("activate", 0, "pack")`` as ``activate[0].pack``."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def _wrong(file: TomlFile, faults: Faults) -> ConfigurationError:
    lines = [f"line {_line(file, path)}, {path}: {message}" for path, message in faults.faults]
    if len(lines) == 1:
        path, message = faults.faults[0]
        return ConfigurationError(
            message, source=file.name, place=f"line {_line(file, path)}, {path}"
        )
    shown = "\n  ".join(lines[:20])
    return ConfigurationError(f"{len(lines)} settings are wrong\n  {shown}", source=file.name)


def _line(file: TomlFile, path: str) -> int:
    steps = [int(index) if index else name for name, index in _STEPS.findall(path)]
    return file.line(*steps)


def store_file(store: str) -> Path | None:
    """The SQLite file that a store setting names; None where it is something else."""
    path = store.partition("?")[0]
    if path.startswith(SQLITE):
        return Path(path.removeprefix(SQLITE))
    return None if "://" in path or path == "memory:" else Path(path)


def _rooted(values: dict[str, Any], root: Path) -> None:
    """Make a store path of the file relative to it, wherever the process runs, now or later."""
    file = store_file(values["store"])
    if file is not None and root != Path.cwd():
        _, mark, options = values["store"].partition("?")
        values["store"] = f"{root / file}{mark}{options}"


def _settings(values: dict[str, Any], origins: dict[str, str], root: Path) -> Settings:
    channels = tuple(
        ChannelSettings(name, **each) for name, each in (values.pop("channels") or {}).items()
    )
    connectors = tuple(
        ConnectorSettings(name, **each) for name, each in (values.pop("connectors") or {}).items()
    )
    activate = tuple(
        ActivationSettings(**{**each, "parameters": each["parameters"] or {}})
        for each in values.pop("activate")
    )
    rates = tuple(
        ExchangeRate(each["from"], each["to"], each["rate"], each["since"])
        for each in values.pop("exchange_rate")
    )
    options = values.pop("plugins") or {}
    owners = values.pop("owners") or {"main": "USD"}
    return Settings(
        owners=owners,
        routing=RoutingSettings(**values.pop("routing")),
        work=WorkSettings(**values.pop("work")),
        stock=StockSettings(**values.pop("stock")),
        returns=ReturnSettings(**values.pop("returns")),
        channels=channels,
        connectors=connectors,
        activate=activate,
        exchange_rates=rates,
        plugins=values.pop("load_plugins"),
        plugin_options=options,
        origins=origins,
        root=str(root),
        **values,
    )
