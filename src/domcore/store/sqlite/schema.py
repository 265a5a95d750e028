"""The schema, as numbered migrations. Imported only when a database is behind.

A migration that has shipped is never edited; a change of schema is a new function below.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from domcore.store.sqlite import schema_troubles
from domcore.store.sqlite.first_schema import FIRST
from domcore.store.sqlite.schema_of_goods import ELSEWHERE, KEPT_RETURNS, SHORTFALLS
from domcore.store.sqlite.schema_of_persons import CORRECTIONS
from domcore.store.sqlite.sealing import seal_everything


def _first_tables(database: Database) -> None:
    """Everything the first version keeps."""
    for statement in statements(FIRST):
        database.execute(statement)


_SECOND: Final = """
ALTER TABLE order_body ADD COLUMN heard INTEGER NOT NULL DEFAULT 0;

UPDATE order_body SET heard = revision;

ALTER TABLE fulfillment_order ADD COLUMN news_at INTEGER NOT NULL DEFAULT 0;

ALTER TABLE fulfillment_order ADD COLUMN vendor_status TEXT NOT NULL DEFAULT '';

ALTER TABLE outbox ADD COLUMN unknown INTEGER NOT NULL DEFAULT 0 CHECK (unknown IN (0, 1));

ALTER TABLE outbox ADD COLUMN parked_at INTEGER;

ALTER TABLE outbox ADD COLUMN called_at INTEGER;

ALTER TABLE outbox ADD COLUMN connector TEXT NOT NULL DEFAULT '';

CREATE INDEX outbox_parked ON outbox (parked_at) WHERE parked_at IS NOT NULL;

