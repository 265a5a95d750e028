#!/usr/bin/env bash
# countrystatecity-postal-codes 2.0.1: the "postal codes" of Spain are numbers of municipalities (INE).
#
# Seen: 28001 is "Acebeda, La" (a village of 60 people; the postal code is in the middle of Madrid),
# 08001 is "Abrera" (Barcelona), 46001 "Ademuz" (Valencia), 41001 "Aguadulce" (Sevilla). Madrid itself
# has 28079, its number at the statistics office, and no code from 28001 to 28055 is Madrid's. Only the
# first two digits, the province, are the same in both lists. They validate as postal codes.
#
# Exit code 0: it is still so. 1: it is not; then domcore-postal can take Spain's codes for what they say.

set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check countrystatecity-postal-codes==2.0.1

"$work/venv/bin/python" - <<'PYTHON'
from countrystatecity_postal_codes import get_postcodes_of_country, validate_postcode

names = {each.code: each.localityName for each in get_postcodes_of_country("ES")}
SEEN = {"28001": "Acebeda, La", "08001": "Abrera", "46001": "Ademuz", "41001": "Aguadulce"}
for code in SEEN:
    print(code, names.get(code), "valid" if validate_postcode("ES", code) else "not valid")
madrid = [code for code, name in names.items() if name == "Madrid"]
print("Madrid:", madrid)
same = all(names.get(code) == name for code, name in SEEN.items()) and madrid == ["28079"]
raise SystemExit(0 if same else 1)
PYTHON
