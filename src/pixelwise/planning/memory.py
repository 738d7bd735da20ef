"""What a training will hold in memory at its peak, part by part."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pixelwise.core.plan import Plan
from pixelwise.core.records import CaseFacts, Facts
from pixelwise.data.case_store import CACHE_BYTES

FIXED_BYTES = 700_000_000
"""Interpreter, libraries and allocator slack of a training process, measured."""


@dataclass(frozen=True, slots=True)
class MemoryPart:
    """A share of the memory by name."""

    name: str
    n_bytes: int


def expected_memory(facts: Facts, plan: Plan, training_bytes: int) -> tuple[MemoryPart, ...]:
    """The parts of the peak: the process itself, the decoded images, one training step.

    training_bytes: weights, optimizer and activations of a step, as a probe measured them.
    """
    return (
        MemoryPart("Python and its libraries", FIXED_BYTES),
        MemoryPart("decoded images", min(_decoded_bytes(facts, plan), CACHE_BYTES)),
        MemoryPart("network, optimizer and one step", training_bytes),
    )


def _decoded_bytes(facts: Facts, plan: Plan) -> int:
    trained = set(plan.data.splits.get("train", ()))
    return sum(_case_bytes(case) for case in facts.cases if case.id in trained)


def _case_bytes(case: CaseFacts) -> int:
    return math.prod(case.shape) * (case.n_channels * _item_bytes(case.dtype) + 1)


def _item_bytes(dtype: str) -> int:
    digits = "".join(ch for ch in dtype if ch.isdigit())
    return max(1, int(digits) // 8) if digits else 1
