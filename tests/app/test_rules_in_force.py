"""Which packs are in force for which orders, and that decisions by them replay."""

from __future__ import annotations

from pathlib import Path

import pytest

from domcore import ActivationSettings, Domcore, Settings
from domcore.testing.builder import World


def written(folder: Path, name: str, *rules: tuple[str, str, str], **top: str) -> None:
    """A pack in the folder ``packs``: rules as ``(id, when, then)``."""
    head = {"name": name, "version": "1.0.0", "currency": "USD", **top}
    text = "format = 1\n" + "".join(f'{key} = "{value}"\n' for key, value in head.items())
    for id, when, then in rules:
        text += f'[[rule]]\nid = "{id}"\nwhen = """{when}"""\nthen = {then}\n'
    target = folder / "packs" / name
    target.mkdir(parents=True, exist_ok=True)
    (target / "ruleset.toml").write_text(text, encoding="utf-8")


@pytest.fixture
def house(tmp_path: Path):
    def opened(world: World, *active: ActivationSettings, url: str = "memory:") -> Domcore:
        return world.open(
            Settings(store=url, rulesets=("packs",), root=str(tmp_path), activate=active)
        )

    return opened


def one_node() -> World:
    return World().node("NYC", at=(40.7, -74.0)).item("A").stock("A", NYC=50)


def test_a_fact_of_a_pack_that_is_not_active_for_an_order_is_missing(house, tmp_path):
    written(tmp_path, "classes", ("s", "True", '{ set = { "order.vip" = true } }'))
    written(tmp_path, "policy", ("h", "order.vip", '"hold"'))
    world = one_node()
    active = ActivationSettings("classes", channels=("b2b",)), ActivationSettings("policy")
    with house(world, *active) as dom:
        dom.capture(world.order("1", A=1))
        dom.capture(world.order("2", A=1, channel="b2b"))
        report = dom.route()
        assert (report.errors, report.held, report.routed) == ([], 1, 1)
        assert [hold.code for hold in dom.order("2").summary.holds] == ["policy/h"]
        for number in "12":
            assert dom.explain(number).replayed
