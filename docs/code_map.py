"""Write the code map into ARCHITECTURE.md: one line per module, its docstring's first."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "pixelwise"
PAGE = ROOT / "ARCHITECTURE.md"
BEGIN, END = "<!-- code map: begin -->\n", "<!-- code map: end -->\n"


def first_line(path: Path) -> str:
    """First line of a module's docstring, empty if it has none."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.split("\n", 1)[0]


def make_map() -> str:
    """The map as Markdown: one heading per folder, one line per module."""
    folders = [PACKAGE, *sorted(path for path in PACKAGE.iterdir() if path.is_dir())]
    parts = []
    for folder in folders:
        modules = sorted(folder.glob("*.py"))
        if not modules:
            continue
        title = "pixelwise" if folder == PACKAGE else f"pixelwise/{folder.name}"
        purpose = first_line(folder / "__init__.py")
        rows = [
            f"- `{path.name}`: {first_line(path)}" for path in modules if path.name != "__init__.py"
        ]
        parts.append(f"**{title}**: {purpose}\n\n" + "".join(f"{row}\n" for row in rows))
    return "\n".join(parts)


def with_map(page: str) -> str:
    """The page with the map between its two marks replaced by the current one."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{make_map()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_map(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
