"""Training from a folder to a run: repeatable, within its time, and never half done."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pixelwise.commands.train import train
from pixelwise.core.errors import BadData, BadOutput, BadPlan, BadRun
from pixelwise.runs.folder import open_run

from .conftest import TINY, Notes, write_squares

pytestmark = pytest.mark.usefixtures("pretend")


def weights_of(run: Path) -> bytes:
    return (run / "network.safetensors").read_bytes()


def test_a_run_is_whole(bright_run: Path) -> None:
    run = open_run(bright_run)
    assert run.read_status()["state"] == "finished"
    plan = run.read_plan()
    assert (plan.training.steps, plan.network.name) == (3, "bright")
    assert run.read_history()[-1].step == 3
    assert "val" in run.read_scores()
    assert "torch" in run.read_environment()
    assert [case.id for case in run.read_cases()] == [f"case-{i}" for i in range(6)]
    assert run.report.stat().st_size > 10_000


def test_a_network_that_is_right_scores_one(bright_run: Path) -> None:
    summary = open_run(bright_run).read_scores()["val"]
    dice = {m.class_id: m for m in summary.metrics if m.metric == "dice"}
    assert (dice[1].mean, dice[1].pooled, summary.n_cases) == (1.0, 1.0, 1)


def test_the_plan_of_a_run_repeats_its_weights(
    squares: Path, unet_run: Path, tmp_path: Path
) -> None:
    train(squares, run=tmp_path / "again", plan=unet_run / "plan.json")
    assert weights_of(tmp_path / "again") == weights_of(unet_run)
    train(
        squares, run=tmp_path / "other", plan=unet_run / "plan.json", settings=["training.seed=1"]
    )
    assert weights_of(tmp_path / "other") != weights_of(unet_run)


def test_a_refitted_schedule_is_repeated_too(
    squares: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run by the clock ends somewhere; its plan holds the steps and the pace that it took."""
    monkeypatch.setattr("pixelwise.commands.plan.SHORTEST_BUDGET_SECONDS", 1.0)
    monkeypatch.setattr("pixelwise.commands.train.INTERVAL_SECONDS", 0.2)
    settings = [s for s in TINY if not s.startswith("training.steps")]
    first = train(squares, run=tmp_path / "first", settings=settings, budget="6s")
    plan = open_run(tmp_path / "first").read_plan()
    assert plan.training.steps == first.steps > 0
    assert len(plan.training.pace) > 1
    again = train(squares, run=tmp_path / "again", plan=tmp_path / "first" / "plan.json")
    assert again.steps == first.steps
    assert weights_of(tmp_path / "again") == weights_of(tmp_path / "first")


def test_starting_from_another_run(squares: Path, unet_run: Path, tmp_path: Path) -> None:
    """Its network and weights are taken; at a tiny rate they hardly move."""
    notes = Notes()
    run = tmp_path / "run"
    settings = ["training.steps=1", "sampling.patch=[32,32]", "optimizer.learning_rate=1e-9"]
    train(squares, run=run, start_from=unet_run, settings=settings, listener=notes)
    assert "tensors were taken from the given run" in notes.text
    plan = open_run(run).read_plan()
    assert dict(plan.network.options) == {"width": 4, "depth": 1}
    before, after = open_run(unet_run).read_weights(), open_run(run).read_weights()
    for name in before:
        if name.endswith("weight"):
            torch.testing.assert_close(after[name], before[name], atol=1e-6, rtol=1e-5)


def test_starting_from_another_run_takes_smaller_steps(
    squares: Path, unet_run: Path, tmp_path: Path
) -> None:
    train(squares, run=tmp_path / "run", start_from=unet_run, settings=["training.steps=1"])
    before = open_run(unet_run).read_plan().optimizer.learning_rate
    after = open_run(tmp_path / "run").read_plan().optimizer.learning_rate
    assert after == pytest.approx(before / 3)


def test_starting_from_what_is_no_run(squares: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadRun, match="not a run folder"):
        train(squares, run=tmp_path / "run", start_from=tmp_path / "empty")
    assert not (tmp_path / "run").exists()


