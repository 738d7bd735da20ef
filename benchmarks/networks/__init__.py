"""The table of networks: each trained by name on two sets with the same budget of 5 minutes."""

from __future__ import annotations

from benchmarks.networks.cells import TABLE
from benchmarks.networks.pages import main_score

__all__ = ["TABLE", "main_score"]
