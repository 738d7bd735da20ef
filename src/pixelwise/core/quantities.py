"""Amounts that people write and read: durations such as 1h30m, sizes such as 2 GB."""

from __future__ import annotations

import re

from pixelwise.core.errors import BadPlan

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"": 1, "b": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*((?:[kmgt]i?)?b?)")
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+")


def parse_duration(text: str | float) -> float:
    """Seconds of '90', '30s', '10m', '1h30m' or '2d'. Raises BadPlan for anything else."""
    if isinstance(text, int | float):
        seconds = float(text)
    else:
        compact = text.strip().lower().replace(" ", "")
        compact = re.sub(r"(?<=\d)(sec|min)(?![a-z])", lambda m: m.group()[0], compact)
        if re.fullmatch(r"\d+(\.\d+)?", compact):
            seconds = float(compact)
        elif _DURATION.fullmatch(compact):
            parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", compact)
            seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
        else:
            seconds = -1.0
    if not 0 < seconds < 366 * 86400:
        raise BadPlan(
            f"the time budget is {text!r}",
            "a positive duration such as 30s, 10m, 1h30m or a number of seconds",
            "Write for example --budget 10m.",
            code="bad-duration",
        )
    return seconds


def format_duration(seconds: float) -> str:
    """A duration as people say it: 8.2 s, 4 min 05 s, 1 h 30 min."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 3600:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest:02d} s"
    hours, rest = divmod(round(seconds / 60), 60)
    return f"{hours} h {rest:02d} min"


def parse_bytes(text: str | float) -> int:
    """Bytes of '4 GB', '800MB' or a number of bytes. Raises BadPlan for anything else."""
    found = _SIZE.fullmatch(str(text).strip().lower())
    n_bytes = float(found.group(1)) * _BYTES[found.group(2)[:1]] if found else 0.0
    if not 1e6 <= n_bytes < 1e15:
        raise BadPlan(
            f"the memory is {text!r}",
            "a size such as 4 GB or 800 MB",
            "Write for example --memory 4GB.",
            code="bad-size",
        )
    return int(n_bytes)


def format_bytes(n_bytes: float) -> str:
    """A size with three figures: 512 B, 1.25 MB, 2.40 GB (powers of 1000)."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if n_bytes < 1000 or unit == "TB":
            return f"{n_bytes:.0f} B" if unit == "B" else f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    return ""
