"""docs/networks has a page per network, with the options that it has now."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from pixelwise.networks import NETWORKS

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "make_network_options.py"


@pytest.mark.parametrize("name", NETWORKS.names())
def test_page_has_the_options_of_the_code(name: str) -> None:
    spec = importlib.util.spec_from_file_location(SCRIPT.stem, SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (SCRIPT.parent / "networks" / f"{name}.md").read_text(encoding="utf-8")
    for option in NETWORKS.find(name).options:
        assert f"| `{option}` |" in page
    assert page == module.render(name), "run python docs/make_network_options.py"
