"""From a file or a plain tree to a `Pack`, strictly: what is not known is an error."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfoNotFoundError

from attrs import evolve

from domcore.errors import ConfigurationError
from domcore.model.facts import FACT_TYPES
from domcore.model.money import micros
from domcore.rules.builtin_facts import LONGEST_TEXT, zone
from domcore.rules.consequence import parse_then
from domcore.rules.durable_json import rule_trees
from domcore.rules.expression import MOST_IN_LIST, Refusal, place_in, read
from domcore.rules.layers import window
from domcore.rules.lists import read_lists
from domcore.rules.pack import (
    FORMAT,
    PARAMETER_TYPES,
    SOFT_VERBS,
    Pack,
    PackFact,
    Parameter,
    Rule,
    pack_bytes,
)
from domcore.rules.problems import Problems, shown, suggestion
from domcore.rules.tables import Table, check_plain, read_tree, table_rows

MOST_RULES: Final = 10_000
MOST_PARAMETERS: Final = 1_000
HIGHEST_PRIORITY: Final = 1_000
FILES: Final = ("ruleset.toml", "ruleset.json")

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
_ADDRESS: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}/[a-z0-9][a-z0-9_-]{0,63}\Z")
_VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,39}\Z")
_IDENTIFIER: Final = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_FACT_NAME: Final = re.compile(r"(order|line|node)\.[a-z][a-z0-9_]{0,63}\Z")


def load_pack(path: Path | str) -> Pack:
    """Read a pack from its folder, or from its ``ruleset.toml`` or ``ruleset.json``.

    Raises:
        ConfigurationError: there is no such file, it is too large, or what it says is not a pack.
    """
    file = Path(path)
    if file.is_dir():
        found = [file / name for name in FILES if (file / name).is_file()]
        if len(found) != 1:
            message = "has both; keep one of" if found else "is not a pack: there is no"
            raise ConfigurationError(f"{message} {' or '.join(FILES)}", source=str(file))
        file = found[0]
    return parse_pack(read_tree(file), source=str(file), folder=file.parent)


def parse_pack(tree: Any, *, source: str = "", folder: Path | None = None) -> Pack:
    """Check a plain tree, as TOML and JSON give it, and make a `Pack` of it.

    Args:
        folder: where the files of its lists lie; None where it has none.

    Raises:
        ConfigurationError: naming every problem found, each with its rule and column.
    """
    problems = Problems(source or "pack")
    if not isinstance(tree, Mapping):
        raise ConfigurationError("a pack is a table", source=problems.source)
    _check_size(tree, problems.source)
    check_plain(tree, problems.source)
    top = Table(tree, problems, "")
    top.known(
        "format", "name", "version", "currency", "timezone", "description", "parameters",
        "fact", "lists", "rule", "disables", "durable",
    )  # fmt: skip
    if tree.get("format") != FORMAT or type(tree.get("format")) is not int:
        problems.add(f"format = {FORMAT} is the format this version reads", "format")
    pack = Pack(
        name=top.text("name", _NAME, required=True, hint="lower case, digits, '-' and '_'"),
        version=top.text("version", _VERSION, required=True, hint='such as "1.0.0"'),
        currency=top.text("currency", re.compile(r"[A-Z]{3}\Z"), hint="an ISO 4217 code"),
        timezone=top.text("timezone", default="UTC"),
        description=top.text("description", longest=4_000),
        parameters=_parameters(tree.get("parameters", {}), problems),
        facts=tuple(table_rows(tree.get("fact", []), "fact", problems, _fact)),
        lists=read_lists(tree.get("lists", {}), folder, problems),
        disables=top.texts("disables", _ADDRESS, 'addresses written "pack/rule"'),
        source=source,
    )
    _check_zone(pack.timezone, problems)
    rules = _rules(tree, pack.timezone, problems)
    _check_unique("fact", [fact.name for fact in pack.facts], problems)
    _check_unique("rule", [rule.id for rule in rules], problems)
    problems.raise_if_any()
    pack = evolve(pack, rules=rules)
    try:
        pack_bytes(pack)
    except UnicodeEncodeError:
        raise ConfigurationError("holds text that is not valid Unicode", source=source) from None
    return pack


def _check_size(tree: Mapping[str, Any], source: str) -> None:
    for key in ("rule", "durable", "fact", "disables"):
        rows = tree.get(key, ())
        if isinstance(rows, list | tuple | Mapping) and len(rows) > MOST_RULES:
            message = f"{len(rows):,} entries; a pack has at most {MOST_RULES:,}"
            raise ConfigurationError(message, source=source, place=key)


def _rules(tree: Mapping[str, Any], timezone: str, problems: Problems) -> tuple[Rule, ...]:
    rows = tree.get("rule", [])
    if "durable" in tree and isinstance(rows, list | tuple):
        rows = [*rows, *rule_trees(tree["durable"], problems)]
    return tuple(table_rows(rows, "rule", problems, lambda table: _rule(table, timezone)))


def _rule(table: Table, timezone: str) -> Rule:
    place, problems = table.place, table.problems
    table.known(
        "id", "when", "then", "reason", "priority", "from", "until", "enabled", "soft",
        "overrides",
    )  # fmt: skip
    when = written = table.text("when", required=True, longest=None)
    if when:
        try:
            when = read(when).text
        except Refusal as refusal:
            problems.add(refusal.message, f"{place}, {place_in(written, refusal.column)}")
    verb = "exclude"
    arguments: dict[str, Any] = {}
    try:
        verb, arguments = parse_then(table.tree.get("then"))
    except ValueError as error:
        problems.add(str(error), f"{place}, then")
    soft = table.flag("soft", default=False)
    if soft and verb not in SOFT_VERBS:
        problems.add(f"{verb} cannot be soft; {', '.join(SOFT_VERBS)} can", f"{place}, soft")
    rule = Rule(
        id=table.text("id", _NAME, required=True, hint="lower case, digits, '-' and '_'"),
        when=when,
        verb=verb,
        arguments=tuple(sorted(arguments.items())),
        reason=table.text("reason"),
        priority=table.whole("priority", HIGHEST_PRIORITY, -HIGHEST_PRIORITY),
        since=table.moment("from", timezone),
        until=table.moment("until", timezone),
        enabled=table.flag("enabled", default=True),
        soft=soft,
        overrides=table.text("overrides", _ADDRESS, hint='written "pack/rule"'),
        written=written,
    )
    if rule.since and rule.until:
        since, until = window(rule, timezone)
        if since >= until:
            table.problem("until", "is not after 'from'")
    return rule


def _fact(table: Table) -> PackFact:
    table.known("name", "type", "attribute", "unit", "summary")
    name = table.text("name", _FACT_NAME, required=True, hint="'order.x', 'line.x' or 'node.x'")
    kind = table.text("type", required=True)
    if kind and kind not in FACT_TYPES:
        table.problem("type", f"no type {shown(kind)}{suggestion(kind, FACT_TYPES)}")
    attribute = table.text("attribute", default=name.rpartition(".")[2])
    return PackFact(name, kind, attribute, table.text("unit"), table.text("summary"))


def _parameters(tree: Any, problems: Problems) -> tuple[Parameter, ...]:
    if not isinstance(tree, Mapping) or len(tree) > MOST_PARAMETERS:
        problems.add(f"a table of at most {MOST_PARAMETERS:,} parameters", "parameters")
        return ()
    found = []
    for name, row in sorted(tree.items()):
        place = f"parameter {name[:64]}"
        if not _IDENTIFIER.match(name):
            problems.add("a parameter's name is lower case letters, digits and '_'", place)
        if not isinstance(row, Mapping):
            problems.add('is written { type = "money", default = "1.50" }', place)
            continue
        table = Table(row, problems, place)
        table.known("type", "default", "summary")
        kind = table.text("type", required=True)
        default: Any = row.get("default")
        if kind and kind not in PARAMETER_TYPES:
            table.problem("type", f"no type {shown(kind)}{suggestion(kind, PARAMETER_TYPES)}")
        elif kind:
            try:
                default = parameter_value(kind, default)
            except ValueError as error:
                table.problem("default", str(error))
        found.append(Parameter(name, kind, default, table.text("summary")))
    return tuple(found)


def parameter_value(kind: str, value: Any) -> Any:
    """A parameter's value as written, once it is known to be of its type.

    Raises:
        ValueError: it is not.
    """
    if kind == "bool" and type(value) is bool:
        return value
    if kind == "int" and type(value) is int and abs(value) <= 10**15:
        return value
    if kind in ("decimal", "money") and type(value) is str:
        micros(value)
        return value
    if kind in ("text", "texts"):
        _check_lengths(value if isinstance(value, list | tuple) else [value])
    if kind == "text" and type(value) is str:
        return value
    if (
        kind == "texts"
        and isinstance(value, list | tuple)
        and all(type(part) is str for part in value)
    ):
        return tuple(value)
    quoted = ' (decimal text in quotes, such as "1.50")' if kind in ("decimal", "money") else ""
    raise ValueError(f"{shown(value)} is not {kind}{quoted}")


def _check_lengths(values: Sequence[Any]) -> None:
    """Refuse what is beyond a limit by the limit's name.

    Raises:
        ValueError: there are too many texts, or one is too long.
    """
    if len(values) > MOST_IN_LIST:
        raise ValueError(
            f"{len(values):,} texts; a parameter has at most {MOST_IN_LIST:,},"
            " more go into a file (see [lists])"
        )
    for value in values:
        if type(value) is str and len(value) > LONGEST_TEXT:
            raise ValueError(
                f"a text of {len(value):,} characters; a text has at most {LONGEST_TEXT:,}"
            )


def _check_unique(kind: str, names: list[str], problems: Problems) -> None:
    seen: set[str] = set()
    for name in names:
        if name and name in seen:
            problems.add(f"{kind} {name!r} is there twice", f"{kind} {name}")
        seen.add(name)


def _check_zone(name: str, problems: Problems) -> None:
    try:
        zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"no time zone {shown(name)}; write one such as 'America/New_York'"
        problems.add(message, "timezone")
