"""The index: one compact file of the user's own, which any number of processes read.

It is made whole under another name and then put in its place, so nobody reads half of one; two
processes that make it at once make the same. Its name says the versions it was made from: with
other data installed, there is none yet. The data stays under its own licenses (ODbL, CC BY); the
index is a copy for the machine it was made on.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from domcore.model import COARSENESS
from domcore_postal.options import Options
from domcore_postal.resolving import At, Country, resolve
from domcore_postal.sources import Source

FORMAT: Final = 1
MAGIC: Final = b"domcore-postal\n"
ELSEWHERE: Final = frozenset({"US", "AS", "FM", "GU", "MH", "MP", "PR", "PW", "UM", "VI"})
"""Countries that domcore places itself, by ZIP code."""


class Places(msgspec.Struct, frozen=True, array_like=True):
    """One country: codes ascending with their points in hundredths of a degree."""

    codes: list[str]
    lats: list[int]
    lons: list[int]
    levels: bytes
    states: dict[str, tuple[int, int]]
    middle: tuple[int, int] | None


class Index:
    """An index in memory; countries are unpacked when they are first asked for."""

    def __init__(self, packed: Mapping[str, bytes]) -> None:
        self._packed: Final = packed
        self._unpacked: Final[dict[str, Places]] = {}

    @property
    def countries(self) -> tuple[str, ...]:
        """The countries in it, ascending."""
        return tuple(sorted(self._packed))

    def country(self, code: str) -> Places | None:
        """One country; None where it is not in the index."""
        known = self._unpacked.get(code)
        if known is None and code in self._packed:
            raw = zlib.decompress(self._packed[code])
            known = self._unpacked[code] = msgspec.msgpack.decode(raw, type=Places)
        return known


def build(source: Source, countries: Iterable[str] = ()) -> dict[str, bytes]:
    """Make an index of the countries named, or of all there are: packed, by country."""
    wanted = set(countries)
    packed = {}
    for country in source.countries():
        if country in ELSEWHERE or (wanted and country not in wanted):
            continue
        found = resolve(country, source.records(country), source.towns(country))
        if found.codes or found.middle:
            packed[country] = zlib.compress(msgspec.msgpack.encode(_places(found)), 6)
    return packed


def file_of(folder: Path, source: Source, options: Options) -> Path:
    """The index that belongs to what is installed and set."""
    said = [FORMAT, sorted(source.versions.items()), sorted(set(options.countries))]
    name = hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:16]
    return folder / f"postal-{name}.index"


def write(file: Path, packed: Mapping[str, bytes]) -> None:
    """Put an index in its place, and take those of other versions away.

    Raises:
        OSError: the folder cannot be made or written.
    """
    body = msgspec.msgpack.encode(packed)
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".postal-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            os.chmod(name, 0o644)  # public data, for every user of a shared folder
            out.write(MAGIC + hashlib.sha256(body).digest() + body)
            out.flush()
            os.fsync(out.fileno())
        os.replace(name, file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read(file: Path) -> dict[str, bytes] | None:
    """An index as it was written; None where there is none, or not a whole one."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    start = len(MAGIC) + 32
    body = content[start:]
    if content[:start] != MAGIC + hashlib.sha256(body).digest():
        return None
    return msgspec.msgpack.decode(body, type=dict[str, bytes])


def _places(country: Country) -> Places:
    codes = sorted(country.codes)
    points = [_rounded(country.codes[code].at) for code in codes]
    return Places(
        codes,
        [lat for lat, _ in points],
        [lon for _, lon in points],
        bytes(COARSENESS.index(country.codes[code].coarseness) for code in codes),
        {state: _rounded(at) for state, at in sorted(country.states.items())},
        None if country.middle is None else _rounded(country.middle),
    )


def _rounded(at: At) -> tuple[int, int]:
    return round(at[0] * 100), round(at[1] * 100)
