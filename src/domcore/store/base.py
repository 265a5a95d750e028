"""The store's operations, written once: read, work out the changes, apply them, all or nothing."""

from __future__ import annotations

from domcore.store.counting import Counting
from domcore.store.return_queries import ReturnQueries
from domcore.store.writing.changing import ChangingWrites
from domcore.store.writing.correcting import CorrectingWrites
from domcore.store.writing.goods import GoodsWrites
from domcore.store.writing.handing import HandingWrites
from domcore.store.writing.judging import JudgingWrites
from domcore.store.writing.orders import OrderWrites
from domcore.store.writing.plugins import PluginWrites
from domcore.store.writing.recalling import RecallWrites
from domcore.store.writing.rescheduling import ReschedulingWrites
from domcore.store.writing.returns import ReturnWrites
from domcore.store.writing.rules import RulesWrites
from domcore.store.writing.selling import SellingWrites
from domcore.store.writing.troubles import TroubleWrites
from domcore.store.writing.work import WorkWrites


class OperationStore(
    Counting,
    GoodsWrites,
    HandingWrites,
    ReschedulingWrites,
    OrderWrites,
    ReturnWrites,
    ReturnQueries,
    WorkWrites,
    SellingWrites,
    RecallWrites,
    ChangingWrites,
    CorrectingWrites,
    TroubleWrites,
    RulesWrites,
    JudgingWrites,
    PluginWrites,
):
    """A store on top of a `Backend`. Implements `domcore.store.protocol.Store`."""
