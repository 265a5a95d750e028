"""What a project file may say: one table of settings, for the file and the environment alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from domcore.loading.fields import (
    amount,
    attribute,
    choice,
    code,
    day,
    flag,
    pattern,
    text,
    whole,
)
from domcore.loading.shape import Cell, Field, Shape, many, table_of
from domcore.model import NODE_KINDS
from domcore.model.exchange import read_rate
from domcore.settings import (
    ReturnSettings,
    RoutingSettings,
    Settings,
    StockSettings,
    WorkSettings,
)

_DEFAULT: Final = Settings()
_ROUTING: Final = RoutingSettings()
_WORK: Final = WorkSettings()
_STOCK: Final = StockSettings()
_RETURNS: Final = ReturnSettings()

TERMS: Final = ("cost", "parcels", "nodes")
LAYERS: Final = ("core", "partner", "retailer")
PUBLISHED: Final = ("total", "nodes", "off")


def _list(value: object) -> tuple[str, ...]:
    """An array of texts; in the environment separated by commas."""
    if isinstance(value, Cell):
        value = [part.strip() for part in value.split(",") if part.strip()]
    read: tuple[str, ...] = many(code(500))(value)
    return read


def _kinds(value: object) -> tuple[str, ...]:
    kinds: tuple[str, ...] = many(choice(NODE_KINDS))(list(_list(value)))
    return kinds


def _objective(value: object) -> tuple[str, ...]:
    terms: tuple[str, ...] = many(choice(TERMS))(list(_list(value)))
    if not terms or len(set(terms)) != len(terms):
        raise ValueError("must name at least one term, and none twice")
    return terms


def _parameter(value: object) -> Any:
    """A pack's parameter: text, a whole number, true or false, or an array of texts."""
    return _list(value) if isinstance(value, list) else attribute(value)


