"""A canvas that writes SVG: cards, arrows, bars and lines, readable on light and dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

INK, PALE, LINE = "#1f2937", "#6b7280", "#9ca3af"
TEAL, TEAL_CARD, AMBER_CARD, GRAY_CARD, RED_CARD = (
    "#0f766e",
    "#ccfbf1",
    "#fef3c7",
    "#f3f4f6",
    "#fee2e2",
)


class Canvas:
    """Collects shapes; coordinates are pixels from the top left."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self.width, self.height, self.title = width, height, title
        self._parts: list[str] = []

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: int = 13,
        anchor: str = "start",
        bold: bool = False,
        color: str = INK,
    ) -> None:
        """One line of text; `y` is its baseline."""
        weight = ' font-weight="600"' if bold else ""
        self._parts.append(
            f'<text x="{_n(x)}" y="{_n(y)}" font-size="{size}" text-anchor="{anchor}"'
            f' fill="{color}"{weight}>'
            f"{escape(text)}</text>"
        )

    def card(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        lines: Sequence[str],
        *,
        fill: str = GRAY_CARD,
        edge: str = LINE,
    ) -> None:
        """A box; its first line is bold, all are centered."""
        self._parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="7"'
            f' fill="{fill}" stroke="{edge}"/>'
        )
        top = y + height / 2 + 5 - 8.5 * (len(lines) - 1)
        for number, line in enumerate(lines):
            self.text(
                x + width / 2,
                top + 17 * number,
                line,
                anchor="middle",
                bold=not number,
                size=12 if number else 13,
                color=PALE if number else INK,
            )

    def bar(self, x: float, y: float, width: float, height: float, color: str) -> None:
        """A filled bar."""
        self._parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(max(width, 1))}" height="{_n(height)}"'
            f' rx="3" fill="{color}"/>'
        )

    def arrow(
        self,
        points: Sequence[tuple[float, float]],
        *,
        dashed: bool = False,
        label: str = "",
        at: tuple[float, float] | None = None,
        color: str = PALE,
    ) -> None:
        """A line through the points that ends in a head; a label stands at `at`."""
        self.line(points, dashed=dashed, color=color, head=True)
        if label and at:
            self.text(*at, label, size=11, anchor="middle", color=PALE)

    def line(
        self,
        points: Sequence[tuple[float, float]],
        *,
        dashed: bool = False,
        color: str = PALE,
        head: bool = False,
        width: float = 1.4,
    ) -> None:
        """A line through the points."""
        path = "M" + " L".join(f"{_n(x)} {_n(y)}" for x, y in points)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        tip = ' marker-end="url(#head)"' if head else ""
        self._parts.append(
            f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{width}"{dash}{tip}/>'
        )

    def svg(self) -> str:
        """The picture; it needs nothing else."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}"'
            f' width="{self.width}"'
            f' role="img" aria-label="{escape(self.title, {chr(34): "&quot;"})}"'
            ' font-family="Helvetica, Arial, DejaVu Sans, sans-serif">\n'
            f"<title>{escape(self.title)}</title>\n"
            '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7"'
            ' markerHeight="7" orient="auto-start-reverse">'
            f'<path d="M0 0 L10 5 L0 10 z" fill="{PALE}"/></marker></defs>\n'
            f'<rect width="{self.width}" height="{self.height}" rx="10" fill="#ffffff"/>\n'
            + "\n".join(self._parts)
            + "\n</svg>\n"
        )


def _n(number: float) -> str:
    return f"{number:.1f}".rstrip("0").rstrip(".")
