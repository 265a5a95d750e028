"""The options of a WooCommerce channel: ``[channels.NAME]`` in the project file."""

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
from domcore.settings import ChannelSettings

Action = Literal["capture", "hold", "shipped", "nothing", "cancel", "ignore"]

STATUSES: Final[Mapping[str, Action]] = {
    "processing": "capture",
    "pending": "hold",
    "on-hold": "hold",
    "failed": "nothing",
    "cancelled": "cancel",
    "refunded": "cancel",
    "trash": "cancel",
    "completed": "shipped",
    "checkout-draft": "ignore",
    "auto-draft": "ignore",
}
"""What is done with an order of each status; those that a shop adds are ignored until it says."""

_URL: Final = re.compile(r"https://[A-Za-z0-9.-]{1,253}(?::\d{1,5})?(?:/[A-Za-z0-9._~/-]{0,500})?")


@frozen(slots=True)
class Options:
    """How one shop is read, asked and told.

    Args:
        url: where the shop is: ``https://shop.example``, with the folder of WordPress, if any.
        key, secret: consumer key and secret of the REST API. ``env:NAME`` is read from the
            environment. With them the shop is asked for orders and told of stock and shipments.
        webhook_secrets: what webhooks are signed with; several during a change.
        statuses: status to what is done with an order that has it: ``capture``; ``hold``: capture
            it, and let nothing leave (``unpaid``) until another status comes; ``nothing``: take
            what has not left off it, until another status comes; ``cancel``, which is final;
            ``shipped``: all of it has left, whoever sent it; or ``ignore``. What is not named keeps
            its default (`STATUSES`).
        reserve_unpaid: whether stock is reserved for an order that is held. The shop has taken it
            off its own stock by then.
        pickup: further method ids and titles of shipping lines that mean that the customer fetches
            the order, beside ``local_pickup`` and ``pickup_location``.
        services: method id or title of the shipping line to delivery service.
        default_service: the service of every other order.
        without_shipping: lines of orders that have no shipping line ``ship``, or are ``kept`` only.
        virtual: SKUs, and ids of products and variations, that do not ship.
        virtual_meta: key of a line's own data that marks it as one that does not ship.
        order_meta, line_meta: key of the order's or line's own data to the attribute it becomes.
            Others are not copied.
        customer_note: what the customer's note at the checkout is: ``instructions`` for the
            delivery, a ``gift_message``, or ``off``. Kept with the person.
        gift_message: key of the order's own data that holds a gift message.
        since: where the first pull begins; without it, with the oldest order.
        calls_per_second, burst: how fast the shop is asked.
        cancellations: ``push`` cancels in the shop what was cancelled here.
        complete: whether an order becomes ``completed`` once all of it has left.
        notify_customers: whether notes with tracking are sent to the customer.
        timeout_seconds: how long one call may take.
        postal_digits: leading characters of the postal code kept for planning; 0 keeps all, and
            without it the application's own setting counts.
        most_bytes: the largest body accepted.
    """

    url: Annotated[str, Line(800)] = ""
    key: Annotated[str, Line(255)] = field(default="", repr=False)
    secret: Annotated[str, Line(255)] = field(default="", repr=False)
    webhook_secrets: tuple[Word, ...] = field(default=(), repr=False)
    statuses: Mapping[Word, Action] = field(factory=dict)
    reserve_unpaid: bool = True
    pickup: tuple[Word, ...] = ()
    services: Mapping[Word, Word] = field(factory=dict)
    default_service: Word = "standard"
    without_shipping: Literal["ship", "kept"] = "ship"
    virtual: tuple[Word, ...] = ()
    virtual_meta: Annotated[str, Line(255)] = ""
    order_meta: Mapping[Word, Word] = field(factory=dict)
    line_meta: Mapping[Word, Word] = field(factory=dict)
    customer_note: Literal["instructions", "gift_message", "off"] = "instructions"
    gift_message: Annotated[str, Line(255)] = ""
    since: datetime | None = None
    calls_per_second: Annotated[int, Between(1, 1000)] = 5
    burst: Annotated[int, Between(1, 10_000)] = 20
    cancellations: Literal["push", "off"] = "push"
    complete: bool = True
    notify_customers: bool = False
    timeout_seconds: Annotated[int, Between(1, 120)] = 30
    postal_digits: Annotated[int, Between(0, 20)] | None = None
    most_bytes: Annotated[int, Between(1, 256 * 1024 * 1024)] = 16 * 1024 * 1024

    def __attrs_post_init__(self) -> None:
        if bool(self.key) != bool(self.secret):
            raise Refused("key and secret go together")
        if not self.key and not self.webhook_secrets:
            raise Refused(
                "needs key and secret of the REST API, such as key = 'env:WOO_KEY' and"
                " secret = 'env:WOO_SECRET', or webhook_secrets"
            )
        if self.key and not _URL.fullmatch(self.url):
            raise Refused("url must be such as https://shop.example: nothing is sent unencrypted")

    def action(self, status: str) -> Action:
        """What is done with an order of this status."""
        slug = status.removeprefix("wc-")
        return self.statuses.get(slug, STATUSES.get(slug, "ignore"))


def read_options(
    settings: ChannelSettings, environ: Mapping[str, str], converter: Converter
) -> Options:
    """Check the options of one channel and fetch its secrets.

    Raises:
        ConfigurationError: an option is unknown or wrong, or a secret is not there.
    """
    place = f"channels.{settings.name}"
    try:
        options = structure(converter, dict(settings.options), Options)
    except PayloadError as error:
        wrong = "; ".join(_in_words(problem) for problem in error.problems)
        raise ConfigurationError(wrong, place=place) from None
    if options.key and settings.publish == "nodes":
        raise ConfigurationError(
            "a product has one stock in WooCommerce: publish must be 'total' or 'off'",
            place=f"{place}.publish",
        )
    signed_with = f"{place}.webhook_secrets"
    return evolve(
        options,
        url=options.url.rstrip("/"),
        key=read_secret(options.key, environ, f"{place}.key"),
        secret=read_secret(options.secret, environ, f"{place}.secret"),
        webhook_secrets=tuple(
            read_secret(each, environ, signed_with) for each in options.webhook_secrets
        ),
    )


def _in_words(problem: Problem) -> str:
    option = problem.path.removeprefix("$").removeprefix(".")
    return f"{option}: {problem.message}" if option else problem.message
