#!/usr/bin/env bash
# msgspec 0.23.0 with attrs 26.1.0: validators of an attrs class run, converters and aliases do not.
#
# Seen: `Line(" a ")` strips its text by a converter, msgspec.json.decode(..., type=Line) leaves the blanks,
# and a validator that asks for one character at least is content with blanks that its converter would have
# taken away. A field with `alias="code"` must be called by its attribute name in JSON, though the class
# itself takes it only as `code`. So an object that was decoded can be one that no caller could make.
#
# Exit code 0: it is still so. 1: it is not; then converters may stand on classes that are decoded.

set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check msgspec==0.23.0 attrs==26.1.0

"$work/venv/bin/python" - <<'PYTHON'
import attrs
import msgspec


@attrs.frozen
class Line:
    sku: str = attrs.field(converter=str.strip, validator=attrs.validators.min_len(1), alias="code")


def outcome(call):
    try:
        return repr(call())
    except (ValueError, msgspec.ValidationError) as raised:
        return type(raised).__name__


answers = {
    "made": outcome(lambda: Line(code=" a ")),
    "decoded": outcome(lambda: msgspec.json.decode(b'{"sku": " a "}', type=Line)),
    "blank made": outcome(lambda: Line(code="  ")),
    "blank decoded": outcome(lambda: msgspec.json.decode(b'{"sku": "  "}', type=Line)),
    "empty decoded": outcome(lambda: msgspec.json.decode(b'{"sku": ""}', type=Line)),
    "alias decoded": outcome(lambda: msgspec.json.decode(b'{"code": "a"}', type=Line)),
}
for name, answer in answers.items():
    print(f"{name:14} {answer}")
SEEN = {
    "made": "Line(sku='a')",
    "decoded": "Line(sku=' a ')",
    "blank made": "ValueError",
    "blank decoded": "Line(sku='  ')",
    "empty decoded": "ValidationError",
    "alias decoded": "ValidationError",
}
raise SystemExit(0 if answers == SEEN else 1)
PYTHON
