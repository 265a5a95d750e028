"""Pages of the site that are kept elsewhere: the README of each plugin, and the changelog.

A hook of mkdocs (see mkdocs.yml). Relative links are turned to where the page is on the site.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent


def sources() -> dict[str, Path]:
    """Pages of the site by their path in it, and the files that they are made of."""
    pages = {
        f"plugins/{readme.parent.name}.md": readme
        for readme in sorted((ROOT / "plugins").glob("domcore-*/README.md"))
    }
    return {**pages, "changelog.md": ROOT / "CHANGELOG.md"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    for page, file in sources().items():
        files.append(File.generated(config, page, content=file.read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Turn the links of a page, so that they lead on in the repository and on the site."""
    uri = page.file.src_uri
    elsewhere = sources()
    places = {file.resolve(): place for place, file in elsewhere.items()}
    return turned(markdown, elsewhere.get(uri, ROOT / "docs" / uri).parent, uri, places)


def turned(text: str, folder: Path, page: str, places: dict[Path, str]) -> str:
    """The text with its relative links as they lead on from `page`.

    Args:
        text: a page of the repository that lies in `folder`.
        page: where it is on the site.
        places: other files of the repository that are on the site, and where.
    """

    def link(match: re.Match[str]) -> str:
        path, mark, anchor = match.group(1).partition("#")
        if not path or re.match(r"[a-z]+:", path):
            return match.group(0)
        target = (folder / path).resolve()
        docs = ROOT / "docs"
        at = str(target.relative_to(docs)) if target.is_relative_to(docs) else places.get(target)
        return f"]({'../' * page.count('/')}{at}{mark}{anchor})" if at else match.group(0)

    return re.sub(r"\]\(([^)\s]+)\)", link, text)
