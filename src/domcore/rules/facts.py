"""The fact registry: what rules may read, and whether a value given for it is one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from domcore.codec.text import fault_of
from domcore.errors import ConfigurationError, PluginError
from domcore.model.facts import ENTITIES, FACT_TYPES, FactSpec
from domcore.model.money import MOST
from domcore.rules.builtin_facts import BUILTINS, LONGEST_TEXT
from domcore.rules.problems import shown, suggestion

_PLUGIN_NAME: Final = re.compile(r"[a-z]+\.[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*\Z")
_PYTHON_TYPES: Final = {
    "bool": bool, "int": int, "decimal": int, "money": int, "time": int, "text": str,
    "texts": tuple,
}  # fmt: skip


class FactRegistry(Mapping[str, FactSpec]):
    """The built-in facts and those of plugins, by name. Immutable.

    Args:
        specs: plugin facts, each named ``entity.plugin.fact``.

    Raises:
        ConfigurationError: a spec is not well formed, or a name is taken.
    """

    def __init__(self, specs: Iterable[FactSpec] = ()) -> None:
        self._specs = {name: builtin.spec for name, builtin in BUILTINS.items()}
        for spec in specs:
            _check_spec(spec)
            if self._specs.get(spec.name, spec) != spec:
                raise ConfigurationError(f"fact {spec.name!r} is declared twice, differently")
            self._specs[spec.name] = spec

    def __getitem__(self, name: str) -> FactSpec:
        return self._specs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)

    def describe(self) -> str:
        """A Markdown table of every fact, for documentation."""
        rows = ["| fact | type | unit | may be missing | what it is |", "|---|---|---|---|---|"]
        for spec in self._specs.values():
            missing = "yes" if spec.nullable else ""
            cells = (f"`{spec.name}`", spec.type, spec.unit, missing, spec.summary)
            rows.append(f"| {' | '.join(cells)} |")
        return "\n".join(rows)


def check_value(spec: FactSpec, value: Any) -> Any:
    """The value a plugin gave for a fact, once it is known to be one.

    Raises:
        PluginError: it is not of the declared type, out of range, or missing against the spec.
    """
    if value is None:
        if spec.nullable:
            return None
        raise refused_fact(spec, "is declared never to be missing, but None was given")
    if type(value) is not _PYTHON_TYPES[spec.type]:
        raise refused_fact(spec, f"is declared {spec.type}, but {shown(value)} was given")
    if type(value) is int and abs(value) > MOST:
        raise refused_fact(spec, f"lies beyond {MOST:,}")
    if type(value) is str:
        return _storable(spec, value)
    if type(value) is tuple:
        if not all(type(part) is str for part in value):
            raise refused_fact(spec, "is a list of texts, and something else is in it")
        return tuple(_storable(spec, part) for part in value)
    return value


def _storable(spec: FactSpec, text: str) -> str:
    """The text, cut to length; what cannot be stored could be neither matched nor recorded."""
    fault = fault_of(text)
    if fault:
        raise refused_fact(spec, f"{fault}, so it cannot be recorded")
    return text[:LONGEST_TEXT]


def refused_fact(spec: FactSpec, message: str) -> PluginError:
    """The error for a fact that was not given as it is declared; it names the plugin."""
    plugin = spec.name.split(".")[1]
    return PluginError(plugin, "gather_facts", f"{spec.name} {message}")


def _check_spec(spec: FactSpec) -> None:
    source = f"fact {spec.name!r}"
    if spec.entity not in ENTITIES:
        raise ConfigurationError(
            f"no entity {spec.entity!r}{suggestion(spec.entity, ENTITIES)}", source=source
        )
    if spec.type not in FACT_TYPES:
        raise ConfigurationError(
            f"no type {spec.type!r}{suggestion(spec.type, FACT_TYPES)}", source=source
        )
    if not _PLUGIN_NAME.match(spec.name) or spec.name.split(".")[0] != spec.entity:
        raise ConfigurationError(
            f"a plugin's fact is named '{spec.entity}.<plugin>.<fact>' in lower case",
            source=source,
        )
