"""One seller's account as a connector: hands work over, asks it back, reads what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

import httpx

from domcore.codec.strict import make_converter
from domcore.errors import ConnectorError
from domcore.model import Envelope, Handover, Notice, Order, Polled, Receipt
from domcore.settings import ConnectorSettings
from domcore_amazon_mcf.bodies import Names, Unfit, order_body, preview_body
from domcore_amazon_mcf.client import Api, Refused
from domcore_amazon_mcf.news import receipt_of
from domcore_amazon_mcf.notifications import read_notifications
from domcore_amazon_mcf.options import Options, read_options
from domcore_amazon_mcf.payload import DetailsReply, OrderDetails, Preview, PreviewReply
from domcore_amazon_mcf.polling import Poller

ORDERS: Final = "/fulfillmentOrders"
UNKNOWN_HERE: Final = "unknown_here"
NOT_FOUND: Final = 404
NO_SENSE: Final = (400, 409)
UNDECIDED: Final = ("requested", "accepted", "in_progress")


def utc_now() -> datetime:
    """The clock of a connector that is given no other."""
    return datetime.now(UTC)


class AmazonMcf:
    """Multi-Channel Fulfillment for one seller and marketplace.

    Args:
        transport: carries requests in place of the network.
        clock: the time, aware.
        ticks, sleep: seconds that only ever grow, and waiting for some of them.
    """

    def __init__(
        self,
        name: str,
        options: Options,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], datetime] = utc_now,
        ticks: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self.options = options
        self.certain_after = options.certain_after
        self.names = Names(options)
        self._api = Api(options, transport=transport, ticks=ticks, sleep=sleep)
        self._poller = Poller(self.names, self.page, self.details, self.tracking, clock)

    def __repr__(self) -> str:
        return f"AmazonMcf(name={self.name!r}, region={self.options.region!r})"

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def release(self, handover: Handover) -> Receipt:
        """Hand work over (createFulfillmentOrder). The seller's order id is the key.

        Raises:
            ConnectorError: `unknown` where the vendor may have taken it all the same.
        """
        try:
            body = order_body(handover, self.names)
        except Unfit as unfit:
            return Receipt("rejected", reason="other", detail=str(unfit))
        try:
            self._api.call("createFulfillmentOrder", "POST", ORDERS, body=body, repeatable=False)
        except Refused as refused:
            if refused.status not in NO_SENSE:
                raise
            return self._refused(handover.key, body, refused)
        return Receipt("requested", body["sellerFulfillmentOrderId"], vendor_status="New")

    def cancel(self, handover: Handover) -> Receipt:
        """Ask to stop (cancelFulfillmentOrder), and read back what has come of it.

        Raises:
            ConnectorError: it did not work out; asking again does no harm.
        """
        try:
            path = self._path(handover.key)
        except Unfit:
            return Receipt(UNKNOWN_HERE)
        asked = True
        try:
            self._api.call("cancelFulfillmentOrder", "PUT", f"{path}/cancel")
        except Refused as refused:
            if _is_absence(refused):
                return Receipt(UNKNOWN_HERE)
            if refused.status not in NO_SENSE:
                raise
            asked = False
        found = self.reconcile(handover)
        if asked and found.status in UNDECIDED:
            return Receipt(
                "cancel_requested",
                found.reference,
                vendor_status=found.vendor_status,
                notices=found.notices,
            )
        return found

    def reconcile(self, handover: Handover) -> Receipt:
        """Read back what became of the work (getFulfillmentOrder).

        Raises:
            ConnectorError: nobody knows yet.
        """
        try:
            details = self.details(handover.key)
        except Unfit:
            return Receipt(UNKNOWN_HERE)
        except Refused as refused:
            if _is_absence(refused):
                return Receipt(UNKNOWN_HERE)
            raise
        return receipt_of(handover.key, details, self.names)

    def poll(self, cursor: str) -> Polled:
        """What has changed since (listAllFulfillmentOrders), and where open packages are.

        Raises:
            ConnectorError: the vendor cannot be reached or refuses.
        """
        return self._poller.poll(cursor)

    def receive(self, envelope: Envelope) -> tuple[Notice, ...]:
        """Read a notification, or a queue's message with one in it.

        Raises:
            SignatureError: it may be from anybody.
            PayloadError: it cannot be read.
        """
        return read_notifications(envelope, self.name, self.options, self.names)

    def preview(self, order: Order, *, patience: float | None = None) -> Preview | None:
        """What an order would cost (getFulfillmentPreview); None where there is no telling.

        Raises:
            Unfit: the vendor does not take such an order.
            ConnectorError: it cannot be asked, or refuses.
        """
        body = preview_body(order, self.names)
        operation = "getFulfillmentPreview"
        value = self._api.call(operation, "POST", f"{ORDERS}/preview", body=body, patience=patience)
        previews = self._api.read(value, PreviewReply, operation).payload.fulfillmentPreviews
        wanted = body["shippingSpeedCategories"]
        return next((each for each in previews or () if each.shippingSpeedCategory in wanted), None)

    def details(self, key: str) -> OrderDetails:
        """An order with everything that happened to it.

        Raises:
            Unfit: there can be none under this key.
            Refused: among others, where it is not there.
            ConnectorError: it cannot be asked.
        """
        operation = "getFulfillmentOrder"
        value = self._api.call(operation, "GET", self._path(key))
        return self._api.read(value, DetailsReply, operation).payload

    def page(self, query: Mapping[str, str]) -> object:
        """A page of orders, as JSON."""
        return self._api.call("listAllFulfillmentOrders", "GET", ORDERS, query=query)

    def tracking(self, number: int) -> object:
        """Where a package is, as JSON."""
        query = {"packageNumber": str(number)}
        return self._api.call("getPackageTrackingDetails", "GET", "/tracking", query=query)

    def _path(self, key: str) -> str:
        return f"{ORDERS}/{quote(self.names.order(key), safe='')}"

    def _refused(self, key: str, body: Mapping[str, object], refused: Refused) -> Receipt:
        """What a refusal means: the order is there already, or it will never be.

        Raises:
            ConnectorError: other work is there under this id, or nobody knows.
        """
        try:
            details = self.details(key)
        except Refused as missing:
            if not _is_absence(missing):
                raise ConnectorError(f"{refused}; then {missing}", unknown=True) from None
            codes = ", ".join(refused.codes)
            return Receipt("rejected", reason="other", detail=f"Amazon refuses it: {codes}")
        except ConnectorError as error:
            raise ConnectorError(f"{refused}; then {error}", unknown=True) from None
        if not _is_same(details, body):
            raise ConnectorError(
                f"order {body['sellerFulfillmentOrderId']} is at Amazon already, with other lines:"
                " another system uses the same prefix"
            )
        return receipt_of(key, details, self.names)


def _is_absence(refused: Refused) -> bool:
    return refused.status == NOT_FOUND or (refused.status in NO_SENSE and refused.speaks_of_absence)


def _is_same(details: OrderDetails, body: Mapping[str, object]) -> bool:
    """Whether an order at the vendor has the lines that were sent."""
    rows = body["items"]
    wanted = {
        (row["sellerFulfillmentOrderItemId"], row["sellerSku"])
        for row in (rows if isinstance(rows, list) else ())
    }
    return wanted == {
        (each.sellerFulfillmentOrderItemId, each.sellerSku)
        for each in details.fulfillmentOrderItems
    }


def build_connectors(
    settings: Iterable[ConnectorSettings],
    environ: Mapping[str, str],
    *,
    transport: httpx.BaseTransport | None = None,
    clock: Callable[[], datetime] = utc_now,
    ticks: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[AmazonMcf]:
    """A connector for each of `settings`.

    Raises:
        ConfigurationError: an option is wrong, or a secret is not in `environ`.
    """
    converter = make_converter()
    return [
        AmazonMcf(
            each.name,
            read_options(each, environ, converter),
            transport=transport,
            clock=clock,
            ticks=ticks,
            sleep=sleep,
        )
        for each in settings
    ]
