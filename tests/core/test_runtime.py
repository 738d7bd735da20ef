"""Facts about the machine and the process are of the right size."""

from __future__ import annotations

import subprocess
import sys
import time

import torch

from pixelwise.core.runtime import (
    available_bytes,
    environment,
    lay_out,
    peak_bytes,
    seconds_since_start,
    seed_everything,
    usable_cores,
)


def test_memory_is_counted_in_bytes() -> None:
    """An interpreter with torch holds between 50 MB and 1 TB, whatever the machine."""
    assert 5e7 < peak_bytes() < 1e12
    free = available_bytes()
    assert free is None or 1e7 < free < 1e14


def test_the_age_of_a_process_includes_its_start() -> None:
    code = (
        "import time; time.sleep(0.4); from pixelwise.core.runtime import seconds_since_start; "
        "print(seconds_since_start())"
    )
    started = time.monotonic()
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert 0.3 < float(answer.stdout) <= time.monotonic() - started + 0.1
    assert seconds_since_start() > 0


def test_the_environment_is_text() -> None:
    found = environment()
    assert found["torch"] == torch.__version__
    assert int(found["cores"]) == usable_cores() >= 1
    assert all(isinstance(value, str) and value for value in found.values())


def test_a_seed_repeats_what_is_drawn() -> None:
    seed_everything(3)
    first = torch.rand(4)
    seed_everything(3)
    assert torch.equal(torch.rand(4), first)


def test_layout_changes_strides_not_values() -> None:
    layer = torch.nn.Conv2d(3, 4, 3)
    before = layer.weight.detach().clone()
    lay_out(layer, torch.channels_last)
    assert layer.weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(layer.weight, before)
