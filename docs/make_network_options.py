"""Writes the table of options into each page of docs/networks, from the signatures.

python docs/make_network_options.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from pixelwise.networks import NETWORKS

PAGES = Path(__file__).with_name("networks")
_TABLE = re.compile(r"(?<=## Options\n\n).*?(?=\n## )", re.DOTALL)


def render_options(name: str) -> str:
    """The table of one network's options."""
    rows = [
        f"| `{option.name}` | {option.describe()} | `{_shown(option.default)}` |"
        for option in NETWORKS.find(name).options.values()
    ]
    return "\n".join(["| option | values | default |", "|---|---|---|", *rows]) + "\n"


def _shown(default: object) -> str:
    return default if isinstance(default, str) else json.dumps(default)


def render(name: str) -> str:
    """A network's page with its table as the code has it now."""
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    return _TABLE.sub(lambda _: render_options(name), text, count=1)


def main() -> None:
    """Write the pages."""
    for name in NETWORKS.names():
        (PAGES / f"{name}.md").write_text(render(name), encoding="utf-8")


if __name__ == "__main__":
    main()
