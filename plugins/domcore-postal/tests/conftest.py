"""A small world of codes and towns, in place of what is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from attrs import define, field

from domcore_postal.sources import Record, Town


def record(code: str, locality: str | None = None, at=None, type: str = "full", state=None):
    lat, lon = at or (None, None)
    return Record(code, state, locality, type, lat, lon)


def town(name: str, at: tuple[float, float], population: int = 1000, *others: str) -> Town:
    return Town((name, *others), *at, population)


@define
class Data:
    """A `Source` by hand."""

    codes: Mapping[str, Sequence[Record]] = field(factory=dict)
    places: Mapping[str, Sequence[Town]] = field(factory=dict)
    version: str = "1"
    read: int = 0

    @property
    def versions(self) -> Mapping[str, str]:
        return {"codes": self.version}

    def countries(self) -> Sequence[str]:
        return sorted({*self.codes, *self.places})

    def records(self, country: str) -> Sequence[Record]:
        self.read += 1
        return self.codes.get(country, ())

    def towns(self, country: str) -> Sequence[Town]:
        return self.places.get(country, ())


@pytest.fixture
def data() -> Data:
    return Data(
        {
            "GB": [
                record("SW", "London South West", (51.46, -0.17), "area"),
                record("S", "Sheffield", (53.38, -1.47), "area"),
                record("M", "Manchester", (53.48, -2.24), "area"),
            ],
            "CA": [
                record("K1A", "Ottawa", (45.42, -75.70), "fsa", "ON"),
                record("M5V", "Toronto", (43.64, -79.39), "fsa", "ON"),
            ],
            "DE": [
                record("01067", "Dresden", state="SN"),
                record("01069", "Dresden, Südvorstadt", state="SN"),
                record("10670", "Neustadt", state="BE"),
                record("10115", "Berlin", state="BE"),
                record("10999", "Nirgendwo", state="BE"),
            ],
            "NL": [record("1012", "Amsterdam", type="area"), record("3011", "Rotterdam")],
            "AU": [
                *(record(f"69{n:02}", "Perth", (-31.9 - n / 100, 115.8)) for n in range(10)),
                record("6965", "BIBRA LAKE", (0.0, 0.0)),
                record("6970", "Perth", (52.0, 13.0)),
            ],
            "ES": [record("28001", "Acebeda, La", state="M"), record("28079", "Madrid", state="M")],
            "FJ": [record("1", "West", (-17.0, 179.5)), record("2", "East", (-17.0, -179.5))],
            "US": [record("10001", None, (40.75, -74.0))],
        },
        {
            "DE": [
                town("Dresden", (51.05, 13.74), 550_000),
                town("Berlin", (52.52, 13.41), 3_600_000),
                town("Neustadt", (49.35, 8.14), 53_000),
                town("Neustadt", (52.6, 13.5), 500),
            ],
            "NL": [town("Amsterdam", (52.37, 4.89), 800_000), town("Rotterdam", (51.92, 4.48))],
            "AU": [town("Bibra Lake", (-32.1, 115.82)), town("Perth", (-31.95, 115.86))],
            "ES": [
                town("Acebeda", (41.09, -3.62), 60, "La Acebeda", "Acebeda La"),
                town("Madrid", (40.42, -3.70), 3_200_000),
            ],
            "IE": [town("Dublin", (53.33, -6.25), 1_000_000), town("Cork", (51.9, -8.47), 200_000)],
        },
    )
