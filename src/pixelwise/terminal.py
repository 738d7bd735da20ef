"""How results and progress look in a terminal: results on standard output, the rest on error."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

import click

from pixelwise.core.errors import Problem

_SEVERITY_STYLE = {"error": "red", "warning": "yellow", "note": "cyan"}
_LINE_GAP_SECONDS = 10.0
_PIPE_COLUMNS = 140
_DOUBTS_SHOWN = 20


class Terminal:
    """A listener that draws a progress line with the time left, and prints results as tables.

    On a terminal the line is redrawn in place; into a file or pipe a line is written now and
    then. With `is_quiet` (for --json) standard output is left to the JSON.
    """

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._is_live = sys.stderr.isatty()
        self._is_quiet = is_quiet
        self._started = 0.0
        self._printed = 0.0
        self._width = 0

    def say(self, text: str) -> None:
        """One line on standard error."""
        self._clear()
        click.echo(text, err=True)

    def advance(self, done: float, total: float, text: str) -> None:
        """Redraw the progress line: bar, share, time spent and left, figures."""
        now = time.monotonic()
        if done <= 0 or self._started == 0.0:
            self._started = now
        share = min(1.0, done / total) if total else 0.0
        gap = 0.1 if self._is_live else _LINE_GAP_SECONDS
        if now - self._printed < gap and done < total:
            return
        self._printed = now
        spent = now - self._started
        left = spent / share - spent if share > 0.01 and spent > 1 else None
        line = f"{share:4.0%} {done:,.0f}/{total:,.0f}  {text}"
        if left is not None and done < total:
            line += f"  {_clock(left)} left"
        if self._is_live:
            bar = "█" * round(share * 20)
            self._draw(f"{bar:░<20} {line}")
        elif total > 1:
            click.echo(line, err=True)
        if done >= total:
            self._clear()
            self._started = 0.0

    def close(self) -> None:
        """Remove the progress line."""
        self._clear()

    def print_line(self, text: str) -> None:
        """One line of a result on standard output."""
        if not self._is_quiet:
            click.echo(text)

    def show_problems(self, problems: Iterable[Problem]) -> None:
        """Problems on standard error, errors first, each with its remedy."""
        order = {"error": 0, "warning": 1, "note": 2}
        for problem in sorted(problems, key=lambda p: order[p.severity]):
            mark = click.style(problem.severity, fg=_SEVERITY_STYLE[problem.severity], bold=True)
            click.echo(f"{mark}: {problem.text()}", err=True)

    def show_check(self, result: Any) -> None:
        """What a data set holds, and its problems."""
        from pixelwise.commands.doubtful_labels import doubt_text

        self.show_problems(result.problems)
        dataset, facts = result.dataset, result.facts
        if dataset is not None:
            counts: dict[str, int] = {}
            for case in dataset.cases:
                counts[case.split or "no split"] = counts.get(case.split or "no split", 0) + 1
            shares = ", ".join(f"{name} {n}" for name, n in counts.items())
            self.print_line(f"{dataset.name}: {len(dataset.cases)} cases ({shares})")
            self.print_line(f"Masks: {dataset.meaning.sentence}")
            if dataset.split_rule:
                self.print_line(f"Splits: {dataset.split_rule}")
        if facts is not None:
            self._show_facts(facts)
        for doubt in result.doubts[:_DOUBTS_SHOWN]:
            self.print_line(f"Doubtful: {doubt_text(doubt)}")
        if result.page is not None:
            self.print_line(f"Page: {result.page}")
        n_errors = sum(p.severity == "error" for p in result.problems)
        n_warnings = sum(p.severity == "warning" for p in result.problems)
        verdict = "can be trained on" if result.is_usable else "cannot be trained on as it is"
        self.print_line(f"{n_errors} errors, {n_warnings} warnings: this data {verdict}.")

    def _show_facts(self, facts: Any) -> None:
        from pixelwise.report.facts_text import class_rows, describe_facts

        for line in describe_facts(facts):
            self.print_line(line)
        self._table(*class_rows(facts))

    def show_plan(self, result: Any) -> None:
        """A plan with the reason for each choice, what was measured, time and memory as bars."""
        from pixelwise.report.plan_text import plan_lines
        from pixelwise.report.terminal import plan_table

        self.show_problems(result.problems)
        for note in result.notes:
            self.say(note)
        self._rich(plan_table(result.plan))
        for line in plan_lines(result):
            self.print_line(line)

    def show_difference(self, differences: Sequence[Any], names: tuple[str, str]) -> None:
        """Fields in which two plans differ."""
        from pixelwise.report.plan_text import difference_table

        if differences:
            self._rich(difference_table(differences, names))
        else:
            self.print_line(f"{names[0]} and {names[1]} train alike: no field differs.")

    def show_training(self, result: Any) -> None:
        """Where a run lies and how good it is."""
        from pixelwise.core.quantities import format_duration

        if not result.is_finished:
            self.say(
                f"Stopped at step {result.steps:,}. The run can be used as it is; go on with "
                f"`pixelwise train --run {result.run} --resume`."
            )
        else:
            spent = format_duration(result.seconds)
            self.print_line(f"Trained {result.steps:,} steps in {spent}.")
            self._summary(result.validation, "val")
        self.print_line(f"Run: {result.run}")
        self.print_line(f"Report: {result.report}")

    def show_predictions(self, result: Any) -> None:
        """How many images were labelled, and which could not be."""
        self.print_line(f"{len(result.predictions)} images labelled in {result.out}")
        if result.predictions:
            doubtful = sorted(result.predictions, key=lambda p: p.confidence)[:3]
            names = ", ".join(f"{p.image.name} ({p.confidence:.2f})" for p in doubtful)
            self.print_line(f"Least sure of: {names}")
        if result.n_skipped:
            share = f"{result.n_skipped:,} of {result.n_tiles:,} tiles"
            self.print_line(f"{share} were taken for empty and not looked at")
        failed = [problem for problem in result.problems if problem.severity == "error"]
        others = [problem for problem in result.problems if problem.severity != "error"]
        n_failed = len({problem.path for problem in failed})
        if failed:
            self.say(f"{n_failed} could not be labelled:")
            self.show_problems(failed)
        if others:
            self.say("To be looked at:")
            self.show_problems(others)

    def show_engines(self, choice: Any) -> None:
        """Which engine was chosen, and what was measured of all."""
        from pixelwise.report.engine_table import HEADER, engine_rows, engine_sentence

        self._table(HEADER, engine_rows(choice))
        self.print_line(engine_sentence(choice))

    def show_export(self, result: Any) -> None:
        """Where a bundle lies, how large it is, how far it agrees with PyTorch."""
        from pixelwise.core.quantities import format_bytes

        self.print_line(f"Bundle: {result.out} ({format_bytes(result.n_bytes)})")
        for engine, share in result.agreement.items():
            self.print_line(f"Equal to {engine}: {share:.4%} of the pixels of the test image")

    def show_scores(self, result: Any, split: str, table_format: str = "table") -> None:
        """Scores per class and overall, and of people beside them, in one of the formats."""
        from pixelwise.report.score_text import scores_text

        self.show_problems(note for note in result.notes if note.severity != "note")
        if table_format == "table":
            self._summary(result.summary, split)
            for table in scores_text(result.summary, result.humans):
                self._rich(table)
            for sentence in result.summary.conditions:
                self.print_line(sentence)
            self._advice(result.advice)
        else:
            from pixelwise.commands.write_scores import scores_in_format

            self.print_line(scores_in_format(result.summary, table_format))
        for path in result.written:
            self.say(f"Written: {path}")

    def show_demo(self, result: Any) -> None:
        """What the demo showed."""
        self._summary(result.summary, "test")
        if result.kinds:
            self.print_line("Share of the pixels found, by kind of object:")
            rows = [(name, f"{value:.3f}") for name, value in result.kinds.items()]
            self._table(("kind", "sensitivity"), rows)
        self.print_line(f"Labels: {result.labels}")
        self.print_line(f"Report: {result.report}")

    def _summary(self, summary: Any, what: str) -> None:
        from pixelwise.report.size_table import size_lines
        from pixelwise.report.terminal import summary_table

        self._rich(summary_table(summary, what))
        named = (("mean Dice of the foreground", "mean_dice"), ("mean IoU, pooled", "mean_iou"),
                 ("pixel accuracy", "pixel_accuracy"))  # fmt: skip
        shown = [
            f"{label} {summary.overall[key]:.4f}"
            for label, key in named
            if summary.overall.get(key) is not None
        ]
        self.print_line("Overall: " + ", ".join(shown))
        for line in size_lines(summary):
            self.print_line(line)

    def _rich(self, table: Any) -> None:
        from rich.console import Console

        if self._is_quiet:
            return
        width = None if sys.stdout.isatty() else _PIPE_COLUMNS
        Console(width=width, highlight=False).print(table)

    def show_comparison(self, result: Any, table_format: str = "table") -> None:
        """Differences between predictions, their ranks, and contradictions."""
        from pixelwise.commands.compare import comparison_in_format

        self.print_line(
            comparison_in_format(result.comparison, result.contradictions, table_format)
        )
        if table_format == "table":
            self._advice(result.advice)
        for path in result.written:
            self.say(f"Written: {path}")

    def _advice(self, advice: Sequence[str]) -> None:
        if advice:
            self.print_line("Which numbers to trust here:")
        for sentence in advice:
            self.print_line(f"  {sentence}")

    def _table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
        for index, row in enumerate((header, *rows)):
            cells = [
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            line = "  " + "  ".join(cells)
            self.print_line(click.style(line, bold=True) if index == 0 else line)

    def _draw(self, line: str) -> None:
        shown = line[: shutil.get_terminal_size().columns - 1]
        padding = " " * max(0, self._width - len(shown))
        click.echo(f"\r{shown}{padding}", nl=False, err=True)
        self._width = len(shown)

    def _clear(self) -> None:
        if self._width:
            click.echo("\r" + " " * self._width + "\r", nl=False, err=True)
            self._width = 0


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
