#!/usr/bin/env bash
# durable_rules 2.0.28: a float that Python writes with an exponent ends a batch in silence.
#
# Seen: json.dumps writes 0.00001 as 1e-05. Asserted alone, that fact raises "error code: 204". In a batch
# (`assert_facts`) nothing is raised: the facts before it are taken, it and all after it are dropped, and
# the call returns like any other. The number is valid JSON; 1.5e-07, with a point, is read.
# Needs a C compiler, and Python 3.12 or older.
#
# Exit code 0: it is still so. 1: it is not; then decimals need not be integers before they reach the engine.

set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check durable_rules==2.0.28

"$work/venv/bin/python" - <<'PYTHON'
from durable import engine


class Host(engine.Host):
    def _run(self):
        """No threads: everything happens inside the calls."""


def light_parcels(facts, batch):
    seen = []
    host = Host()
    rule = {"all": [{"parcel": {"$lt": {"kg": 1}}}], "run": lambda context: seen.append(context.parcel.sku)}
    host.register_rulesets({"parcels": {"light": rule}})
    if batch:
        host.assert_facts("parcels", facts)
        return sorted(seen), None
    error = None
    for fact in facts:
        try:
            host.assert_fact("parcels", fact)
        except Exception as raised:
            error = str(raised)
    return sorted(seen), error


FACTS = [{"sku": "a", "kg": 0.5}, {"sku": "b", "kg": 0.00001}, {"sku": "c", "kg": 0.25}]
alone, together = light_parcels(FACTS, batch=False), light_parcels(FACTS, batch=True)
print("one by one:", alone)
print("in a batch:", together)
same = alone[0] == ["a", "c"] and "204" in alone[1] and together == (["a"], None)
raise SystemExit(0 if same else 1)
PYTHON
