"""The demo at its full length reaches what it promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Run


@pytest.mark.slow
def test_demo_keeps_its_promise(run: Run, tmp_path: Path) -> None:
    answer = run("demo", "--out", tmp_path / "demo", "--json")
    assert answer.code == 0, answer.err
    metrics = answer.json["summary"]["metrics"]
    dice = next(m for m in metrics if m["metric"] == "dice" and m["class_id"] == 1)
    assert dice["mean"] >= 0.90
    assert set(answer.json["kinds"]) == {"touching", "dim", "thin", "ordinary"}
    assert Path(answer.json["report"]).exists()
