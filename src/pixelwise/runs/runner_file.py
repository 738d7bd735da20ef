"""The runner as bundles hold it: one file, put together from the two that it is here."""

from __future__ import annotations

import ast
from pathlib import Path

_FUTURE = "from __future__ import annotations"
_HALVES = ("runner_arrays.py", "runner_main.py")


def runner_source() -> str:
    """The text of runner.py: documentation, imports, arrays, then the program.

    It imports the standard library, NumPy and a runtime, and nothing of this package.
    """
    here = Path(__file__).parent
    arrays, main = ((here / name).read_text(encoding="utf-8") for name in _HALVES)
    tree = ast.parse(main)
    documentation = ast.get_docstring(tree) or ""
    imports = sorted({*_imports(arrays), *_imports(main)})
    head = f'"""{documentation}\n"""\n\n{_FUTURE}\n\n' + "\n".join(imports)
    return f"{head}\n\n{_body(arrays)}\n\n\n{_body(main)}\n"


def _imports(text: str) -> list[str]:
    """The import statements at the top of a module, those of this package left out."""
    found = []
    for node in ast.parse(text).body:
        is_own = isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pixelwise")
        if isinstance(node, ast.Import | ast.ImportFrom) and not is_own:
            line = ast.unparse(node)
            if line != _FUTURE:
                found.append(line)
    return found


def _body(text: str) -> str:
    """What follows the docstring and the imports, with its comments."""
    nodes = ast.parse(text).body
    last = max(
        node.end_lineno or 0
        for index, node in enumerate(nodes)
        if isinstance(node, ast.Import | ast.ImportFrom) or index == 0
    )
    return "\n".join(text.splitlines()[last:]).strip()
