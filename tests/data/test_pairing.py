"""Which mask belongs to which image."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from pixelwise.data.pairing import pair_masks, split_by_name


def paths(folder: str, *names: str) -> list[Path]:
    return [Path("/set") / folder / name for name in names]


@pytest.mark.parametrize(
    ("images", "masks", "rule"),
    [
        (["a.png", "b.jpg"], ["a.png", "b.png"], "names of their images"),
        (["a.b.c.png"], ["a.b.c.tif"], "names of their images"),
        (["IMD1.png", "IMD2.png"], ["IMD1_lesion.png", "IMD2_lesion.png"], "NAME_lesion"),
        (["x.png"], ["x_mask.png"], "NAME_mask"),
        (["x1.png", "x2.png"], ["mask_x1.png", "mask_x2.png"], "mask_NAME"),
        (["21_training.tif", "22_training.tif"], ["21_manual1.gif", "22_manual1.gif"], "_manual1"),
        (["p1_0000.png", "p2_0000.png"], ["p1.png", "p2.png"], "image NAME_0000"),
        (["a1.png", "a10.png"], ["a1-seg.png", "a10-seg.png"], "NAME-seg"),
    ],
)
def test_additions_to_names_are_found(images: list[str], masks: list[str], rule: str) -> None:
    pairing = pair_masks(paths("images", *images), paths("masks", *masks))
    assert not pairing.problems
    assert [(i.name, m.name) for i, m in pairing.pairs] == list(zip(images, masks, strict=True))
    assert rule in pairing.sentence


def test_composed_and_decomposed_accents_are_one_name() -> None:
    composed = unicodedata.normalize("NFC", "é.png")
    decomposed = unicodedata.normalize("NFD", "é.png")
    pairing = pair_masks(paths("images", composed), paths("masks", decomposed))
    assert len(pairing.pairs) == 1


def test_two_annotators_are_ambiguous() -> None:
    images = paths("images", "a.png", "b.png")
    masks = paths("masks", "a_1stHO.png", "a_2ndHO.png", "b_1stHO.png", "b_2ndHO.png")
    pairing = pair_masks(images, masks)
    assert not pairing.pairs
    (problem,) = pairing.problems
    assert problem.code == "no-pairs"
    assert "'a.png'" in problem.what
    assert "'a_1stHO.png'" in problem.what
    assert "mask_pattern" in problem.remedy
    chosen = pair_masks(images, masks, pattern="{stem}_1stHO", allow_unpaired=True)
    assert [m.name for _, m in chosen.pairs] == ["a_1stHO.png", "b_1stHO.png"]


def test_names_that_have_nothing_in_common() -> None:
    pairing = pair_masks(paths("images", "a.png"), paths("masks", "zzz.png"))
    assert [problem.code for problem in pairing.problems] == ["no-pairs"]


def test_what_has_no_partner_is_listed_by_file() -> None:
    pairing = pair_masks(paths("images", "a.png", "b.png"), paths("masks", "a.png", "c.png"))
    found = {(Path(p.path).name, p.code, p.severity) for p in pairing.problems}
    assert found == {
        ("b.png", "image-without-mask", "error"),
        ("c.png", "mask-without-image", "error"),
    }
    allowed = pair_masks(
        paths("images", "a.png", "b.png"), paths("masks", "a.png"), allow_unpaired=True
    )
    assert [p.severity for p in allowed.problems] == ["warning"]
    assert len(allowed.pairs) == 1


def test_a_hundred_lonely_images_do_not_make_a_hundred_lines() -> None:
    images = paths("images", *[f"i{n:03}.png" for n in range(100)])
    pairing = pair_masks(images, paths("masks", "i000.png"))
    assert len(pairing.problems) == 21
    assert "79 more images" in pairing.problems[-1].what


@pytest.mark.parametrize("names", [("a.png", "a.tif"), ("b.png", "B.png")])
def test_shared_stems_are_refused_and_listed(names: tuple[str, str]) -> None:
    pairing = pair_masks(paths("images", *names, "c.png"), paths("masks", names[0], "c.png"))
    assert [(i.name, m.name) for i, m in pairing.pairs] == [("c.png", "c.png")]
    (problem,) = pairing.problems
    assert problem.code == "duplicate-stem"
    assert all(name in problem.what for name in names)


def test_images_and_masks_side_by_side() -> None:
    pictures = paths("all", "a.png", "a_mask.png", "b.png", "b_mask.png")
    images, masks = split_by_name(pictures)
    assert [path.name for path in images] == ["a.png", "b.png"]
    assert len(pair_masks(images, masks).pairs) == 2
