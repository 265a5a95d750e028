"""Network files: what they mean, and what is refused where."""

from __future__ import annotations

from pathlib import Path

import pytest

from domcore.errors import ConfigurationError, PayloadError
from domcore.loading import Source, read_network
from domcore.model import Band, Handling, Point

NETWORK = """
[[rate_card]]
id = "ground"
currency = "USD"
minimum = "4.50"

[[rate_card.band]]
up_to_km = 250
base = "3.95"
steps = [{ up_to_g = 500, amount = "0.45" }, { up_to_g = 2000, amount = "1.60" }]
over_per_kg = "0.38"

[[rate_card.band]]
base = "5.60"
per_km = "0.0004"
per_kg = "0.840"

[[node]]
id = "ST-NYC"
kind = "store"
lat = 40.7128
lon = -74
rate_card = "ground"
handling = { parcel = "1.20", line = "0.65" }
tags = ["b", "a", "a"]
attributes = { floor = "ground", pickers = 3, dock = true }

[[node]]
id = "DC-1"
kind = "dc"
lat = "35.1495"
lon = "-90.0490"
enabled = false
"""


def write(folder: Path, text: str, name: str = "network.toml") -> Source:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return Source.of(path)


def refused(*sources: Source) -> str:
    with pytest.raises(PayloadError) as caught:
        read_network(sources)
    return str(caught.value)


def test_a_toml_network_becomes_nodes_and_rate_cards(tmp_path: Path) -> None:
    network = read_network([write(tmp_path, NETWORK)])
    dc, store = network.nodes
    assert (dc.id, dc.enabled, dc.point) == ("DC-1", False, Point(35_149_500, -90_049_000))
    assert store.handling == Handling(1_200_000, 650_000, 0)
    assert store.tags == ("a", "b")
    assert store.attributes == (("dock", True), ("floor", "ground"), ("pickers", 3))
    (card,) = network.rate_cards
    assert card.minimum == 4_500_000
    assert card.bands == (
        Band(
            up_to=250_000,
            base=3_950_000,
            steps=((500, 450_000), (2000, 1_600_000)),
            over_per_kg=380_000,
        ),
        Band(base=5_600_000, per_km=400, per_kg=840_000),
    )


def test_nodes_from_csv_and_cards_from_toml_make_one_network(tmp_path: Path) -> None:
    cards = write(tmp_path, NETWORK.split("[[node]]")[0])
    nodes = write(
        tmp_path,
        "id;kind;lat;lon;rate_card;handling.parcel;tags;attributes.floor\n"
        "N1;dc;40.5;-74;ground;1.20;hazmat | bulky;\nN2;store;41;-75;;;;first\n",
        "nodes.csv",
    )
    network = read_network([cards, nodes])
    assert [node.rate_card for node in network.nodes] == ["ground", ""]
    assert network.nodes[0].tags == ("bulky", "hazmat")
    assert network.nodes[0].handling.parcel == 1_200_000
    assert network.nodes[1].attributes == (("floor", "first"),)


def test_json_lines_say_the_type_of_what_is_not_a_node(tmp_path: Path) -> None:
    lines = (
        '{"type": "rate_card", "id": "g", "currency": "USD", "band": [{"base": "1.00"}]}\n'
        "\n"
        '{"id": "N1", "kind": "dc", "lat": 40.5, "lon": -74, "rate_card": "g"}\n'
    )
    network = read_network([write(tmp_path, lines, "network.jsonl")])
    assert network.nodes[0].point == Point(40_500_000, -74_000_000)
    assert network.rate_cards[0].bands == (Band(base=1_000_000),)


def test_a_json_document_holds_both(tmp_path: Path) -> None:
    text = '{"node": [{"id": "N1", "kind": "dc", "lat": 1, "lon": 2}]}'
    assert read_network([write(tmp_path, text, "n.json")]).nodes[0].id == "N1"
    text = '[{"id": "N2", "kind": "dc", "lat": 1, "lon": 2}]'
    assert read_network([write(tmp_path, text, "n.json")]).nodes[0].id == "N2"


