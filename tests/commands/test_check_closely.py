"""Sets that were broken on purpose: each damage is found, named and located, and drawn."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from pixelwise.cli import main
from pixelwise.commands.check import CheckResult, check
from pixelwise.core.errors import BadOutput
from pixelwise.data.synthetic_files import write_dataset


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sound") / "set"
    return write_dataset(root, n_train=9, n_val=3, n_test=5, shape=(128, 128), seed=3)


@pytest.fixture
def damaged(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "set"))


def read(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).copy()


def named(result: CheckResult) -> dict[str, tuple[str, ...]]:
    assert result.examination is not None
    return {symptom.code: symptom.cases for symptom in result.examination.symptoms}


def splits_of(root: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads((root / "splits.json").read_text())
    return found


def test_a_sound_set_accuses_nobody(sound: Path) -> None:
    result = check(sound)
    assert set(named(result)) <= {"uneven-background"}
    assert result.examination is not None
    assert result.examination.n_examined == 17
    objects = result.examination.objects[0]
    assert objects.n_cases == 17
    assert objects.size[0] <= objects.size[1] <= objects.size[2]


def test_a_shifted_mask(damaged: Path, tmp_path: Path) -> None:
    path = damaged / "masks" / "case-0004.png"
    Image.fromarray(np.roll(read(path), 3, axis=1)).save(path)
    result = check(damaged, out=tmp_path / "page.html")
    assert named(result)["shifted-mask"] == ("case-0004",)
    problem = next(p for p in result.problems if p.code == "shifted-mask")
    assert "3 px left" in problem.what
    page = (tmp_path / "page.html").read_text()
    assert page.count("<figure>") >= 1
    assert "case-0004" in page
    with pytest.raises(BadOutput):
        check(damaged, out=tmp_path / "page.html")


def test_copies_in_two_splits(damaged: Path) -> None:
    image = read(damaged / "images" / "case-0002.png").astype(float)
    noisy = image * 0.9 + np.random.default_rng(0).normal(0, 4, image.shape)
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(damaged / "images" / "new.png")
    shutil.copy(damaged / "masks" / "case-0002.png", damaged / "masks" / "new.png")
    splits = splits_of(damaged)
    splits["test"].append("new")
    (damaged / "splits.json").write_text(json.dumps(splits))
    assert named(check(damaged))["copy-across-splits"] == ("case-0002", "new")


def test_a_patient_in_two_splits(damaged: Path) -> None:
    splits = splits_of(damaged)
    rows = ["stem,patient"]
    for split, stems in splits.items():
        rows += [f"{stem},{split}{i // 2}" for i, stem in enumerate(stems)]
    rows[-1] = f"{splits['test'][-1]},train0"
    (damaged / "metadata.csv").write_text("\n".join(rows))
    found = named(check(damaged))["group-leak"]
    assert splits["test"][-1] in found


def test_a_class_of_the_test_split_only(damaged: Path) -> None:
    stem = splits_of(damaged)["test"][0]
    mask = read(damaged / "masks" / f"{stem}.png")
    mask[mask == 1] = 2
    Image.fromarray(mask).save(damaged / "masks" / f"{stem}.png")
    description = json.loads((damaged / "dataset.json").read_text())
    description["classes"].append({"id": 2, "name": "other"})
    (damaged / "dataset.json").write_text(json.dumps(description))
    assert named(check(damaged))["class-not-in-training"] == (stem,)
    quick = check(damaged, quick=True)
    assert quick.examination is None
    assert "class-not-in-training" in {problem.code for problem in quick.problems}


def test_exchanged_sides(damaged: Path) -> None:
    stems = [stem for part in splits_of(damaged).values() for stem in part]
    for stem in stems:
        mask = read(damaged / "masks" / f"{stem}.png")
        left, right = (2, 1) if stem == stems[5] else (1, 2)
        mask[:] = 0
        mask[40:80, 20:50], mask[40:80, 75:105] = left, right
        Image.fromarray(mask).save(damaged / "masks" / f"{stem}.png")
    description = json.loads((damaged / "dataset.json").read_text())
    description["classes"] = [
        {"id": i, "name": n} for i, n in enumerate(["background", "left lung", "right lung"])
    ]
    (damaged / "dataset.json").write_text(json.dumps(description))
    found = named(check(damaged))
    assert "mirrored-classes" in found
    assert found["swapped-sides"] == (stems[5],)


def test_no_object_in_training_is_refused(damaged: Path) -> None:
    for stem in splits_of(damaged)["train"]:
        mask = read(damaged / "masks" / f"{stem}.png")
        Image.fromarray(np.zeros_like(mask)).save(damaged / "masks" / f"{stem}.png")
    result = check(damaged, quick=True)
    assert not result.is_usable
    assert [p.code for p in result.problems if p.severity == "error"] == ["split-without-objects"]


def test_few_and_tiny_and_constant_images(tmp_path: Path) -> None:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for i, edge in enumerate((3, 9, 20)):
        Image.fromarray(np.full((edge, edge), 7, np.uint8)).save(tmp_path / f"images/{i}.png")
        Image.fromarray(np.eye(edge, dtype=np.uint8)).save(tmp_path / f"masks/{i}.png")
    result = check(tmp_path, out=tmp_path / "page.html")
    assert "constant-image" in {problem.code for problem in result.problems}
    assert result.examination is not None


def test_the_command_prints_places_as_json(damaged: Path) -> None:
    path = damaged / "masks" / "case-0001.png"
    Image.fromarray(np.roll(read(path), -4, axis=0)).save(path)
    answer = CliRunner().invoke(main, ["check", str(damaged), "--json"])
    symptoms = json.loads(answer.stdout)["examination"]["symptoms"]
    places = next(s["places"] for s in symptoms if s["problem"]["code"] == "shifted-mask")
    assert places[0]["case"] == "case-0001"
    assert places[0]["files"][-1] == str(path)
    assert places[0]["text"] == "4 px down"
