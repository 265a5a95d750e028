"""What a project file may say: one table of settings, for the file and the environment alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domcore.loading.fields import attribute, choice, code, pattern, text, whole
from domcore.loading.shape import Cell, Field, Shape, many, table_of
from domcore.settings import RoutingSettings, Settings

_DEFAULT: Final = Settings()
_ROUTING: Final = RoutingSettings()

TERMS: Final = ("cost", "parcels", "nodes")
LAYERS: Final = ("core", "partner", "retailer")


def _list(value: object) -> tuple[str, ...]:
    """An array of texts; in the environment separated by commas."""
    if isinstance(value, Cell):
        value = [part.strip() for part in value.split(",") if part.strip()]
    read: tuple[str, ...] = many(code(500))(value)
    return read


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
    )
)


def _channel(value: object) -> dict[str, Any]:
    """A channel: our fields, and the rest as options of its plugin."""
    given = _table(value)
    ours = {field.name for field in CHANNEL.fields}
    read = CHANNEL({name: each for name, each in given.items() if name in ours})
    return {**read, "options": {name: each for name, each in given.items() if name not in ours}}


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
    )
)

PROJECT: Final = Shape(
    (
        Field("store", code(1000), "path or URL of the store", _DEFAULT.store),
        Field("engine", code(), "rule engine: auto, durable, python or a plugin's", "auto"),
        Field("rulesets", _list, "folders with rule packs", _DEFAULT.rulesets),
        Field("postal_digits", whole(0, 20), "characters of a postal code to keep; 0 is all", 0),
        Field("synchronous", choice(("FULL", "NORMAL")), "SQLite durability", "FULL"),
        Field("load_plugins", _list, "plugins to load; absent is all that are installed", None),
        Field(
            "owners",
            table_of(pattern("[A-Z]{3}", "an ISO 4217 code such as USD")),
            "by owner: the currency that costs are in",
            None,
        ),
        Field("routing", ROUTING, "how orders are routed", None),
        Field("channels", table_of(_channel), "by name: where orders come from", None),
        Field("activate", many(ACTIVATION), "the rule packs in force", ()),
        Field("plugins", table_of(_table), "by plugin: its own settings", None),
    )
)

TABLES: Final = ("owners", "routing", "channels", "activate", "plugins")
"""The settings that have no variable of their own."""


def variables() -> dict[str, tuple[str, Field]]:
    """Environment variable -> (setting, how it is read)."""
    plain = {field.name: field for field in PROJECT.fields if field.name not in TABLES}
    plain |= {f"routing.{field.name}": field for field in ROUTING.fields}
    return {
        f"DOMCORE_{name.replace('.', '_').upper()}": (name, field) for name, field in plain.items()
    }