def test_every_bad_field_is_named_with_its_place(tmp_path: Path) -> None:
    text = NETWORK.replace('"store"', '"shop"').replace("lon = -74", "lon = -474")
    text = text.replace("tags =", "tgas =").replace('"3.95"', "3.95").replace("0.840", "0.8401")
    said = refused(write(tmp_path, text))
    place = f"{tmp_path}/network.toml"
    assert f"{place}:18 kind: must be one of dc, store" in said
    assert f"{place}:18 lon: must be from -180 to 180 degrees" in said
    assert f"{place}:18 tgas: is not a known field; did you mean 'tags'?" in said
    assert f'{place}:2 band[0].base: must be decimal text in quotes, such as "1.50"' in said
    assert f"{place}:2 band[1].per_kg: must be a multiple of 0.001" in said
    assert "nothing was changed" in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('rate_card = "ground"', 'rate_card = "grond"'), "did you mean 'ground'?"),
        (('id = "DC-1"', 'id = "ST-NYC"'), "node 'ST-NYC' stands in"),
        (("up_to_g = 2000", "up_to_g = 400"), "band[0].steps: must rise in up_to_g"),
        (("up_to_km = 250", ""), "band[1]: can never count"),
        (("up_to_km = 250", 'zones = ["us"]'), "zones[0]: must be a country"),
        (('currency = "USD"', 'currency = "usd"'), "currency: must be three capital letters"),
        (('"4.50"', '"-4.50"'), "minimum: must not be negative"),
        (('"4.50"', '"1e3"'), "minimum: not a plain decimal number"),
        (("enabled = false", 'enabled = "no"'), "enabled: must be true or false"),
        (("enabled = false", 'timezone = "Mars/Base"'), "is not a known time zone"),
        (("enabled = false", 'owners = "main"'), "owners: must be an array of words"),
        (("enabled = false", "priority = 1.5"), "priority: must be a whole number"),
        (("enabled = false", "priority = true"), "priority: must be a whole number"),
        (("enabled = false", 'name = "a\\u0007b"'), "control or unprintable characters"),
        (("enabled = false", "attributes = { a = 1.5 }"), "attributes.a: must be text"),
        (("[[node]]", "[[nodes]]"), "'nodes' is not known here; did you mean 'node'?"),
    ],
)
def test_what_is_wrong_is_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    assert message in refused(write(tmp_path, NETWORK.replace(*change)))


def test_a_file_without_nodes_is_refused(tmp_path: Path) -> None:
    assert "there are no nodes in it" in refused(write(tmp_path, ""))
    assert "the first line must name the columns" in refused(write(tmp_path, "", "n.csv"))


def test_a_card_may_have_a_price_for_each_service(tmp_path: Path) -> None:
    second = 'services = ["express", "next-day"]\nid = "ground"\ncurrency = "USD"\nband = [{}]\n'
    network = read_network([write(tmp_path, f"{NETWORK}\n[[rate_card]]\n{second}")])
    assert [card.services for card in network.rate_cards] == [(), ("express", "next-day")]
    said = refused(write(tmp_path, f"{NETWORK}\n[[rate_card]]\n{second}\n[[rate_card]]\n{second}"))
    assert "is there twice for the same service" in said


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("n.toml", b"[[node]\n", "line 1: is not TOML"),
        ("n.toml", b"a = \xff\n", "line 1: is not UTF-8"),
        ("n.csv", b"id,kind,lat,lon\nN1,\xff\xfe\n", "line 2: is not UTF-8"),
        ("n.xyz", b"", "cannot tell its format"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    tmp_path: Path, name: str, body: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(body)
    with pytest.raises(ConfigurationError, match=message):
        read_network([Source.of(path)])


def test_a_missing_file_and_a_folder_say_so(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "folder.toml").mkdir()
    for name, message in (
        ("none.csv", "there is no such file"),
        ("none.toml", "there is no such file"),
        ("folder.csv", "is a folder"),
        ("folder.toml", "is a folder"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            read_network([Source.of(tmp_path / name)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not acceptable|expecting"),
        ('{"node": [{"id": "N", "id": "M"}]}', "twice"),
        ('{"node": [{"id": NaN}]}', "finite"),
        ("[" * 100_000, "nested"),
        ('{"node": 3}', "must be an array"),
        ("3", "must be an object or an array"),
    ],
)
def test_json_that_is_not_plain_json_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(PayloadError, match=message):
        read_network([write(tmp_path, text, "n.json")])
