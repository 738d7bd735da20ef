"""Durations and sizes as people write and read them."""

from __future__ import annotations

import pytest

from pixelwise.core.errors import BadPlan
from pixelwise.core.quantities import format_bytes, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90), ("30s", 30), ("10m", 600), ("10 min", 600), ("1h30m", 5400), ("2d", 172800),
        ("1.5h", 5400), ("45sec", 45), (" 5M ", 300), (12, 12), (0.5, 0.5),
    ],
)  # fmt: skip
def test_durations(text: str | float, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "ten", "10x", "-5m", "0", "0s", "m", "1h30", "400d", "nan", "inf", -3,
             float("nan"), float("inf")],
)  # fmt: skip
def test_what_is_no_duration(text: str | float) -> None:
    with pytest.raises(BadPlan, match="budget"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (8.24, "8.2 s"), (42.4, "42 s"), (59.7, "60 s"), (245, "4 min 05 s"),
        (5400, "1 h 30 min"), (7199, "2 h 00 min"),
    ],
)  # fmt: skip
def test_durations_as_people_say_them(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (0, "0 B"), (512, "512 B"), (1000, "1 kB"), (1_250_000, "1.25 MB"),
        (2_400_000_000, "2.4 GB"),
    ],
)  # fmt: skip
def test_sizes(n_bytes: float, text: str) -> None:
    assert format_bytes(n_bytes) == text
