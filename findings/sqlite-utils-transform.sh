#!/usr/bin/env bash
# sqlite-utils 4.2.1: `table.transform()` makes the table anew without its triggers, its WITHOUT ROWID and
# its collations.
#
# Seen: giving one column a default of a table keeps STRICT, CHECK and UNIQUE, but the trigger is gone,
# the table has row ids, and a column declared COLLATE NOCASE compares by case: no error, no warning. A guard
# that lives in a trigger (an append-only ledger) is off after a harmless migration.
#
# Exit code 0: it is still so. 1: it is not; then migrations may use transform.

set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check sqlite-utils==4.2.1

"$work/venv/bin/python" - <<'PYTHON'
import sqlite_utils

db = sqlite_utils.Database(memory=True)
db.execute(
    "CREATE TABLE ledger (sku TEXT COLLATE NOCASE NOT NULL, number INTEGER NOT NULL, units INTEGER NOT NULL"
    " CHECK (units <> 0), note TEXT, PRIMARY KEY (sku, number)) STRICT, WITHOUT ROWID"
)
db.execute(
    "CREATE TRIGGER ledger_stays BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is never changed'); END"
)


def state():
    schema = db["ledger"].schema
    db.execute("INSERT INTO ledger VALUES ('tee', 1, 5, '')")
    with_case = db.execute("SELECT count(*) FROM ledger WHERE sku = 'TEE'").fetchone()[0]
    db.execute("DELETE FROM ledger")
    return {
        "STRICT": "STRICT" in schema,
        "CHECK": "CHECK" in schema,
        "WITHOUT ROWID": "WITHOUT ROWID" in schema,
        "COLLATE NOCASE": with_case == 1,
        "trigger": bool(db["ledger"].triggers),
    }


before = state()
db["ledger"].transform(defaults={"note": "none"})
after = state()
for name in before:
    print(f"{name:15} before {before[name]!s:5} after {after[name]}")
lost = [name for name in before if before[name] and not after[name]]
print("lost:", lost)
raise SystemExit(0 if lost == ["WITHOUT ROWID", "COLLATE NOCASE", "trigger"] else 1)
PYTHON
