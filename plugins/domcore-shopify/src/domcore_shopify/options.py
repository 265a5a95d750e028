"""The options of a Shopify channel: ``[channels.NAME]`` in the project file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from attrs import evolve, field, frozen
from cattrs import Converter

from domcore.codec.strict import Between, Line, Refused, Word, structure
from domcore.errors import ConfigurationError, PayloadError, Problem
from domcore.settings import ChannelSettings
from domcore_shopify.environment import ENVIRONMENT


@frozen(slots=True)
class Options:
    """How one shop's orders are read.

    Args:
        secrets: the app's client secret; several during a rotation. ``env:NAME`` is read from the
            environment.
        shop: the shop's ``....myshopify.com`` domain; deliveries that name another are refused.
        api_bodies: ``accept`` takes unsigned Admin API bodies (``{"order": ...}`` or
            ``{"orders": [...]}``), for orders fetched by a job of yours. Webhooks are always
            signed.
        test_orders: ``ignore`` or ``capture``.
        fulfilled_orders: what to do with orders of which every unit has left already: ``ignore``,
            or ``capture`` to load history for simulations.
        tiers: customer or order tag to customer tier; the first that fits counts.
        services: code or title of the shipping line to delivery service.
        default_service: the service of every other order.
        line_properties: name of a line's property to the attribute it becomes. Others are not
            copied: shoppers write personal things into them.
        note_attributes: the same for an order's note attributes.
        postal_digits: leading characters of the postal code kept for planning; 0 keeps all, and
            without it the application's own setting counts.
        most_bytes: the largest body accepted.
    """

    secrets: tuple[Word, ...] = field(default=(), repr=False)
    shop: Annotated[str, Line(255)] = ""
    api_bodies: Literal["accept", "refuse"] = "refuse"
    test_orders: Literal["ignore", "capture"] = "ignore"
    fulfilled_orders: Literal["ignore", "capture"] = "ignore"
    tiers: Mapping[Word, Word] = field(factory=dict)
    services: Mapping[Word, Word] = field(factory=dict)
    default_service: Word = "standard"
    line_properties: Mapping[Word, Word] = field(factory=dict)
    note_attributes: Mapping[Word, Word] = field(factory=dict)
    postal_digits: Annotated[int, Between(0, 20)] | None = None
    most_bytes: Annotated[int, Between(1, 256 * 1024 * 1024)] = 16 * 1024 * 1024

    def __attrs_post_init__(self) -> None:
        if not self.secrets and self.api_bodies == "refuse":
            raise Refused(
                "needs secrets, such as secrets = ['env:SHOPIFY_SECRET'], "
                "or api_bodies = 'accept' for orders that you fetch yourself"
            )


def read_options(
    settings: ChannelSettings, environ: Mapping[str, str], converter: Converter
) -> Options:
    """Check the options of one channel and fetch its secrets.

    Raises:
        ConfigurationError: an option is unknown or wrong, or a secret is not there.
    """
    place = f"channels.{settings.name}"
    given = dict(settings.options)
    try:
        options = structure(converter, given, Options)
    except PayloadError as error:
        wrong = "; ".join(_in_words(problem) for problem in error.problems)
        raise ConfigurationError(wrong, place=place) from None
    secrets = tuple(_secret(each, environ, place) for each in options.secrets)
    return evolve(options, secrets=secrets)


def _in_words(problem: Problem) -> str:
    option = problem.path.removeprefix("$").removeprefix(".")
    return f"{option}: {problem.message}" if option else problem.message


def _secret(text: str, environ: Mapping[str, str], place: str) -> str:
    if not text.startswith(ENVIRONMENT):
        return text
    name = text.removeprefix(ENVIRONMENT)
    secret = environ.get(name, "").strip()
    if not secret:
        raise ConfigurationError(
            f"the environment variable {name} is not set; it should hold the client secret",
            place=f"{place}.secrets",
        )
    return secret
