"""Settings that are secrets: where they stand, and which of the others may be shown."""

from __future__ import annotations

import pytest
from attrs import field, frozen

from domcore import ConfigurationError
from domcore.plugin_kit import plain_fields, read_secret


@frozen
class Options:
    region: str = ""
    token: str = field(default="", repr=False)


def test_a_secret_stands_in_the_setting_or_in_the_variable_it_names():
    environ = {"TOKEN": " hush\n"}
    assert read_secret("hush", {}, "plugins.acme.token") == "hush"
    assert read_secret("env:TOKEN", environ, "plugins.acme.token") == "hush"
    assert read_secret("", environ, "plugins.acme.token") == ""


@pytest.mark.parametrize(
    ("text", "environ", "told"),
    [
        ("   ", {}, "is blank"),
        ("\t", {}, "is blank"),
        ("env:TOKEN", {}, "TOKEN is not set"),
        ("env:TOKEN", {"TOKEN": "  "}, "TOKEN is not set"),
        ("env:TOKEN", {"TOKEN": "zz\x07zz"}, "no plain text"),
        ("zz\nzz", {}, "no plain text"),
    ],
)
def test_what_is_no_secret_is_refused_and_not_repeated(text, environ, told):
    with pytest.raises(ConfigurationError, match=told) as caught:
        read_secret(text, environ, "plugins.acme.token", what="token")
    assert caught.value.place == "plugins.acme.token"
    assert "zz" not in str(caught.value)


def test_a_plugin_may_insist_on_the_environment():
    with pytest.raises(ConfigurationError, match="env:NAME"):
        read_secret("hush", {}, "plugins.acme.token", named=True)


def test_what_a_repr_shows_may_be_shown():
    assert plain_fields(Options, Options) == ("region",)
    assert "hush" not in repr(Options("west", "hush"))
