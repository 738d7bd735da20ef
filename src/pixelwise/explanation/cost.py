"""What a forward pass and a training step cost on this machine: time and memory, measured."""

from __future__ import annotations

import copy
import ctypes
import gc
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from pixelwise.core.records import Record


class Cost(Record):
    """Measured cost of one input. Milliseconds are medians; bytes None where not measurable.

    forward_bytes: how much the process grew at most during a forward pass, beyond what it
    held before. training covers forward and backward, without the optimizer.
    """

    input_shape: tuple[int, ...]
    precision: str
    threads: int
    forward_ms: float
    training_ms: float | None
    forward_bytes: int | None
    training_bytes: int | None


def measure_cost(
    network: nn.Module,
    input_shape: Sequence[int],
    *,
    precision: str = "float32",
    with_training: bool = True,
    repeats: int = 3,
) -> Cost:
    """Time a network on random input (n, c, [z,] y, x).

    The first pass shows the memory and is not timed.

    precision "bfloat16" uses automatic casting and channels-last memory.
    """
    twin = copy.deepcopy(network).float()
    images = torch.randn(tuple(input_shape))
    is_half = precision == "bfloat16"
    if is_half and images.ndim == 4:
        twin.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch
        images = images.contiguous(memory_format=torch.channels_last)

    def cast() -> torch.autocast | nullcontext[None]:
        return torch.autocast("cpu", torch.bfloat16) if is_half else nullcontext()

    def forward() -> None:
        with torch.no_grad(), cast():
            twin(images)

    def train() -> None:
        with cast():
            answer = twin(images)
        answers = [part for part in tree_leaves(answer) if isinstance(part, Tensor)]
        loss = torch.stack([part.float().square().mean() for part in answers]).sum()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        twin.zero_grad(set_to_none=True)

    twin.eval()
    forward_ms, forward_bytes = _measure(forward, repeats)
    twin.train()
    training_ms, training_bytes = _measure(train, repeats) if with_training else (None, None)
    return Cost(
        input_shape=tuple(input_shape),
        precision=precision,
        threads=torch.get_num_threads(),
        forward_ms=round(forward_ms, 2),
        training_ms=None if training_ms is None else round(training_ms, 2),
        forward_bytes=forward_bytes,
        training_bytes=training_bytes,
    )


def _measure(work: Callable[[], None], repeats: int) -> tuple[float, int | None]:
    _give_back_freed_memory()
    before = _resident("VmRSS") if _reset_peak() else None
    work()
    peak = _resident("VmHWM")
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    grown = None if before is None or peak is None else max(0, peak - before)
    return statistics.median(seconds) * 1e3, grown


def _give_back_freed_memory() -> None:
    """Otherwise memory that earlier work has freed is used again and growth is not seen."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _reset_peak() -> bool:
    """Let the system forget the process's peak memory, so that a new one can be read."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _resident(field: str) -> int | None:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    values = [int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":")]
    return values[0] if values else None