CREATE TABLE amendment (
  owner_id INTEGER NOT NULL REFERENCES owner (id),
  channel TEXT NOT NULL,
  external_id TEXT NOT NULL,
  name TEXT NOT NULL,
  revision INTEGER NOT NULL,
  at INTEGER NOT NULL,
  reason TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (owner_id, channel, external_id, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX amendment_order ON amendment (external_id);

CREATE TABLE package (
  order_id INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (order_id, sequence, node_id, name),
  FOREIGN KEY (order_id, sequence, node_id)
    REFERENCES fulfillment_order (order_id, sequence, node_id)
) STRICT;

CREATE TABLE line_exclusion (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  line_no INTEGER NOT NULL,
  node_id INTEGER NOT NULL REFERENCES node (id),
  at INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (order_id, line_no, node_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE item_exclusion (
  item_id INTEGER NOT NULL REFERENCES item (id),
  node_id INTEGER NOT NULL REFERENCES node (id),
  until INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (item_id, node_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE return_order (
  id INTEGER PRIMARY KEY,
  order_id INTEGER NOT NULL REFERENCES orders (id),
  name TEXT NOT NULL,
  node_id INTEGER NOT NULL REFERENCES node (id),
  authorized_at INTEGER NOT NULL,
  closed_at INTEGER,
  reason TEXT NOT NULL,
  digest BLOB NOT NULL,
  UNIQUE (order_id, name)
) STRICT;

CREATE INDEX return_open ON return_order (node_id) WHERE closed_at IS NULL;

CREATE TABLE return_line (
  return_id INTEGER NOT NULL REFERENCES return_order (id),
  line_no INTEGER NOT NULL,
  item_id INTEGER NOT NULL REFERENCES item (id),
  units INTEGER NOT NULL CHECK (units BETWEEN 1 AND 1000000000),
  restocked INTEGER NOT NULL CHECK (restocked >= 0),
  blocked INTEGER NOT NULL CHECK (blocked >= 0),
  written_off INTEGER NOT NULL CHECK (written_off >= 0),
  PRIMARY KEY (return_id, line_no),
  CHECK (restocked + blocked + written_off <= units)
) STRICT, WITHOUT ROWID;

CREATE TABLE task (
  name TEXT PRIMARY KEY,
  due_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL CHECK (attempts >= 0),
  cursor TEXT NOT NULL,
  well_at INTEGER,
  note TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE straggler (
  consumer TEXT NOT NULL,
  seq INTEGER NOT NULL REFERENCES event (seq),
  order_id INTEGER,
  due_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL CHECK (attempts >= 0),
  parked_at INTEGER,
  note TEXT NOT NULL,
  PRIMARY KEY (consumer, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX straggler_parked ON straggler (parked_at) WHERE parked_at IS NOT NULL;

CREATE INDEX alias_item ON alias (item_id);

CREATE TABLE published (
  channel TEXT NOT NULL,
  item_id INTEGER NOT NULL REFERENCES item (id),
  node_id INTEGER NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity >= 0),
  PRIMARY KEY (channel, item_id, node_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE cover (
  item_id INTEGER NOT NULL REFERENCES item (id),
  node_id INTEGER NOT NULL REFERENCES node (id),
  state TEXT NOT NULL CHECK (state IN ('low', 'over')),
  since INTEGER NOT NULL,
  PRIMARY KEY (item_id, node_id)
) STRICT, WITHOUT ROWID;
"""


def _life_of_an_order(database: Database) -> None:
    """Amendments, news and packages, exclusions, returns, repeated tasks, published stock."""
    for statement in statements(_SECOND):
        database.execute(statement)


def _shortfalls(database: Database) -> None:
    """What balances cannot say while more is promised than is there. There are none at first: what
    earlier counts found missing was not kept."""
    for statement in statements(SHORTFALLS):
        database.execute(statement)


_BY: Final = """
ALTER TABLE event ADD COLUMN by TEXT NOT NULL DEFAULT '';
"""


def _who_caused_it(database: Database) -> None:
    """Every event says who caused it; of those before, nobody knows."""
    for statement in statements(_BY):
        database.execute(statement)


_WAITING: Final = """
CREATE TABLE waiting (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  item_id INTEGER NOT NULL REFERENCES item (id),
  stage INTEGER NOT NULL CHECK (stage IN (0, 1, 2)),
  placed_at INTEGER NOT NULL,
  units INTEGER NOT NULL CHECK (units >= 1),
  PRIMARY KEY (order_id, item_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX waiting_line ON waiting (stage, item_id, placed_at, order_id);

DROP INDEX order_queue;

CREATE INDEX order_queue ON order_state (retry_at, order_id) WHERE retry_at IS NOT NULL;

INSERT INTO waiting (order_id, item_id, stage, placed_at, units)
SELECT s.order_id, l.item_id,
  CASE WHEN s.hold > 0 OR s.retry_at IS NULL THEN 2 ELSE 1 END, o.placed_at, sum(l.open)
FROM order_state s JOIN orders o ON o.id = s.order_id JOIN order_line l USING (order_id)
WHERE s.cancelled = 0 AND (s.hold > 0 OR s.reason <> '') AND s.retry_at IS NOT 4611686018427387904
  AND l.open > 0
GROUP BY s.order_id, l.item_id;
"""


def _orders_that_wait(database: Database) -> None:
    """Who waits for which item; the queue by when orders became due."""
    for statement in statements(_WAITING):
        database.execute(statement)


_AWAITED: Final = """
CREATE TABLE awaited_item (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  line_no INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (order_id, line_no)
) STRICT, WITHOUT ROWID;

CREATE INDEX awaited_name ON awaited_item (name);
"""


def _items_not_known(database: Database) -> None:
    """Lines whose item is not known. None were taken in before, so there are none to fill in."""
    for statement in statements(_AWAITED):
        database.execute(statement)


_ASKED_HOLDS: Final = """
CREATE TABLE asked_hold (
  external_id TEXT NOT NULL,
  channel TEXT NOT NULL,
  owner_id INTEGER NOT NULL REFERENCES owner (id),
  code TEXT NOT NULL,
  revision INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK (state IN (0, 1, 2)),
  whole INTEGER NOT NULL CHECK (whole IN (0, 1)),
  stage TEXT NOT NULL CHECK (stage IN ('route', 'release')),
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  by TEXT NOT NULL,
  PRIMARY KEY (external_id, channel, owner_id, code)
) STRICT, WITHOUT ROWID;
"""


def _holds_that_are_asked_for(database: Database) -> None:
    """Holds that channels and persons place; there were none before."""
    for statement in statements(_ASKED_HOLDS):
        database.execute(statement)


_OFFERS: Final = """
CREATE TABLE offer (
  item_id INTEGER PRIMARY KEY REFERENCES item (id),
  seq INTEGER NOT NULL CHECK (seq >= 1)
) STRICT;

CREATE INDEX offer_seq ON offer (seq);

CREATE INDEX waiting_units ON waiting (item_id, units);

CREATE INDEX item_exclusion_until ON item_exclusion (until);
"""


def _what_may_be_sold(database: Database) -> None:
    """What channels may sell changes with who waits and which node refuses, too."""
    for statement in statements(_OFFERS):
        database.execute(statement)


def _troubles(database: Database) -> None:
    """Trouble that people must look at."""
    for statement in statements(schema_troubles.SCRIPT):
        database.execute(statement)
    schema_troubles.raise_known_trouble(database)


_SEALED: Final = """
owner node network blob item alias stock ledger orders order_body order_revision order_state hold
person decision reservation fulfillment_order event outbox inbox cursor tombstone amendment package
line_exclusion item_exclusion return_order return_line task straggler published cover shortfall
waiting awaited_item asked_hold offer trouble
"""


def _seals(database: Database) -> None:
    """Rows keep a seal beside them, and orders a chain. They are filled in after all migrations."""
    database.execute("ALTER TABLE order_state ADD COLUMN chain INTEGER NOT NULL DEFAULT 0")
    database.execute("ALTER TABLE person ADD COLUMN salt INTEGER NOT NULL DEFAULT 0")
    for table in _SEALED.split():
        database.execute(f"ALTER TABLE {table} ADD COLUMN seal INTEGER NOT NULL DEFAULT 0")


_UNREAD: Final = """
CREATE TABLE unread (
  consumer TEXT NOT NULL,
  seq INTEGER NOT NULL,
  external_id TEXT NOT NULL,
  number TEXT NOT NULL,
  revision INTEGER NOT NULL CHECK (revision >= 0),
  digest BLOB NOT NULL,
  headers BLOB NOT NULL,
  body BLOB NOT NULL,
  seal INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (consumer, seq),
  FOREIGN KEY (consumer, seq) REFERENCES straggler (consumer, seq)
) STRICT;

CREATE INDEX unread_order ON unread (external_id);
"""


def _deliveries_not_read(database: Database) -> None:
    """What could not be read is kept from now on; before it was refused."""
    for statement in statements(_UNREAD):
        database.execute(statement)


def _goods_of_others(database: Database) -> None:
    """Goods that others have sent."""
    for statement in statements(ELSEWHERE):
        database.execute(statement)


def _returns_before_their_time(database: Database) -> None:
    """Returns that come before the news that their goods have left; they were refused before."""
    for statement in statements(KEPT_RETURNS):
        database.execute(statement)


def _what_persons_change(database: Database) -> None:
    """What persons say instead of a channel; nobody could before."""
    for statement in statements(CORRECTIONS):
        database.execute(statement)


_STEPS: Final[tuple[Callable[[Database], None], ...]] = (
    _first_tables,
    _life_of_an_order,
    _shortfalls,
    _who_caused_it,
    _orders_that_wait,
    _items_not_known,
    _holds_that_are_asked_for,
    _what_may_be_sold,
    _troubles,
    _seals,
    _deliveries_not_read,
    _goods_of_others,
    _returns_before_their_time,
    _what_persons_change,
)


def statements(script: str) -> list[str]:
    """The statements of a script, one by one: ``executescript`` would commit the transaction."""
    found: list[str] = []
    pending = ""
    for line in script.splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending):
            found.append(pending.strip())
            pending = ""
    return found


def apply_migrations(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date inside the transaction that is open on `connection`.

    The caller holds the write lock; each migration is a savepoint in it, so a failure leaves the
    database as it was.
    """
    database = Database(connection, execute_plugins=False, strict=True)
    migrations = Migrations("domcore")
    for step in _STEPS:
        migrations(name=step.__name__.lstrip("_"))(step)
    migrations.apply(database)
    if _seals in _STEPS:
        seal_everything(connection)
    connection.execute(f"PRAGMA user_version = {len(_STEPS)}")
