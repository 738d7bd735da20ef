"""Progress and tables: results on standard output, everything else on standard error."""

from __future__ import annotations

import pytest

from pixelwise.core.errors import Problem
from pixelwise.terminal import Terminal


def test_results_and_messages_do_not_mix(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    terminal.say("reading")
    terminal.print_line("result")
    found = capsys.readouterr()
    assert (found.out, found.err) == ("result\n", "reading\n")


def test_with_json_the_output_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(is_quiet=True)
    terminal.print_line("result")
    terminal.say("reading")
    found = capsys.readouterr()
    assert (found.out, found.err) == ("", "reading\n")


def test_a_pipe_gets_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 40 reports, one a second, every tenth is written, and the last."""
    now = 1000.0
    monkeypatch.setattr("pixelwise.terminal.time.monotonic", lambda: now)
    terminal = Terminal()
    for step in range(41):
        terminal.advance(step, 40, "loss 0.5")
        now += 1.0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("  0% 0/40  loss 0.5")
    # 10 of 40 took 10 s: 30 s are left
    assert lines[1] == " 25% 10/40  loss 0.5  0:30 left"
    assert lines[-1] == "100% 40/40  loss 0.5"


def test_unknown_ends_do_not_divide_by_zero(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().advance(0, 0, "")
    assert "Traceback" not in capsys.readouterr().err


def test_problems_by_severity(capsys: pytest.CaptureFixture[str]) -> None:
    kinds = ("note", "error", "warning")
    Terminal().show_problems([Problem(f"this {kind}", severity=kind) for kind in kinds])
    assert capsys.readouterr().err.splitlines() == [
        "error: this error.", "warning: this warning.", "note: this note.",
    ]  # fmt: skip
