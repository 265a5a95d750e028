"""For authors of plugins that talk to partners: what is the same whoever the partner is.

How a partner is reached is the plugin's own business. `domcore.plugin_kit.calls` is for those that
bring httpx and stamina; it is not imported here.

* `Bucket`: how fast a partner may be asked
* `Cursor`: where asking for changed things goes on, and what was told of them lately
* `read_secret`, `plain_fields`: which settings are secrets, and where they stand
* `unreadable`, `order_named`: what cannot be read, told so that a person can find it
* `units_that_left`: what of an order has left, by the news that channels hear
"""

from __future__ import annotations

from domcore.plugin_kit.bucket import Bucket
from domcore.plugin_kit.cursor import OVERLAP, Cursor, Told, digest_of, load_cursor
from domcore.plugin_kit.news import units_that_left
from domcore.plugin_kit.secrets import ENVIRONMENT, plain_fields, read_secret
from domcore.plugin_kit.unreadable import order_named, unreadable

__all__ = [
    "ENVIRONMENT",
    "OVERLAP",
    "Bucket",
    "Cursor",
    "Told",
    "digest_of",
    "load_cursor",
    "order_named",
    "plain_fields",
    "read_secret",
    "units_that_left",
    "unreadable",
]