def test_a_single_image_keeps_a_part_to_validate_on(tmp_path: Path) -> None:
    data = write_squares(tmp_path / "data", 1, 0, 0)
    notes = Notes()
    run = tmp_path / "run"
    result = train(data, run=run, settings=TINY, listener=notes)
    folder = open_run(run)
    plan = folder.read_plan()
    assert plan.data.hold_out == 0.25
    assert plan.data.splits["val"] == plan.data.splits["train"] == ("case-0",)
    said = notes.text + " ".join(folder.read_status()["notes"])
    assert "25% of case-0 along its longest axis is kept from training" in said
    assert "kept from training" in folder.report.read_text(encoding="utf-8")
    # 40 x 48 pixels: the last 12 columns are scored
    assert result.validation is not None
    assert result.validation.cases[0].n_valid == 40 * 12


def test_a_single_image_is_said_before_the_training(tmp_path: Path) -> None:
    """Who waits for hours shall know at once that the scores will flatter."""
    data = write_squares(tmp_path / "data", 1, 0, 0)
    notes = Notes()
    train(data, run=tmp_path / "run", settings=TINY, listener=notes)
    spoken = [i for i, line in enumerate(notes.lines) if "kept from training" in line]
    scoring = [i for i, line in enumerate(notes.lines) if line.startswith("Scoring")]
    assert spoken
    assert spoken[0] < scoring[0]


def test_a_run_that_is_there_stays(squares: Path, unet_run: Path) -> None:
    before = {path.name: path.read_bytes() for path in unet_run.iterdir() if path.is_file()}
    with pytest.raises(BadOutput, match="--overwrite"):
        train(squares, run=unet_run, settings=TINY)
    assert {p.name: p.read_bytes() for p in unet_run.iterdir() if p.is_file()} == before


def test_foreign_files_are_never_replaced(squares: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(BadOutput, match="not a run folder"):
        train(squares, run=tmp_path, settings=TINY, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_place_that_cannot_be_written(squares: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadOutput, match="cannot be written"):
        train(squares, run=tmp_path / "file" / "run", settings=TINY)
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.parametrize("setting", ["training.stepz=3", "network.name=unett", "training.steps=0"])
def test_mistakes_are_told_before_anything_is_written(
    squares: Path, tmp_path: Path, setting: str
) -> None:
    with pytest.raises(BadPlan):
        train(squares, run=tmp_path / "run", settings=(*TINY, setting))
    assert not (tmp_path / "run").exists()


def test_no_data_and_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(BadPlan, match="no data to train on"):
        train(run=tmp_path / "run")
    with pytest.raises(BadRun, match="no such folder"):
        train(run=tmp_path / "run", resume=True)


def test_data_that_has_gone(tmp_path: Path) -> None:
    data = write_squares(tmp_path / "data")
    train(data, run=tmp_path / "run", settings=TINY)
    (data / "images" / "case-4.png").unlink()
    with pytest.raises(BadData, match=r"case-4\.png: it has gone since the training"):
        train(run=tmp_path / "run", resume=True)


def test_one_class_everywhere(tmp_path: Path) -> None:
    """Masks without any foreground are warned about and trained on: one answer everywhere."""
    data = write_squares(tmp_path / "data")
    for path in (data / "masks").iterdir():
        Image.fromarray(np.zeros((40, 48), np.uint8)).save(path)
    result = train(data, run=tmp_path / "run", settings=TINY)
    assert result.is_finished
    assert "one answer everywhere" in result.report.read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_budget_is_kept(squares: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """15 s may become 1.1 x 15 + 5 s, measuring, scoring and report included."""
    monkeypatch.undo()  # this machine is really measured
    started = time.monotonic()
    result = train(squares, run=tmp_path / "run", budget="15s")
    assert time.monotonic() - started < 1.1 * 15 + 5
    assert result.is_finished
    plan = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert plan["training"]["steps"] == result.steps
