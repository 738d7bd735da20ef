"""A user's file is run once, and its mistakes are told with their line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pixelwise.core.errors import BadPlan
from pixelwise.core.user_parts import load_user_parts


def test_a_file_is_run_once(tmp_path: Path) -> None:
    path = tmp_path / "parts_once.py"
    path.write_text("from pathlib import Path\nwith open(Path(__file__).parent / 'n', 'a') as f:\n"
                    "    f.write('x')\n")  # fmt: skip
    load_user_parts(path)
    load_user_parts(path)
    assert (tmp_path / "n").read_text() == "x"
    del sys.modules["pixelwise_user_parts_once"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import math\nx = 1\nmath.sqrt(-1)\n", "line 3: ValueError"),
        ("x = 1\nfor\n", "line 2: SyntaxError"),
        ("import nothing_like_this\n", "ModuleNotFoundError"),
        ("import sys\nsys.exit(3)\n", "line 2: SystemExit"),
    ],
)
def test_a_failing_file_is_located(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "failing_parts.py"
    path.write_text(text)
    with pytest.raises(BadPlan, match=said) as caught:
        load_user_parts(path)
    assert caught.value.problems[0].path == str(path)
    assert "pixelwise_user_failing_parts" not in sys.modules


@pytest.mark.parametrize("name", ["missing.py", "."])
def test_what_is_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadPlan, match="no such file"):
        load_user_parts(tmp_path / name)


def test_another_ending_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "network.txt"
    path.write_text("x = 1\n")
    with pytest.raises(BadPlan, match="not a Python file"):
        load_user_parts(path)
