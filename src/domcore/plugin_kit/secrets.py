"""Secrets among the settings of a plugin, and which of the others may be shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import fields

from domcore.errors import ConfigurationError

ENVIRONMENT: Final = "env:"
"""Begins a setting whose value stands in an environment variable."""


def read_secret(
    text: str, environ: Mapping[str, str], place: str, *, what: str = "secret", named: bool = False
) -> str:
    """A secret as a setting tells it: itself, or ``env:NAME``; without blanks around it.

    Args:
        place: the setting, such as ``channels.web.token``.
        what: what it is, for the error.
        named: whether it must be in the environment.

    Returns:
        The secret; empty where the setting is empty.

    Raises:
        ConfigurationError: the variable is not set, or what is there is blank or no plain text.
            The secret is not repeated.
    """
    if text.startswith(ENVIRONMENT):
        name = text.removeprefix(ENVIRONMENT)
        secret = environ.get(name, "").strip()
        if not secret:
            raise ConfigurationError(
                f"the environment variable {name} is not set; it should hold the {what}",
                place=place,
            )
    elif named:
        raise ConfigurationError(
            f"must name an environment variable that holds the {what}, as 'env:NAME'", place=place
        )
    else:
        secret = text.strip()
        if text and not secret:
            raise ConfigurationError(f"is blank, which is no {what}", place=place)
    if not secret.isprintable():
        raise ConfigurationError(f"is no plain text, so it is no {what}", place=place)
    return secret


def plain_fields(*options: type[Any]) -> tuple[str, ...]:
    """The settings of these attrs classes that may be shown: those that their repr shows.

    For the hook `plain_settings`: a secret is a field with ``repr=False``, which keeps it out of
    logs as well.
    """
    return tuple(dict.fromkeys(each.name for cls in options for each in fields(cls) if each.repr))
