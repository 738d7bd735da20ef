"""The page in a real browser: quiet, alone, light and dark, narrow, printed, enlarged."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixelwise.core.case import ClassInfo
from pixelwise.report.content import GalleryItem, ReportContent
from pixelwise.report.gallery import gallery
from pixelwise.report.page import Section, render_page, write_report
from pixelwise.report.volume_pictures import VolumeSpace, view_volume

pytestmark = pytest.mark.browser

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def missing(reason: str) -> None:
    if os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        missing("no Chromium is installed")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("the Python package playwright is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(
    make_content: Callable[..., ReportContent], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(path, make_content(4, hostile=True))
    return path


class Visit:
    """An open page with everything that it complained about or asked for."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())

    def outside(self, path: Path) -> list[str]:
        return [u for u in self.requests if not u.startswith("data:") and u != path.as_uri()]

    def colour(self, name: str) -> tuple[int, ...]:
        text = self.page.evaluate(f"getComputedStyle(document.body).{name}")
        return tuple(int(part) for part in text[4:-1].split(","))


@pytest.fixture
def visit(browser: Any, report: Path) -> Iterator[Callable[..., Visit]]:
    visits: list[Visit] = []

    def go(**options: Any) -> Visit:
        visits.append(Visit(browser, report, **options))
        return visits[-1]

    yield go
    for made in visits:
        assert made.complaints == []
        assert made.outside(report) == []
        made.context.close()


