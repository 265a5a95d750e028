"""``domcore config``."""

from __future__ import annotations

from typing import Any, Final

from domcore.cli.invocation import Invocation
from domcore.cli.output import Column, json_text
from domcore.cli.plugging import plain_settings
from domcore.cli.verb import verb
from domcore.config import shown


def _written(value: Any) -> str:
    if value is None:
        return "all"
    return value if isinstance(value, str) else json_text(value)


_COLUMNS: Final = (
    Column("SETTING", "name"),
    Column("VALUE", "value", _written),
    Column("FROM", "origin"),
)


@verb("domcore config", "DOMCORE_ENGINE=python domcore config --json")
def command(run: Invocation) -> None:
    """Show every setting and where it came from; secrets are hidden.

    A flag beats the environment, which beats the project file, which beats the default. Of a
    plugin's settings only those are shown that it calls plain.
    """
    plain = plain_settings(run.settings)
    rows = [setting._asdict() for setting in shown(run.settings, plain)]
    run.out.rows(_COLUMNS, rows, empty="")
