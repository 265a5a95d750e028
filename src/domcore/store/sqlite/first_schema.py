"""The tables of the first version, never edited any more (see `domcore.store.sqlite.schema`)."""

from __future__ import annotations

from typing import Final

_QUANTITY: Final = "BETWEEN 0 AND 1000000000"

# Of what routing appends, these references are not declared: ledger and reservation to stock,
# reservation and fulfillment order to decision, decision and event to orders. The transaction that
# writes the row has read or inserted the one that is meant, or hit it with a guarded update whose
# rows are counted; and `verify` looks for rows that refer to nothing. Declared, they cost a tenth
# of the commit of a hundred orders.
FIRST: Final = f"""
CREATE TABLE owner (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE node (
  id INTEGER PRIMARY KEY,
  code TEXT NOT NULL UNIQUE,
  gone INTEGER NOT NULL CHECK (gone IN (0, 1))
) STRICT;

CREATE TABLE blob (
  digest TEXT PRIMARY KEY CHECK (length(digest) = 64),
  kind TEXT NOT NULL,
  body BLOB NOT NULL
) STRICT;

CREATE TABLE network (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  digest TEXT NOT NULL REFERENCES blob (digest),
  saved_at INTEGER NOT NULL
) STRICT;

CREATE TABLE item (
  id INTEGER PRIMARY KEY,
  owner_id INTEGER NOT NULL REFERENCES owner (id),
  sku TEXT NOT NULL,
  body BLOB NOT NULL,
  saved_at INTEGER NOT NULL,
  UNIQUE (owner_id, sku)
) STRICT;

CREATE TABLE alias (
  owner_id INTEGER NOT NULL REFERENCES owner (id),
  channel TEXT NOT NULL,
  external_id TEXT NOT NULL,
  item_id INTEGER NOT NULL REFERENCES item (id),
  PRIMARY KEY (owner_id, channel, external_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE stock (
  item_id INTEGER NOT NULL REFERENCES item (id),
  node_id INTEGER NOT NULL REFERENCES node (id),
  on_hand INTEGER NOT NULL CHECK (on_hand {_QUANTITY}),
  reserved INTEGER NOT NULL CHECK (reserved >= 0),
  blocked INTEGER NOT NULL CHECK (blocked >= 0),
  safety INTEGER NOT NULL CHECK (safety {_QUANTITY}),
  counted_at INTEGER NOT NULL,
  PRIMARY KEY (item_id, node_id),
  CHECK (reserved + blocked <= on_hand)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
  seq INTEGER PRIMARY KEY,
  item_id INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  on_hand INTEGER NOT NULL,
  reserved INTEGER NOT NULL,
  blocked INTEGER NOT NULL,
  safety INTEGER NOT NULL,
  kind TEXT NOT NULL,
  order_id INTEGER,
  sequence INTEGER,
  at INTEGER NOT NULL
) STRICT;

-- Only what moved goods: a count as of a past time reapplies what moved since.
CREATE INDEX ledger_movement ON ledger (item_id, node_id, at) WHERE on_hand <> 0;

CREATE TRIGGER ledger_is_never_updated BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TRIGGER ledger_is_never_deleted BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  owner_id INTEGER NOT NULL REFERENCES owner (id),
  channel TEXT NOT NULL,
  external_id TEXT NOT NULL,
  number TEXT NOT NULL,
  placed_at INTEGER NOT NULL,
  captured_at INTEGER NOT NULL,
  UNIQUE (external_id, channel, owner_id)
) STRICT;

CREATE INDEX orders_number ON orders (number) WHERE number <> '';

CREATE TABLE order_body (
  order_id INTEGER PRIMARY KEY REFERENCES orders (id),
  revision INTEGER NOT NULL,
  digest BLOB NOT NULL,
  body BLOB NOT NULL
) STRICT;

CREATE TABLE order_revision (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  revision INTEGER NOT NULL,
  digest BLOB NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (order_id, revision)
) STRICT;

CREATE TABLE order_state (
  order_id INTEGER PRIMARY KEY REFERENCES orders (id),
  version INTEGER NOT NULL CHECK (version >= 1),
  revision INTEGER NOT NULL,
  sequence INTEGER NOT NULL CHECK (sequence >= 0),
  hold INTEGER NOT NULL CHECK (hold IN (0, 1, 2)),
  cancelled INTEGER NOT NULL CHECK (cancelled IN (0, 1)),
  retry_at INTEGER,
  reason TEXT NOT NULL
) STRICT;

CREATE INDEX order_queue ON order_state (order_id, retry_at) WHERE retry_at IS NOT NULL;

CREATE TABLE order_line (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  line_no INTEGER NOT NULL CHECK (line_no >= 0),
  item_id INTEGER REFERENCES item (id),
  ordered INTEGER NOT NULL CHECK (ordered {_QUANTITY}),
  open INTEGER NOT NULL CHECK (open >= 0),
  allocated INTEGER NOT NULL CHECK (allocated >= 0),
  shipped INTEGER NOT NULL CHECK (shipped >= 0),
  cancelled INTEGER NOT NULL CHECK (cancelled >= 0),
  wanted INTEGER NOT NULL CHECK (wanted {_QUANTITY}),
  PRIMARY KEY (order_id, line_no),
  CHECK (open + allocated + shipped + cancelled = ordered)
) STRICT, WITHOUT ROWID;

CREATE TABLE hold (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  revision INTEGER NOT NULL,
  code TEXT NOT NULL,
  stage TEXT NOT NULL CHECK (stage IN ('route', 'release')),
  reason TEXT NOT NULL,
  placed_at INTEGER NOT NULL,
  approved_at INTEGER,
  approved_by TEXT,
  PRIMARY KEY (order_id, revision, code),
  CHECK ((approved_at IS NULL) = (approved_by IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE person (
  order_id INTEGER PRIMARY KEY REFERENCES orders (id),
  body BLOB NOT NULL
) STRICT;

CREATE TABLE decision (
  order_id INTEGER NOT NULL,
  sequence INTEGER NOT NULL CHECK (sequence >= 1),
  at INTEGER NOT NULL,
  purpose TEXT NOT NULL CHECK (purpose IN ('route', 'reserve')),
  record BLOB NOT NULL,
  PRIMARY KEY (order_id, sequence)
) STRICT;

CREATE TABLE reservation (
  order_id INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  line_no INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  part INTEGER NOT NULL CHECK (part >= 0),
  item_id INTEGER NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 1000000000),
  state INTEGER NOT NULL CHECK (state IN (0, 1, 2, 3)),
  expires_at INTEGER,
  PRIMARY KEY (order_id, sequence, line_no, node_id, part),
  FOREIGN KEY (order_id, line_no) REFERENCES order_line (order_id, line_no)
) STRICT, WITHOUT ROWID;

CREATE INDEX reservation_expiry ON reservation (expires_at)
  WHERE state = 0 AND expires_at IS NOT NULL;

CREATE INDEX reservation_open ON reservation (item_id, node_id) WHERE state = 0;

CREATE TABLE fulfillment_order (
  order_id INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  status TEXT NOT NULL,
  told INTEGER NOT NULL CHECK (told IN (0, 1)),
  handed_over INTEGER NOT NULL CHECK (handed_over IN (0, 1)),
  reference TEXT NOT NULL,
  PRIMARY KEY (order_id, sequence, node_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
  seq INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  order_id INTEGER,
  at INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;

CREATE INDEX event_order ON event (order_id) WHERE order_id IS NOT NULL;

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  topic TEXT NOT NULL,
  order_id INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL CHECK (attempts >= 0),
  done_at INTEGER,
  note TEXT NOT NULL,
  FOREIGN KEY (order_id, sequence, node_id)
    REFERENCES fulfillment_order (order_id, sequence, node_id)
) STRICT;

CREATE INDEX outbox_due ON outbox (topic, due_at) WHERE done_at IS NULL;

CREATE INDEX outbox_order ON outbox (order_id);

CREATE TABLE inbox (
  owner_id INTEGER NOT NULL REFERENCES owner (id),
  source TEXT NOT NULL,
  key TEXT NOT NULL,
  digest BLOB NOT NULL,
  outcome TEXT NOT NULL,
  order_id INTEGER,
  detail TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (owner_id, source, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE cursor (
  consumer TEXT PRIMARY KEY,
  seq INTEGER NOT NULL CHECK (seq >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE tombstone (
  owner_id INTEGER NOT NULL REFERENCES owner (id),
  channel TEXT NOT NULL,
  external_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (owner_id, channel, external_id)
) STRICT, WITHOUT ROWID;
"""
