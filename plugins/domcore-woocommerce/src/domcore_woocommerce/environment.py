"""Secrets named rather than written down: ``env:NAME`` is the environment variable's value."""

from __future__ import annotations

ENVIRONMENT = "env:"
