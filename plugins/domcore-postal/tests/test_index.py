"""The index: made once, whole, for any number of readers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve

from domcore.errors import ConfigurationError
from domcore.model import Destination
from domcore_postal.geocoder import PostalCodes
from domcore_postal.options import Options, folder_of, read_options

OTTAWA = Destination("CA", "", "K1A0B1")


def test_it_is_made_once(data, tmp_path: Path) -> None:
    first = PostalCodes(data, Options(), tmp_path)
    assert not list(tmp_path.iterdir())
    assert first.locate(OTTAWA)
    read = data.read
    assert PostalCodes(data, Options(), tmp_path).locate(OTTAWA) == first.locate(OTTAWA)
    assert data.read == read
    assert list(tmp_path.iterdir()) == [first.file]


def test_another_version_of_the_data_makes_another(data, tmp_path: Path) -> None:
    PostalCodes(data, Options(), tmp_path).locate(OTTAWA)
    newer = evolve(data, codes={**data.codes, "CA": []}, version="2")
    assert PostalCodes(newer, Options(), tmp_path).locate(OTTAWA) is None


def test_it_holds_only_the_countries_wanted(data, tmp_path: Path) -> None:
    geocoder = PostalCodes(data, Options(countries=("CA",)), tmp_path)
    assert geocoder.index().countries == ("CA",)


@pytest.mark.parametrize("content", [b"", b"half", b"domcore-postal\n" + b"x" * 99])
def test_a_damaged_one_is_made_anew(data, tmp_path: Path, content: bytes) -> None:
    geocoder = PostalCodes(data, Options(), tmp_path)
    geocoder.file.write_bytes(content)
    assert geocoder.locate(OTTAWA)
    assert PostalCodes(data, Options(), tmp_path).index().countries


def test_every_truncated_or_changed_one_is_noticed(data, tmp_path: Path) -> None:
    geocoder = PostalCodes(data, Options(countries=("CA",)), tmp_path)
    expected, whole = geocoder.locate(OTTAWA), geocoder.file.read_bytes()
    for at in range(0, len(whole), 7):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]):
            geocoder.file.write_bytes(damaged)
            again = PostalCodes(data, Options(countries=("CA",)), tmp_path)
            assert again.locate(OTTAWA) == expected


def test_a_folder_that_cannot_be_written_is_told(data, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    geocoder = PostalCodes(data, Options(coarsest="country"), tmp_path / "file")
    assert geocoder.locate(OTTAWA)
    (said,) = geocoder.trouble()
    assert "cannot be kept" in said


def test_half_a_file_is_never_left(data, tmp_path: Path, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    geocoder = PostalCodes(data, Options(), tmp_path)
    assert geocoder.locate(OTTAWA)
    assert list(tmp_path.iterdir()) == []


def test_others_may_read_it(data, tmp_path: Path) -> None:
    geocoder = PostalCodes(data, Options(), tmp_path)
    geocoder.index()
    assert geocoder.file.stat().st_mode & 0o444 == 0o444


MAKE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import Data, record
from domcore.model import Destination
from domcore_postal.geocoder import PostalCodes
from domcore_postal.options import Options
data = Data({"CA": [record("K1A", "Ottawa", (45.42, -75.7), "fsa")]})
print(PostalCodes(data, Options(), Path(sys.argv[2])).locate(Destination("CA", "", "K1A0B1")))
"""


def test_processes_may_make_it_at_once(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", MAKE, str(Path(__file__).parent), str(tmp_path)]
    running = [subprocess.Popen(arguments, stdout=subprocess.PIPE) for _ in range(3)]
    said = {each.communicate()[0] for each in running}
    assert [each.returncode for each in running] == [0, 0, 0]
    assert len(said) == 1
    assert len(list(tmp_path.iterdir())) == 1


# --- settings ----------------------------------------------------------------------------------


def test_the_index_is_in_the_cache_or_where_the_settings_say(tmp_path: Path) -> None:
    home = {"XDG_CACHE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    assert folder_of(Options(), "/shop", home) == tmp_path / "domcore"
    assert folder_of(Options(folder="cache"), "/shop", home) == Path("/shop/cache")
    assert folder_of(Options(folder="/var/postal"), "/shop", home) == Path("/var/postal")


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"coarsest": "town"}, "coarsest"),
        ({"countries": ["Canada"]}, "countries"),
        ({"folder": 1}, "folder"),
        ({"cache": "x"}, "cache"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict, place: str) -> None:
    with pytest.raises(ConfigurationError, match=place):
        read_options(settings)
