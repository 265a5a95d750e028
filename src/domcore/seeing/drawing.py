"""Specifications as pages and pictures, through altair, which the extra `charts` brings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from domcore.errors import ConfigurationError

SUFFIXES: Final = (".html", ".png")


class _Inert(json.JSONEncoder):
    """JSON that ends no script element of a page, whatever names it holds."""

    def encode(self, o: Any) -> str:
        return super().encode(o).replace("<", "\\u003c").replace("\u2028", "\\u2028")


def draw(specification: Mapping[str, Any], file: Path) -> None:
    """Write a Vega-Lite specification as a page or a picture, by the ending of the file's name.

    The page needs nothing else to be shown: the program that draws it is in it.

    Raises:
        ConfigurationError: altair, or what it draws with, is not there.
    """
    try:
        altair = import_module("altair")
        import_module("vl_convert")
    except ImportError as error:
        raise ConfigurationError(
            f"drawing {file.suffix} needs altair and vl-convert-python, and {error.name} is not"
            " there; install them: python -m pip install 'domcore[charts]'. SVG and Vega-Lite"
            " (.svg, .json) need nothing",
            place="--chart",
        ) from None
    chart = altair.Chart.from_dict(dict(specification), validate=True)
    if file.suffix.lower() == ".html":
        text = chart.to_html(inline=True, json_kwds={"cls": _Inert})
        file.write_text(text, encoding="utf-8")
    else:
        chart.save(str(file), format="png", scale_factor=2)
