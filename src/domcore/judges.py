"""Plugins that judge, and are missed where they are not there: nothing goes out unjudged.

A store remembers which plugins have judged its orders. Where one of them, or one that the settings
name, cannot be used, nothing is planned or routed until it is there again, or somebody says that it
is gone for good. What is decided already goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from domcore.errors import ConfigurationError
from domcore.plugin_sources import INSTALLED as FROM_A_PACKAGE
from domcore.plugins import Plugins, PluginStatus
from domcore.store.protocol import Store
from domcore.store.writing.plugins import GIVEN, GONE, HARMLESS, INSTALLED

JUDGING: Final = frozenset(("judge", "review_plan", "make_plan"))
"""Hooks whose silence could break a rule; `gather_facts` too, where its facts are read."""


class Judges:
    """The judging plugins of one application, against those that its store remembers."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins: Final = plugins
        self._known: dict[str, int] | None = None
        self._noted = -1
        self._complete = False

    def look_again(self) -> None:
        """Others may have worked on the store since."""
        self._known = None
        self._complete = False

    def require_all(self, store: Store) -> None:
        """Stop where one is missing.

        Raises:
            ConfigurationError: naming each, and how to go on.
        """
        if self._complete:  # what is loaded and what is named stay as they are
            return
        missing = self.missing(store)
        self._complete = not missing
        if missing:
            self.look_again()  # somebody may say that it is gone
            raise ConfigurationError("; ".join(missing.values()), source="plugins")

    def missing(self, store: Store) -> dict[str, str]:
        """By name: what is wrong with it, and how to go on."""
        if self._known is None:
            self._known = store.known_plugins()
        here = {each.name: each for each in self._plugins.status()}
        return {
            name: _words(name, why, named=name in here and here[name].named)
            for name, why in self._missed(self._known, here)
        }

    def _missed(
        self, known: Mapping[str, int], here: Mapping[str, PluginStatus]
    ) -> Iterator[tuple[str, str]]:
        for name in sorted({*known, *(each.name for each in here.values() if each.named)}):
            status, note = here.get(name), known.get(name)
            if note in (GONE, HARMLESS) or (status is not None and status.origin):
                continue
            if status is not None:
                yield name, status.error
            elif note == GIVEN:
                yield name, "the application gives it in code, and nobody does here"
            elif not self._plugins.left_out(name):
                yield name, "not installed"

    def note(self, store: Store, *, lasting: bool = True) -> None:
        """Have the store remember those that judge here.

        Args:
            lasting: False where the caller may take it back.
        """
        asked = len(self._plugins.asked)
        if self._noted == asked:
            return
        if self._known is None:
            self._known = store.known_plugins()
        notes = {}
        for each in self._plugins.status():
            if each.origin and not each.builtin:
                before, note = self._known.get(each.name), self._note_of(each)
                if note != before and not (note == HARMLESS and before in (INSTALLED, GIVEN)):
                    notes[each.name] = note
        if notes:
            store.note_plugins(notes)
        if lasting:
            self._noted = asked
            self._known = {**self._known, **notes}

    def _note_of(self, status: PluginStatus) -> int:
        if JUDGING.isdisjoint(status.hooks) and status.name not in self._plugins.asked:
            return HARMLESS
        return INSTALLED if status.origin == FROM_A_PACKAGE else GIVEN


def _words(name: str, why: str, *, named: bool) -> str:
    leave = "take its name out of the settings and say so" if named else "say so"
    return (
        f"plugin {name!r} is to judge orders here and cannot be used ({why}), so nothing is routed:"
        f" install or repair it; if it is gone for good, {leave} with"
        f" 'domcore plugins --gone {name}'"
    )
