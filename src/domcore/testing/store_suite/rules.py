"""Promises about what is told of rules that are in force."""

from __future__ import annotations

from domcore.testing.store_suite.kit import NOW, KitSuite, StoreKit


def told(kit: StoreKit) -> list[tuple[str, int | None, object]]:
    """What was said of rules."""
    return [
        (each.kind, each.order_id, each.body["digest"])
        for each in kit.store.events()
        if each.kind == "rules.changed"
    ]


class RulesPromises(KitSuite):
    """Part of `StoreSuite`."""

    def test_rules_that_are_in_force_are_told_once_whoever_tells_them(self) -> None:
        with self.kit() as kit:
            assert kit.store.note_rules(digest=2**60 - 1, told={"digest": "a"}, now=NOW)
            written = kit.store.writes()
            assert not kit.store.note_rules(digest=2**60 - 1, told={"digest": "a"}, now=NOW)
            assert kit.store.writes() == written, "it was only looked"
            assert told(kit) == [("rules.changed", None, "a")]

    def test_rules_that_come_back_are_told_again(self) -> None:
        with self.kit() as kit:
            for digest, name in ((1, "a"), (2, "b"), (1, "a")):
                assert kit.store.note_rules(digest=digest, told={"digest": name}, now=NOW)
            assert [name for _, _, name in told(kit)] == ["a", "b", "a"]
