"""``domcore shopify``: help for setting up an integration."""

from __future__ import annotations

import json
import os
from typing import IO

import click

from domcore.errors import ConfigurationError
from domcore.plugin_kit import read_secret
from domcore_shopify.signing import NEWER_PREFIX, PREFIX, signed_headers


@click.group()
def shopify() -> None:
    """Shopify: try an integration without a shop."""


@shopify.command(
    epilog="""\b
Example:
  domcore shopify sign order.json --secret env:SHOPIFY_SECRET --topic orders/create
prints
  {"content-type": "application/json", "x-shopify-hmac-sha256": "...", ...}
"""
)
@click.argument("file", type=click.File("rb"))
@click.option("--secret", required=True, help="The client secret, or env:NAME.")
@click.option("--topic", default="orders/create", show_default=True, help="What it is about.")
@click.option("--shop", default="", help="The shop's domain, such as acme.myshopify.com.")
@click.option("--webhook-id", default="", help="The delivery's id; made from the body if left out.")
@click.option("--triggered-at", default="", help="When it happened: ISO 8601 with an offset.")
@click.option("--newer", is_flag=True, help="Spell the headers without x-.")
def sign(
    file: IO[bytes],
    secret: str,
    topic: str,
    shop: str,
    webhook_id: str,
    triggered_at: str,
    newer: bool,
) -> None:
    """Print the headers of a signed delivery of FILE, as JSON. FILE may be - for standard input."""
    try:
        shared = read_secret(secret, os.environ, "--secret", what="client secret")
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None
    headers = signed_headers(
        file.read(),
        shared,
        topic=topic,
        shop=shop,
        delivery_id=webhook_id,
        triggered_at=triggered_at,
        prefix=NEWER_PREFIX if newer else PREFIX,
    )
    click.echo(json.dumps(headers))
