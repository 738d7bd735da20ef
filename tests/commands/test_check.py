"""check: everything at once, errors first, usable only without errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixelwise.commands.check import check


def test_built_in_data_is_usable(tiny_data: Path) -> None:
    result = check(tiny_data)
    assert result.is_usable
    assert result.dataset is not None
    assert result.facts is not None
    assert len(result.facts.cases) == 6
    assert all(problem.severity != "error" for problem in result.problems)


def test_a_missing_folder_is_a_problem_and_no_exception(tmp_path: Path) -> None:
    result = check(tmp_path / "nothing")
    assert not result.is_usable
    assert [problem.code for problem in result.problems] == ["no-folder"]


class Recorder:
    """Keeps what was said and how far it went."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.done: list[tuple[float, float]] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def advance(self, done: float, total: float, text: str) -> None:
        self.done.append((done, total))


def test_progress_ends_at_the_end(
    tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # nothing is known of it yet
    recorder = Recorder()
    check(tiny_data, listener=recorder)
    assert recorder.done[-1] == (6, 6)
    assert recorder.said


def test_images_without_masks_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(b"")
    result = check(tmp_path)
    assert [problem.code for problem in result.problems] == ["no-masks", "empty-file"]
