"""The options of a Shopify channel: ``[channels.NAME]`` in the project file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal

from attrs import evolve, field, frozen
from cattrs import Converter

from domcore.codec.strict import Between, Line, Refused, Word, structure
from domcore.errors import ConfigurationError, PayloadError, Problem
from domcore.plugin_kit import read_secret
from domcore.plugin_kit.payments import SHIP_WHEN
from domcore.settings import ChannelSettings

_DOMAIN: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::\d{1,5})?")
_VERSION: Final = re.compile(r"\d{4}-\d\d|unstable")


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
        ship_when: values of ``financial_status`` with which an order goes. With any other it is
            captured and held (``unpaid``, ``payment-voided``, ``refunded``, ``payment-unclear``)
            until a body comes with one of these.
        reserve_unpaid: whether stock is reserved for an order that is held so.
        pickup: further codes and titles of shipping lines that mean that the customer fetches the
            order.
        tiers: customer or order tag to customer tier; the first that fits counts.
        services: code or title of the shipping line to delivery service.
        default_service: the service of every other order.
        line_properties: name of a line's property to the attribute it becomes. Others are not
            copied: shoppers write personal things into them.
        note_attributes: the same for an order's note attributes.
        gift_message, instructions: the note attribute in which the customer writes to whom it goes,
            and about the delivery; ``note`` is the order's own note. Kept with the person.
        locations: id of a Shopify location to node, for stock, returns and fulfillments.
        stock: ``counts`` takes ``inventory_levels/update`` for a count of the location's node;
            ``off`` leaves stock to your own feeds.
        returns: ``receive`` takes refunds that restock units which had left for goods received;
            ``ignore`` leaves returns to you.
        token: the Admin API's access token. With it the shop is asked for orders and told of
            stock and shipments; without it the channel only receives.
        api_version: the version of the Admin API.
        since: where the first pull begins; without it, with the oldest order that the token shows.
        cancellations: ``push`` cancels in Shopify what was cancelled here.
        notify_customers: whether Shopify writes to the customer about what is pushed.
        timeout_seconds: how long one call may take.
        postal_digits: leading characters of the postal code kept for planning; 0 keeps all, and
            without it the application's own setting counts.
        most_bytes: the largest body accepted.
    """

    secrets: tuple[Word, ...] = field(default=(), repr=False)
    shop: Annotated[str, Line(255)] = ""
    api_bodies: Literal["accept", "refuse"] = "refuse"
    test_orders: Literal["ignore", "capture"] = "ignore"
    fulfilled_orders: Literal["ignore", "capture"] = "ignore"
    ship_when: tuple[Word, ...] = SHIP_WHEN
    reserve_unpaid: bool = False
    pickup: tuple[Word, ...] = ()
    tiers: Mapping[Word, Word] = field(factory=dict)
    services: Mapping[Word, Word] = field(factory=dict)
    default_service: Word = "standard"
    line_properties: Mapping[Word, Word] = field(factory=dict)
    note_attributes: Mapping[Word, Word] = field(factory=dict)
    gift_message: Annotated[str, Line(255)] = ""
    instructions: Annotated[str, Line(255)] = ""
    locations: Mapping[Word, Word] = field(factory=dict)
    stock: Literal["off", "counts"] = "off"
    returns: Literal["receive", "ignore"] = "receive"
    token: Annotated[str, Line(500)] = field(default="", repr=False)
    api_version: Annotated[str, Line(20, least=1)] = "2026-07"
    since: datetime | None = None
    cancellations: Literal["push", "off"] = "push"
    notify_customers: bool = False
    timeout_seconds: Annotated[int, Between(1, 120)] = 20
    postal_digits: Annotated[int, Between(0, 20)] | None = None
    most_bytes: Annotated[int, Between(1, 256 * 1024 * 1024)] = 16 * 1024 * 1024

    def __attrs_post_init__(self) -> None:
        if not self.secrets and self.api_bodies == "refuse" and not self.token:
            raise Refused(
                "needs secrets, such as secrets = ['env:SHOPIFY_SECRET'], "
                "or api_bodies = 'accept' for orders that you fetch yourself, or a token"
            )
        if self.token and not _DOMAIN.fullmatch(self.shop.lower()):
            raise Refused("a token needs the shop's domain, such as shop = 'acme.myshopify.com'")
        if not _VERSION.fullmatch(self.api_version):
            raise Refused("api_version must be such as 2026-07")
        if any(not id.isdecimal() for id in self.locations):
            raise Refused("the keys of locations are the numbers of Shopify's locations")
        if len(set(self.locations.values())) < len(self.locations):
            raise Refused("two locations cannot be one node")


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
    if options.stock == "counts" and options.token and settings.publish != "off":
        raise ConfigurationError(
            "stock = 'counts' takes Shopify's word for stock, so nothing may be told to it:"
            " add publish = 'off'",
            place=f"{place}.stock",
        )
    secrets = tuple(
        read_secret(each, environ, f"{place}.secrets", what="client secret")
        for each in options.secrets
    )
    token = read_secret(options.token, environ, f"{place}.token", what="access token")
    if not (token.isascii() and token.isprintable()):
        raise ConfigurationError("is no access token: it has odd letters", place=f"{place}.token")
    return evolve(options, secrets=secrets, token=token)


def _in_words(problem: Problem) -> str:
    option = problem.path.removeprefix("$").removeprefix(".")
    return f"{option}: {problem.message}" if option else problem.message
