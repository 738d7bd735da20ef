"""A user's own part is put to the contract, and every breach is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pixelwise.core.errors import BadPlan, Problem
from pixelwise.core.plan import PartSection
from pixelwise.learning.contract import check_loss, check_network, check_parts
from pixelwise.losses import LOSSES
from pixelwise.networks import NETWORKS, NetworkIO

IO = NetworkIO(2, 1, 3)


class Fine(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 3, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        return self.layer(images)  # type: ignore[no-any-return]  # torch has no type here


class Shrinking(Fine):
    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images)[..., 1:-1, 1:-1]


class EvenOnly(Fine):
    def forward(self, images: Tensor) -> Tensor:
        if images.shape[-1] % 2:
            raise ValueError("odd sizes are beyond me")
        return super().forward(images)


class Idle(Fine):
    def __init__(self) -> None:
        super().__init__()
        self.forgotten = nn.Linear(2, 2)


class Hiding(Fine):
    def __init__(self) -> None:
        super().__init__()
        self.secret = torch.randn(3, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images) + self.secret


@pytest.fixture
def register() -> Iterator[Callable[[Any, Callable[..., Any]], str]]:
    """Registers a part for one test under the name "own"."""
    for registry in (NETWORKS, LOSSES):
        registry.names()
    taken: list[Any] = []

    def add(registry: Any, part: Callable[..., Any]) -> str:
        registry.register("own")(part)
        taken.append(registry)
        return "own"

    yield add
    for registry in taken:
        del registry._entries["own"]


def text(problems: list[Problem]) -> str:
    assert all(p.code == "contract" for p in problems)
    return "\n".join(problem.text() for problem in problems)


Register = Callable[[Any, Callable[..., Any]], str]


def network_check(register: Register, kind: type[nn.Module]) -> str:
    def build(io: NetworkIO) -> nn.Module:
        return kind()

    return text(check_network(register(NETWORKS, build), IO, {}))


def test_a_network_that_keeps_it(register: Register) -> None:
    assert network_check(register, Fine) == ""


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Shrinking, r"(2, 3, 62, 62) to an input of (2, 1, 64, 64)"),
        (EvenOnly, "fails on an input of (1, 1, 61, 61): ValueError: odd sizes are beyond me"),
        (Idle, "2 weights of network own get no gradient: forgotten.weight, forgotten.bias"),
        (Hiding, "answers differently after saving and loading"),
    ],
)
def test_networks_that_break_it(register: Register, kind: type[nn.Module], said: str) -> None:
    assert said in network_check(register, kind)


def test_a_network_that_cannot_be_built(register: Register) -> None:
    def build(io: NetworkIO) -> nn.Module:
        raise RuntimeError("no plan")

    found = text(check_network(register(NETWORKS, build), IO, {}))
    assert "own cannot be built: RuntimeError: no plan" in found


def loss_check(register: Register, function: Callable[[Tensor, Tensor, Tensor], Tensor]) -> str:
    def build() -> Callable[[Tensor, Tensor, Tensor], Tensor]:
        return function

    return text(check_loss(register(LOSSES, build), IO, {}))


def picked(logits: Tensor, target: Tensor) -> Tensor:
    return logits.gather(1, target[:, None])[:, 0]


def test_losses_that_break_it(register: Register) -> None:
    def blind_to_valid(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        return nn.functional.cross_entropy(logits, target)

    assert "has a gradient at pixels that are not valid" in loss_check(register, blind_to_valid)


def test_a_loss_with_the_wrong_sign(register: Register) -> None:
    def rewarding(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        right = picked(torch.log_softmax(logits, 1), target)
        return (right * valid).sum() / valid.sum()

    assert "Turn its sign" in loss_check(register, rewarding)


def test_a_loss_that_overflows(register: Register) -> None:
    def naive(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        right = -torch.log(picked(torch.softmax(logits, 1), target))
        return torch.where(valid, right, 0.0).mean()

    assert "Work on logits with log_softmax" in loss_check(register, naive)


def test_a_loss_that_gives_no_number(register: Register) -> None:
    def mapped(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        return -picked(torch.log_softmax(logits, 1), target) * valid

    assert "own fails on (logits, target, valid)" in loss_check(register, mapped)


def test_a_loss_that_forgets_the_logits(register: Register) -> None:
    def constant(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        return torch.zeros(())

    assert "own fails" in loss_check(register, constant)


def test_both_parts_at_once(register: Register) -> None:
    register(NETWORKS, lambda io: Shrinking())
    register(LOSSES, lambda: lambda logits, target, valid: torch.zeros(()))
    with pytest.raises(BadPlan) as caught:
        check_parts(PartSection(name="own"), PartSection(name="own"), IO)
    said = str(caught.value)
    assert "network own" in said
    assert "own fails on (logits, target, valid)" in said
