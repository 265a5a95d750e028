"""What domcore sees of the plugin: hooks, options, command."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from domcore.contracts import Channel
from domcore.errors import ConfigurationError
from domcore.model import Envelope
from domcore.plugins import Plugins
from domcore.settings import ChannelSettings, Settings
from domcore_shopify import plugin
from domcore_shopify.building import build_channels


def application(*channels: ChannelSettings) -> SimpleNamespace:
    return SimpleNamespace(settings=Settings(channels=channels, postal_digits=3))


def configured(environ=None, **options):
    settings = ChannelSettings("web", "shopify", "acme", options)
    (channel,) = build_channels([settings], environ or {}, 0)
    return channel


def test_register_channels(monkeypatch) -> None:
    monkeypatch.setenv("WEB_SECRET", "s")
    plugins = Plugins()
    plugins.register(plugin, "shopify")
    dom = application(
        ChannelSettings("web", "shopify", "main", {"secrets": ["env:WEB_SECRET"]}),
        ChannelSettings("edi", "x12"),
        ChannelSettings("outlet", "shopify", "other", {"secrets": ["b"], "postal_digits": 0}),
    )
    found = plugins.collect("register_channels", Channel, dom=dom)
    assert [(name, each.name) for name, each in found] == [
        ("shopify", "web"),
        ("shopify", "outlet"),
    ]
    assert plugins.collect("register_channels", Channel, dom=application()) == []


def test_register_commands() -> None:
    plugins = Plugins()
    plugins.register(plugin, "shopify")
    cli = click.Group()
    list(plugins.each("register_commands", cli=cli))
    assert list(cli.commands) == ["shopify"]


def test_loading_the_plugin_loads_nothing_heavy() -> None:
    code = (
        "import sys, domcore_shopify.plugin, domcore_shopify.signing\n"
        "assert not {'cattrs', 'msgspec', 'click'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def test_secrets_come_from_the_environment() -> None:
    channel = configured({"A": " sesame \n"}, secrets=["env:A", "plain"])
    assert channel._options.secrets == ("sesame", "plain")
    for environ in ({}, {"A": ""}, {"A": "  "}):
        with pytest.raises(ConfigurationError, match=r"web\.secrets: .*variable A is not"):
            configured(environ, secrets=["env:A"])


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({}, "needs secrets"),
        ({"secrets": []}, "needs secrets"),
        ({"secret": ["x"]}, "did you mean 'secrets'"),
        ({"secrets": "sesame"}, "secrets: must be a list, not text"),
        ({"secrets": ["sesame", 5]}, r"secrets\[1\]: must be text"),
        ({"secrets": ["s"], "api_bodies": "allow"}, "'accept', 'refuse'"),
        ({"secrets": ["s"], "api_bodies": True}, "'accept', 'refuse'"),
        ({"secrets": ["s"], "tiers": ["vip"]}, "tiers: must be an object"),
        ({"secrets": ["s"], "tiers": {"vip": 1}}, "tiers.vip: must be text"),
        ({"secrets": ["s"], "postal_digits": -1}, "postal_digits: must be from 0 to 20"),
        ({"secrets": ["s"], "most_bytes": 0}, "most_bytes"),
    ],
)
def test_wrong_options_say_what_is_wrong(options, match: str) -> None:
    with pytest.raises(ConfigurationError, match=match) as caught:
        configured(**options)
    assert str(caught.value).startswith("channels.web")
    assert "sesame" not in str(caught.value)


def test_sign_prints_headers_that_the_channel_accepts(tmp_path, monkeypatch) -> None:
    cli = click.Group()
    plugin.register_commands(cli)
    body = b'{"id": 1}'
    file = tmp_path / "body.json"
    file.write_bytes(body)
    monkeypatch.setenv("S", "sesame")
    channel = configured(secrets=["sesame"])
    for extra in ([], ["--newer"], ["--webhook-id", "w", "--shop", "acme.myshopify.com"]):
        arguments = ["shopify", "sign", str(file), "--secret", "env:S", "--topic", "app/x", *extra]
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == 0, result.output
        assert channel.receive(Envelope("web", body, json.loads(result.output)))
    again = CliRunner().invoke(cli, ["shopify", "sign", "-", "--secret", "sesame"], input=body)
    assert json.loads(again.output)["x-shopify-topic"] == "orders/create"


def test_sign_explains_itself(tmp_path) -> None:
    cli = click.Group()
    plugin.register_commands(cli)
    shown = CliRunner().invoke(cli, ["shopify", "sign", "--help"]).output
    assert "domcore shopify sign order.json --secret env:SHOPIFY_SECRET" in shown
    (tmp_path / "b").write_bytes(b"{}")
    unset = CliRunner().invoke(
        cli, ["shopify", "sign", str(tmp_path / "b"), "--secret", "env:NO_SUCH"]
    )
    assert unset.exit_code == 2
    assert "NO_SUCH" in unset.output
