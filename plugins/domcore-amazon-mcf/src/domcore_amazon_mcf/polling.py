"""Polling: the orders that changed, a page at a time, and by turns those that are under way.

A list tells an order only when its status changes; parts of it leave, and packages arrive, without
that. So every poll also looks at some of the orders of the last weeks, and goes on from there the
next time. Nothing but the place is remembered: news that comes again changes nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, TypeVar

from attrs import define, field

from domcore.codec.strict import make_converter, structure
from domcore.errors import ConnectorError, PayloadError
from domcore.model import Notice, Polled
from domcore_amazon_mcf.bodies import Names
from domcore_amazon_mcf.client import Refused, Unreadable
from domcore_amazon_mcf.news import followed, notice_of, notices_of, tracked
from domcore_amazon_mcf.payload import OrderDetails, OrderRow, PageReply, TrackingReply
from domcore_amazon_mcf.words import ON_THE_WAY, UnknownWord, known_status, order_status, plain

T = TypeVar("T")

FORMAT: Final = 1
OVERLAP: Final = timedelta(minutes=5)
"""Changes may become visible a little late; those told already are passed over."""

MOST_TOLD: Final = 80
LONGEST: Final = 9_000
"""Characters of a cursor."""

NO_SUCH_PAGE: Final = (400, 404, 409)
NO_SUCH_ORDER: Final = NO_SUCH_PAGE

_log = logging.getLogger("domcore_amazon_mcf")


@define
class State:
    """Where polling stands.

    Args:
        since: changes from here on are asked for.
        high: the latest change seen.
        token: the next page of them, where there is one.
        told: orders changed after `since` whose news have been told, with when they changed and to
            what.
        round_since: where the present round through the orders of the last weeks began; empty
            before the first.
        round_token: the page it is at; empty is the first.
        round_at: how many orders of that page it has looked at.
    """

    since: str
    high: str = ""
    token: str = ""
    told: dict[str, str] = field(factory=dict)
    round_since: str = ""
    round_token: str = ""
    round_at: int = 0

    @classmethod
    def read(cls, cursor: str, since: datetime, now: datetime) -> State:
        """The state in a cursor; a new one, from `since` on, where it holds none."""
        try:
            told = json.loads(cursor) if cursor else {"format": 0}
            if told.pop("format") == FORMAT:
                state = cls(**told)
                # Nobody can have told of changes yet to come: a wrong date hides no others.
                state.since = _text(min(_moment(state.since), now))
                state.high = min(str(state.high), _text(now))
                state.token, state.round_token = str(state.token), str(state.round_token)
                state.told = {str(name): str(at) for name, at in state.told.items()}
                state.round_at = int(state.round_at)
                return state
        except (AttributeError, KeyError, TypeError, ValueError):
            _log.warning("the cursor is none of ours; polling begins anew")
        return cls(_text(since))

    def write(self) -> str:
        """The cursor. What makes it too long is forgotten: then some news comes twice."""
        newest = sorted(self.told.items(), key=lambda pair: pair[1])[-MOST_TOLD:]
        values = {
            "format": FORMAT,
            "since": self.since,
            "high": self.high,
            "token": self.token,
            "told": dict(newest),
            "round_since": self.round_since,
            "round_token": self.round_token,
            "round_at": self.round_at,
        }
        text = json.dumps(values, separators=(",", ":"))
        if len(text) > LONGEST:
            values.update(told={}, round_since="", round_token="", round_at=0)
            text = json.dumps(values, separators=(",", ":"))
        return text


class Poller:
    """Asks one seller's account for news.

    Args:
        page, details, tracking: the operations it needs.
        clock: the time, aware.
    """

    def __init__(
        self,
        names: Names,
        page: Callable[[Mapping[str, str]], object],
        details: Callable[[str], OrderDetails],
        tracking: Callable[[int], object],
        clock: Callable[[], datetime],
    ) -> None:
        self._names = names
        self._options = names.options
        self._page = page
        self._details = details
        self._tracking = tracking
        self._clock = clock
        self._converter = make_converter(forbid_extra_keys=False, most_characters=100_000)

    def poll(self, cursor: str) -> Polled:
        """One page of news, oldest first."""
        now = self._clock()
        state = State.read(cursor, now - timedelta(days=self._options.lookback_days), now)
        rows, state.token = self._rows(state.since, state.token)
        notices: list[Notice] = []
        for row in sorted(rows, key=lambda row: row.statusUpdatedDate):
            notices += self._news(row, state, now)
        if state.token:
            return Polled(tuple(notices), state.write(), more=True)
        state.since = max(state.since, _text(_moment(state.high or state.since) - OVERLAP))
        state.told = {name: at for name, at in state.told.items() if at >= state.since}
        if self._options.checks:
            try:
                notices += self._go_round(state, now)
            except ConnectorError as error:
                _log.info("not everything under way was looked at: %s", error)
        return Polled(tuple(notices), state.write())

    def _rows(self, since: str, token: str) -> tuple[list[OrderRow], str]:
        """The orders of a page that are ours, and the token of the next one."""
        try:
            value = self._page({"nextToken": token} if token else {"queryStartDate": since})
        except Refused as refused:
            if not token or refused.status not in NO_SUCH_PAGE:
                raise
            _log.warning("the next page has expired; the first is asked for anew")
            value, token = self._page({"queryStartDate": since}), ""
        page = self._read(value, PageReply, "listAllFulfillmentOrders").payload
        rows = [self._row(each) for each in page.fulfillmentOrders or ()]
        following = page.nextToken or ""
        if following and following == token:
            _log.warning("the next page is the same one again; it is taken for the last")
            following = ""
        return [row for row in rows if row is not None], following

    def _row(self, value: object) -> OrderRow | None:
        """An order of a list; None where it is not ours, or cannot be understood."""
        name = value.get("sellerFulfillmentOrderId") if isinstance(value, dict) else None
        if not isinstance(name, str) or self._names.key(name) is None:
            return None
        try:
            row = structure(self._converter, value, OrderRow)
        except PayloadError:
            _log.warning("order %s cannot be read; it is passed over", name)
            return None
        if order_status(row.fulfillmentOrderStatus) is None:
            word = plain(row.fulfillmentOrderStatus)[:40]
            _log.warning("order %s has a status that is not known here: %s", name, word)
            return None
        return row

    def _news(self, row: OrderRow, state: State, now: datetime) -> tuple[Notice, ...]:
        """What is new of one order of a page."""
        name, at = row.sellerFulfillmentOrderId, _text(row.statusUpdatedDate)
        key = self._names.key(name)
        state.high = max(state.high, min(at, _text(now)))
        # Times are told in seconds, and two changes may fall into one.
        change = f"{at} {plain(row.fulfillmentOrderStatus)}"
        if key is None or state.told.get(name) == change:
            return ()
        state.told[name] = change
        alone = notice_of(key, row)
        if alone is not None and alone.status not in ("cancelled", "rejected"):
            return (alone,)
        details = self._readable(key)
        if details is None:
            del state.told[name]
            return ()
        return notices_of(key, details, self._names)

    def _readable(self, key: str) -> OrderDetails | None:
        """An order's details; None where there are none that can be understood: one such order
        must not keep the news of all others back.

        Raises:
            ConnectorError: the vendor cannot be asked.
        """
        try:
            details = self._details(key)
            known_status(details.fulfillmentOrder.fulfillmentOrderStatus)
        except (Refused, Unreadable, UnknownWord) as trouble:
            if isinstance(trouble, Refused) and trouble.status not in NO_SUCH_ORDER:
                raise
            _log.warning("order %s is passed over: %s", key, trouble)
            return None
        return details

    def _go_round(self, state: State, now: datetime) -> list[Notice]:
        """Look at the next few orders of the last weeks: what has left of them, what arrived."""
        if not state.round_since:
            state.round_since = _text(now - timedelta(days=self._options.follow_days))
        rows, token = self._rows(state.round_since, state.round_token)
        end = state.round_at + self._options.checks
        part = rows[state.round_at : end]
        notices: list[Notice] = []
        for row in part:
            if order_status(row.fulfillmentOrderStatus) in ON_THE_WAY:
                notices += self._look(row.sellerFulfillmentOrderId)
        if end < len(rows):
            state.round_at = end
        else:
            state.round_token, state.round_at = token, 0
            if not token:
                state.round_since = ""
        return notices

    def _look(self, name: str) -> list[Notice]:
        """All the news of one order and of its packages."""
        key = self._names.key(name) or ""
        details = self._readable(key)
        if details is None:
            return []
        notices = [*notices_of(key, details, self._names)]
        for number, box in followed(details, self._names).items():
            operation = "getPackageTrackingDetails"
            try:
                value = self._tracking(number)
                tracking = self._read(value, TrackingReply, operation).payload
            except (Refused, Unreadable) as trouble:
                _log.info("%s", trouble)
                continue
            notice = tracked(key, name, box, tracking)
            if notice is not None:
                notices.append(notice)
        return notices

    def _read(self, value: object, kind: type[T], operation: str) -> T:
        try:
            return structure(self._converter, value, kind)
        except PayloadError:
            raise Unreadable(f"{operation}: the reply cannot be read", handled=True) from None


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
