"""A WooCommerce shop that is also asked and told things: `WooShop`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from cattrs import Converter

from domcore.model import Pulled, ShipmentNews, StockLevel
from domcore.plugin_kit import Bucket
from domcore_woocommerce.api import Api
from domcore_woocommerce.channel import WooChannel
from domcore_woocommerce.options import Options
from domcore_woocommerce.pulling import Puller
from domcore_woocommerce.stocking import Product, Stocker
from domcore_woocommerce.telling import Teller

OpenApi = Callable[[Options], Api]


def open_api(options: Options) -> Api:
    """The REST API that the options name."""
    return Api(
        options.url,
        options.key,
        options.secret,
        Bucket(options.burst, options.calls_per_second),
        timeout=float(options.timeout_seconds),
    )


class WooShop(WooChannel):
    """A channel with a key of the REST API. Nothing is called before it is first asked or told.

    Args:
        open_api, clock: for tests: another way to the shop, and another time.
    """

    def __init__(
        self,
        name: str,
        owner: str,
        options: Options,
        *,
        postal_digits: int,
        converter: Converter,
        open_api: OpenApi = open_api,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(name, owner, options, postal_digits=postal_digits, converter=converter)
        self._open_api = open_api
        self._clock = clock
        self._api: Api | None = None
        self._products: dict[str, Product] = {}

    def pull(self, cursor: str) -> Pulled:
        """Orders that have changed since `cursor`, oldest first.

        Raises:
            ConnectorError: the shop cannot be reached or refuses; nothing is lost.
        """
        puller = Puller(
            self._connected(),
            self._reader,
            self._converter,
            self._options.since,
            clock=self._clock,
        )
        return puller.pull(cursor)

    def publish_stock(self, levels: Sequence[StockLevel]) -> None:
        """Set the stock of products and variations.

        Raises:
            ConnectorError: the shop cannot be reached or refuses; set them all again.
        """
        Stocker(self._connected(), self.name, self._products).publish(levels)

    def notify(self, news: ShipmentNews) -> None:
        """Note what left, with tracking, complete orders that have left whole, and cancel.

        Raises:
            ConnectorError: the shop cannot be reached or refuses; tell it again.
        """
        Teller(self._connected(), self._options, self.name).news(news)

    def _connected(self) -> Api:
        if self._api is None:
            self._api = self._open_api(self._options)
        return self._api
