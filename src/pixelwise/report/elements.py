"""HTML elements built in code: every text is escaped, so a case name can never become markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

Content = str | Markup | None
VOID_ELEMENTS = frozenset({"img", "br", "input", "col", "circle", "line", "path", "rect"})


def element(name: str, *children: Content, **attributes: object) -> Markup:
    """An HTML or SVG element. Text and attribute values are escaped, Markup is taken as it is.

    An attribute that is None or False is left out, True is written without a value; a
    trailing underscore is dropped (`class_`) and inner ones become hyphens (`aria_label`).
    """
    written = [name]
    for key, value in attributes.items():
        attribute = key.rstrip("_").replace("_", "-")
        if value is True:
            written.append(attribute)
        elif value is not None and value is not False:
            written.append(f'{attribute}="{escape(value)}"')
    opening = " ".join(written)
    if name in VOID_ELEMENTS and not children:
        return Markup(f"<{opening}/>")
    return Markup(f"<{opening}>{joined(children)}</{name}>")


def joined(parts: Iterable[Content]) -> Markup:
    """Pieces one after the other, each escaped unless it is Markup; None is left out."""
    return Markup("").join(part for part in parts if part is not None)


def swatch(colour: str) -> Markup:
    """A small square in a class's colour, silent for screen readers."""
    return element("span", class_="swatch", style=f"--swatch:{colour}", aria_hidden="true")


def folded(summary: str, *children: Content, is_bulk: bool = False) -> Markup:
    """Something that can be opened by click or key.

    It is printed open, but long numbers that few look up (`is_bulk`) only if a reader opened it.
    """
    kind = "bulk" if is_bulk else None
    return element("details", element("summary", summary), *children, class_=kind)


def commands(*lines: str) -> Markup:
    """Shell commands as a block."""
    return element("pre", element("code", "\n".join(lines)))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its head, a second line below it, whether numbers stand in it."""

    head: str
    note: str = ""
    is_number: bool = False


def table(
    columns: Iterable[Column],
    rows: Iterable[Sequence[Content] | str],
    *,
    caption: str,
    class_: str = "",
) -> Markup:
    """A table whose first cell of each row is the row's head; it scrolls on its own if wide.

    A row that is a text becomes a heading over the rows below it.
    """
    columns = tuple(columns)
    head = element("tr", *(_head(column) for column in columns))
    body = [_row(columns, row) for row in rows]
    whole = element(
        "table",
        element("caption", caption),
        element("thead", head),
        element("tbody", *body),
        class_=class_ or None,
    )
    return scrollable(whole, caption)


def scrollable(content: Markup, label: str) -> Markup:
    """A region that scrolls sideways by mouse, finger or keys instead of widening the page."""
    return element("div", content, class_="scroll", tabindex="0", role="region", aria_label=label)


def _row(columns: Sequence[Column], row: Sequence[Content] | str) -> Markup:
    if isinstance(row, str):
        title = element("th", row, scope="rowgroup", colspan=len(columns))
        return element("tr", title, class_="group")
    cells = [
        element("th" if i == 0 else "td", cell, **_cell_attributes(column, i))
        for i, (column, cell) in enumerate(zip(columns, row, strict=True))
    ]
    return element("tr", *cells)


def _head(column: Column) -> Markup:
    note = element("small", column.note) if column.note else None
    class_ = "number" if column.is_number else None
    return element("th", column.head, note, scope="col", class_=class_)


def _cell_attributes(column: Column, index: int) -> dict[str, object]:
    attributes: dict[str, object] = {"class_": "number" if column.is_number else None}
    if index == 0:
        attributes["scope"] = "row"
    return attributes
