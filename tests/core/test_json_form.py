"""Values of every kind as plain JSON."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixelwise.core.json_form import as_json_value
from pixelwise.core.records import Choice


@dataclass(frozen=True)
class Pair:
    first: object
    second: object


def test_everything_becomes_plain() -> None:
    value = Pair(
        first={1: (Path("/a/b"), np.float32(0.5), np.int64(3), np.bool_(True))},
        second=[math.nan, math.inf, np.float64("-inf"), None, "x", frozenset({7})],
    )
    plain = as_json_value(value)
    assert plain == {
        "first": {"1": ["/a/b", 0.5, 3, True]},
        "second": [None, None, None, None, "x", [7]],
    }
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_records_keep_their_fields() -> None:
    choice = Choice(field="a", value="b", fact="c", reason="d")
    assert as_json_value((choice,)) == [{"field": "a", "value": "b", "fact": "c", "reason": "d"}]


def test_a_class_is_not_taken_for_its_value() -> None:
    assert as_json_value(Pair) is Pair
