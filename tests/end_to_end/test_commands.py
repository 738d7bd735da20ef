"""Every command on the built-in data, as a user types it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixelwise
from pixelwise.cli import main
from pixelwise.data.synthetic import make_case

from .conftest import Run, as_settings


def test_check_says_what_it_understood(run: Run, tiny_data: Path) -> None:
    answer = run("check", tiny_data)
    assert answer.code == 0
    assert "6 cases (train 4, val 1, test 1)" in answer.out
    assert "foreground" in answer.out


def test_check_refuses_a_folder_without_masks(run: Run, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    Image.fromarray(make_case(0, (32, 32)).image).save(tmp_path / "images" / "a.png")
    answer = run("check", tmp_path)
    assert answer.code == 2
    assert "Traceback" not in answer.err
    assert "mask" in answer.err


def test_plan_writes_what_train_reads(run: Run, tiny_data: Path, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    answer = run("plan", tiny_data, "--budget", "20s", "--out", file, *as_settings())
    assert answer.code == 0, answer.err
    plan = json.loads(file.read_text())
    assert plan["sampling"]["patch"] == [32, 32]
    assert plan["network"]["options"]["width"] == 4
    assert len(plan["reasons"]) >= 5


def test_train_leaves_a_whole_run(tiny_run: Path) -> None:
    names = {path.name for path in tiny_run.iterdir()}
    wanted = {"plan.json", "facts.json", "history.json", "network.safetensors", "report.html"}
    assert wanted <= names
    assert json.loads((tiny_run / "plan.json").read_text())["training"]["steps"] == 8
    page = (tiny_run / "report.html").read_text(encoding="utf-8")
    assert "<html" in page and "foreground" in page


def test_a_run_is_never_overwritten_unasked(run: Run, tiny_data: Path, tiny_run: Path) -> None:
    before = (tiny_run / "network.safetensors").read_bytes()
    answer = run("train", tiny_data, "--run", tiny_run, "--budget", "20s", *as_settings())
    assert answer.code == 2
    assert "--overwrite" in answer.err
    assert (tiny_run / "network.safetensors").read_bytes() == before


def test_plan_mistakes_are_told_all_at_once(run: Run, tiny_data: Path, tmp_path: Path) -> None:
    settings = ["--set", "network.options.widht=4", "--set", "sampling.batsch=2"]
    answer = run("train", tiny_data, "--run", tmp_path / "run", *settings)
    assert answer.code == 2
    assert "width" in answer.err
    assert "batch" in answer.err
    assert "Measuring" not in answer.err, "mistakes are told first"
    assert not (tmp_path / "run").exists()


def test_predict_any_size_and_all_outputs(run: Run, tiny_run: Path, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    sizes = {"wide": (40, 131), "one": (1, 1), "odd": (77, 33)}
    for name, shape in sizes.items():
        Image.fromarray(make_case(3, shape).image).save(images / f"{name}.png")
    (images / "broken.png").write_bytes(b"not a picture")
    out = tmp_path / "out"
    options = ("--probabilities", "--overlay", "--measure", "--json")
    answer = run("predict", tiny_run, images, "--out", out, *options)
    assert answer.code == 2
    problems = json.loads(answer.out)["problems"]
    errors = [problem["path"] for problem in problems if problem["severity"] == "error"]
    assert ["broken.png" in path for path in errors] == [True]
    for name, shape in sizes.items():
        with Image.open(out / f"{name}.png") as labels:
            assert np.asarray(labels).shape == shape
            assert set(np.unique(np.asarray(labels))) <= {0, 1}
        probabilities = np.load(out / "probabilities" / f"{name}.npy")
        assert probabilities.shape == (2, *shape)
        np.testing.assert_allclose(probabilities.sum(0), 1, atol=2e-3)
    assert (out / "classes.json").exists()
    assert (out / "predictions.csv").read_text().count("\n") == 4
    assert not (out / "broken.png").exists()


def test_evaluate_run_and_folders_agree(
    run: Run, tiny_data: Path, tiny_run: Path, tmp_path: Path
) -> None:
    """A run and somebody else's folder are scored through the same files by the same path."""
    of_run = run("evaluate", tiny_run, "--split", "test", "--json")
    assert of_run.code == 0, of_run.err
    out = tmp_path / "labels"
    assert run("predict", tiny_run, tiny_data / "images" / "case-0005.png", "--out", out).code == 0
    of_folders = run(
        "evaluate", "--truth", tiny_data / "masks", "--predicted", out, "--only-paired", "--json"
    )
    assert of_folders.code == 0, of_folders.err
    assert of_run.json["overall"] == of_folders.json["overall"]


def test_truth_scored_against_itself_is_perfect(run: Run, tiny_data: Path) -> None:
    masks = tiny_data / "masks"
    answer = run("evaluate", "--truth", masks, "--predicted", masks, "--json")
    assert answer.code == 0, answer.err
    dice = {m["class_id"]: m for m in answer.json["metrics"] if m["metric"] == "dice"}
    assert dice[1]["mean"] == 1
    assert dice[1]["pooled"] == 1


def test_report_can_be_written_anew(run: Run, tiny_run: Path) -> None:
    page = tiny_run / "report.html"
    before = page.stat().st_mtime_ns
    answer = run("report", tiny_run)
    assert answer.code == 0, answer.err
    assert page.stat().st_mtime_ns > before


def test_evaluate_needs_something_to_score(run: Run) -> None:
    answer = run("evaluate")
    assert answer.code == 2
    assert "--truth" in answer.err


@pytest.mark.parametrize("folder", ["missing", "empty", "foreign"])
def test_what_is_no_run_is_refused(run: Run, tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder
    if folder != "missing":
        path.mkdir()
    if folder == "foreign":
        (path / "plan.json").write_text('{"epochs": 3}')
    answer = run("predict", path, tmp_path, "--out", tmp_path / "out")
    assert answer.code == 2
    assert str(path) in answer.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_explains_itself(run: Run, name: str) -> None:
    answer = run(name, "--help")
    assert answer.code == 0
    assert len(answer.out.splitlines()) > 4


def test_verbs_are_functions_with_the_same_names(run: Run) -> None:
    listed = run("--help").out
    for name in pixelwise.__all__:
        assert callable(getattr(pixelwise, name))
    for name in set(pixelwise.__all__) - {"load", "Model", "Tiling"}:
        assert name.replace("_", "-") in listed


def test_help_is_quick_and_loads_no_framework() -> None:
    check = "import sys, pixelwise, pixelwise.cli; print('torch' in sys.modules)"
    assert (
        subprocess.run(
            [sys.executable, "-c", check], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "False"
    )
    command = [sys.executable, "-m", "pixelwise", "--help"]
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 2, "0.5 s on a quiet machine: see benchmarks/speed"
