"""Labels of new images: what is written, what is refused, what is done in spite of it."""

from __future__ import annotations

import csv
import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from pixelwise.commands.predict import PredictResult, predict
from pixelwise.core import files
from pixelwise.core.errors import BadData, BadOutput, BadPlan, BadRun
from pixelwise.data.channel_files import ImageFiles
from pixelwise.data.image_files import find_images
from pixelwise.networks import NETWORKS

from .conftest import BRIGHT, DARK, Notes, draw_squares


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two pictures of odd sizes."""
    folder = tmp_path / "new"
    folder.mkdir()
    Image.fromarray(draw_squares(1, (33, 61))).save(folder / "a.png")
    Image.fromarray(draw_squares(2, (30, 40))).save(folder / "b.png")
    return folder


def run_on(run: Path, use: Path, what: object, out: Path, **options: object) -> PredictResult:
    return predict(run, what, out=out, use=use, **options)  # type: ignore[arg-type]  # of the test


def load(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_what_is_bright_is_labelled(
    bright_run: Path, use: Path, images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = run_on(bright_run, use, images, out)
    assert not result.problems
    for name in "ab":
        expected = load(images / f"{name}.png") > 130
        np.testing.assert_array_equal(load(out / f"{name}.png"), expected)
    assert sorted(path.name for path in out.iterdir()) == [
        "a.png", "b.png", "classes.json", "prediction.json", "predictions.csv",
    ]  # fmt: skip
    classes = json.loads((out / "classes.json").read_text())["classes"]
    assert [c["id"] for c in classes] == [0, 1]
    first, second = rows_of(out / "predictions.csv")
    assert (first["labels"], second["labels"]) == ("a.png", "b.png")
    # logits 0 and 4 x (-2 or +2), hardly changed by three steps: sigmoid(8) = 0.9997
    assert float(first["confidence"]) == pytest.approx(0.9997, abs=3e-4)
    shares = [value for name, value in second.items() if name.startswith("share of")]
    assert [float(share) for share in shares] == pytest.approx([1 - 72 / 1200, 72 / 1200])


@pytest.mark.parametrize("shape", [(1, 1), (1, 70), (70, 1)])
def test_thin_pictures(bright_run: Path, use: Path, tmp_path: Path, shape: tuple[int, int]) -> None:
    image = np.where(np.arange(np.prod(shape)) % 3 == 0, BRIGHT, DARK).reshape(shape)
    Image.fromarray(image.astype(np.uint8)).save(tmp_path / "thin.png")
    run_on(bright_run, use, tmp_path / "thin.png", tmp_path / "out", ignore_contract=True)
    np.testing.assert_array_equal(load(tmp_path / "out" / "thin.png"), image > 130)


def test_files_folders_and_patterns_each_once(images: Path, tmp_path: Path) -> None:
    (images / "readme.txt").write_text("x")
    (images / ".hidden.png").write_bytes(b"x")
    other = tmp_path / "c.png"
    other.write_bytes(b"x")
    found, problems = find_images([other, images, str(images / "*.png"), other])
    assert [image.paths[0].name for image in found] == ["c.png", "a.png", "b.png"]
    assert not problems


def test_a_missing_file_beside_others_is_told(images: Path) -> None:
    found, problems = find_images([images, images / "z.png", images.parent / "*.jpg"])
    assert [image.stem for image in found] == ["a", "b"]
    assert [p.code for p in problems] == ["no-images", "no-images"]


def test_nothing_at_all(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadData) as caught:
        find_images([tmp_path / "empty", tmp_path / "missing.png"])
    assert "no images found" in str(caught.value)
    assert "there is no such file" in str(caught.value)


def test_names_with_brackets_are_files_first(tmp_path: Path) -> None:
    path = tmp_path / "scan[1].png"
    path.write_bytes(b"x")
    assert find_images([path]) == ([ImageFiles("scan[1]", (path,))], [])


def test_two_images_of_one_stem(bright_run: Path, use: Path, images: Path, tmp_path: Path) -> None:
    Image.fromarray(draw_squares(3)).save(images / "A.bmp")
    result = run_on(bright_run, use, images, tmp_path / "out")
    assert [p.code for p in result.problems] == ["duplicate-stem"]
    assert "A.bmp, a.png would all be written to" in result.problems[0].what
    assert not (tmp_path / "out" / "a.png").exists()
    assert (tmp_path / "out" / "b.png").exists()


def test_one_bad_file_among_good_ones(
    bright_run: Path, use: Path, images: Path, tmp_path: Path
) -> None:
    whole = (images / "a.png").read_bytes()
    (images / "cut.png").write_bytes(whole[: len(whole) // 2])
    (images / "text.png").write_text("no picture")
    out = tmp_path / "out"
    result = run_on(bright_run, use, images, out, probabilities=True, overlay=True, measure=True)
    assert [p.image.name for p in result.predictions] == ["a.png", "b.png"]
    assert sorted(Path(p.path).name for p in result.problems) == ["cut.png", "text.png"]
    written = {path.stem for path in out.rglob("*") if path.is_file()}
    assert written == {"a", "b", "classes", "prediction", "predictions"}


def test_a_folder_with_files_is_left_alone(
    bright_run: Path, use: Path, images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.png").write_text("precious")
    with pytest.raises(BadOutput, match="holds files already"):
        run_on(bright_run, use, images, out)
    assert (out / "a.png").read_text() == "precious"
    with pytest.raises(BadOutput, match="it is a file"):
        run_on(bright_run, use, images, out / "a.png")
    with pytest.raises(BadOutput, match="cannot be written"):
        run_on(bright_run, use, images, out / "a.png" / "deeper")
    run_on(bright_run, use, images, out, overwrite=True)
    assert load(out / "a.png").max() == 1


def test_a_full_disk_leaves_nothing_half_written(
    bright_run: Path, use: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(BadOutput, match="The disk is full"):
        run_on(bright_run, use, images, tmp_path / "out", probabilities=True)
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_the_training_masks_own_values(
    bright_run: Path, use: Path, images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_on(bright_run, use, images, out, as_trained=True, measure=True, overlay=True)
    expected = np.where(load(images / "a.png") > 130, 255, 0)
    np.testing.assert_array_equal(load(out / "a.png"), expected)
    assert len(rows_of(out / "objects" / "a.csv")) == 2


def test_probabilities_agree_with_the_labels(
    bright_run: Path, use: Path, images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_on(bright_run, use, images, out, probabilities=True)
    for name in "ab":
        values = np.load(out / "probabilities" / f"{name}.npy").astype(np.float32)
        labels = load(out / f"{name}.png")
        assert values.shape == (2, *labels.shape)
        np.testing.assert_array_equal(values.argmax(0), labels)
        np.testing.assert_allclose(values.sum(0), 1, atol=2e-3)


def test_overlays_are_pictures_of_the_same_size(
    bright_run: Path, use: Path, images: Path, tmp_path: Path
) -> None:
    run_on(bright_run, use, images, tmp_path / "out", overlay=True)
    picture = load(tmp_path / "out" / "overlays" / "a.png")
    assert picture.shape == (33, 61, 3)
    grey = (picture[..., 0] == picture[..., 1]) & (picture[..., 1] == picture[..., 2])
    bright = load(images / "a.png") > 130
    assert not grey[bright].all(), "labels are drawn in"
    assert grey[~bright].mean() > 0.9, "the rest is as it was"


def test_objects_counted_by_hand(bright_run: Path, use: Path, tmp_path: Path) -> None:
    """A square of 6 x 6 from (3, 4) on and a line of 5 pixels in row 20 from column 30 on."""
    image = np.full((24, 40), DARK, np.uint8)
    image[3:9, 4:10] = BRIGHT
    image[20, 30:35] = BRIGHT - 20
    Image.fromarray(image).save(tmp_path / "two.png")
    run_on(bright_run, use, tmp_path / "two.png", tmp_path / "out", measure=True)
    square, line = rows_of(tmp_path / "out" / "objects" / "two.csv")
    assert (square["pixels"], square["centre_y"], square["centre_x"]) == ("36", "5.5", "6.5")
    assert (line["pixels"], line["centre_y"], line["centre_x"]) == ("5", "20", "32")
    assert (square["mean_intensity"], line["mean_intensity"]) == ("220", "200")
    assert square["extent"] == "1"


def test_tiff_gives_tiff(bright_run: Path, use: Path, tmp_path: Path) -> None:
    image = draw_squares(5)
    tifffile.imwrite(tmp_path / "t.tif", image)
    run_on(bright_run, use, tmp_path / "t.tif", tmp_path / "out")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out" / "t.tif"), image > 130)


def test_colour_is_turned_to_grey_aloud(bright_run: Path, use: Path, tmp_path: Path) -> None:
    """Luminance 0.299 R + 0.587 G + 0.114 B: pure green is 150 (bright), pure red 76 (dark)."""
    image = np.zeros((8, 9, 3), np.uint8)
    image[:, :4, 0] = 255
    image[:, 4:, 1] = 255
    Image.fromarray(image).save(tmp_path / "rgb.png")
    notes = Notes()
    run_on(
        bright_run,
        use,
        tmp_path / "rgb.png",
        tmp_path / "out",
        ignore_contract=True,
        listener=notes,
    )
    labels = load(tmp_path / "out" / "rgb.png")
    assert not labels[:, :4].any()
    assert labels[:, 4:].all()
    assert "luminance" in notes.text


def test_other_channels_and_stacks_are_refused(bright_run: Path, use: Path, tmp_path: Path) -> None:
    five = np.zeros((12, 13, 5), np.uint8)
    tifffile.imwrite(tmp_path / "five.tif", five, photometric="minisblack", planarconfig="contig")
    volume = np.zeros((4, 25, 26), np.uint8)
    tifffile.imwrite(tmp_path / "volume.ome.tif", volume, metadata={"axes": "ZYX"})
    what = [tmp_path / "five.tif", tmp_path / "volume.ome.tif"]
    result = run_on(bright_run, use, what, tmp_path / "out")
    assert not result.predictions
    assert result.problems[0].code == "channels"
    assert str(tmp_path / "five.tif") in result.problems[0].path
    assert "5 channels" in result.problems[0].what
    assert "3 spatial dimensions" in result.problems[1].what


def test_a_users_network_has_to_be_given_again(
    bright_run: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(NETWORKS._entries, "bright")
    with pytest.raises(BadPlan, match="--use FILE"):
        predict(bright_run, images, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_that_changed_is_refused_before_anything_is_written(
    unet_run: Path, images: Path, tmp_path: Path
) -> None:
    run = tmp_path / "copy"
    run.mkdir()
    for name in ("run.json", "plan.json", "network.safetensors"):
        (run / name).write_bytes((unet_run / name).read_bytes())
    assert len(predict(run, images, out=tmp_path / "fine").predictions) == 2
    weights = bytearray((run / "network.safetensors").read_bytes())
    weights[-3] ^= 64
    (run / "network.safetensors").write_bytes(weights)
    with pytest.raises(BadRun, match="hash differs"):
        predict(run, images, out=tmp_path / "out")
    (run / "network.safetensors").unlink()
    with pytest.raises(BadRun, match="missing"):
        predict(run, images, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
