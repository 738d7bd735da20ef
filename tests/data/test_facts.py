"""What is counted and measured in a data set, by hand; and what is wrong with its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from pixelwise.core.errors import Problem
from pixelwise.core.records import Facts
from pixelwise.data.cases import find_cases
from pixelwise.data.facts import gather_facts

from .folders import IMAGE, MASK, make_set, save


def gather(root: Path, **options: Any) -> tuple[Facts, list[Problem]]:
    dataset, _ = find_cases(root, **options)
    assert dataset is not None
    facts, problems = gather_facts(dataset)
    assert facts is not None
    return facts, problems


def codes(problems: list[Problem]) -> list[str]:
    return [problem.code for problem in problems]


SPLITS = {"train": ["a", "b"], "val": ["c"]}


def test_counts_and_intensities_of_the_training_split(tmp_path: Path) -> None:
    facts, _ = gather(make_set(tmp_path, splits=SPLITS))
    assert dict(facts.n_cases) == {"train": 2, "val": 1, "test": 0}
    assert [(c.n_pixels, c.share, c.n_cases) for c in facts.classes] == [
        (2 * 55, 55 / 64, 2),
        (2 * 9, 9 / 64, 2),
    ]
    (channel,) = facts.channels
    assert (channel.minimum, channel.maximum) == (0.0, 63.0)
    assert channel.mean == pytest.approx(31.5)
    # The variance of 0..n-1 is (n² - 1) / 12.
    assert channel.std == pytest.approx(((64**2 - 1) / 12) ** 0.5)
    assert facts.median_shape == (8, 8)
    assert not facts.is_colour
    assert not facts.has_fov


def test_void_and_outside_do_not_count(tmp_path: Path) -> None:
    mask = MASK.copy()
    mask[7] = 255
    root = make_set(tmp_path, {"a": mask, "b": MASK}, splits={"train": ["a"], "val": ["b"]})
    fov = np.ones((8, 8), np.uint8)
    fov[0] = 0
    for name in "ab":
        save(root / "fov" / f"{name}.png", fov)
    facts, _ = gather(root)
    case = facts.cases[0]
    assert case.class_pixels == (64 - 16 - 9, 9)
    assert case.n_ignored == 16
    assert facts.has_fov
    assert (facts.channels[0].minimum, facts.channels[0].maximum) == (8.0, 55.0)
    assert case.means == (31.5,)  # of a case, all pixels: what prediction sees


def test_16_bit_values_are_not_squeezed(tmp_path: Path) -> None:
    root = make_set(tmp_path)
    for name in "abc":
        save(root / "images" / f"{name}.png", (IMAGE.astype(np.uint16) + 1) * 1000)
    facts, _ = gather(root)
    assert facts.channels[0].maximum == 64_000
    assert facts.cases[0].dtype == "uint16"


def test_colour_sets_are_known(tmp_path: Path) -> None:
    root = make_set(tmp_path)
    for name in "abc":
        save(root / "images" / f"{name}.png", np.stack([IMAGE, IMAGE * 2, IMAGE * 3], axis=-1))
    facts, _ = gather(root)
    assert facts.is_colour
    assert [c.maximum for c in facts.channels] == [63, 126, 189]


def test_grey_among_colour_is_repeated_and_said(tmp_path: Path) -> None:
    splits = {"train": ["a", "b", "c"], "val": ["d"]}
    root = make_set(tmp_path, dict.fromkeys("abcd", MASK), splits=splits)
    for name in "abd":
        save(root / "images" / f"{name}.png", np.stack([IMAGE + 100] * 3, axis=-1))
    facts, problems = gather(root)
    assert len(facts.channels) == 3
    assert facts.channels[2].minimum == 0.0
    (note,) = [p for p in problems if p.code == "mixed-channels"]
    assert "(c)" in note.what


def test_channels_that_cannot_be_matched_are_errors(tmp_path: Path) -> None:
    root = make_set(tmp_path)
    (root / "images" / "c.png").unlink()
    many = np.zeros((8, 8, 5), np.uint8)
    tifffile.imwrite(
        root / "images" / "c.tif", many, photometric="minisblack", planarconfig="contig"
    )
    _, problems = gather(root)
    (error,) = [p for p in problems if p.severity == "error"]
    assert error.path.endswith("c.tif")
    assert "5 channels" in error.what


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (np.zeros((32, 20), np.uint8), "50 %"),
        (np.zeros((64, 39), np.uint8), "a few rows or columns"),
        (np.zeros((40, 64), np.uint8), "turned by 90"),
        (np.zeros((10, 40), np.uint8), "another image"),
    ],
)
def test_a_mask_of_another_size_names_both_and_a_cause(
    tmp_path: Path, mask: np.ndarray, said: str
) -> None:
    root = make_set(tmp_path, {"a": mask, "b": MASK})
    save(root / "images" / "a.png", np.zeros((64, 40), np.uint8))
    _, problems = gather(root)
    (problem,) = [p for p in problems if p.code == "mask-size"]
    height, width = mask.shape
    assert f"{width} x {height} pixels, its image 40 x 64" in problem.what
    assert said in problem.what
    assert problem.severity == "error"


def test_nan_and_infinity_are_counted(tmp_path: Path) -> None:
    root = make_set(tmp_path)
    (root / "images" / "a.png").unlink()
    values = IMAGE.astype(np.float32)
    values[0, :3] = np.nan
    values[1, 1] = np.inf
    tifffile.imwrite(root / "images" / "a.tif", values)
    facts, problems = gather(root)
    (problem,) = [p for p in problems if p.severity == "error"]
    assert "3 NaN and 1 infinite" in problem.what
    assert [case.id for case in facts.cases] == ["b", "c"]


def test_constant_empty_void_and_absent_are_said(tmp_path: Path) -> None:
    description = {"classes": ["background", "cell", "never"], "ignore_index": 255}
    masks = {"a": MASK, "b": MASK * 0, "c": MASK * 0 + 255}
    root = make_set(
        tmp_path, masks, description=description, splits={"train": ["a", "b"], "val": ["c"]}
    )
    save(root / "images" / "b.png", IMAGE * 0 + 9)
    facts, problems = gather(root)
    assert set(codes(problems)) - {"same-picture"} == {
        "constant-image",
        "empty-mask",
        "all-void",
        "absent-class",
    }
    assert all(p.severity != "error" for p in problems)
    assert "never" in next(p for p in problems if p.code == "absent-class").what
    assert facts.cases[2].class_pixels == (0, 0, 0)


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    names = "abcdef"
    root = make_set(
        tmp_path, dict.fromkeys(names, MASK), description={"classes": ["background", "cell"]}
    )
    save(root / "masks" / "a.png", MASK * 7)
    save(root / "masks" / "b.png", MASK[:4])
    (root / "images" / "c.png").write_bytes(b"")
    content = (root / "images" / "d.png").read_bytes()
    (root / "images" / "d.png").write_bytes(content[:-20])
    _, problems = gather(root)
    assert codes([p for p in problems if p.severity == "error"]) == [
        "mask-unknown-label", "mask-size", "empty-file", "truncated",
    ]  # fmt: skip


def test_many_equal_notes_become_one(tmp_path: Path) -> None:
    root = make_set(tmp_path, dict.fromkeys("abcdefgh", MASK))
    alpha = np.full((8, 8), 255, np.uint8)
    for name in "abcdefgh":
        save(root / "images" / f"{name}.png", np.stack([IMAGE, IMAGE, IMAGE, alpha], axis=-1))
    _, problems = gather(root)
    (note,) = [p for p in problems if p.code == "alpha-constant"]
    assert "7 more files" in note.what


def test_a_file_that_vanishes_in_between_is_a_problem(tmp_path: Path) -> None:
    root = make_set(tmp_path)
    dataset, _ = find_cases(root)
    assert dataset is not None
    (root / "images" / "b.png").unlink()
    (root / "masks" / "c.png").unlink()
    facts, problems = gather_facts(dataset)
    assert facts is not None
    assert {Path(p.path).name for p in problems if p.severity == "error"} == {"b.png", "c.png"}


def test_large_tiffs_are_read_in_bands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pixelwise.data import mask_scan

    root = make_set(tmp_path, splits=SPLITS)
    whole, _ = gather(root)
    monkeypatch.setattr(mask_scan, "_BAND_PIXELS", 16)
    banded, _ = gather(root)
    assert banded == whole


def test_a_picture_in_two_splits_is_a_leak(tmp_path: Path) -> None:
    root = make_set(tmp_path, splits={"train": ["a", "b"], "val": ["c"]})
    save(root / "images" / "b.png", IMAGE + 1)
    _, problems = gather(root)
    (leak,) = [p for p in problems if p.code == "same-picture"]
    assert leak.severity == "warning"
    assert "a (train), c (val)" in leak.what


def test_the_twenty_first_error_of_a_sort_is_summed_up(tmp_path: Path) -> None:
    names = [f"n{i:02}" for i in range(30)]
    root = make_set(
        tmp_path, dict.fromkeys(names, MASK), description={"classes": ["background", "cell"]}
    )
    for name in names[1:]:
        save(root / "masks" / f"{name}.png", MASK * 7)
    _, problems = gather(root)
    errors = [p for p in problems if p.severity == "error"]
    assert len(errors) == 21
    assert "9 more files" in errors[-1].what
    assert "n29" in errors[-1].what


def test_labelled_nodata_pixels_are_a_warning(tmp_path: Path) -> None:
    root = make_set(tmp_path)
    (root / "images" / "a.png").unlink()
    tags = [(42113, "s", 0, "7", True)]
    tifffile.imwrite(root / "images" / "a.tif", IMAGE, extratags=tags, metadata=None)
    _, problems = gather(root)
    (warning,) = [p for p in problems if p.code == "nodata"]
    assert warning.what.startswith("1 labelled pixel")
