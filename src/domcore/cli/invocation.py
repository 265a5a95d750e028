"""One command being run: its settings, its output, and the application it works on."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from domcore.cli.output import Output
from domcore.config import read_settings, store_file
from domcore.errors import StoreError, StoreReason
from domcore.settings import Settings

if TYPE_CHECKING:
    from domcore.app import Domcore

_MOST_OF_LOGIN: Final = 80


class Invocation:
    """One command being run: its settings, its output, and the application."""

    def __init__(
        self, config: Path | None, flags: Mapping[str, str], as_json: bool, by: str | None = None
    ) -> None:
        self.config = config
        self.flags = flags
        self.out = Output(as_json)
        self._by = by

    @cached_property
    def by(self) -> str:
        """Who runs it, see `domcore.model.actor`: a bare name is a person's."""
        name = self._by or login_name()
        return name if ":" in name else f"person:{name}"

    @cached_property
    def settings(self) -> Settings:
        """The settings, read when first needed."""
        return read_settings(config=self.config, environ=os.environ, flags=self.flags)

    def open(self) -> Domcore:
        """The application on a store that is there already.

        Raises:
            StoreError: there is no store yet.
        """
        file = store_file(self.settings.store)
        if file is not None and not file.exists():
            raise StoreError(
                f"there is no store at {file}; run 'domcore init' to make one, 'domcore demo' to"
                " try things out, or name another with --store",
                reason=StoreReason.UNREACHABLE,
            )
        return self.create()

    def create(self) -> Domcore:
        """The application; a store that is not there is made."""
        from domcore.app import Domcore  # the planner and the store cost a start-up of their own

        return Domcore(self.settings, by=self.by)


def invocation_of(params: Mapping[str, Any]) -> Invocation:
    """The command that is run, by the options that every verb may have."""
    flags = {name: params[name] for name in ("store", "engine") if params.get(name) is not None}
    as_json = bool(params.get("as_json"))
    return Invocation(params.get("config"), flags, as_json, params.get("by"))


def login_name() -> str:
    """What the machine calls whoever runs this; ``unknown`` where it knows nobody."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):
        name = ""
    return "".join(filter(str.isprintable, name))[:_MOST_OF_LOGIN] or "unknown"
