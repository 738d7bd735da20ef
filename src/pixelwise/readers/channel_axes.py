"""Rules that volume formats share: a further axis is channels or time, and axes may be skew."""

from __future__ import annotations

from pathlib import Path

from pixelwise.core.contents import shown
from pixelwise.core.errors import Problem, UnreadableFile
from pixelwise.core.placement import Placement

MOST_CHANNELS = 16
"""A fourth axis longer than this is not taken for channels where nothing names it."""

_TILTED_DEGREES = 0.5


def count_volumes(
    path: Path, n_volumes: int, *, is_time: bool, is_said: bool, why: str = ""
) -> list[Problem]:
    """What is said about a further axis that is read as channels.

    is_said: the file itself calls it colours, vectors or channels. Raises UnreadableFile if
    it is time, or too long for channels that nothing names. `why` says what tells time.
    """
    if n_volumes == 1 or (is_said and not is_time):
        return []
    if is_time or n_volumes > MOST_CHANNELS:
        reason = (why or "its header says so") if is_time else "so many"
        raise UnreadableFile(
            f"it is 4D: {n_volumes} volumes along its further axis, which are time points "
            f"({reason})",
            f"one volume, or up to {MOST_CHANNELS} channels that no time step separates",
            "Save each time point as a file of its own; if they are channels, correct the header.",
            path=shown(path),
            code="time-series",
        )
    return [
        Problem(
            f"it is 4D: the {n_volumes} volumes along its further axis are taken as channels",
            "",
            "If they are time points, save each as a file of its own.",
            shown(path),
            "warning",
            "volumes-as-channels",
        )
    ]


def tilt_note(path: Path, placement: Placement) -> list[Problem]:
    """A warning if the axes of a volume are not perpendicular."""
    if placement.tilt < _TILTED_DEGREES:
        return []
    return [
        Problem(
            f"its axes are not perpendicular, by {placement.tilt:.2g} degrees: distances are "
            "measured along them as if they were",
            "",
            "Resample it to perpendicular axes if distances matter.",
            shown(path),
            "warning",
            "sheared",
        )
    ]
