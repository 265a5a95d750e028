"""For authors of plugins that talk to partners: what is the same whoever the partner is.

How a partner is reached is the plugin's own business. `domcore.plugin_kit.calls` is for those that
bring httpx and stamina; it is not imported here.

* `Bucket`: how fast a partner may be asked
* `Cursor`: where asking for changed things goes on, and what was told of them lately
* `units_that_left`: what of an order has left, by the news that channels hear
"""

from __future__ import annotations

from domcore.plugin_kit.bucket import Bucket
from domcore.plugin_kit.cursor import OVERLAP, Cursor, Told, digest_of, load_cursor
from domcore.plugin_kit.news import units_that_left

__all__ = [
    "OVERLAP",
    "Bucket",
    "Cursor",
    "Told",
    "digest_of",
    "load_cursor",
    "units_that_left",
]
