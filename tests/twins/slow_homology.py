"""Persistent homology of a binary image or volume by reducing boundary matrices, column by column.

Cells of closed pixels; a cell enters with the first of its pixels, object pixels before the
others, within a level corners, then sides (and squares), then pixels, each in reading order
of the pixel.
Image persistence as in Cohen-Steiner et al. 2009: columns in the order of the union, rows
in the order of the mask. Matching as in Stucki et al. 2023.
"""

from __future__ import annotations

import itertools

import numpy as np

Cell = tuple[int, ...]


def ordered_cells(mask: np.ndarray) -> tuple[dict[Cell, int], dict[Cell, int]]:
    """(place in the filtration, level: 1 in the object's closure) of every cell."""
    place: dict[Cell, int] = {}
    level: dict[Cell, int] = {}
    every = list(itertools.product((-1, 0, 1), repeat=mask.ndim))
    for value in (1, 0):
        pixels = list(zip(*np.nonzero(mask == value), strict=True))
        for dimension in range(mask.ndim + 1):
            around = [offset for offset in every if offset.count(0) == dimension]
            for pixel, offset in itertools.product(pixels, around):
                cell = tuple(2 * int(i) + 1 + o for i, o in zip(pixel, offset, strict=True))
                if cell not in place:
                    place[cell] = len(place)
                    level[cell] = value
    return place, level


def boundary(cell: Cell) -> list[Cell]:
    """The faces of a cell."""
    return [
        (*cell[:axis], cell[axis] + step, *cell[axis + 1 :])
        for axis in range(len(cell))
        if cell[axis] % 2
        for step in (-1, 1)
    ]


def pairs(columns: dict[Cell, int], rows: dict[Cell, int]) -> dict[Cell, Cell]:
    """Death cell -> birth cell, by reducing columns from left to right."""
    reduced: dict[Cell, set[Cell]] = {}
    found: dict[Cell, Cell] = {}
    for cell in sorted(columns, key=columns.__getitem__):
        column = set(boundary(cell))
        while column:
            pivot = max(column, key=rows.__getitem__)
            if pivot not in reduced:
                reduced[pivot] = column
                found[cell] = pivot
                break
            column = column ^ reduced[pivot]
    return found


def bars(
    columns: tuple[dict[Cell, int], dict[Cell, int]],
    rows: tuple[dict[Cell, int], dict[Cell, int]],
    dimension: int,
) -> dict[Cell, Cell]:
    """Death -> birth of the bars that live from level 1 to level 0."""
    found = pairs(columns[0], rows[0])
    return {
        death: birth
        for death, birth in found.items()
        if sum(i % 2 for i in birth) == dimension and rows[1][birth] == 1 and columns[1][death] == 0
    }


def matching_error(truth: np.ndarray, predicted: np.ndarray) -> int:
    """Unmatched bars of both masks, the endless component counted among them."""
    orders = [ordered_cells(m.astype(int)) for m in (truth, predicted, truth | predicted)]
    error = 0
    for dimension in range(truth.ndim):
        own = [bars(order, order, dimension) for order in orders]
        images = [bars(orders[2], order, dimension) for order in orders[:2]]
        births = [set(found.values()) for found in own[:2]]
        matched = sum(
            death in own[2]
            and all(death in image for image in images)
            and all(image[death] in b for image, b in zip(images, births, strict=True))
            for death in own[2]
        )
        error += len(own[0]) + len(own[1]) - 2 * matched
    endless = [bool(truth.any()), bool(predicted.any())]
    return error + (sum(endless) if not all(endless) else 0)
