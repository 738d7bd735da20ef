"""inspect as a user calls it: names, sizes, bad input, a page, networks of other people."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from pixelwise.commands.inspect import inspect, inspect_network
from pixelwise.commands.inspect_text import inspection_text
from pixelwise.core.errors import BadOutput, BadPlan, ShapeMismatch, UnknownName
from pixelwise.explanation.behaviour import border_influence, check_activations, check_upsampling
from pixelwise.explanation.cost import measure_cost
from pixelwise.explanation.receptive import effective_field


def test_page_and_text_of_a_network(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    result = inspect("light", input="64x64x1", compare=("sliding-window",), out=page)
    html = page.read_text()
    assert "<svg" in html
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")
    assert [one.name for one in result.compared] == ["light", "sliding-window"]
    assert "96" in inspection_text(result)
    assert type(result).model_validate_json(result.model_dump_json()) == result
    with pytest.raises(BadOutput, match="exists already"):
        inspect("light", input="64x64x1", out=page)


def test_bad_input_is_one_clear_message() -> None:
    with pytest.raises(ShapeMismatch, match="556 and 572"):
        inspect("unet-paper", input="570x570x1")
    with pytest.raises(ShapeMismatch, match="188"):
        inspect("unet-paper", input="100x100x1")
    with pytest.raises(UnknownName, match="Did you mean"):
        inspect("unett")
    with pytest.raises(BadPlan, match="2D images"):
        inspect("fcn-8s", input="8x64x64x1")
    with pytest.raises(BadPlan, match="rows, columns and channels"):
        inspect("unet", input="wide")


class Elsewhere(nn.Module):
    """Somebody else's network: a dictionary as answer, group norm, a 3 / 2 up-convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.norm = nn.GroupNorm(2, 8)
        self.act = nn.SiLU()
        self.up = nn.ConvTranspose2d(8, 2, 3, stride=2, padding=1, output_padding=1)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {"out": self.up(self.act(self.norm(self.down(images))))}


def test_a_network_from_elsewhere() -> None:
    result = inspect_network(Elsewhere(), (1, 3, 40, 40))
    assert result.output_shape == (1, 2, 40, 40)
    assert result.parameters == 3 * 8 * 9 + 8 + 16 + 8 * 2 * 9 + 2
    assert result.multiplications == 20 * 20 * (8 * 27 + 8 * 2 * 9)


def test_checkerboard_test_tells_even_from_uneven() -> None:
    uneven = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ConvTranspose2d(4, 2, 3, stride=2))
    even = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Upsample(scale_factor=2))
    first, second = check_upsampling(uneven, 1)[0], check_upsampling(even, 1)[0]
    assert first.overlap == (1, 2)
    assert not first.is_even_by_design
    assert second.unevenness == pytest.approx(0.0, abs=1e-6)
    assert second.verdict == "even"


def test_padding_is_felt_as_far_as_the_convolutions_reach() -> None:
    torch.manual_seed(0)
    stack = nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=1, bias=False) for _ in range(3)))
    felt = border_influence(stack, 1, size=32)
    assert 1 <= felt.felt <= 3
    assert all(value < 1e-5 for value in felt.change[3:])
    valid = nn.Sequential(nn.Conv2d(1, 1, 1))
    assert border_influence(valid, 1, size=32).felt == 0


def test_dead_and_exploding_activations_are_found() -> None:
    dead, loud = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3)
    nn.init.constant_(dead.bias, -100.0)
    network = nn.Sequential(dead, nn.ReLU(), loud, nn.ReLU())
    assert check_activations(network, 1)[0].verdict in ("vanishes", "mostly dead")
    nn.init.zeros_(dead.bias)
    nn.init.normal_(loud.weight, std=1e5)
    assert check_activations(network, 1)[1].verdict == "explodes"


def test_effective_field_lies_within_the_theoretical_one() -> None:
    torch.manual_seed(0)
    stack = nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=1) for _ in range(6)))
    effective = effective_field(stack, 1, size=64)
    assert 1 <= effective.diameter <= 13 * 1.5
    assert max(effective.profile[10:]) == 0


def test_cost_is_measured() -> None:
    cost = measure_cost(nn.Conv2d(1, 4, 3), (1, 1, 64, 64), repeats=1)
    assert cost.forward_ms > 0
    assert cost.training_ms is not None
