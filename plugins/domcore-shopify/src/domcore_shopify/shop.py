"""A Shopify shop that is also asked and told things: `ShopifyShop`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from cattrs import Converter

from domcore.model import Pulled, ShipmentNews, StockLevel
from domcore_shopify.api import Api
from domcore_shopify.channel import ShopifyChannel
from domcore_shopify.options import Options
from domcore_shopify.pulling import Puller
from domcore_shopify.telling import Teller

OpenApi = Callable[[Options], Api]


def open_api(options: Options) -> Api:
    """The Admin API that the options name."""
    return Api(
        options.shop.lower(),
        options.token,
        options.api_version,
        timeout=float(options.timeout_seconds),
    )


class ShopifyShop(ShopifyChannel):
    """A channel with an access token. Nothing is called before it is first asked or told.

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
        """Set what is available at the shop's locations.

        Raises:
            ConnectorError: the shop cannot be reached or refuses; set them all again.
        """
        Teller(self._connected(), self._options, self.name).stock(levels)

    def notify(self, news: ShipmentNews) -> None:
        """Tell the shop of boxes that left, with tracking, and of cancelled orders.

        Raises:
            ConnectorError: the shop cannot be reached or refuses; tell it again.
        """
        Teller(self._connected(), self._options, self.name).news(news)

    def _connected(self) -> Api:
        if self._api is None:
            self._api = self._open_api(self._options)
        return self._api
