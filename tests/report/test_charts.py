"""Charts: round ticks, places on the axes, points that cannot be drawn."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest

from pixelwise.report.charts import (
    HEIGHT,
    LEFT,
    RIGHT,
    WIDTH,
    Dot,
    Point,
    line_chart,
    linear_scale,
    round_step,
    strip,
)


@pytest.mark.parametrize(
    ("wanted", "step"), [(0.3, 0.5), (1, 1), (1.01, 2), (2.2, 2.5), (7, 10), (0.00021, 0.00025)]
)
def test_steps_are_round(wanted: float, step: float) -> None:
    assert round_step(wanted) == pytest.approx(step)


def test_scale_ends_at_ticks() -> None:
    scale = linear_scale([0.0, 1.37], 100, 0, 4)
    assert list(scale.ticks) == [0, 0.5, 1, 1.5]
    assert [scale.place(value) for value in (0, 1.5, 0.75)] == [100, 0, 50]


def test_tight_scale_ends_at_the_data() -> None:
    scale = linear_scale([0, 640], 0, 64, 4, is_tight=True)
    assert list(scale.ticks) == [0, 200, 400, 600]
    assert scale.place(640) == 64


@pytest.mark.parametrize("values", [[0.0], [5.0, 5.0], [-2.0, -2.0]])
def test_constant_values_have_a_scale(values: list[float]) -> None:
    scale = linear_scale(values, 0, 100, 4)
    assert all(0 <= scale.place(value) <= 100 for value in values)


def curve_places(points: list[Point], *, may_be_log: bool = False) -> list[tuple[float, float]]:
    figure = ET.fromstring(line_chart(points, title="t", x_label="step", may_be_log=may_be_log))
    path = next(p for p in figure.iter("path")).attrib["d"]
    pairs = [piece.split() for piece in path.removeprefix("M").split("L")]
    return [(float(x), float(y)) for x, y in pairs]


def test_curve_lies_inside_the_picture() -> None:
    places = curve_places([Point(0, 0.0), Point(10, 1.0), Point(20, 4.0)])
    assert places[0][0] == LEFT and places[-1][0] == WIDTH - RIGHT
    assert places[1][0] == pytest.approx((places[0][0] + places[2][0]) / 2)
    assert all(0 <= y <= HEIGHT for _, y in places)
    assert places[0][1] > places[1][1] > places[2][1]


def test_log_axis_spaces_decades_evenly() -> None:
    points = [Point(1, 10.0), Point(2, 1.0), Point(3, 0.1)]
    heights = [y for _, y in curve_places(points, may_be_log=True)]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=0.11)


def test_points_without_value_are_left_out() -> None:
    points = [Point(1, math.nan), Point(2, 1.0), Point(3, math.inf), Point(4, 2.0)]
    assert len(curve_places(points)) == 2


def test_nothing_to_draw_is_said() -> None:
    assert "nothing to draw" in line_chart([], title="Loss", x_label="step")


def test_dots_name_themselves_and_do_not_cover_each_other() -> None:
    dots = [Dot(0.5, "a <b>"), Dot(0.5, "second"), Dot(0.9, "third")]
    svg = ET.fromstring(strip(dots, limits=(0, 1), colour="#123456", label="Dice"))
    circles = list(svg.iter("circle"))
    assert [c.find("title").text for c in circles] == ["a <b>", "second", "third"]  # type: ignore[union-attr]
    assert circles[0].attrib["cx"] == circles[1].attrib["cx"] == "50.00%"
    assert circles[0].attrib["cy"] != circles[1].attrib["cy"]
    assert circles[2].attrib["cx"] == "88.40%"  # 2 % margin + 96 % x 0.9
