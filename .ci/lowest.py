"""Prints constraints that hold every run-time requirement of this tree to its lower bound."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BOUND = re.compile(r"([A-Za-z0-9_.-]+)>=([0-9.]+)[^;]*(;.*)?")


def main() -> None:
    lowest: dict[str, str] = {}
    for file in (ROOT / "pyproject.toml", *ROOT.glob("plugins/domcore-*/pyproject.toml")):
        project = tomllib.loads(file.read_text("utf-8"))["project"]
        for requirement in project["dependencies"]:
            found = BOUND.fullmatch(requirement)
            if found is None or found[1].startswith("domcore"):
                continue
            name, version, only = found[1], found[2], found[3] or ""
            known = lowest.get(name, "0").partition(";")[0]
            if _numbers(version) >= _numbers(known):
                lowest[name] = f"{version}{only}"
    sys.stdout.writelines(f"{name}=={version}\n" for name, version in sorted(lowest.items()))


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


if __name__ == "__main__":
    main()