def luminance(colour: tuple[int, ...]) -> float:
    linear = [
        c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour[:3]
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_follows_the_system_and_the_button(visit: Callable[..., Visit], scheme: str) -> None:
    made = visit(color_scheme=scheme)
    is_dark = luminance(made.colour("backgroundColor")) < 0.5
    assert is_dark == (scheme == "dark")
    made.page.click("#theme")
    assert (luminance(made.colour("backgroundColor")) < 0.5) != is_dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(visit: Callable[..., Visit], scheme: str) -> None:
    """At least the 4.5 : 1 of WCAG 2.1 AA, for ordinary and for quiet text."""
    made = visit(color_scheme=scheme)
    background = luminance(made.colour("backgroundColor"))
    for selector in ("body", ".quiet", "nav a", ".warning > .tag", "summary", ".undefined"):
        text = made.page.evaluate(
            "s => getComputedStyle(document.querySelector(s)).color", selector
        )
        ink = luminance(tuple(int(part) for part in text[4:-1].split(",")))
        ratio = (max(ink, background) + 0.05) / (min(ink, background) + 0.05)
        assert ratio >= 4.5, selector


@pytest.mark.parametrize("width", [320, 390, 768, 1400])
def test_no_width_makes_the_page_scroll_sideways(visit: Callable[..., Visit], width: int) -> None:
    made = visit(viewport={"width": width, "height": 800})
    made.page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert made.page.evaluate("document.documentElement.scrollWidth") <= width


def test_hostile_names_are_shown_as_text(visit: Callable[..., Visit]) -> None:
    made = visit()
    assert made.page.title().startswith("Cells <img src=x onerror=")
    assert made.page.locator("main b").count() == 0
    assert "<b>bold</b>" in made.page.locator("h1").inner_text()


def test_pictures_are_enlarged_by_keys_alone(visit: Callable[..., Visit]) -> None:
    made = visit()
    page = made.page
    first = page.locator(".view").first
    first.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#zoom")
    assert dialog.is_visible()
    assert page.locator("#zoom-title").inner_text().endswith(": Image")
    page.keyboard.press("ArrowRight")
    assert page.locator("#zoom-title").inner_text().endswith(": Truth")
    small = first.bounding_box()["width"]
    assert page.locator("#zoom-frame img").bounding_box()["width"] > 1.5 * small
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert page.evaluate("document.activeElement.dataset.view") == "Truth"


def test_every_picture_is_decoded(visit: Callable[..., Visit]) -> None:
    made = visit()
    sizes = made.page.evaluate("[...document.images].map(i => i.naturalWidth)")
    assert len(sizes) == 12 and min(sizes) > 1


def test_print_opens_what_is_folded(visit: Callable[..., Visit], tmp_path: Path) -> None:
    made = visit(color_scheme="dark")
    made.page.emulate_media(media="print", color_scheme="dark")
    ink = made.page.evaluate("getComputedStyle(document.querySelector('h1')).color")
    assert luminance(tuple(int(part) for part in ink[4:-1].split(","))) < 0.1
    assert not made.page.locator("nav").is_visible()
    made.page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


def test_readable_without_script(visit: Callable[..., Visit]) -> None:
    made = visit(java_script_enabled=False)
    assert made.page.locator("#theme").is_hidden()
    assert made.page.locator("summary").first.is_visible()
    assert made.page.locator(".view img").first.is_visible()


@pytest.fixture(scope="module")
def volume_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with one volume of 12 slices, the fifth of which holds the error."""
    truth = np.zeros((12, 30, 20), np.uint8)
    truth[2:9, 5:20, 5:15] = 1
    predicted = truth.copy()
    predicted[4, 8:12, 8:12] = 0
    image = np.arange(truth.size, dtype=np.float32).reshape(1, *truth.shape)
    views = view_volume(image, truth, predicted, VolumeSpace(spacing=(4.0, 1.0, 2.0), unit="mm"))
    flat = views.planes[0]
    item = GalleryItem("scan", "worst", 0.9, flat.image, flat.truth, flat.predicted, views=views)
    classes = (ClassInfo(0, "background", "#000000"), ClassInfo(1, "organ", "#e69f00"))
    section = Section("summary", "Cases", gallery([item], classes, "Dice"))
    text = render_page("Scan", [section], created=datetime(2026, 1, 2, tzinfo=UTC), version="0")
    path = tmp_path_factory.mktemp("volume") / "page.html"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def volume(browser: Any, volume_page: Path) -> Iterator[Callable[..., Visit]]:
    visits: list[Visit] = []

    def go(**options: Any) -> Visit:
        visits.append(Visit(browser, volume_page, **options))
        return visits[-1]

    yield go
    for made in visits:
        assert made.complaints == []
        assert made.outside(volume_page) == []
        made.context.close()


def test_slices_are_turned_by_keys(volume: Callable[..., Visit]) -> None:
    page = volume().page
    slider, told = page.locator(".slices input[type=range]"), page.locator(".slices output")
    assert told.inner_text() == "across z slice 5 of 12, 16 mm from the first"
    before = page.locator(".slice-stage").screenshot()
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert told.inner_text() == "across z slice 6 of 12, 20 mm from the first"
    assert slider.get_attribute("aria-valuetext") == told.inner_text()
    assert page.locator(".slice-stage").screenshot() != before
    page.keyboard.press("End")
    assert told.inner_text().startswith("across z slice 12 of 12")
    page.keyboard.press("ArrowRight")
    assert told.inner_text().startswith("across z slice 12 of 12")


def test_layers_are_chosen_by_keys(volume: Callable[..., Visit]) -> None:
    page = volume().page
    pictures = []
    page.locator(".slices input[value=errors]").focus()
    for _ in range(4):
        pictures.append(page.locator(".slice-stage").screenshot())
        page.keyboard.press("ArrowRight")
    assert len(set(pictures)) == 4


def test_planes_have_the_shape_of_the_body(volume: Callable[..., Visit]) -> None:
    page = volume(viewport={"width": 1200, "height": 900}).page
    frames = page.locator(".views .frame").all()
    shapes = [box["width"] / box["height"] for box in (frame.bounding_box() for frame in frames)]
    wanted = [20 * 2 / 30, 20 * 2 / (12 * 4), 30 / (12 * 4)]
    assert shapes == pytest.approx([ratio for ratio in wanted for _ in range(4)], rel=0.02)
    stage = page.locator(".slice-stage").bounding_box()
    assert stage["width"] / stage["height"] == pytest.approx(wanted[0], rel=0.02)


def test_enlarged_planes_are_named(volume: Callable[..., Visit]) -> None:
    page = volume().page
    page.locator(".view").nth(5).click()
    assert page.locator("#zoom-title").inner_text().endswith("slice 10 of 30: Truth")
    page.keyboard.press("ArrowDown")
    assert page.locator("#zoom-title").inner_text().endswith("slice 10 of 20: Truth")


def test_volumes_without_script(volume: Callable[..., Visit]) -> None:
    page = volume(java_script_enabled=False).page
    assert page.locator(".slice-stage").is_visible()
    assert page.locator(".slice-controls").is_hidden()


def test_volumes_on_a_narrow_screen(volume: Callable[..., Visit]) -> None:
    page = volume(viewport={"width": 360, "height": 800}).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
