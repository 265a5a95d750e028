"""The lock file of the development set names everything that is needed, with hashes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LOCK = (ROOT / "requirements-dev.lock").read_text("utf-8")
PIN = re.compile(
    r"^([a-z0-9-]+)==(\S+)(?: ; ([^\\\n]+?))? ?((?:\\\n    --hash=sha256:[0-9a-f]{64} ?)*)$", re.M
)


def needed() -> Iterator[Requirement]:
    """What the development set and the packages of this tree ask for, but for each other."""
    for line in (ROOT / "requirements-dev.txt").read_text("utf-8").splitlines():
        if line and not line.startswith(("#", "-e")):
            yield Requirement(line)
    for file in (ROOT / "pyproject.toml", *ROOT.glob("plugins/domcore-*/pyproject.toml")):
        for text in tomllib.loads(file.read_text("utf-8"))["project"]["dependencies"]:
            requirement = Requirement(text)
            if not requirement.name.startswith("domcore"):
                yield requirement


def pinned() -> dict[str, list[Version]]:
    found: dict[str, list[Version]] = {}
    for name, version, _, _ in PIN.findall(LOCK):
        found.setdefault(canonicalize_name(name), []).append(Version(version))
    return found


@pytest.mark.parametrize("requirement", list(needed()), ids=str)
def test_what_is_needed_is_locked_in_a_version_that_fits(requirement: Requirement) -> None:
    versions = pinned().get(canonicalize_name(requirement.name))
    assert versions, "run .ci/lock"
    assert all(requirement.specifier.contains(version) for version in versions)


def test_every_line_of_the_lock_is_a_version_with_hashes() -> None:
    body = "\n".join(line for line in LOCK.splitlines() if not line.startswith("#")).strip()
    assert PIN.sub("", body).strip() == ""
    assert all(hashes for *_, hashes in PIN.findall(body))


def test_the_lock_names_no_place_to_fetch_from() -> None:
    assert "://" not in LOCK
    assert "--index" not in LOCK
