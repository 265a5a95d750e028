"""pip for the interpreter that runs domcore, so that plugins land where domcore finds them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final

from attrs import frozen

from domcore.errors import ConfigurationError
from domcore.plugin_sources import OURS, PREFIX

_NAME: Final = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^]]*\])?\s*(?:[=<>!~;].*)?", re.DOTALL
)


def stranger(name: str) -> str:
    """Why `name` may install somebody else's package; empty where it says where it comes from (a
    folder, a file, an address), or is a plugin's own name."""
    found = _NAME.fullmatch(name.strip())
    if found is None or os.path.exists(name):
        return ""
    package = re.sub(r"[-_.]+", "-", found[1]).lower()
    plugin = package.removeprefix(PREFIX)
    if plugin in OURS:
        return (
            f"{PREFIX}{plugin} comes with domcore's source: name its folder, such as "
            f"./plugins/{PREFIX}{plugin} in a checkout"
        )
    if plugin == package:
        return f"a plugin's package is called {PREFIX}{plugin}"
    return ""


@frozen(slots=True)
class Pip:
    """How pip is called here.

    Args:
        python: the interpreter to install for.
        uv: path of uv, where it stands in for a pip that is not there.
    """

    python: str
    uv: str = ""

    @classmethod
    def here(cls) -> Pip:
        """The pip of this interpreter, or uv where there is none.

        Raises:
            ConfigurationError: there is neither.
        """
        if find_spec("pip") is not None:
            return cls(sys.executable)
        uv = shutil.which("uv")
        if uv is None:
            raise ConfigurationError(
                f"{sys.executable} has no pip, and no uv is on the path; run"
                f" `{sys.executable} -m ensurepip`, or install the plugin with whatever made this"
                " environment"
            )
        return cls(sys.executable, uv)

    def install(
        self, names: Sequence[str], *, editable: Sequence[str] = (), upgrade: bool = False
    ) -> list[str]:
        """The command line that installs. Names stand behind ``--``: none is an option."""
        options = ["--upgrade"] if upgrade else []
        for path in editable:
            options += ["--editable", path]
        return [*self._call("install"), *options, "--", *names]

    def uninstall(self, names: Sequence[str], *, yes: bool) -> list[str]:
        """The command line that removes; uv never asks, and has no ``-y``."""
        ask = ["-y"] if yes and not self.uv else []
        return [*self._call("uninstall"), *ask, "--", *names]

    def _call(self, verb: str) -> list[str]:
        if self.uv:
            return [self.uv, "pip", verb, "--python", self.python]
        return [self.python, "-m", "pip", verb]


def run(command: Sequence[str]) -> int:
    """Run a command line, without a shell, on our own input and output; its exit code."""
    return subprocess.call(list(command))
