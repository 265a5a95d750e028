"""The options of one connection: ``[connectors.NAME]`` of kind ``amazon-mcf``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from attrs import evolve, field, frozen
from cattrs import Converter

from domcore.codec.strict import Between, Line, Price, Refused, Word, structure
from domcore.errors import ConfigurationError, PayloadError, Problem
from domcore.plugin_kit import read_secret
from domcore.settings import ConnectorSettings

HOSTS: Final = {region: f"sellingpartnerapi-{region}.amazon.com" for region in ("na", "eu", "fe")}
LOGIN: Final = "https://api.amazon.com/auth/o2/token"
SANDBOX: Final = "sandbox."
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

Speed = Literal["Standard", "Expedited", "Priority"]
Seconds = Annotated[int, Between(1, 120)]

_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,11}-\Z", re.ASCII)


@frozen(slots=True)
class Options:
    """How one seller's work is handed over.

    Args:
        client_id, client_secret, refresh_token: Login with Amazon; each is ``env:NAME``, so that
            none stands in a file.
        marketplace_id: such as ``ATVPDKIKX0DER``.
        region: ``na``, ``eu`` or ``fe``.
        sandbox: whether the vendor's sandbox is spoken to.
        prefix: begins every order id at the vendor. One seller account may be used by several
            systems; only orders with this prefix are ours.
        services: delivery service to shipping speed; `speed` is that of every other order.
        skus: our SKU to the seller SKU, where they differ.
        policy: what the vendor does with an order it cannot ship whole.
        features: such as ``{BLANK_BOX = "Required"}``.
        comment: on the packing slip.
        quotes: whether planning asks for the fee of each order that it might ship.
        quote_minutes: how long a quote is believed.
        fallback_fee: what an order without a quote costs; None leaves it to other nodes.
        quote_name, quote_street, quote_city: stand in a request for a quote in place of the
            recipient's: planning knows of nobody, and the fee goes by the postal code.
        notifications: ``accept`` takes them unsigned, for a queue that you read yourself.
        notification_secrets: one of them must come in the header ``x-api-key``.
        rate, burst: calls a second and at once, for each operation, until a reply tells otherwise.
        timeout_seconds: for one call.
        certain_after: seconds after which an order that was not found is not there.
        lookback_days: how far back the first poll looks.
        follow_days: how long an order is followed after its last change.
        checks: orders under way that are looked at in one poll; 0 tells of no delivery.
        endpoint, login_endpoint: other hosts, for tests; only with `other_hosts`.
    """

    marketplace_id: Annotated[str, Line(40, least=1)]
    client_id: Word = field(repr=False)
    client_secret: Word = field(repr=False)
    refresh_token: Word = field(repr=False)
    region: Literal["na", "eu", "fe"] = "na"
    sandbox: bool = False
    prefix: Word = "dc-"
    services: Mapping[Word, Speed] = field(factory=dict)
    speed: Speed = "Standard"
    skus: Mapping[Word, Word] = field(factory=dict)
    policy: Literal["FillOrKill", "FillAll", "FillAllAvailable"] = "FillAllAvailable"
    features: Mapping[Word, Literal["Required", "NotRequired"]] = field(factory=dict)
    comment: Annotated[str, Line(750, least=1)] = "Thank you for your order."
    quotes: bool = True
    quote_minutes: Annotated[int, Between(0, 1440)] = 15
    fallback_fee: Price | None = None
    quote_name: Word = "Quote"
    quote_street: Word = "General Delivery"
    quote_city: Word = "Unknown"
    notifications: Literal["accept", "refuse"] = "refuse"
    notification_secrets: tuple[Word, ...] = field(default=(), repr=False)
    rate: Annotated[int, Between(1, 100)] = 2
    burst: Annotated[int, Between(1, 1000)] = 30
    timeout_seconds: Seconds = 20
    certain_after: Annotated[int, Between(0, 86_400)] = 300
    lookback_days: Annotated[int, Between(1, 365)] = 30
    follow_days: Annotated[int, Between(1, 365)] = 45
    checks: Annotated[int, Between(0, 200)] = 20
    endpoint: Annotated[str, Line(200)] = ""
    login_endpoint: Annotated[str, Line(200)] = ""
    other_hosts: bool = False

    def __attrs_post_init__(self) -> None:
        if not _PREFIX.match(self.prefix):
            raise Refused(
                "prefix: must be 1 to 12 letters, digits or hyphens and end in a hyphen, as 'dc-'"
            )
        if len(set(self.skus.values())) < len(self.skus):
            raise Refused("skus: two of ours are one of the vendor's; which one has shipped?")
        if (self.endpoint or self.login_endpoint) and not self.other_hosts:
            raise Refused("endpoint, login_endpoint: are for tests, with other_hosts = true")
        for url in (self.endpoint, self.login_endpoint):
            _check_host(url)

    @property
    def base_url(self) -> str:
        """Where the vendor listens."""
        if self.endpoint:
            return self.endpoint.rstrip("/")
        return f"https://{SANDBOX if self.sandbox else ''}{HOSTS[self.region]}"

    @property
    def login_url(self) -> str:
        """Where access tokens are given."""
        return self.login_endpoint or LOGIN

    def speed_of(self, service: str) -> str:
        """The shipping speed for a delivery service."""
        return self.services.get(service, self.speed)


def _check_host(url: str) -> None:
    """Another host must be reached by https, or be this machine."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or "@" in parts.netloc or parts.query or parts.fragment:
        raise Refused("endpoint, login_endpoint: must be a plain https:// URL")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise Refused("endpoint, login_endpoint: must begin with https://")


def read_options(
    settings: ConnectorSettings, environ: Mapping[str, str], converter: Converter
) -> Options:
    """Check the options of one connector and fetch its secrets.

    Raises:
        ConfigurationError: an option is missing, unknown or wrong, or a secret is not there.
    """
    place = f"connectors.{settings.name}"
    try:
        options = structure(converter, dict(settings.options), Options)
    except PayloadError as error:
        wrong = "; ".join(_in_words(problem) for problem in error.problems)
        raise ConfigurationError(wrong, place=place) from None

    def secret(option: str, text: str) -> str:
        return read_secret(text, environ, f"{place}.{option}", what=option, named=True)

    told = options.notification_secrets
    return evolve(
        options,
        client_id=secret("client_id", options.client_id),
        client_secret=secret("client_secret", options.client_secret),
        refresh_token=secret("refresh_token", options.refresh_token),
        notification_secrets=tuple(secret("notification_secrets", each) for each in told),
    )


def _in_words(problem: Problem) -> str:
    option = problem.path.removeprefix("$").removeprefix(".")
    return f"{option}: {problem.message}" if option else problem.message
