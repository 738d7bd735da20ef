"""The page as text: self-contained, escaped, honest about what is missing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pixelwise.core.errors import BadOutput, Problem
from pixelwise.core.records import Summary
from pixelwise.report.content import ReportContent
from pixelwise.report.elements import Column, element, table
from pixelwise.report.page import Section, render_page, render_report, write_report

MakeContent = Callable[..., ReportContent]
VOID = {"meta", "link", "img", "br", "circle", "line", "path", "rect"}


class Page(HTMLParser):
    """Checks nesting and collects visible text, tags, anchors and addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, attrs in self.tags if (value := attrs.get(name)) is not None]

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture(scope="module")
def page(make_content: MakeContent) -> Page:
    return Page(render_report(make_content(3)))


def test_nothing_comes_from_elsewhere(page: Page) -> None:
    addresses = [*page.values("src"), *page.values("href")]
    assert all(address.startswith(("#", "data:")) for address in addresses)
    urls = [u for style in page.values("style") for u in re.findall(r"url\((.*?)\)", style)]
    assert urls and all(url.startswith("data:image/") for url in urls)
    policy = next(v for v in page.values("content") if "default-src" in v)
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_contents_lead_to_sections(page: Page) -> None:
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    links = [href[1:] for href in page.values("href") if href.startswith("#")]
    assert len(links) >= 9 and set(links) <= set(ids)


def test_summary_comes_first(page: Page) -> None:
    text = page.text
    places = [
        text.index(part)
        for part in (
            "Mean Dice", "Validation cases share a microscope slide", "8 files: there is no mask",
            "pixelwise predict runs/cells IMAGES --out LABELS", "Training loss",
            "Dice of each class", "Which classes are taken for which", "false alarm",
            "Patches give many different examples", "Share of labelled pixels", "AVX2",
        )
    ]  # fmt: skip
    assert places[1] < places[2] < places[3] < places[4]
    assert "over 9 test cases, then over 2 foreground classes" in text
    assert "set by you" in text


def test_no_bare_nothing_in_the_text(page: Page) -> None:
    assert not re.search(r"\b(None|nan|NaN|inf|null)\b", page.text)


def test_pictures_have_words(page: Page) -> None:
    pictures = [attrs for tag, attrs in page.tags if tag == "img"]
    assert len(pictures) == 12
    assert all(attrs.get("alt") for attrs in pictures)


def test_table_heads_say_what_they_head(page: Page) -> None:
    heads = [attrs for tag, attrs in page.tags if tag == "th"]
    assert heads and all(a.get("scope") in ("col", "row", "rowgroup") for a in heads)
    assert all(a.get("tabindex") == "0" for _, a in page.tags if a.get("class") == "scroll")


def test_hostile_names_stay_text(make_content: MakeContent) -> None:
    content = make_content(hostile=True)
    hostile = Page(render_report(content))
    assert not any(attrs.get("onerror") for _, attrs in hostile.tags)
    assert not any(attrs.get("src") == "x" for _, attrs in hostile.tags)
    assert [tag for tag, _ in hostile.tags].count("script") == 1
    assert "</script><b>bold</b>" in hostile.text


def test_without_thumbnails_no_pixel_is_left(make_content: MakeContent) -> None:
    text = render_report(make_content(), with_thumbnails=False)
    assert "data:image" not in text
    assert not [tag for tag, _ in Page(text).tags if tag == "img"]
    assert Page(text).text.count("--no-thumbnails") == 2


def test_a_run_with_nothing_to_tell(make_content: MakeContent) -> None:
    content = make_content()
    bare = replace(content, summaries={}, history=(), gallery=(), problems=(), environment={})
    page = Page(render_report(bare))
    for sentence in (
        "No split was scored", "no step was taken", "No step of training was recorded",
        "There is no scored case to show", "Nothing was recorded about the machine",
        "No problem was found",
    ):  # fmt: skip
        assert sentence in page.text


def test_a_split_without_cases(make_content: MakeContent, summary: Summary) -> None:
    empty = summary.model_copy(update={"n_cases": 0, "cases": (), "metrics": ()})
    page = Page(render_report(replace(make_content(), summaries={"val": empty}, gallery=())))
    assert "There is no case with a truth in this split" in page.text
    assert "is undefined" in page.text


def test_problems_are_ordered_and_merged(make_content: MakeContent) -> None:
    problems = [
        Problem("small thing", severity="note"),
        Problem("same", path="b.png", severity="warning"),
        Problem("large thing", "something else", "Mend it."),
        Problem("same", path="a.png", severity="warning"),
    ]
    text = Page(render_report(replace(make_content(), problems=problems, notes=()))).text
    order = ["Large thing.", "Expected: something else. Mend it.", "2 files: same.", "Small thing."]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_file_appears_whole(make_content: MakeContent, tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.html"
    write_report(path, make_content())
    assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_unwritable_place_is_said(make_content: MakeContent, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadOutput):
        write_report(tmp_path / "file" / "report.html", make_content())


def test_shell_serves_other_pages() -> None:
    rows = [["a < b", "1"], "Second part", ["c", "2"]]
    content = table((Column("Name"), Column("Value", "px", True)), rows, caption="Numbers")
    text = render_page(
        "A & B",
        [Section("one", "First", content), Section("two", "Second", element("p", "<i>"))],
        created=datetime(2026, 1, 2, tzinfo=UTC),
        version="1",
        kind="Comparison",
    )
    page = Page(text)
    assert "a < b" in page.text and "A & B" in page.text and "<i>" in page.text
    assert ("th", {"scope": "rowgroup", "colspan": "2"}) in page.tags
