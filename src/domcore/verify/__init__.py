"""Checks every invariant of a store, row by row, in bounded memory. Nothing is ever changed.

========  =======================================================================================
id        what must hold
========  =======================================================================================
I1        on hand, blocked and safety of a balance are the sums of its ledger; the ledger has no
          gap, and every entry moves what its kind moves
I2        0 <= reserved, 0 <= blocked, reserved + blocked <= on hand; on hand is at most the last
          count plus what moved since, but where more than that is promised: then it is as much
          as is promised, and a shortfall remembers the rest
I3        reserved is the sum of the open reservations, and that of the ledger
I4        each unit of a reservation is resolved at most once; its parts add up to the decision
I5        an order is there whole, and what was taken in under a key is there
I6        open + allocated + shipped + cancelled = ordered, line by line, as reserved and shipped;
          what others have sent while a node works on it counts twice until that answers; a line
          without an item waits for it by name
I7        each word to a node has exactly one outbox entry, withdrawn where it is not wanted
I8        no reservation without live work, no work without reservation, none on cancelled orders
I9        versions, sequences, statuses, holds and the queue agree with what happened
I10       one key, one result; one identity, one order
========  =======================================================================================

Besides: ``seal`` (a row is as domcore wrote it), ``chain`` (an order's history is what was
written); ``decision`` (explainable: its network, program and revision are kept), ``blob``,
``network``, ``format``, ``reference``, ``events``, ``cursor``, ``waiting``, ``published``,
``cover``, ``personal-data``; and for SQLite files ``integrity``, ``foreign-key`` and ``schema``.

Every table is read once, in key order. What is in order of time (ledger, events, outbox, inbox)
is sorted by order in temporary files; then all streams are merged, one order at a time.
"""

from __future__ import annotations

from contextlib import closing

from domcore.errors import StoreError
from domcore.store.protocol import Store
from domcore.store.rows import OPEN
from domcore.verify.amendments import Amendments
from domcore.verify.balances import check_balances
from domcore.verify.catalog import Catalog
from domcore.verify.corrections import check_corrections
from domcore.verify.decisions import DecisionChecks
from domcore.verify.dossier import Dossiers
from domcore.verify.elsewhere import Shipments
from domcore.verify.holds import AskedHolds
from domcore.verify.identity import Identities
from domcore.verify.kept_returns import KeptReturns
from domcore.verify.movements import Movements
from domcore.verify.news import NewsChecks
from domcore.verify.orders import OrderChecks
from domcore.verify.seals import check_seals
from domcore.verify.selling import check_selling
from domcore.verify.source import Source, source_of
from domcore.verify.troubles import check_troubles
from domcore.verify.violation import FIXES, Violation, Violations, broken

__all__ = ["FIXES", "Violation", "verify"]


def verify(store: Store) -> Violations:
    """Everything that is wrong with `store`; nothing when all is well.

    A SQLite file is checked as it stood when the first violation is asked for, and others may go
    on working with it; any other store must be left alone meanwhile.

    Raises:
        StoreError: the database cannot be opened for reading.
    """
    with source_of(store) as source:
        try:
            yield from source.own_checks()
            yield from _check(source)
        except StoreError as error:
            yield broken("integrity", "store", f"cannot be read to its end: {error}")


def _check(source: Source) -> Violations:
    catalog, amendments, asked = Catalog(), Amendments(), AskedHolds()
    yield from check_seals(source)
    shipments = Shipments(catalog)
    yield from catalog.check(source)
    yield from amendments.check(source, catalog)
    yield from asked.check(source, catalog)
    yield from shipments.check(source)
    returns = KeptReturns()
    yield from returns.check(source, catalog)
    with closing(Movements()) as movements, closing(Identities()) as identities:
        yield from movements.check(source, catalog)
        yield from _check_orders(
            source, catalog, movements, identities, amendments, asked, shipments, returns
        )
        yield from identities.check(source)
        yield from check_balances(source, catalog, movements)
        yield from check_selling(source, catalog, movements.entries)


def _check_orders(
    source: Source,
    catalog: Catalog,
    movements: Movements,
    identities: Identities,
    amendments: Amendments,
    asked: AskedHolds,
    shipments: Shipments,
    returns: KeptReturns,
) -> Violations:
    """One order after the other; their open reservations are added to the balances."""
    dossiers = Dossiers(source, movements)
    orders, decisions = OrderChecks(catalog, movements), DecisionChecks(catalog)
    news = NewsChecks(catalog)
    add = movements.balances.add
    for papers in dossiers:
        identities.add(papers.order)
        for row in papers.reservations:
            if row.state == OPEN:
                add((row.item_id, row.node_id), (0, 0, 0, 0, row.quantity, 0, 0))
        yield from dossiers.strays()
        found = orders.read(papers)
        if isinstance(found, Violation):
            yield found
        else:
            yield from movements.chains.check(found.state, found.place)
            yield from movements.receipts.check(found)
            yield from orders.check(found)
            yield from amendments.check_order(found)
            yield from check_corrections(found)
            yield from asked.check_order(found)
            yield from shipments.check_order(found)
            yield from returns.check_order(found, movements.receipts.names)
            yield from decisions.check(found)
            yield from news.check(found)
            yield from check_troubles(found, catalog)
    dossiers.finish()
    yield from dossiers.strays()
