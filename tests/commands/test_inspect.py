"""inspect as a user calls it: names, sizes, bad input, a page, networks of other people."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from click.testing import CliRunner
from torch import Tensor, nn

from pixelwise.cli import main
from pixelwise.commands import inspect_subject
from pixelwise.commands.inspect import inspect, inspect_network
from pixelwise.commands.inspect_text import inspection_text
from pixelwise.core.errors import BadOutput, BadPlan, ShapeMismatch, UnknownName
from pixelwise.explanation.activation_check import check_activations
from pixelwise.explanation.border_check import border_influence
from pixelwise.explanation.cost import measure_cost
from pixelwise.explanation.receptive import effective_field
from pixelwise.explanation.tried_sizes import try_sizes
from pixelwise.explanation.upsampling_check import check_upsampling
from pixelwise.networks import NetworkIO, build_network
from pixelwise.tasks import build_task
from tests.plans import STORED


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
    with pytest.raises(BadPlan, match="row and column"):
        inspect("unet", pixel="middle")
    with pytest.raises(BadPlan, match="388 x 388"):
        inspect("unet-paper", input="572x572x1", pixel="388,0")
    with pytest.raises(BadPlan, match="skip"):
        inspect("unet", settings=["skip=some"])
    with pytest.raises(BadPlan, match="no option of a network"):
        inspect("unet", settings=["training.steps=5"])


def test_from_an_output_pixel_to_its_input_and_back() -> None:
    """Row 0 of 388 sees 188 rows, its own place being row 92 of 572; row 4 sees 204."""
    corner = inspect("unet-paper", input="572x572x1", pixel="0,4").pixel
    assert corner is not None
    assert corner.sees == ((0, 187), (0, 203))
    assert corner.input == (92, 96)
    assert corner.changes[0] is not None
    assert corner.changes[0][0] == 0
    text = inspection_text(inspect("light", input="32x48x1", pixel=(3, 40)))
    assert "The output pixel (3, 40) sees the input pixels y 0 to" in text


def test_options_behind_a_name_and_in_settings() -> None:
    result = inspect(
        "unet:width=4,depth=2", settings=["skip=none"], compare=["unet:width=4,depth=2"]
    )
    assert result.name == "unet (width 4, depth 2, skip none)"
    mine, other = result.compared
    # the first convolutions of the decoder are given 8 and 4 maps instead of 16 and 8
    assert other.parameters - mine.parameters == 9 * (8 * 8 + 4 * 4)


def test_a_plan_is_built_with_as_many_outputs_as_its_task_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some tasks ask for maps besides the classes; what is compared gets as many."""
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(STORED))
    assert inspect(path).output_shape[1] == 2
    greedy = dataclasses.replace(build_task("semantic", 2, {}), n_outputs=5)
    monkeypatch.setattr(inspect_subject, "build_task", lambda *given: greedy)
    result = inspect(path, compare=["light:width=4"])
    assert [one.output_shape[1] for one in result.compared] == [5, 5]


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


class Halving(nn.Module):
    """Takes multiples of 4 only, as many networks elsewhere do, and answers on half the grid."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.second = nn.Conv2d(4, 4, 3, stride=2, padding=1)
        self.last = nn.Conv2d(4, 2, 1)

    def forward(self, images: Tensor) -> Tensor:
        fine = F.relu(self.first(images))
        coarse = F.relu(self.second(fine))
        return self.last(fine + F.interpolate(coarse, scale_factor=2))


def test_sizes_of_a_network_that_does_not_tell_them_are_tried() -> None:
    """Halves of 4 i are 2 i; of 4 i - 1 also (the convolution rounds up); others do not fit."""
    tried = try_sizes(Halving(), (1, 1, 40, 40))
    assert [size for size, _ in tried.taken[:4]] == [40, 43, 44, 47]
    assert tried.step is None
    result = inspect_network(Halving(), (1, 1, 40, 40))
    assert any("lie 2 input pixels apart" in sentence for sentence in result.sizes)
    valid = try_sizes(nn.Sequential(nn.Conv2d(1, 1, 5), nn.MaxPool2d(2)), (1, 1, 20, 20))
    assert (valid.step, valid.smallest) == (1, 6)
    only = try_sizes(nn.Sequential(nn.Flatten(), nn.Linear(400, 3)), (1, 1, 20, 20))
    assert only.taken == ()


def test_steps_and_activations_that_are_function_calls_are_found() -> None:
    torch.manual_seed(0)
    network = Halving()
    assert [check.kind for check in check_upsampling(network, 1)] == ["nearest upsampling"]
    assert len(check_activations(network, 1)) == 2


@pytest.mark.parametrize(
    ("kind", "is_even", "by_design"),
    [
        ("nearest", True, True),
        ("bilinear", True, True),
        ("transposed", False, True),
        ("pixel-shuffle", False, True),
        ("unpooling", False, False),
    ],
)
def test_checkerboards_of_every_way_up(kind: str, is_even: bool, by_design: bool) -> None:
    torch.manual_seed(0)
    options = {"width": 4, "depth": 2, "upsampling": kind}
    checks = check_upsampling(build_network("unet", NetworkIO(2, 1, 2), options), 1)
    assert len(checks) == 2
    for check in checks:
        assert (check.verdict == "even") == is_even
        assert check.is_even_by_design == by_design


def test_large_padding_is_no_step_up() -> None:
    network = build_network("fcn-16s", NetworkIO(2, 1, 2), {"width": 2})
    kinds = [check.kind for check in check_upsampling(network, 1)]
    assert kinds == ["transposed convolution"] * 2


def test_command_line() -> None:
    words = ["inspect", "light", "--set", "width=4", "--compare", "unet:width=4", "segnet-basic"]
    answer = CliRunner().invoke(main, [*words, "--input", "32x32x1", "--json"])
    assert answer.exit_code == 0
    content = json.loads(answer.stdout)
    assert [one["name"] for one in content["compared"]] == [
        "light (width 4)", "unet (width 4)", "segnet-basic",
    ]  # fmt: skip


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
