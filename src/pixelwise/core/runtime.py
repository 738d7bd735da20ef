"""The machine: processor, threads, random state, memory, and what to record about it."""

from __future__ import annotations

import os
import platform
import re
import resource
import sys
import time
from importlib import metadata
from pathlib import Path

import torch
from torch import nn

MEMORY_FORMATS = {
    ("contiguous", 2): torch.contiguous_format,
    ("contiguous", 3): torch.contiguous_format,
    ("channels_last", 2): torch.channels_last,
    ("channels_last", 3): torch.channels_last_3d,
}
"""(name in the plan, spatial dimensions) -> how tensors lie in memory."""

_USABLE = 0.9
"""Share of the free memory that may be planned with; the rest is for everybody else."""

_STARTED = time.monotonic()
_RECORDED = ("torch", "numpy", "lightning-fabric", "pillow", "tifffile", "scipy")


def lay_out(network: nn.Module, memory_format: torch.memory_format) -> None:
    """Arrange a network's weights in memory, in place."""
    network.to(memory_format=memory_format)  # type: ignore[call-overload]  # missing in the stub


def seconds_since_start() -> float:
    """Wall-clock seconds since this process began (its own record of it where it has one)."""
    try:
        ticks = float(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
        uptime = float(Path("/proc/uptime").read_text().split()[0])
        return uptime - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return time.monotonic() - _STARTED


def usable_cores() -> int:
    """How many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def use_threads(n_threads: int) -> None:
    """Let tensor operations use this many threads."""
    torch.set_num_threads(n_threads)


def seed_everything(seed: int) -> None:
    """Set the random state that initialisation and dropout draw from."""
    torch.manual_seed(seed)


def available_bytes() -> int | None:
    """Memory that can be taken without swapping, None where the system does not tell."""
    try:
        found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    except OSError:
        return None
    return int(found.group(1)) * 1024 if found else None


def usable_memory() -> int | None:
    """What a training may take: the free memory of the graphics card, else 9/10 of what is free
    here and already taken by this process; None where the system does not tell."""
    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    free = available_bytes()
    return None if free is None else round(_USABLE * free) + peak_bytes()


def peak_bytes() -> int:
    """The most memory that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def processor_name() -> str:
    """The processor as the system names it."""
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found.group(1).strip() if found else platform.processor() or platform.machine()


def has_bfloat16() -> bool:
    """Whether the processor multiplies in bfloat16; elsewhere it is emulated, and slow."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.machine() == "arm64"
    return re.search(r"\b(avx512_bf16|amx_bf16|avx_ne_convert|bf16)\b", flags) is not None


def environment() -> dict[str, str]:
    """Versions and machine facts that a run is stored with, as text."""
    versions = {name: _version(name) for name in ("pixelwise", *_RECORDED)}
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    return versions | {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor_name(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": str(usable_cores()),
        "load at the start": load,
    }


def package_version() -> str:
    """The version of this package."""
    return _version("pixelwise")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
