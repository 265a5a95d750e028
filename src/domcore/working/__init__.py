"""Doing what is due: news in, work out, events to whoever follows them. See `Domcore.work`."""

from domcore.working.report import WorkReport

__all__ = ["WorkReport"]
