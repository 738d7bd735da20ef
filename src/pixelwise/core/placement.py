"""Where the voxels of a volume lie in space, and in which order a file stores them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

NAMES = (("L", "R"), ("P", "A"), ("S", "I"))
"""Letters of the two ways along x, y, z of LPS space; the first one is the positive way."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the voxels of a volume lie, and how its file orders them.

    affine: rows of the 4 x 4 matrix from stored indices (i, j, k, 1), of which i runs
    fastest, to (x, y, z, 1) in the unit of the header. With is_anatomical the coordinates
    are those of the patient, towards left, posterior and superior (LPS, as in DICOM);
    without it the file does not say how they lie in a body.
    axes, flips: for each array axis (z, y, x) the stored axis that it is, and whether it
    runs the other way. dropped: the array axis of a single plane that the array leaves out.
    Arrays are permuted and flipped, never interpolated: what rotation is left stays in
    `direction`.
    """

    affine: tuple[tuple[float, ...], ...]
    shape: tuple[int, int, int]
    is_anatomical: bool = True
    axes: tuple[int, int, int] = (2, 1, 0)
    flips: tuple[bool, bool, bool] = (False, False, False)
    dropped: int | None = None

    def to_array(self, stored: Array) -> Array:
        """(…, k, j, i) as stored -> (…, [z,] y, x), a view."""
        n = stored.ndim - 3
        index: list[Any] = [slice(None)] * n + self._steps()
        if self.dropped is not None:
            index[n + self.dropped] = 0
        values: Array = stored.transpose(*range(n), *(n + 2 - axis for axis in self.axes))
        return np.asarray(values[tuple(index)])

    def to_stored(self, values: Array) -> Array:
        """(…, [z,] y, x) -> (…, k, j, i) as stored, a view."""
        if self.dropped is not None:
            values = np.expand_dims(values, values.ndim - 2 + self.dropped)
        n = values.ndim - 3
        index = tuple([slice(None)] * n + self._steps())
        turned: Array = values[index]
        order = [self.axes.index(stored_axis) for stored_axis in (2, 1, 0)]
        return turned.transpose(*range(n), *(n + axis for axis in order))

    def _steps(self) -> list[slice]:
        return [slice(None, None, -1) if is_flipped else slice(None) for is_flipped in self.flips]

    def stored_region(self, region: Sequence[slice]) -> tuple[slice, slice, slice]:
        """Where a region ([z,] y, x) of the array lies among the stored planes (k, j, i)."""
        parts = list(region)
        if self.dropped is not None:
            parts.insert(self.dropped, slice(0, 1))
        stored = [slice(0, 1)] * 3
        for part, axis, is_flipped in zip(parts, self.axes, self.flips, strict=True):
            n = self.shape[axis]
            ends = (n - part.stop, n - part.start) if is_flipped else (part.start, part.stop)
            stored[2 - axis] = slice(*ends)
        return stored[0], stored[1], stored[2]

    @property
    def array_affine(self) -> Floats:
        """The 4 x 4 matrix from indices of the array (z, y, x, 1), nothing dropped, to space."""
        columns = np.asarray(self.affine, np.float64)
        turned = columns.copy()
        for axis, (stored_axis, is_flipped) in enumerate(zip(self.axes, self.flips, strict=True)):
            step = columns[:, stored_axis]
            turned[:, axis] = -step if is_flipped else step
            if is_flipped:
                turned[:, 3] += step * (self.shape[stored_axis] - 1)
        return turned

    @property
    def spacing(self) -> tuple[float, ...]:
        """Distance of neighbours along each array axis ([z,] y, x)."""
        lengths = np.linalg.norm(self.array_affine[:3, :3], axis=0)
        return tuple(float(n) for axis, n in enumerate(lengths) if axis != self.dropped)

    @property
    def array_shape(self) -> tuple[int, ...]:
        """The shape of the array ([z,] y, x)."""
        return tuple(self.shape[s] for n, s in enumerate(self.axes) if n != self.dropped)

    @property
    def direction(self) -> Floats:
        """3 x 3: one column of length 1 for each array axis (z, y, x), nothing dropped."""
        steps = self.array_affine[:3, :3]
        units: Floats = steps / np.linalg.norm(steps, axis=0)
        return units

    @property
    def origin(self) -> tuple[float, ...]:
        """Where the first voxel of the array lies."""
        return tuple(float(value) for value in self.array_affine[:3, 3])

    @property
    def code(self) -> str:
        """Which way the stored axes i, j, k run, as "RAS"; "" if the file does not say."""
        if not self.is_anatomical:
            return ""
        letters = {}
        for axis, (stored_axis, is_flipped) in enumerate(zip(self.axes, self.flips, strict=True)):
            letters[stored_axis] = NAMES[2 - axis][int(is_flipped)]
        return "".join(letters[axis] for axis in range(3))

    @property
    def is_turned(self) -> bool:
        """Whether the array differs from the stored order."""
        return self.axes != (2, 1, 0) or any(self.flips)

    @property
    def tilt(self) -> float:
        """Degrees by which the axes miss being perpendicular to each other."""
        products = self.direction.T @ self.direction
        cosines = np.abs(products[np.triu_indices(3, 1)])
        return float(np.degrees(np.arcsin(np.clip(cosines.max(), 0.0, 1.0))))

    def distance_to(self, other: Placement) -> float:
        """The largest distance between corresponding corners of two arrays of one shape."""
        return _corner_distance(self.array_affine, other.array_affine, self._full_shape)

    def distance_to_matrix(self, affine: Floats) -> float:
        """The same, to another matrix for the same stored indices."""
        return _corner_distance(np.asarray(self.affine), affine, self.shape)

    @property
    def _full_shape(self) -> tuple[int, ...]:
        return tuple(self.shape[axis] for axis in self.axes)

    def describe(self, unit: str = "mm") -> str:
        """Size, spacing, origin and orientation in one line."""
        size = " x ".join(str(n) for n in reversed(self.array_shape))
        steps = " x ".join(f"{n:.6g}" for n in reversed(self.spacing))
        place = ", ".join(f"{n:.6g}" for n in self.origin)
        angle = _rotation(self.direction)
        turned = f", rotated by {angle:.3g} degrees" if angle >= _SEEN_DEGREES else ""
        code = f", stored as {self.code}" if self.code else ""
        return f"{size} voxels of {steps} {unit} from ({place}){code}{turned}"


_SEEN_DEGREES = 0.05


def place_volume(
    affine: Floats | Sequence[Sequence[float]],
    shape: tuple[int, int, int],
    *,
    is_anatomical: bool = True,
) -> Placement:
    """The placement of a stored volume (n_i, n_j, n_k), its array turned as near to LPS as can be.

    affine: 4 x 4 from stored indices to LPS coordinates. Along the array axes (z, y, x)
    coordinates grow towards superior, posterior and left. Without is_anatomical the array
    keeps the stored order. A volume of one plane becomes a picture.
    Raises ValueError if the matrix is not finite, or maps the volume to less than a volume.
    """
    matrix = np.asarray(affine, np.float64)
    steps = matrix[:3, :3]
    if not np.isfinite(matrix).all():
        raise ValueError("its position in space is not finite")
    lengths = np.linalg.norm(steps, axis=0)
    if lengths.min() <= 0 or abs(np.linalg.det(steps / lengths)) < _FLAT:
        raise ValueError("its axes do not span a volume: two run the same way, or one is 0")
    axes, flips = ((2, 1, 0), (False, False, False))
    if is_anatomical:
        axes, flips = _turn_to_lps(steps / lengths)
    rows = tuple(tuple(float(value) for value in row) for row in matrix)
    single = next((stored for stored in (2, 1, 0) if shape[stored] == 1), None)
    dropped = None if single is None else axes.index(single)
    return Placement(rows, shape, is_anatomical, axes, flips, dropped)


_FLAT = 1e-4


def _turn_to_lps(
    direction: Floats,
) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """Stored axis and flip for z, y, x: the assignment with the largest sum of cosines."""
    best = max(
        permutations(range(3)),
        key=lambda stored: round(sum(abs(direction[axis, stored[axis]]) for axis in range(3)), 9),
    )
    x, y, z = best
    flips = tuple(bool(direction[axis, best[axis]] < 0) for axis in (2, 1, 0))
    return (z, y, x), (flips[0], flips[1], flips[2])


def _corner_distance(one: Floats, other: Floats, shape: tuple[int, ...]) -> float:
    ends = np.meshgrid(*[(0, length - 1) for length in shape], indexing="ij")
    points = np.vstack([np.array(ends).reshape(3, 8), np.ones(8)])
    return float(np.linalg.norm(((one - other) @ points)[:3], axis=0).max())


def _rotation(direction: Floats) -> float:
    """Degrees between the array axes and the axes of space that are nearest to them."""
    cosines = [abs(direction[2 - axis, axis]) for axis in range(3)]
    return float(np.degrees(np.arccos(np.clip(min(cosines), 0.0, 1.0))))
