"""Tables about the planner: planned and real cost, its rivals, and sets of any size."""

from __future__ import annotations

from benchmarks.planning.fixed_plans import TABLE, main_score

__all__ = ["TABLE", "main_score"]
