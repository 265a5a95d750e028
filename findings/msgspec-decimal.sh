#!/usr/bin/env bash
# msgspec 0.23.0: what counts as a Decimal is what Python's Decimal takes, in strict mode, too.
#
# Seen: a field of type Decimal takes the texts "NaN", "Infinity", "1_000" (1000), " 5 " and digits of other
# scripts ("\u0661\u0662" is 12); `ge=0` cannot be asked of a Decimal at all. A partner's price of "NaN" is
# decoded, and fails at the first comparison with an InvalidOperation that does not name the field.
#
# Exit code 0: it is still so. 1: it is not; then amounts can be decoded as Decimal.

set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check msgspec==0.23.0

"$work/venv/bin/python" - <<'PYTHON'
from decimal import Decimal

import msgspec

SEEN = {
    '"NaN"': "NaN",
    '"Infinity"': "Infinity",
    '"1_000"': "1000",
    '" 5 "': "5",
    '"\u0661\u0662"': "12",
}
decoder = msgspec.json.Decoder(Decimal, strict=True)
answers = {}
for text in SEEN:
    try:
        answers[text] = str(decoder.decode(text))
    except msgspec.ValidationError as refused:
        answers[text] = str(refused)
    print(ascii(text), "->", answers[text])
raise SystemExit(0 if answers == SEEN else 1)
PYTHON
