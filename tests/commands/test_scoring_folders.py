"""Folders of label files are scored, compared, or refused with everything that is wrong."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelwise.commands.compare import compare
from pixelwise.commands.evaluate import evaluate
from pixelwise.commands.score_folders import evaluate_folders
from pixelwise.commands.scoring_options import ScoringOptions
from pixelwise.core.comparisons import Comparison
from pixelwise.core.errors import UserError


def save(folder: Path, name: str, labels: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(labels.astype(np.uint8)).save(folder / name)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    truth = np.zeros((20, 30), np.uint8)
    truth[5:15, 5:15] = 1
    for i in range(4):
        save(tmp_path / "truth", f"p{i // 2}_{i}.png", truth * 255)
        save(tmp_path / "predicted", f"p{i // 2}_{i}.png", np.roll(truth, i, 1))
    return tmp_path / "truth", tmp_path / "predicted"


def test_two_folders_become_scores(folders: tuple[Path, Path], tmp_path: Path) -> None:
    result = evaluate(truth=folders[0], predicted=folders[1], out=tmp_path / "out")
    dice = [case.classes[1].values["dice"] for case in result.summary.cases]
    assert dice == pytest.approx([1.0, 0.9, 0.8, 0.7])
    stored = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert stored["n_cases"] == 4
    rows = list(csv.DictReader((tmp_path / "out" / "scores.csv").read_text().splitlines()))
    assert len(rows) == 8
    assert rows[3]["dice"] == "0.9"


def test_field_of_view_void_and_class_table(folders: tuple[Path, Path], tmp_path: Path) -> None:
    truth, predicted = folders
    view = np.zeros((20, 30), np.uint8)
    view[:, :15] = 1
    for path in truth.iterdir():
        save(tmp_path / "fov", path.name, view)
        save(truth, path.name, np.asarray(Image.open(path)) // 255)
    classes = [{"id": 0, "name": "background"}, {"id": 1, "name": "cell"}]
    (tmp_path / "dataset.json").write_text(json.dumps({"classes": classes, "ignore_index": 7}))
    labels = np.zeros((20, 30), np.uint8)
    labels[5:15, 5:15] = 1
    labels[:5] = 7
    save(truth, "p0_0.png", labels)
    result = evaluate_folders(truth, predicted)
    first = result.summary.cases[0]
    assert result.summary.class_names == ("background", "cell")
    assert first.n_valid == 15 * 15
    assert first.classes[1].values["dice"] == 1
    assert result.summary.cases[3].classes[1].values["dice"] == pytest.approx(2 * 70 / 170)


def test_everything_wrong_is_said_at_once(folders: tuple[Path, Path]) -> None:
    truth, predicted = folders
    save(predicted, "p0_0.png", np.zeros((10, 10)))
    save(predicted, "p0_1.png", np.zeros((20, 31)))
    with pytest.raises(UserError) as caught:
        evaluate_folders(truth, predicted)
    text = str(caught.value)
    assert "10 x 10" in text
    assert "20 x 31" in text
    assert "20 x 30" in text


def test_unpaired_files_are_listed_or_left_out(folders: tuple[Path, Path]) -> None:
    truth, predicted = folders
    (predicted / "p1_3.png").unlink()
    save(predicted, "stranger.png", np.zeros((20, 30)))
    with pytest.raises(UserError) as caught:
        evaluate_folders(truth, predicted)
    assert "p1_3.png" in str(caught.value)
    assert "stranger.png" in str(caught.value)
    result = evaluate_folders(truth, predicted, ScoringOptions(only_paired=True))
    assert result.summary.n_cases == 3
    assert {note.code for note in result.notes} == {"unpaired"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("unknown", r"9 \(100 %\)"),
        ("missing", "no such folder"),
        ("empty", "no label images"),
        ("foreign", "p0_0.png"),
    ],
)
def test_refusals(folders: tuple[Path, Path], tmp_path: Path, change: str, words: str) -> None:
    truth, predicted = folders
    if change == "unknown":
        (tmp_path / "classes.json").write_text('{"classes": ["rest", "a", "b"]}')
        save(predicted, "p0_0.png", np.full((20, 30), 9))
    elif change == "missing":
        predicted = tmp_path / "nowhere"
    elif change == "empty":
        predicted = tmp_path / "bare"
        predicted.mkdir()
    else:
        (predicted / "p0_0.png").write_text("this is no picture")
    with pytest.raises(UserError, match=words):
        evaluate_folders(truth, predicted)


def test_compare_writes_every_format(folders: tuple[Path, Path], tmp_path: Path) -> None:
    truth, predicted = folders
    for path in truth.iterdir():
        save(tmp_path / "other", path.name, np.asarray(Image.open(path)) // 255)
    result = compare(
        {"shifted": predicted, "perfect": tmp_path / "other"}, truth=truth,
        options=ScoringOptions(group=r"p(\d)", metrics=("dice", "hd95")), out=tmp_path / "out",
    )  # fmt: skip
    assert [case.group for case in result.scored["perfect"].summary.cases] == ["0", "0", "1", "1"]
    assert result.comparison.overall_rank["perfect"] < result.comparison.overall_rank["shifted"]
    stored = (tmp_path / "out" / "comparison.json").read_text()
    assert Comparison.model_validate_json(stored) == result.comparison
    for suffix in ("md", "tex", "csv"):
        assert "perfect" in (tmp_path / "out" / f"comparison.{suffix}").read_text()


def test_the_page_is_whole_and_leaves_pictures_out_on_demand(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    truth, predicted = folders
    result = evaluate(truth=truth, predicted=predicted, out=tmp_path / "out")
    page = result.written[0].read_text()
    assert result.written[0].name == "evaluation.html"
    assert page.count('id="case-') == 4
    assert 'href="#case-p0_1"' in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    bare = evaluate(truth=truth, predicted=predicted, out=tmp_path / "bare", thumbnails=False)
    assert "data:image" not in bare.written[0].read_text()


@pytest.mark.browser
def test_a_dot_leads_to_its_picture_in_a_browser(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium is installed")
    playwright = pytest.importorskip("playwright.sync_api")
    truth, predicted = folders
    for path in truth.iterdir():
        save(tmp_path / "other", path.name, np.asarray(Image.open(path)) // 255)
    compare(
        {"shifted": predicted, "perfect": tmp_path / "other"},
        truth=truth,
        options=ScoringOptions(metrics=("dice", "hd95", "betti_error")),
        out=tmp_path / "out",
    )
    complaints: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1100, "height": 800})
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((tmp_path / "out" / "comparison.html").as_uri())
        page.locator(".case-dots a[href='#case-p1_3']").first.click()
        assert page.evaluate("location.hash") == "#case-p1_3"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator("h1").inner_text() == "shifted against perfect"
        browser.close()
    assert complaints == []


def test_the_same_folder_twice_is_refused(folders: tuple[Path, Path]) -> None:
    with pytest.raises(UserError, match="twice"):
        compare([folders[1], folders[1]], truth=folders[0])


@pytest.mark.real_data
def test_the_second_observer_of_chase(real_data: Path) -> None:
    """0.777 over all 28 images inside the field of view, as the set's description says."""
    root = real_data / "chase-db1"
    result = evaluate_folders(
        root / "masks", root / "masks_annotator2", ScoringOptions(metrics=("dice",))
    )
    assert result.summary.overall["mean_dice"] == pytest.approx(0.7772, abs=5e-5)
