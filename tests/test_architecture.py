"""What a linter cannot keep: file lengths, names, no empty folders, the code map."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "pixelwise"
MODULES = sorted(PACKAGE.rglob("*.py"))
PLUG_INS = ("readers", "tasks", "networks", "losses", "metrics")
VAGUE = {"utils", "util", "helpers", "helper", "common", "base", "misc", "manager", "tools", "lib"}
LONGEST = 300


def words_of(path: Path) -> set[str]:
    return set(path.stem.split("_"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    n_lines = len(text.splitlines())
    assert n_lines <= LONGEST, f"{path.name} has {n_lines} lines"
    assert text.lstrip().startswith('"""'), "a module begins with what it is for"
    assert not words_of(path) & VAGUE, "the name says nothing"
    if path.parent == PACKAGE:
        assert path.stem not in sys.stdlib_module_names


def test_two_levels_of_folders() -> None:
    assert {len(path.relative_to(PACKAGE).parts) for path in MODULES} == {1, 2}


def test_no_folder_is_empty() -> None:
    folders = [path for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"]
    empty = [path.name for path in folders if len(list(path.glob("*.py"))) < 2]
    assert not empty


def test_names_of_parts_are_unique() -> None:
    stems = [
        path.stem
        for kind in PLUG_INS
        for path in (PACKAGE / kind).glob("*.py")
        if path.stem != "__init__"
    ]
    assert sorted(stems) == sorted(set(stems))


def test_tests_lie_where_their_subject_lies() -> None:
    own = {"contracts", "twins", "golden", "archives", "end_to_end", "benchmarks", "__pycache__"}
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    assert folders - own <= {path.name for path in PACKAGE.iterdir() if path.is_dir()}


def test_code_map_is_current() -> None:
    spec = importlib.util.spec_from_file_location("code_map", ROOT / "docs" / "code_map.py")
    assert spec is not None and spec.loader is not None
    code_map = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(code_map)
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    is_current = page == code_map.with_map(page)
    assert is_current, "run `python docs/code_map.py`"


DISTRIBUTIONS = {"PIL": "pillow", "skimage": "scikit-image", "lightning_fabric": "lightning-fabric"}


def imported_packages() -> set[str]:
    names = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {"pixelwise"}


def test_dependencies_are_what_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = {"imagecodecs"}  # tifffile loads it by itself, for compressed files
    optional |= {"llvmlite", "markupsafe"}  # parts of numba and of jinja2
    declared = {re.split(r"[<>=!~\[]", text)[0] for text in project["dependencies"]}
    used = {DISTRIBUTIONS.get(name, name) for name in imported_packages()}
    extras = {
        re.split(r"[<>=!~\[]", text)[0]
        for texts in project["optional-dependencies"].values()
        for text in texts
    }
    assert used <= declared | optional | extras
    assert declared - optional <= used


def test_constraints_name_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [text for texts in project["optional-dependencies"].values() for text in texts]
    wanted = {re.split(r"[<>=!~\[]", text)[0] for text in (*project["dependencies"], *extras)}
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower()
    assert all(f"\n{name.lower()}==" in pinned for name in wanted - {"pixelwise"})
