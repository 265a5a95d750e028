"""Folders to exchange files in, and a disk that fails on order."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domcore_files.channel import FilesChannel
from domcore_files.connector import FilesConnector
from domcore_files.disk import Disk
from domcore_files.options import ChannelOptions, ConnectorOptions

LATER = 4_000_000_000.0
"""A time at which every file has settled."""

ORDERS = """\
order,line,sku,quantity,price,placed_at,name,email,street,city,region,postal,country
1001,1,MUG,2,10.00,2026-01-05T08:00:00Z,Ottilie Quist,o@quist.example,17 Juniper,Hudson,NY,12534,US
1001,2,KETTLE,1,35.50,,,,,,,,
1002,1,MUG,1,10.00,2026-01-05T08:05:00Z,Ann Poe,ann@poe.example,2 Elm St,Troy,NY,12180,US
"""
STOCK = "sku,node,on_hand,safety\nMUG,NYC,40,2\nKETTLE,NYC,7,\n"
NOTICES = """\
key,status,at,line,quantity,package,carrier,tracking
7-1-NYC,shipped,2026-01-06T10:00:00Z,L1,2,BOX1,UPS,1Z1
7-1-NYC,shipped,2026-01-06T10:00:00Z,L2,1,BOX2,UPS,1Z2
8-1-NYC,rejected,2026-01-06T10:05:00Z,,,,,
"""


class Crash(BaseException):
    """The process is gone: nothing catches it."""


class Calls:
    """The functions of `os`; the `at`-th call fails, before or after it was carried out."""

    def __init__(self, at: int = -1, error: BaseException | None = None, *, after: bool = False):
        self.count = 0
        self.at = at
        self.error = error or Crash()
        self.after = after

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(os, name)

        def call(*args: Any) -> Any:
            self.count += 1
            mine = self.count == self.at
            if mine and not self.after:
                raise self.error
            try:
                return function(*args)
            finally:
                if mine:  # whatever came of it
                    raise self.error

        return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder to exchange files in."""
    made = tmp_path / "exchange"
    made.mkdir()
    return made


def put(folder: Path, name: str, text: str | bytes, *, under: str = "in") -> Path:
    path = folder / under / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def files(folder: Path, under: str) -> list[str]:
    place = folder / under
    return sorted(each.name for each in place.iterdir()) if place.exists() else []


def make_channel(folder: Path, calls: Any = os, **options: Any) -> FilesChannel:
    told = ChannelOptions(**{"folder": str(folder), **options})
    disk = Disk(folder, calls)
    return FilesChannel("shop", "main", told, disk, currency="USD", clock=lambda: LATER)


def make_connector(folder: Path, calls: Any = os, **options: Any) -> FilesConnector:
    told = ConnectorOptions(**{"folder": str(folder), **options})
    return FilesConnector("partner", told, Disk(folder, calls), clock=lambda: LATER)


@pytest.fixture(scope="session")
def kit() -> Any:
    """What this file has for tests: they are modules on their own, and import nothing from here."""

    class Kit:
        pass

    made = Kit()
    for name in (
        "LATER", "ORDERS", "STOCK", "NOTICES", "Crash", "Calls",
        "put", "files", "make_channel", "make_connector",
    ):  # fmt: skip
        setattr(made, name, globals()[name])
    return made