def _table(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("must be a table")
    return dict(value)


CHANNEL: Final = Shape(
    (
        Field("kind", code(), "the kind of channel, such as shopify", needed=True),
        Field("owner", code(), "whose orders come in by it", "main"),
        Field("publish", choice(PUBLISHED), "what it is told of stock: total, nodes, off", "total"),
        Field("share", whole(0, 100), "percent of what is available that it may sell", 100),
        Field("nodes", _list, "the nodes that feed it; none is all", ()),
        Field("pull", flag, "whether it is asked for orders", True),
        Field("notify", flag, "whether it is told what became of its orders", True),
    )
)

CONNECTOR: Final = Shape(
    (
        Field(
            "kind",
            code(),
            "the kind of connector, such as files; the package domcore-KIND serves it",
            needed=True,
        ),
    )
)


def _with_options(shape: Shape) -> Callable[[object], dict[str, Any]]:
    """Our fields, and the rest as options of the plugin."""
    ours = {field.name for field in shape.fields}

    def read(value: object) -> dict[str, Any]:
        given = _table(value)
        fields = shape({name: each for name, each in given.items() if name in ours})
        return {
            **fields,
            "options": {name: each for name, each in given.items() if name not in ours},
        }

    return read


ACTIVATION: Final = Shape(
    (
        Field("pack", code(), "the pack's name", needed=True),
        Field("version", text(50), "the exact version wanted; empty is the one there is", ""),
        Field("layer", choice(LAYERS), "who speaks: core, partner or retailer", "retailer"),
        Field("owner", text(100), "whose orders; empty is everyone's", ""),
        Field("channels", _list, "orders of these channels; none is all", ()),
        Field("nodes", _list, "for a partner: the nodes it may speak of", ()),
        Field("parameters", table_of(_parameter), "values for the pack's parameters", None),
    )
)

CURRENCY: Final = pattern("[A-Z]{3}", "an ISO 4217 code such as USD")


def _rate(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be decimal text in quotes, such as '1.0842'")
    return read_rate(value)


def _rates(value: object) -> tuple[dict[str, Any], ...]:
    rates: tuple[dict[str, Any], ...] = many(EXCHANGE_RATE)(value)
    seen = set()
    for each in rates:
        key = (each["from"], each["to"], each["since"])
        if each["from"] == each["to"]:
            raise ValueError(f"a rate from {each['from']} to itself")
        if key in seen:
            raise ValueError(f"two rates from {key[0]} to {key[1]} since {key[2]}")
        seen.add(key)
    return rates


EXCHANGE_RATE: Final = Shape(
    (
        Field("from", CURRENCY, "the currency that orders are in", needed=True),
        Field("to", CURRENCY, "the owner's", needed=True),
        Field("rate", _rate, "what one unit is worth, as decimal text", needed=True),
        Field("since", day, "the first day it is in force, such as 2026-01-05", needed=True),
    )
)

ROUTING: Final = Shape(
    (
        Field("objective", _objective, "terms by weight: cost, parcels, nodes", _ROUTING.objective),
        Field("batch", whole(1, 10_000), "orders per transaction", _ROUTING.batch),
        Field(
            "retry_minutes",
            whole(1, 10_000_000),
            "when a short order is tried again",
            _ROUTING.retry_minutes,
        ),
        Field(
            "max_replans",
            whole(0, 1000),
            "how often an order is planned anew when its stock has gone",
            _ROUTING.max_replans,
        ),
        Field(
            "review_nodes_over",
            whole(0, 100_000),
            "hold a plan that uses more nodes than this; 0 never",
            _ROUTING.review_nodes_over,
        ),
        Field(
            "step_limit",
            whole(1000),
            "the planner's budget per order, in steps",
            _ROUTING.step_limit,
        ),
        Field("seed", whole(0, 2**31), "recorded with each decision", _ROUTING.seed),
        Field(
            "max_attempts",
            whole(1, 1000),
            "an order rejected so often waits for a person",
            _ROUTING.max_attempts,
        ),
        Field(
            "rejection_minutes",
            whole(0, 10_000_000),
            "how long a node that rejected a SKU is not asked for it; 0 never",
            _ROUTING.rejection_minutes,
        ),
        Field(
            "prepare_seconds",
            whole(0, 3600),
            "how long a plugin may fetch what it needs for a batch; 0 asks none",
            _ROUTING.prepare_seconds,
        ),
    )
)

WORK: Final = Shape(
    (
        Field("route", flag, "whether open orders that are due are routed", _WORK.route),
        Field(
            "lease_seconds",
            whole(1, 86_400),
            "how long a piece of work is one worker's; at least twice any connector's time-out",
            _WORK.lease_seconds,
        ),
        Field(
            "attempts",
            whole(1, 1000),
            "after so many, work is set aside for a person",
            _WORK.attempts,
        ),
        Field(
            "backoff_seconds",
            whole(0, 86_400),
            "before the second attempt; doubles with each",
            _WORK.backoff_seconds,
        ),
        Field(
            "backoff_most_seconds",
            whole(0, 864_000),
            "the longest wait between two attempts",
            _WORK.backoff_most_seconds,
        ),
        Field("poll_seconds", whole(0, 864_000), "between two polls of a connector", 60),
        Field("pull_seconds", whole(0, 864_000), "between two pulls of a channel", 60),
        Field(
            "publish_seconds",
            whole(0, 864_000),
            "between two rounds of telling channels what they may sell",
            _WORK.publish_seconds,
        ),
    )
)

STOCK: Final = Shape(
    (
        Field("low_days", whole(0, 10_000), "days of cover that are low; 0 never", _STOCK.low_days),
        Field(
            "over_days",
            whole(0, 100_000),
            "days of cover that are too many; 0 never",
            _STOCK.over_days,
        ),
        Field("demand_days", whole(1, 3650), "how far back demand is counted", _STOCK.demand_days),
        Field("check_minutes", whole(0, 100_000), "between two looks", _STOCK.check_minutes),
    )
)

RETURNS: Final = Shape(
    (
        Field("kinds", _kinds, "kinds of node that take goods back", _RETURNS.kinds),
        Field("tag", text(100), "a node with this tag takes goods back, too", _RETURNS.tag),
        Field(
            "overstock_cost",
            amount,
            "added per unit at a node that has plenty of it",
            _RETURNS.overstock_cost,
        ),
        Field(
            "overstock_days",
            whole(0, 100_000),
            "days of cover that are plenty; 0 never",
            _RETURNS.overstock_days,
        ),
    )
)

PROJECT: Final = Shape(
    (
        Field("store", code(1000), "path or URL of the store", _DEFAULT.store),
        Field("engine", code(), "rule engine: auto, durable, python or a plugin's", "auto"),
        Field("rulesets", _list, "folders with rule packs", _DEFAULT.rulesets),
        Field("postal_digits", whole(0, 20), "characters of a postal code to keep; 0 is all", 0),
        Field("synchronous", choice(("FULL", "NORMAL")), "SQLite durability", "FULL"),
        Field("telemetry", choice(("auto", "on", "off")), "OpenTelemetry: auto, on or off", "auto"),
        Field("load_plugins", _list, "plugins to load; absent is all that are installed", None),
        Field(
            "owners",
            table_of(CURRENCY),
            "by owner: the currency that costs are in",
            None,
        ),
        Field("exchange_rate", _rates, "what orders in other currencies are compared by", ()),
        Field("routing", ROUTING, "how orders are routed", None),
        Field("work", WORK, "what a worker does, and how patiently", None),
        Field("stock", STOCK, "when stock is worth an event", None),
        Field("returns", RETURNS, "where goods go back to", None),
        Field(
            "channels", table_of(_with_options(CHANNEL)), "by name: where orders come from", None
        ),
        Field(
            "connectors",
            table_of(_with_options(CONNECTOR)),
            "by name: who works for the nodes that name it",
            None,
        ),
        Field("activate", many(ACTIVATION), "the rule packs in force", ()),
        Field("plugins", table_of(_table), "by plugin: its own settings", None),
    )
)

SECTIONS: Final = {"routing": ROUTING, "work": WORK, "stock": STOCK, "returns": RETURNS}
"""Tables of plain settings, each of which has a variable of its own."""

TABLES: Final = (
    *SECTIONS,
    "owners",
    "exchange_rate",
    "channels",
    "connectors",
    "activate",
    "plugins",
)
"""The settings that have no variable of their own."""


def variables() -> dict[str, tuple[str, Field]]:
    """Environment variable -> (setting, how it is read)."""
    plain = {field.name: field for field in PROJECT.fields if field.name not in TABLES}
    for name, shape in SECTIONS.items():
        plain |= {f"{name}.{field.name}": field for field in shape.fields}
    return {
        f"DOMCORE_{name.replace('.', '_').upper()}": (name, field) for name, field in plain.items()
    }
