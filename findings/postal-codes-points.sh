#!/usr/bin/env bash
# countrystatecity-postal-codes 2.0.1: points that lie far from their places.
#
# Seen: Wangara (6947), Bibra Lake (6965) and the navy's post office (6958), all Australia, are at 0/0,
# in the sea off Africa. Ringkøbing (6950) and Hvide Sande (6960), Denmark, are 250 km out in the North
# Sea: 56.20, 4.07 instead of 56.09, 8.24. Jabłeczna (21-526), Poland, lies 400 km away, near Wrocław:
# 51.08, 17.04 instead of 51.8, 23.6. There is no flag that tells these records from others.
#
# Exit code 0: it is still so. 1: it is not; then domcore-postal need not look at neighbors any more.

set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check countrystatecity-postal-codes==2.0.1

"$work/venv/bin/python" - <<'PYTHON'
from countrystatecity_postal_codes import get_postcode_by_code

PLACES = [
    ("AU", "6947", -31.79, 115.83),
    ("AU", "6965", -32.10, 115.82),
    ("DK", "6950", 56.09, 8.24),
    ("DK", "6960", 56.00, 8.13),
    ("PL", "21-526", 51.80, 23.60),
]
right = 0
for country, code, lat, lon in PLACES:
    found = get_postcode_by_code(country, code)
    degrees = max(abs(found.latitude - lat), abs(found.longitude - lon))
    print(f"{country} {code} {found.localityName}: {found.latitude}, {found.longitude};",
          f"should be about {lat}, {lon}: {degrees:.1f} degrees off")
    right += degrees < 2
raise SystemExit(1 if right else 0)
PYTHON
