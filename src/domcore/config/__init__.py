"""Settings from where people write them: flag > environment > project file > default.

The project file is ``domcore.toml``, in the current folder or the nearest one above it, or what
``--config`` or ``DOMCORE_CONFIG`` names. `read_settings` gives `Settings` with the origin of each
value; `shown` lists them for people, with secrets hidden. See ``docs/configuration.md``.
"""

from __future__ import annotations

from domcore.config.reading import (
    CONFIG_VARIABLE,
    PROJECT_FILE,
    find_project,
    read_settings,
    store_file,
)
from domcore.config.showing import Setting, shown

__all__ = [
    "CONFIG_VARIABLE",
    "PROJECT_FILE",
    "Setting",
    "find_project",
    "read_settings",
    "shown",
    "store_file",
]
