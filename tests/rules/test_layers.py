"""Layers, activations, overrides: whose rule is heard."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domcore.errors import ConfigurationError
from domcore.rules import Activation


def held(policy) -> list[str]:
    return [hold.code for hold in policy.holds]


@pytest.fixture
def core(make):
    return make.pack(
        make.rule("True", "hold", id="check"), make.rule("True", "hold", id="weigh"), name="core"
    ), Activation("core", layer="core")


def test_a_rule_takes_the_place_of_one_of_an_earlier_layer(shop, make, core):
    mine = make.pack(make.rule("False", "hold", id="own", overrides="core/check"), name="mine")
    assert held(shop.ask(shop.programs(core, (mine, Activation("mine"))))) == ["core/weigh"]


def test_a_pack_disables_rules_of_an_earlier_layer(shop, make, core):
    mine = make.pack(name="mine", disables=["core/check", "core/weigh"])
    assert held(shop.ask(shop.programs(core, (mine, Activation("mine"))))) == []


def test_an_override_reaches_only_as_far_as_its_own_activation(shop, make, core):
    mine = make.pack(make.rule("True", "hold", id="own", overrides="core/check"), name="mine")
    program = shop.programs(core, (mine, Activation("mine", channels=("pos",))))
    assert held(shop.ask(program)) == ["core/check", "core/weigh"]
    at_till = shop.ordering(channel="pos")
    assert held(at_till.ask(program)) == ["core/weigh", "mine/own"]


def test_an_override_lasts_as_long_as_its_rule(shop, make, core):
    rule = make.rule("True", "hold", id="own", overrides="core/check", until="2026-11-26")
    program = shop.programs(core, (make.pack(rule, name="mine"), Activation("mine")))
    assert held(shop.ask(program)) == ["core/check", "core/weigh"]


@pytest.mark.parametrize(
    ("layer", "address", "why"),
    [
        ("core", "core/check", "not in an earlier layer"),
        ("retailer", "core/chekc", "did you mean 'core/check'"),
        ("retailer", "other/check", "no rule"),
    ],
)
def test_what_is_not_in_an_earlier_layer_cannot_be_overridden(
    plain_shop, make, core, layer, address, why
):
    for mine in (
        make.pack(make.rule("True", overrides=address), name="mine"),
        make.pack(name="mine", disables=[address]),
    ):
        with pytest.raises(ConfigurationError, match=why):
            plain_shop.programs(core, (mine, Activation("mine", layer=layer)))


def test_equal_ids_in_two_packs_are_two_rules(shop, make, core):
    mine = make.pack(make.rule("True", "hold", id="check"), name="mine")
    program = shop.programs(core, (mine, Activation("mine")))
    assert held(shop.ask(program)) == ["core/check", "core/weigh", "mine/check"]


def test_the_layer_outranks_the_priority(shop, make):
    core = make.pack(make.rule("True", {"split": {"max_nodes": 2}}, priority=1_000), name="core")
    mine = make.pack(make.rule("True", {"split": {"max_nodes": 5}}, priority=-1_000), name="mine")
    program = shop.programs((mine, Activation("mine")), (core, Activation("core", layer="core")))
    assert shop.ask(program).first.split.max_nodes == 5


def test_an_activation_speaks_of_its_own_owner_and_channels(shop, make):
    pack = make.pack(make.rule("True", "hold"))
    web = shop.programs((pack, Activation("p", owner="main", channels=("web", "app"))))
    assert held(shop.ask(web)) == ["p/r1"]
    assert held(shop.ordering(channel="pos").ask(web)) == []
    assert held(shop.ordering(owner="other").ask(web)) == []


def test_one_pack_may_be_active_twice_with_other_numbers(shop, make):
    pack = make.pack(
        make.rule("order.value > parameters.limit", "hold", reason="large"),
        parameters={"limit": {"type": "money", "default": "100"}},
    )
    program = shop.programs(
        (pack, Activation("p", channels=("web",))),
        (pack, Activation("p", channels=("pos",), parameters={"limit": "1000"})),
    )
    assert held(shop.ask(program)) == ["p/r1"]
    assert held(shop.ordering(channel="pos").ask(program)) == []


def test_a_partner_speaks_of_its_own_nodes_only(shop, make):
    pack = make.pack(
        make.rule("node.kind == 'store'", id="stores"),
        make.rule("order.channel == 'web'", {"cost": {"amount": "1", "per": "parcel"}}, id="web"),
        make.rule("node.country == 'US'", "require", id="home"),
        name="acme",
    )
    partner = Activation("acme", layer="partner", nodes=("toronto",))
    policy = shop.ask(shop.programs((pack, partner)))
    assert policy.first.barred == (4, 4)
    assert policy.costs == (("parcel", -1, 4, 1_000_000),)
    assert {mask for _, _, mask in policy.fired} == {4, 0}


def test_a_partner_without_its_nodes_in_the_network_says_nothing(shop, make):
    pack = make.pack(make.rule("True"), make.rule("node.kind == 'dc'", "require"))
    partner = Activation("p", layer="partner", nodes=("elsewhere",))
    policy = shop.ask(shop.programs((pack, partner)))
    assert policy.first.barred == (0, 0)


@pytest.mark.parametrize("then", ["hold", {"split": {"max_nodes": 1}}, {"set": {"order.x": 1}}])
def test_a_partner_says_nothing_of_the_order(plain_shop, make, then):
    partner = Activation("p", layer="partner", nodes=("toronto",))
    with pytest.raises(ConfigurationError, match="own nodes only"):
        plain_shop.program(make.rule("True", then), activation=partner)


def test_a_partner_leaves_other_packs_alone(plain_shop, make, core):
    pack = make.pack(make.rule("True", overrides="core/check"))
    with pytest.raises(ConfigurationError, match="leaves other packs"):
        plain_shop.programs(core, (pack, Activation("p", layer="partner", nodes=("toronto",))))


def test_activations_are_checked(plain_shop, make):
    with pytest.raises(ConfigurationError, match="layer 'boss'"):
        Activation("p", layer="boss")
    with pytest.raises(ConfigurationError, match="names the partner's own nodes"):
        Activation("p", layer="partner")
    for activation, why in (
        (Activation("q"), "activation is for 'q'"),
        (Activation("p", version="2.0.0"), "version '2.0.0'"),
        (Activation("p", parameters={"x": 1}), "no such parameter"),
    ):
        with pytest.raises(ConfigurationError, match=why):
            plain_shop.program(make.rule("True"), activation=activation)


@pytest.mark.parametrize(
    ("window", "now", "speaks"),
    [
        ({"from": "2026-11-27"}, "2026-11-27T05:00", True),
        ({"from": "2026-11-27"}, "2026-11-27T04:59", False),
        ({"until": "2026-11-27"}, "2026-11-28T04:59", True),
        ({"until": "2026-11-27"}, "2026-11-28T05:00", False),
        ({"until": "2026-11-27T18:00"}, "2026-11-27T22:59", True),
        ({"until": "2026-11-27T18:00"}, "2026-11-27T23:00", False),
        ({"from": "2026-11-01", "until": "2026-11-30"}, "2026-11-15T00:00", True),
    ],
)
def test_a_rule_is_valid_within_its_window_in_the_packs_zone(shop, make, window, now, speaks):
    then = shop.but(now=datetime.fromisoformat(now).replace(tzinfo=UTC))
    policy = then.judge(make.rule("True", "hold", **window), timezone="America/New_York")
    assert bool(policy.holds) is speaks


def test_a_switched_off_rule_says_nothing_but_is_still_checked(plain_shop, make):
    assert plain_shop.judge(make.rule("True", "hold", enabled=False)).holds == ()
    with pytest.raises(ConfigurationError, match="no fact"):
        plain_shop.program(make.rule("order.x", "hold", enabled=False))


def test_equal_packs_and_activations_have_equal_digests(plain_shop, make):
    one, same = plain_shop.program(make.rule("True")), plain_shop.program(make.rule("True"))
    assert one.digest == same.digest
    assert one.digest != plain_shop.program(make.rule("False")).digest
    web = Activation("p", channels=("web",))
    assert one.digest != plain_shop.program(make.rule("True"), activation=web).digest
