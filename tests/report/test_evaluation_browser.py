"""Pages of scores in a real browser: every dot leads to its picture, narrow, without a script."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pixelwise.commands.compare import compare
from pixelwise.commands.evaluate import evaluate
from pixelwise.commands.scoring_options import ScoringOptions

pytestmark = pytest.mark.browser

NAMES = ("chromium", "chromium-browser", "google-chrome")
N_CASES = 6


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
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


def save(path: Path, labels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(labels.astype(np.uint8)).save(path)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of one prediction with everything on it, and a comparison of two."""
    root = tmp_path_factory.mktemp("scores")
    (root / "maps").mkdir()
    for i in range(N_CASES):
        truth = np.zeros((60, 80), np.uint8)
        truth[10:40, 15:30] = 1
        truth[45:50, 50:55] = 1
        predicted = np.roll(truth, i, 1)
        name = f"p{i // 2} case {i}&"
        save(root / "truth" / f"{name}.png", truth)
        save(root / "predicted" / f"{name}.png", predicted)
        save(root / "second" / f"{name}.png", np.roll(truth, 1, 0))
        p = np.clip(0.15 + 0.7 * predicted, 0, 1).astype(np.float16)
        np.save(root / "maps" / f"{name}.npy", np.stack([1 - p, p]))
    options = ScoringOptions(
        annotators=(root / "second",), group=r"(p\d)", objects="components",
        probabilities=root / "maps", metrics=("dice", "hd95", "betti_error"), split="val",
    )  # fmt: skip
    evaluate(truth=root / "truth", predicted=root / "predicted", options=options, out=root / "out")
    compare([root / "predicted", root / "second"], truth=root / "truth", out=root / "out")
    return {name: root / "out" / f"{name}.html" for name in ("evaluation", "comparison")}


def visit(browser: Any, path: Path, **options: Any) -> tuple[Any, list[str]]:
    page = browser.new_page(**options)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda r: None if r.url.startswith(("data:", path.as_uri())) else complaints.append(r.url),
    )
    page.goto(path.as_uri())
    return page, complaints


@pytest.mark.parametrize("name", ["evaluation", "comparison"])
def test_every_dot_leads_to_its_picture(browser: Any, pages: dict[str, Path], name: str) -> None:
    page, complaints = visit(browser, pages[name])
    hrefs = page.eval_on_selector_all(
        ".strip a, .case-dots a", "links => links.map(link => link.getAttribute('href'))"
    )
    n_dots = page.locator(".strip circle, .case-dots circle").count()
    assert n_dots == len(hrefs) > N_CASES
    assert len(set(hrefs)) == N_CASES
    for href in set(hrefs):
        assert page.locator(f"figure{href}").count() == 1
    page.locator(".strip a, .case-dots a").first.click()
    target = page.locator("figure:target")
    assert target.count() == 1
    assert target.locator("img").first.is_visible()
    assert complaints == []
    page.close()


@pytest.mark.parametrize("name", ["evaluation", "comparison"])
@pytest.mark.parametrize("width", [320, 768, 1400])
def test_no_width_scrolls_sideways(
    browser: Any, pages: dict[str, Path], name: str, width: int
) -> None:
    page, complaints = visit(browser, pages[name], viewport={"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []
    page.close()


def test_everything_is_there_without_a_script(browser: Any, pages: dict[str, Path]) -> None:
    page, _ = visit(browser, pages["evaluation"], java_script_enabled=False)
    titles = page.locator("h2").all_inner_texts()
    for title in ("Beside people", "Every case", "Objects found, by size", "Groups of cases",
                  "Probabilities", "Cases in pictures"):  # fmt: skip
        assert title in titles
    assert page.locator(".view-name", has_text="Distances").first.is_visible()
    assert page.locator(".chart.square").count() == 3
    page.locator(".strip a").first.click()
    assert page.url.partition("#")[2].startswith("case-")
    page.close()


def test_arrow_keys_lead_through_rows_of_any_length(browser: Any, pages: dict[str, Path]) -> None:
    page, _ = visit(browser, pages["comparison"])
    page.locator(".view").first.click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.locator("#zoom-title").inner_text().endswith("predicted: errors")
    page.keyboard.press("ArrowDown")
    title = page.locator("#zoom-title").inner_text()
    assert title.endswith(("second: distances", "Image", "Truth", "second: errors"))
    page.close()


def test_dots_are_reached_by_keys(browser: Any, pages: dict[str, Path]) -> None:
    page, _ = visit(browser, pages["evaluation"])
    dot = page.locator(".strip a").first
    dot.focus()
    assert "case" in dot.get_attribute("aria-label")
    page.keyboard.press("Enter")
    assert page.locator("figure:target").count() == 1
    page.close()
