"""The runner as bundles hold it: one file, put together from the three that it is here."""

from __future__ import annotations

import ast
from pathlib import Path

_FUTURE = "from __future__ import annotations"
_PARTS = ("runner_arrays.py", "runner_shading.py", "runner_main.py")


def runner_source() -> str:
    """The text of runner.py: documentation, imports, arrays, then the program.

    It imports the standard library, NumPy and a runtime, and nothing of this package.
    """
    here = Path(__file__).parent
    parts = [(here / name).read_text(encoding="utf-8") for name in _PARTS]
    tree = ast.parse(parts[-1])
    documentation = ast.get_docstring(tree) or ""
    imports = sorted({line for part in parts for line in _imports(part)})
    head = f'"""{documentation}\n"""\n\n{_FUTURE}\n\n' + "\n".join(imports)
    return head + "\n\n" + "\n\n\n".join(_body(part) for part in parts) + "\n"


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
