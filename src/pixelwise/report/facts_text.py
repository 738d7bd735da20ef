"""The facts of a data set as lines and a table for the terminal, with units."""

from __future__ import annotations

from collections import Counter

from pixelwise.core.records import ClassFacts, Facts

_EXACT = 1e4
"""Sizes from here on are written without decimals."""


def describe_facts(facts: Facts) -> list[str]:
    """Size, spacing, orientation and channels, one line each where there is something to say."""
    noun = "voxels" if facts.n_dims == 3 else "pixels"
    size = " x ".join(str(n) for n in facts.median_shape)
    names = f" ({', '.join(facts.channel_names)})" if facts.channel_names else ""
    axes = "z, y, x" if facts.n_dims == 3 else "height x width"
    lines = [f"Median size {size} {noun} ({axes}), {len(facts.channels)} channel(s){names}"]
    if facts.spacing is not None:
        steps = " x ".join(f"{step:.4g}" for step in facts.spacing)
        lines.append(f"Spacing {steps} {facts.unit}{_range(facts)}")
    codes = Counter(case.orientation for case in facts.cases if case.orientation)
    if codes:
        counts = ", ".join(f"{code} ({n})" for code, n in codes.most_common())
        lines.append(f"Stored as {counts}; read with z to superior, y to posterior, x to left")
    lines.append("Classes of the training cases:")
    return lines


def class_rows(facts: Facts) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Heads and rows of the table of classes; volumes only where lengths are known."""
    has_size = all(c.size is not None for c in facts.classes) and facts.unit != "px"
    noun = "voxels" if facts.n_dims == 3 else "pixels"
    heads = ["id", "class", noun, "share", "occurs in"]
    if has_size:
        name = "volume" if facts.n_dims == 3 else "area"
        power = "³" if facts.n_dims == 3 else "²"
        heads.append(f"{name} a case, {facts.unit}{power}")
    rows = []
    for c in facts.classes:
        row = [str(c.id), c.name, f"{c.n_pixels:,}", f"{c.share:.2%}", f"{c.n_cases} cases"]
        rows.append((*row, _mean_size(c)) if has_size else tuple(row))
    return tuple(heads), rows


def _mean_size(c: ClassFacts) -> str:
    mean = (c.size or 0.0) / max(c.n_cases, 1)
    return f"{mean:,.0f}" if mean >= _EXACT else f"{mean:,.4g}"


def _range(facts: Facts) -> str:
    found = [case.spacing for case in facts.cases if case.spacing]
    if not found:
        return ""
    low = [min(axis) for axis in zip(*found, strict=True)]
    high = [max(axis) for axis in zip(*found, strict=True)]
    if all(b <= 1.01 * a for a, b in zip(low, high, strict=True)):
        return " in every case" if len(found) == len(facts.cases) else ""
    texts = [" x ".join(f"{step:.4g}" for step in ends) for ends in (low, high)]
    return f" (median; from {texts[0]} to {texts[1]})"
