"""Channels from separate files, read as one image if they lie on one grid, else refused."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem, ShapeMismatch, UserError, raise_errors
from pixelwise.core.grids import compare_grids
from pixelwise.core.image import Array, Closing, Header, Region, Source
from pixelwise.readers import open_image


def open_images(
    paths: Sequence[Path | str], names: Sequence[str] = (), *, max_pixels: int | None = None
) -> Source:
    """Open the channel files of one image, in order; a single file is opened as it is.

    names: what the channels are called; the header repeats them. All files are looked at
    before anything is refused: UnreadableFile for damaged ones, ShapeMismatch if one has
    several channels or lies on another grid than the first.
    """
    if len(paths) == 1:
        return open_image(paths[0], max_pixels=max_pixels)
    with ExitStack() as stack:
        sources: list[Source] = []
        problems: list[Problem] = []
        for path in paths:
            try:
                sources.append(stack.enter_context(open_image(path, max_pixels=max_pixels)))
            except UserError as error:
                problems += error.problems
        raise_errors(problems, UserError)
        raise_errors(_misfits([source.header for source in sources], names), ShapeMismatch)
        stacked = StackedSource(sources, names)
        stack.pop_all()
        return stacked


class StackedSource(Closing):
    """Several opened images of one channel each, on one grid."""

    def __init__(self, sources: Sequence[Source], names: Sequence[str]) -> None:
        self._sources = tuple(sources)
        headers = [source.header for source in sources]
        self._first = replace(
            headers[0],
            n_channels=len(headers),
            dtype=np.result_type(*(header.dtype for header in headers)),
            palette=None,
            channel_names=tuple(names),
        )

    @property
    def header(self) -> Header:
        notes = [note for source in self._sources for note in source.header.notes]
        return replace(self._first, notes=tuple(dict.fromkeys(notes)))

    def read(self, region: Region | None = None) -> Array:
        dtype = self._first.dtype
        return np.concatenate(
            [source.read(region).astype(dtype, copy=False) for source in self._sources]
        )

    def close(self) -> None:
        for source in self._sources:
            source.close()


def _misfits(headers: Sequence[Header], names: Sequence[str]) -> list[Problem]:
    problems = []
    for index, header in enumerate(headers):
        name = f" {names[index]}" if names else ""
        if header.n_channels != 1:
            problems.append(
                Problem(
                    f"as the channel{name} of an image it has {header.n_channels} channels",
                    "one channel in each channel file",
                    "Give files of one channel, or one file with all channels.",
                    shown(header.path),
                    code="channel-count",
                )
            )
        difference = compare_grids(headers[0], header)
        if difference is not None and difference.is_certain:
            problems.append(
                Problem(
                    f"the channel{name} lies on another grid than {headers[0].path.name}: "
                    f"{difference.text}",
                    "the channels of an image on one grid",
                    "Register and resample the channels to one of them first (for example with "
                    "SimpleITK, ANTs or elastix); they are not resampled here, for nobody has "
                    "said that they fit.",
                    shown(header.path),
                    code="channel-grid",
                )
            )
    return problems
