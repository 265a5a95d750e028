"""TOML at every door: what cannot be a number of TOML is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domcore.codec.toml import TomlError, load_toml
from domcore.config import read_settings
from domcore.errors import ConfigurationError
from domcore.loading import Problems, Source, read_items
from domcore.loading.network import read_network
from domcore.rules.tables import read_tree

ENDLESS = ("9" * 5000, "-" + "9" * 5000, "1_" * 4000 + "1", "0x" + "f" * 5000, "9" * 20, str(2**63))


@pytest.mark.parametrize("number", ENDLESS)
@pytest.mark.parametrize("form", ["{}", "[1, {}]", "{{ deep = {} }}"])
def test_a_number_beyond_64_bits_is_refused_with_its_line(number: str, form: str) -> None:
    text = f"a = 1\n\n[table]\nb = {form.format(number)}\n"
    with pytest.raises(TomlError, match="beyond 64 bits") as caught:
        load_toml(text)
    assert caught.value.line == 4
    assert number[:30] not in str(caught.value)


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_number_of_64_bits_is_read(number: int) -> None:
    assert load_toml(f"a = {number}") == {"a": number}


def refusals(folder: Path, number: str) -> list[str]:
    """What each reader of TOML says of a file that holds the number in its third line."""
    said = []
    for name, text, read in (
        ("domcore.toml", f"\n[routing]\nbatch = {number}\n", _settings),
        ("network.toml", f'[[node]]\nid = "A"\npriority = {number}\n', _network),
        ("items.toml", f'[[item]]\nsku = "A"\nweight_g = {number}\n', _items),
        ("ruleset.toml", f"\nname = 'x'\nformat = {number}\n", read_tree),
        ("ruleset.json", f'\n\n{{"format": {"9" * len(number)}}}', read_tree),
    ):
        path = folder / name
        path.write_text(text)
        with pytest.raises(ConfigurationError) as caught:
            read(path)
        said.append(str(caught.value))
    return said


def _settings(path: Path) -> None:
    read_settings(config=path)


def _network(path: Path) -> None:
    read_network([Source.of(path)])


def _items(path: Path) -> None:
    list(read_items(Source.of(path), Problems(path.name)))


@pytest.mark.parametrize("number", ENDLESS[:4])
def test_every_door_names_the_file_and_the_line(tmp_path: Path, number: str) -> None:
    *toml, json = refusals(tmp_path, number)
    for said in toml:
        assert "line 3" in said
        assert str(tmp_path) in said
        assert "beyond 64 bits" in said
    assert "beyond 64 bits" in json
