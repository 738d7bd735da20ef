"""Every bad input of a scoring: one clear message, never a number; by function and by command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from PIL import Image

from pixelwise.cli import main
from pixelwise.commands.evaluate import evaluate
from pixelwise.commands.scoring_options import ScoringOptions
from pixelwise.core.errors import UserError
from pixelwise.metrics import measure

TRUTH = np.zeros((12, 16), np.uint8)
TRUTH[3:8, 4:10] = 1


def frozen() -> np.ndarray:
    array = TRUTH.copy()
    array.setflags(write=False)
    return array


@pytest.mark.parametrize(
    ("predicted", "options", "words"),
    [
        (TRUTH[:, :9], {}, r"\(12, 16\).*\(12, 9\)"),
        (TRUTH.astype(np.float32), {}, "float32 values from 0 to 1"),
        (TRUTH * 0.7, {}, "look like probabilities"),
        (np.where(TRUTH == 1, np.nan, 0.0), {}, "30 NaN values"),
        (TRUTH.astype(np.int16) - 1, {"classes": 2}, "holds -1"),
        (TRUTH.astype(np.int64) * 70_000, {"classes": 2}, "holds 70000"),
        (np.uint8(1), {}, "0 dimensions"),
        (np.zeros((2, 2, 12, 16), np.uint8), {}, "4 dimensions"),
        (np.array([["a"]]), {}, "holds <U1 values"),
        (TRUTH, {"spacing": (0.0, 1.0)}, "spacing is"),
        (TRUTH, {"spacing": (-1.0, 1.0)}, "spacing is"),
        (TRUTH, {"spacing": (1.0, 1.0, 1.0)}, "2 positive numbers"),
        (TRUTH, {"metrics": ["nsd:tolerance=500"]}, "exceeds the image diagonal"),
        (TRUTH, {"metrics": ["nsd:tolerance=-1"]}, "tolerance is -1"),
        (TRUTH, {"metrics": ["nsd:tolerance=wide"]}, "wide"),
    ],
)  # fmt: skip
def test_bad_arrays(predicted: np.ndarray, options: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        measure(TRUTH, predicted, **options)


@pytest.mark.parametrize(
    "same", [frozen(), np.asfortranarray(TRUTH), TRUTH.repeat(2, 1)[:, ::2], TRUTH.astype(bool)]
)
def test_odd_memory_is_no_bad_input(same: np.ndarray) -> None:
    assert measure(TRUTH, same, ["dice"])[1]["dice"] == 1


def png(path: Path, labels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(labels).save(path)


def tiff(path: Path, labels: np.ndarray, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, labels, **options)


def ome(path: Path, labels: np.ndarray, size: float) -> None:
    unit = {"PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}
    tiff(
        path, labels, metadata={"axes": "YX", "PhysicalSizeX": size, "PhysicalSizeY": size, **unit}
    )


def two(root: Path, write: Callable[[Path], None], name: str = "a.tif") -> None:
    """Truths a and b; the prediction of b is right, that of a is written by `write`."""
    for stem in "ab":
        png(root / "truth" / f"{stem}.png", TRUTH)
    png(root / "predicted" / "b.png", TRUTH)
    write(root / "predicted" / name)


Setting = Callable[[Path], None]
FILES: dict[str, tuple[Setting, str]] = {
    "shape": (lambda r: two(r, lambda p: tiff(p, TRUTH[:, :9])), "12 x 9 (y, x)"),
    "fractions": (lambda r: two(r, lambda p: tiff(p, (TRUTH * 0.7).astype("f4"))), "probabilities"),
    "nan": (
        lambda r: two(r, lambda p: tiff(p, np.where(TRUTH == 1, np.nan, 0).astype("f4"))),
        "30 NaN values",
    ),
    "negative": (lambda r: two(r, lambda p: tiff(p, TRUTH.astype("i2") - 1)), "negative value -1"),
    "huge": (
        lambda r: two(r, lambda p: tiff(p, np.arange(192, dtype="u2").reshape(12, 16) * 300)),
        "values that no class has",
    ),
    "numbered": (
        lambda r: two(r, lambda p: tiff(p, np.arange(192, dtype="u2").reshape(12, 16))),
        "--instances numbered",
    ),
    "unpaired": (lambda r: two(r, lambda p: png(p, TRUTH), "c.png"), "1 of 2 truth files"),
    "foreign": (lambda r: two(r, lambda p: p.write_text("no picture")), "a.tif"),
    "cut": (
        lambda r: two(r, lambda p: (png(p, TRUTH), p.write_bytes(p.read_bytes()[:40])), "a.png"),
        "a.png",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_bad_files(name: str, tmp_path: Path) -> None:
    write, words = FILES[name]
    write(tmp_path)
    folders = {"truth": tmp_path / "truth", "predicted": tmp_path / "predicted"}
    with pytest.raises(UserError) as caught:
        evaluate(**folders, out=tmp_path / "out")
    assert words in str(caught.value)
    ran = CliRunner().invoke(
        main, ["evaluate", "--truth", str(folders["truth"]), "--predicted",
               str(folders["predicted"]), "--out", str(tmp_path / "out")]
    )  # fmt: skip
    assert ran.exit_code == 2
    assert words in ran.stderr
    assert "Traceback" not in ran.output
    assert ran.stdout == "", "never a number"
    assert not (tmp_path / "out").exists()


def test_other_spacing_names_both(tmp_path: Path) -> None:
    ome(tmp_path / "truth" / "a.ome.tif", TRUTH, 0.5)
    ome(tmp_path / "predicted" / "a.ome.tif", TRUTH, 0.25)
    with pytest.raises(UserError) as caught:
        evaluate(truth=tmp_path / "truth", predicted=tmp_path / "predicted")
    assert "0.25 x 0.25" in str(caught.value)
    assert "0.5 x 0.5" in str(caught.value)


def test_cases_in_different_units_are_not_averaged(tmp_path: Path) -> None:
    for folder in ("truth", "predicted"):
        ome(tmp_path / folder / "a.ome.tif", TRUTH, 0.5)
        png(tmp_path / folder / "b.png", TRUTH)
    with pytest.raises(UserError, match="different units"):
        evaluate(truth=tmp_path / "truth", predicted=tmp_path / "predicted")


def test_a_void_prediction_is_no_way_out(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text(
        json.dumps({"classes": ["background", "cell"], "ignore_index": 255})
    )
    silent = TRUTH.copy()
    silent[0] = 255
    png(tmp_path / "truth" / "a.png", TRUTH)
    png(tmp_path / "predicted" / "a.png", silent)
    with pytest.raises(UserError, match=r"a\.png.*void at 16 of 192"):
        evaluate(truth=tmp_path / "truth", predicted=tmp_path / "predicted")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--metrics", "dyce"], "Did you mean dice"),
        (["--metrics", ","], "no metric is named"),
        (["--convention", "nobody"], "nobody"),
        (["--boundary-tolerance", "2mm"], "'2mm'"),
        (["--boundary-tolerance", "-1"], "at least 0"),
        (["--boundary-tolerance", "900"], "exceeds the image diagonal"),
        (["--boundary-tolerance", "auto"], "--annotator"),
        (["--spacing", "0,1 mm"], "'0,1 mm'"),
        (["--spacing", "-1,1"], "'-1,1'"),
        (["--spacing", "wide"], "'wide'"),
        (["--spacing", "1,1,1 mm"], "2 positive numbers"),
        (["--group", "("], "no regular expression"),
        (["--group", "column:patient"], "metadata.csv"),
        (["--group", r"(\d+)"], "does not fit"),
        (["--threshold", "0.5"], "no probabilities"),
        (["--map", "0=background"], "at least two"),
        (["--annotator", "/nowhere/else"], "no such folder"),
        (["--instances", "numbered", "--ignore", "9"], "--fov"),
    ],
)  # fmt: skip
def test_bad_options(tmp_path: Path, arguments: list[str], words: str) -> None:
    two(tmp_path, lambda path: png(path, TRUTH), "a.png")
    folders = ["--truth", str(tmp_path / "truth"), "--predicted", str(tmp_path / "predicted")]
    ran = CliRunner().invoke(main, ["evaluate", *folders, *arguments])
    assert ran.exit_code == 2, ran.output
    assert words in ran.stderr
    assert ran.stdout == ""
    assert ran.stderr.count("error:") == 1, "one message, however many files"


def test_an_unknown_split_and_what_to_score(tmp_path: Path) -> None:
    two(tmp_path, lambda path: png(path, TRUTH), "a.png")
    (tmp_path / "splits.json").write_text('{"train": ["a"], "test": ["b"]}')
    folders = {"truth": tmp_path / "truth", "predicted": tmp_path / "predicted"}
    with pytest.raises(UserError, match=r"'val'.*one of test, train"):
        evaluate(**folders, options=ScoringOptions(split="val"))
    only = evaluate(**folders, options=ScoringOptions(split="test", metrics=("dice",)))
    assert [case.id for case in only.summary.cases] == ["b"]
    with pytest.raises(UserError, match="not clear what to score"):
        evaluate(truth=tmp_path / "truth")
