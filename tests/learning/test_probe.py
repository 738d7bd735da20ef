"""What a network costs here: of the right size, in one arithmetic, without leaving a trace."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pixelwise.core.plan import PartSection
from pixelwise.learning.probe import Probe
from pixelwise.planning.candidate import Candidate

SMALL = Candidate(PartSection(name="unet", options={"width": 4, "depth": 1}), 2, 1, 2, (32, 32), 2)


def test_costs_are_counted() -> None:
    """1,682 weights by hand: 3 x 3 convolutions without bias, batch norms, one up-convolution.

    Level 0: 36 + 144 and two norms of 8; below: 288 + 576 and two of 16; up: 8 x 4 x 4 + 4;
    again level 0: 288 + 144 and two of 8; head: 4 x 2 + 2.
    """
    random_state = torch.get_rng_state()
    probe = Probe(torch.get_num_threads())
    first = probe(SMALL)
    assert torch.equal(torch.get_rng_state(), random_state)
    expected = (36 + 144 + 16) + (288 + 576 + 32) + (128 + 4) + (288 + 144 + 16) + 10
    assert first.n_parameters == expected
    assert 0 < first.step_seconds < 5
    assert first.pixels_per_second > 0
    assert "s this way" in first.sentence
    larger = probe(replace(SMALL, batch=8))
    assert (larger.precision, larger.memory_format) == (first.precision, first.memory_format)
    copies = 5 * 4 * first.n_parameters
    assert larger.training_bytes - copies == pytest.approx(
        4 * (first.training_bytes - copies), rel=0.05
    )


def test_valid_networks_are_fed_a_size_that_they_take() -> None:
    candidate = replace(SMALL, network=PartSection(name="unet-paper", options={"width": 1}))
    assert Probe(torch.get_num_threads())(candidate).step_seconds > 0
