"""What every store owes the core, as tests: subclass `StoreSuite` in the store's own tests.

::

    class TestMyStore(StoreSuite):
        def make_store(self) -> Store:
            return MyStore()          # empty, with its tables; called once per test

Each test's name is the promise it checks. Tests close what they open.
"""

from __future__ import annotations

from domcore.testing.store_suite.acting import ActingPromises
from domcore.testing.store_suite.amendments import AmendmentPromises
from domcore.testing.store_suite.awaited import AwaitedPromises
from domcore.testing.store_suite.carts import CartPromises
from domcore.testing.store_suite.changing import ChangingPromises
from domcore.testing.store_suite.clock import ClockPromises
from domcore.testing.store_suite.correcting import CorrectingPromises
from domcore.testing.store_suite.decisions import DecisionPromises
from domcore.testing.store_suite.elsewhere import ElsewherePromises
from domcore.testing.store_suite.goods import GoodsPromises
from domcore.testing.store_suite.holds import HoldPromises
from domcore.testing.store_suite.judging import JudgingPromises
from domcore.testing.store_suite.kept_returns import KeptReturnPromises
from domcore.testing.store_suite.kit import StoreKit
from domcore.testing.store_suite.news import NewsPromises
from domcore.testing.store_suite.orders import OrderPromises
from domcore.testing.store_suite.outbox import OutboxPromises
from domcore.testing.store_suite.plugins import PluginPromises
from domcore.testing.store_suite.recalling import RecallPromises
from domcore.testing.store_suite.returns import ReturnPromises
from domcore.testing.store_suite.rules import RulesPromises
from domcore.testing.store_suite.seeing import SeeingPromises
from domcore.testing.store_suite.selling import SellingPromises
from domcore.testing.store_suite.stock import StockPromises
from domcore.testing.store_suite.texts import TextPromises
from domcore.testing.store_suite.together import TogetherPromises
from domcore.testing.store_suite.troubles import TroublePromises
from domcore.testing.store_suite.unread import UnreadPromises
from domcore.testing.store_suite.waiting import WaitingPromises

__all__ = ["StoreKit", "StoreSuite"]


class StoreSuite(
    GoodsPromises,
    OrderPromises,
    DecisionPromises,
    AmendmentPromises,
    AwaitedPromises,
    CartPromises,
    HoldPromises,
    NewsPromises,
    OutboxPromises,
    StockPromises,
    SellingPromises,
    RulesPromises,
    PluginPromises,
    SeeingPromises,
    ReturnPromises,
    TextPromises,
    TogetherPromises,
    UnreadPromises,
    ActingPromises,
    ClockPromises,
    WaitingPromises,
    TroublePromises,
    RecallPromises,
    ChangingPromises,
    CorrectingPromises,
    ElsewherePromises,
    JudgingPromises,
    KeptReturnPromises,
):
    """All promises. Override `make_store`."""
