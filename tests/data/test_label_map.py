"""The small language of --map."""

from __future__ import annotations

import pytest

from pixelwise.core.case import IGNORE
from pixelwise.core.errors import BadData
from pixelwise.data.label_map import format_label_map, parse_label_map


def test_values_become_classes_in_order_and_background_comes_first() -> None:
    named = parse_label_map("255=vessel, 0=background")
    assert named.names == ("background", "vessel")
    assert named.meaning.to_class == {"255": 1, "0": 0}
    assert named.meaning.kind == "values"


def test_one_name_for_two_values_merges_them_and_ignore_leaves_out() -> None:
    named = parse_label_map("0=background,1=cell,2=cell,7=ignore,nan=void")
    assert named.names == ("background", "cell")
    assert named.meaning.to_class == {"0": 0, "1": 1, "2": 1, "7": IGNORE, "nan": IGNORE}


def test_colours() -> None:
    named = parse_label_map("#000000=ignore,#FF0000=car,#00ff00=tree")
    assert named.meaning.kind == "colours"
    assert named.meaning.to_class == {"#000000": IGNORE, "#ff0000": 0, "#00ff00": 1}


@pytest.mark.parametrize("text", [">=128=cell", "<128=background,>=128=cell"])
def test_a_cut_makes_two_classes(text: str) -> None:
    named = parse_label_map(text)
    assert named.names == ("background", "cell")
    assert named.meaning.threshold == 128.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not VALUE=NAME"),
        ("0:background", "not VALUE=NAME"),
        ("x=a,y=b", "'x=a' is not VALUE=NAME"),
        ("0=a,0=b", "the value 0 is given 2 times"),
        ("0=a", "names 1 class"),
        ("0=a,#000000=b", "colours, numbers are mixed"),
        (">=5=a,>=7=b", "exactly one"),
        ("<4=a,>=5=b", "do not meet"),
        (">=5=background", "both sides"),
    ],
)
def test_mistakes_are_named(text: str, said: str) -> None:
    with pytest.raises(BadData, match="in --map") as caught:
        parse_label_map(text)
    assert said in str(caught.value)


def test_all_mistakes_at_once() -> None:
    with pytest.raises(BadData) as caught:
        parse_label_map("x=a,1=b,1=c,z")
    assert len(caught.value.problems) == 3


def test_what_is_suggested_can_be_read() -> None:
    text = format_label_map({"0": "background", "#ff0000".replace("#ff0000", "7"): "x"})
    assert parse_label_map(text).names == ("background", "x")
