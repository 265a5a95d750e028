#!/usr/bin/env bash
# durable_rules 2.0.28: facts without an id that differ only in the type of a value are one fact.
#
# Seen: after {"size": 1} the fact {"size": "1"} is refused with MessageObservedException, and so are
# True and "true", None and "null". The identity of a fact is a hash of its values as printed text, so a
# number and its text are the same. The order of the keys plays no part.
# Needs a C compiler, and Python 3.12 or older.
#
# Exit code 0: it is still so. 1: it is not; then facts need no identity of our own.

set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check durable_rules==2.0.28

"$work/venv/bin/python" - <<'PYTHON'
from durable import engine


class Host(engine.Host):
    def _run(self):
        """No threads: everything happens inside assert_fact."""


def refused(first, second):
    host = Host()
    rule = {"all": [{"line": {"$ex": {"size": 1}}}], "run": lambda context: None}
    host.register_rulesets({"lines": {"any": rule}})
    host.assert_fact("lines", {"size": first})
    try:
        host.assert_fact("lines", {"size": second})
    except Exception as raised:
        return type(raised).__name__
    return None


PAIRS = [(1, "1"), (True, "true"), (None, "null")]
answers = [refused(*pair) for pair in PAIRS]
for pair, answer in zip(PAIRS, answers):
    print(pair, "->", answer)
control = refused(1, "2")
print((1, "2"), "->", control)
same = answers == ["MessageObservedException"] * 3 and control is None
raise SystemExit(0 if same else 1)
PYTHON
