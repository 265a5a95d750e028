"""Promises about plugins that have worked on a store."""

from __future__ import annotations

from domcore.store.writing.plugins import GIVEN, GONE, HARMLESS, INSTALLED
from domcore.testing.store_suite.kit import KitSuite


class PluginPromises(KitSuite):
    """Part of `StoreSuite`."""

    def test_what_is_known_of_plugins_is_remembered_by_name(self) -> None:
        with self.kit() as kit:
            assert kit.store.known_plugins() == {}
            kit.store.note_plugins({"fraud": INSTALLED, "host": GIVEN, "zz/ü": HARMLESS})
            kit.store.note_plugins({"fraud": GONE})
            kit.store.advance_cursor("fraud", 3)  # a listener of that name is something else
            assert kit.store.known_plugins() == {"fraud": GONE, "host": GIVEN, "zz/ü": HARMLESS}
            kit.store.note_plugins({"fraud": INSTALLED})
            assert kit.store.known_plugins()["fraud"] == INSTALLED
            assert kit.store.read_cursor("fraud") == 3
