"""Grey becomes colour and colour grey; nothing else is converted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pixelwise.core.errors import ShapeMismatch
from pixelwise.core.image import Header
from pixelwise.data.channels import match_channels, mismatch_sentence


def test_the_right_count_is_left_alone() -> None:
    image = np.zeros((4, 2, 2), np.uint16)
    assert match_channels(image, 4) is image


def test_grey_is_repeated() -> None:
    image = np.array([[[1, 2]]], np.uint16)
    found = match_channels(image, 3)
    assert found.dtype == np.uint16
    assert found.tolist() == [[[1, 2]]] * 3


def test_luminance_of_pure_colours() -> None:
    """ITU-R BT.601: red 76, green 150, blue 29 of 255."""
    image = np.zeros((3, 1, 4), np.uint8)
    for channel in range(3):
        image[channel, 0, channel] = 255
        image[channel, 0, 3] = 255
    found = match_channels(image, 1)
    assert found.dtype == np.uint8
    assert found.tolist() == [[[76, 150, 29, 255]]]
    assert match_channels(image.astype(np.float32) / 255, 1)[0, 0, 0] == pytest.approx(0.299)


def test_other_counts_are_refused() -> None:
    with pytest.raises(ShapeMismatch, match=r"4 channels.*Expected 3"):
        match_channels(np.zeros((4, 2, 2)), 3)


@pytest.mark.parametrize(
    ("given", "wanted", "said"), [(1, 1, ""), (1, 3, "grey"), (3, 1, "luminance")]
)
def test_the_conversion_is_said(given: int, wanted: int, said: str) -> None:
    header = Header(Path("a.png"), (2, 2), given, np.dtype(np.uint8), "PNG")
    assert said in mismatch_sentence(header, wanted)
    assert bool(mismatch_sentence(header, wanted)) == bool(said)


def test_a_hopeless_file_is_named() -> None:
    header = Header(Path("a.tif"), (2, 2), 2, np.dtype(np.uint8), "TIFF")
    with pytest.raises(ShapeMismatch, match=r"a\.tif: it has 2 channels"):
        mismatch_sentence(header, 1)


def volume(n_channels: int, *names: str) -> Header:
    dtype = np.dtype(np.uint8)
    return Header(Path("a.nii"), (2, 2, 2), n_channels, dtype, "NIfTI", channel_names=names)


def test_channels_of_volumes_are_no_colours() -> None:
    with pytest.raises(ShapeMismatch, match="it has 1 channels"):
        mismatch_sentence(volume(1), 3)
    with pytest.raises(ShapeMismatch, match="it has 3 channels"):
        mismatch_sentence(volume(3), 1)


def test_named_channels_are_only_converted_if_they_are_colours() -> None:
    grey = Header(Path("a.png"), (2, 2), 1, np.dtype(np.uint8), "PNG")
    assert "grey" in mismatch_sentence(grey, 3, ("R", "G", "B"))
    with pytest.raises(ShapeMismatch, match="DAPI, GFP, RFP"):
        mismatch_sentence(grey, 3, ("DAPI", "GFP", "RFP"))


def test_channels_that_the_file_names_otherwise_are_refused() -> None:
    assert mismatch_sentence(volume(2, "T1", "flair"), 2, ("t1", "FLAIR")) == ""
    assert mismatch_sentence(volume(2), 2, ("t1", "FLAIR")) == ""
    with pytest.raises(ShapeMismatch, match="in another order"):
        mismatch_sentence(volume(2, "flair", "T1"), 2, ("t1", "FLAIR"))
    with pytest.raises(ShapeMismatch, match="its channels are T1, T2"):
        mismatch_sentence(volume(2, "T1", "T2"), 2, ("t1", "FLAIR"))
